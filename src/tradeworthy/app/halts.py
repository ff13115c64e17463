"""From the halt flag and the watchdog's certificates to the desk's journal: what was done outside is told inside."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from tradeworthy.app import flatness
from tradeworthy.app.watchdog_process import CERTIFICATES, KEY, WATCHDOG
from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.facts import Fact
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.control.halt import HaltPort
from tradeworthy.trading.control.halting import FlatnessSeen, Halting
from tradeworthy.trading.control.kill import KillRequest
from tradeworthy.trading.control.owners import OWNERS
from tradeworthy.trading.model import GuardChanged, GuardLevel

TOLD = "told.json"
"""Names of the certificates that some run's journal holds, so that the next start tells the others only."""
CERTIFICATES_EVERY_NS = NANOS_PER_SECOND


class HaltNews:
    """What a running desk must hear of halts: `look` goes where people's acts are looked for.

    guard  the desk's own;  halting  its phase, which the journal tells as `control.phase`
    """

    def __init__(self, flag: HaltPort, guard: Guard, state: Path, clock: Clock) -> None:
        self._flag, self._guard, self._clock = flag, guard, clock
        self._folder = state / WATCHDOG
        self._heard: set[str] = set()
        self._told = self._remembered()
        self._look_at = 0
        self.halting = Halting()

    def look(self) -> Sequence[tuple[str, Fact]]:
        """Return `(key, fact)` of each trip that the guard does not hold yet, and of each new certificate."""
        news: list[tuple[str, Fact]] = []
        if self._flag.halted():
            news += self._trips()
        now = self._clock.monotonic()
        if now >= self._look_at:
            self._look_at = now + CERTIFICATES_EVERY_NS
            news += self._certificates()
        return news

    def on_guard(self, changed: GuardChanged) -> None:
        """Lower the flag where a re-arm ended a stop; call it after the change is in the sentinel."""
        if changed.set or changed.reason_level is not GuardLevel.STOPPED:
            return
        owner, _, code = changed.reason.partition(".")
        self._flag.release(owner, code, changed.scope)
        self._heard = {name for name in self._heard if not name.startswith(f"{owner}.{code}.{changed.scope}.")}

    def _trips(self) -> list[tuple[str, Fact]]:
        held = {(one.owner, one.code, one.scope) for one in self._guard.reasons()}
        news: list[tuple[str, Fact]] = []
        for halt in self._flag.halts():
            if halt.name in self._heard:
                continue
            self._heard.add(halt.name)
            known = (halt.owner, halt.code, halt.scope) in held
            if halt.owner == "operator" and (halt.flatten or not known):
                news.append((f"halt:{halt.name}", KillRequest(halt.evidence, "halt flag", halt.scope, halt.flatten)))
            elif not known:
                owner = halt.owner if halt.owner in OWNERS else "watchdog"
                asked = GuardAsked(owner, halt.code, GuardLevel.STOPPED, halt.scope, evidence=halt.evidence)
                news.append((f"halt:{halt.name}", asked))
            changed = self.halting.trip(halt.name, self._clock.now())
            if changed is not None:
                news.append((f"phase:{halt.name}", changed))
        return news

    def _certificates(self) -> list[tuple[str, Fact]]:
        key = self._folder / f"{KEY}.pub"
        written = sorted((self._folder / CERTIFICATES).glob(flatness.PATTERN))
        fresh = [path for path in written if path.name not in self._told]
        if not fresh or not key.exists():
            return []
        public = flatness.public_key(key)
        news: list[tuple[str, Fact]] = []
        for path in fresh:
            self._told.add(path.name)
            one = flatness.verify(path.read_bytes(), public)
            if one.certificate is None or one.faults:
                continue
            made = one.certificate
            steps = {step.name: step.after_ns for step in made.steps if step.after_ns is not None}
            seen = FlatnessSeen(
                one.digest, made.outcome, tuple(halt.name for halt in made.halts), made.cause, made.tripped_at,
                made.made_at, steps, made.flatten_left,
            )  # fmt: skip
            news.append((f"certificate:{one.digest}", seen))
            changed = self.halting.seen(made.outcome, one.digest, made.made_at)
            if changed is not None:
                news.append((f"phase:{one.digest}", changed))
        write_durably(self._folder / TOLD, msgspec.json.encode(sorted(self._told)))
        return news

    def _remembered(self) -> set[str]:
        try:
            return set(msgspec.json.decode((self._folder / TOLD).read_bytes(), type=list[str]))
        except (FileNotFoundError, msgspec.DecodeError):
            return set()
