"""The desk's side of the watchdog: launch it, beat to it from the event loop, miss it (WD-01, WD-05, WD-06)."""

import asyncio
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Protocol

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import HaltTrading, InvalidInput
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.journal.files import raise_token, write_durably
from tradeworthy.kernel.supervision.backoff import RestartBudget
from tradeworthy.kernel.supervision.beat import (
    Answer,
    Beat,
    Channel,
    Farewell,
    WatchdogJob,
    WatchdogPolicy,
    pair,
    stacks_file_of,
)
from tradeworthy.kernel.supervision.notify import ServiceNotify
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.kernel.supervision.process import start_ticks_of, write_stacks_on_signal
from tradeworthy.kernel.supervision.supervisor import TaskSupervisor
from tradeworthy.kernel.supervision.task import Pulse

MISSING = "missing"


class Vitals(msgspec.Struct, frozen=True):
    """What a beat tells beside the loop's own life: the journal's head and the guard's state."""

    head: str
    guard: str


class HoldPort(Protocol):
    """Pause the desk in the watchdog's name, and take that reason away."""

    def hold(self, code: str, evidence: str) -> None: ...
    def release(self, code: str) -> None: ...


@fact("watchdog.launched")
class WatchdogLaunched(Fact, frozen=True):
    """A watchdog was started for this run; every older token is fenced out."""

    run_id: str
    pid: int
    token: int


@fact("watchdog.missed")
class WatchdogMissed(Fact, frozen=True):
    """The desk heard nothing of its watchdog for so long, or saw that it ended."""

    token: int
    silent_ns: int
    exit_code: int | None


class WatchdogLink:
    """Keep one watchdog process watching this process; no supervisor tracks that child, it must outlive `cancel_all`.

    command  the program and its arguments; the job's file is added as the last one
    folder   state of the desk that survives it: token, stacks, evidence
    service  the process manager, told that the loop lives (WD-07)
    lag      takes the loop lag of each beat in nanoseconds, e.g. `ResourceLedger.lag`
    """

    def __init__(
        self, supervisor: TaskSupervisor, clock: Clock, *, command: Sequence[str], folder: Path, run_id: str,
        vitals: Callable[[], Vitals], hold: HoldPort, policy: WatchdogPolicy | None = None,
        service: ServiceNotify | None = None, lag: Callable[[int], object] | None = None,
    ) -> None:  # fmt: skip
        self._supervisor, self._clock, self._command = supervisor, clock, tuple(command)
        self._folder, self._run_id, self._vitals, self._hold = folder, run_id, vitals, hold
        self._policy = policy or WatchdogPolicy()
        self._service, self._lag = service or ServiceNotify(None), lag
        self._service_due = 0
        self._budget = RestartBudget(self._policy.relaunches, self._policy.relaunch_window_s)
        self._child: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._stacks: IO[bytes] | None = None
        self._heard = self._beat_at = clock.monotonic()
        self._held = self._answered = False
        self._sequence = 0
        self.token = 0
        self.lag_ns = 0

    @property
    def child(self) -> "subprocess.Popen[bytes] | None":
        """The watchdog's process."""
        return self._child

    @property
    def watching(self) -> bool:
        """Whether this generation's watchdog has answered and is not missed; a live start needs it (WD-05)."""
        return self._child is not None and self._answered and not self._held

    def launch(self) -> None:
        """Start a watchdog with the next token; an older one that still runs can do nothing and is killed."""
        pid = os.getpid()
        start_ticks = start_ticks_of(pid)
        if start_ticks is None:
            raise HaltTrading("expected the start of this process in /proc, found none: a watchdog could not know it")
        self._folder.mkdir(parents=True, exist_ok=True)
        self.token = raise_token(self._folder)  # before the old one loses its channel, so that it is fenced by then
        self._end_child()
        if self._stacks is None:
            self._stacks = write_stacks_on_signal(stacks_file_of(self._folder))
        ours, theirs = pair()
        job = WatchdogJob(
            run_id=self._run_id, pid=pid, start_ticks=start_ticks, token=self.token, channel=theirs.fileno(),
            folder=str(self._folder), policy=self._policy,
        )  # fmt: skip
        path = self._folder / f"watchdog-{self.token:06d}.json"
        write_durably(path, msgspec.json.encode(job))
        self._child = subprocess.Popen([*self._command, str(path)], pass_fds=[theirs.fileno()], start_new_session=True)
        theirs.close()
        self._channel = Channel(ours)
        self._heard, self._answered = self._clock.monotonic(), False
        self._supervisor.record(WatchdogLaunched(self._run_id, self._child.pid, self.token), None)

    async def beats(self, pulse: Pulse) -> None:
        """Beat for ever: the factory of a supervised task of the desk's loop."""
        interval = nanos(self._policy.beat_interval_s)
        due = self._clock.monotonic()
        while True:
            now = self._clock.monotonic()
            self.lag_ns = max(0, now - due)
            if self._lag is not None:
                self._lag(self.lag_ns)
            if now >= self._service_due:
                self._service.alive()
                self._service_due = now + nanos(self._policy.service_alive_s)
            self.beat()
            pulse.beat(self._sequence)
            due = now + interval
            await asyncio.sleep(max(0, due - self._clock.monotonic()) / NANOS_PER_SECOND)

    def beat(self) -> None:
        """Send one beat, take the answers, and answer a missing watchdog."""
        self._sequence += 1
        now = self._clock.monotonic()
        if (gap := now - self._beat_at) >= nanos(self._policy.hang_after_s):
            self._heard += gap  # the desk itself did not beat: nothing could be answered
        self._beat_at = now
        if self._channel is not None:
            vitals = self._vitals()
            self._channel.send(
                Beat(self._run_id, os.getpid(), self._sequence, now, self.lag_ns, vitals.head, vitals.guard)
            )
            self._listen(self._channel)
        self._judge()

    def farewell(self, wait_s: float = 1.0) -> None:
        """Tell the watchdog that the desk ends in order, and wait for its end at most so long.

        Its moment is after the working orders were verified as gone and before the beats end with the other tasks:
        silence without a farewell is an incident.
        """
        if self._channel is not None:
            self._channel.send(Farewell(self._run_id, os.getpid()))
        if self._child is not None:
            try:
                self._child.wait(wait_s)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        if self._channel is not None:
            self._channel.close()
        self._child = self._channel = None

    def _listen(self, channel: Channel) -> None:
        try:
            messages = channel.receive()
        except InvalidInput:
            return
        if any(isinstance(one, Answer) and one.token == self.token for one in messages):
            self._heard, self._answered = self._clock.monotonic(), True
            if self._held:
                self._held = False
                self._hold.release(MISSING)

    def _judge(self) -> None:
        code = None if self._child is None else self._child.poll()
        silent = self._clock.monotonic() - self._heard
        if self._child is not None and code is None and silent < nanos(self._policy.missing_after_s):
            return
        if not self._held:
            self._held = True
            self._supervisor.record(WatchdogMissed(self.token, silent, code), None)
            found = "no process" if self._child is None else "silence" if code is None else f"exit code {code}"
            since = silent / NANOS_PER_SECOND
            self._hold.hold(MISSING, f"expected the watchdog's answer, found {found}, {since:.3f} s after the last")
        if self._budget.grant(self._clock.monotonic()):
            self.launch()

    def _end_child(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        self._child = None
