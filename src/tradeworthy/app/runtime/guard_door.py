"""The way from beside the desk to its guard: supervision, watchdog, clock, bus and the end of the process (SUP-05)."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.supervision import Escalated, Response
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.control.sentinel import SentinelPort
from tradeworthy.trading.model import GuardLevel

WAITING_MAX = 1_024
"""What is asked while no desk listens; more is a fault of whoever asks, and the oldest gives way."""
LEVELS = {Response.STOP: GuardLevel.STOPPED, Response.PAUSE: GuardLevel.PAUSED}


class Listener(Protocol):
    """A run that hears between two of its events."""

    def offer(self, fact: Fact, *, source: str, key: str) -> None: ...


class GuardDoor:
    """Bring reasons to the desk's guard, in the order in which they were asked.

    What is asked before a desk listens, or between two attempts of it, waits; a stop is written to the sentinel at
    once then, so that no start can miss it.
    on_stop  hears of every stop before the desk does, e.g. to raise the halt flag
    failure_halts  a failure that no restart answers stops where it would pause (MOD-02)
    """

    def __init__(
        self, clock: Clock, memory: SentinelPort, *, run_id: str,
        on_stop: Callable[[GuardAsked], None] = lambda asked: None, failure_halts: bool = False,
    ) -> None:
        self._clock, self._memory, self._run_id, self._on_stop = clock, memory, run_id, on_stop
        self._failure_halts = failure_halts
        self._waiting: deque[GuardAsked] = deque(maxlen=WAITING_MAX)
        self._listener: Listener | None = None
        self._asked = 0
        self._held: dict[tuple[str, str, str], GuardAsked] = {}

    @property
    def held(self) -> tuple[GuardAsked, ...]:
        """What was asked for and not taken back, in this life."""
        return tuple(self._held.values())

    def connect(self, listener: Listener) -> None:
        """Let a desk hear from now on: first what still holds from before, then what waits."""
        self._listener = listener
        waiting, self._waiting = list(self._waiting), deque(maxlen=WAITING_MAX)
        told = {_key(asked) for asked in waiting}
        for asked in (*(one for key, one in self._held.items() if key not in told), *waiting):
            self._offer(listener, asked)

    def disconnect(self) -> None:
        """The desk hears no more."""
        self._listener = None

    def ask(self, asked: GuardAsked) -> None:
        """Set or clear a reason; from the event loop's thread only. The same wish twice is one."""
        key = _key(asked)
        held = self._held.get(key)
        if asked.active:
            if held is not None and held.level >= asked.level:
                return
            self._held[key] = asked
        elif self._held.pop(key, None) is None:
            return
        stops = asked.active and asked.level is GuardLevel.STOPPED
        if stops:
            self._on_stop(asked)
        if self._listener is not None:
            self._offer(self._listener, asked)
            return
        self._waiting.append(asked)
        if stops:
            self._latch(asked)

    def escalate(self, escalated: Escalated, cause: Event) -> None:
        """Answer a failure that no restart answers: stop, pause, or leave it at the warning that was journaled."""
        level = LEVELS.get(escalated.response)
        if level is not None:
            level = GuardLevel.STOPPED if self._failure_halts else level
            self.ask(GuardAsked("supervision", escalated.task, level, evidence=escalated.reason))

    def hold_of(self, owner: str) -> "Hold":
        """Return the port by which one owner pauses the desk and takes its pause away."""
        return Hold(self, owner)

    def _offer(self, listener: Listener, asked: GuardAsked) -> None:
        self._asked += 1
        listener.offer(asked, source=asked.owner, key=f"{self._run_id}:{self._asked}")

    def _latch(self, asked: GuardAsked) -> None:
        stop = HeldReason(asked.owner, asked.code, asked.level, asked.scope, self._clock.now(), None, asked.evidence)
        held = sentinel.restore((), self._memory.read(), first_run=True, now=stop.since)
        kept = tuple(one for one in held if (one.owner, one.code, one.scope) != (stop.owner, stop.code, stop.scope))
        self._memory.write(sentinel.encode((*kept, stop)))


class Hold:
    """Pause the desk in one owner's name, and take that reason away again."""

    def __init__(self, door: GuardDoor, owner: str) -> None:
        self._door, self._owner = door, owner

    def hold(self, code: str, evidence: str) -> None:
        """Pause openings until `release`."""
        self._door.ask(GuardAsked(self._owner, code, GuardLevel.PAUSED, evidence=evidence))

    def release(self, code: str) -> None:
        """Take this pause away; other reasons stay."""
        self._door.ask(GuardAsked(self._owner, code, GuardLevel.PAUSED, active=False))


def _key(asked: GuardAsked) -> tuple[str, str, str]:
    return asked.owner, asked.code, asked.scope
