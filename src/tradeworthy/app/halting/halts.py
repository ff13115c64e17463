"""From the halt flag and the watchdog's certificates to the desk's journal: what was done outside is told inside."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tradeworthy.app.halting import flatness
from tradeworthy.app.halting.watchdog_process import CERTIFICATES, DESK_VIEW, KEY, WATCHDOG
from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.facts import Fact
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.control.certificate import Certificate, Flatness, left_open
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.control.halt import Halt, HaltPort
from tradeworthy.trading.control.halting import FlatnessSeen, Halting, Phase, PhaseChanged
from tradeworthy.trading.control.kill import KillRequest
from tradeworthy.trading.control.owners import OWNERS
from tradeworthy.trading.control.venue_view import VenueView
from tradeworthy.trading.model import GuardChanged, GuardLevel

TOLD = "told.json"
"""Names of the certificates that some run's journal holds, so that the next start tells the others only."""
LOOK_EVERY_NS = NANOS_PER_SECOND
OWN_LOOK_AFTER_NS = 5 * NANOS_PER_SECOND
"""A watchdog verifies in this time; afterwards the desk's own look at its venue counts."""
OWN_LOOK = "the desk's own look"


class HaltNews:
    """What a running desk must hear of halts: `look` goes where people's acts are looked for, `heed` hears the desk.

    guard    the desk's own;  halting  its phase, which the journal tells as `control.phase`
    view     what the desk itself sees of its venue: it makes a halt safe where no watchdog can certify it
    tells_view  whether the venue lives in this process, so that its watchdog knows only what is told here
    """

    def __init__(
        self, flag: HaltPort, guard: Guard, state: Path, clock: Clock,
        view: Callable[[], VenueView | None] = lambda: None, *, tells_view: bool = False,
    ) -> None:  # fmt: skip
        self._flag, self._guard, self._clock, self._view = flag, guard, clock, view
        self._tells_view = tells_view
        self._folder = state / WATCHDOG
        self._heard: set[str] = set()
        self._told = self._remembered()
        self._read: set[str] = set()
        self._verified: set[str] = set()
        self._phases: list[tuple[str, Fact]] = []
        self._look_at = self._own_look_at = 0
        self.halting = Halting()

    @property
    def halts_unseen(self) -> bool:
        """Whether a trip is in force whose orders nobody has seen to be gone, heard of already or not."""
        return self._flag.halted() and self.halting.phase not in (Phase.SAFE, Phase.REVIEW)

    def look(self) -> Sequence[tuple[str, Fact]]:
        """Return `(key, fact)` of each trip that the guard does not hold yet, each new certificate, each phase."""
        news: list[tuple[str, Fact]] = []
        if self._flag.halted():
            news += self._trips()
        now = self._clock.monotonic()
        if self._tells_view and self.halting.phase is Phase.HALTING:
            self._tell_view()
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY_NS
            news += self._certificates()
            self._look_oneself(now)
        news += self._phases
        self._phases = []
        return news

    def on_guard(self, changed: GuardChanged) -> None:
        """Raise the flag for the desk's own stop, and lower it where a re-arm ended one.

        So a stop by risk, compliance or any other owner, or one that stood in the sentinel alone, is seen through by
        the watchdog like a person's (KS-01). A trip that is in force stays as it is: a second one would end its
        flatten. Call it after the change is in the sentinel.
        """
        if changed.reason_level is not GuardLevel.STOPPED:
            return
        owner, _, code = changed.reason.partition(".")
        if changed.set:
            key, now = (owner, code, changed.scope), self._clock.now()
            if all((one.owner, one.code, one.scope) != key for one in self._flag.halts()):
                self._flag.trip(Halt(*key, now, self._clock.monotonic(), changed.evidence))
            return
        self._flag.release(owner, code, changed.scope)
        self._heard = {name for name in self._heard if not name.startswith(f"{owner}.{code}.{changed.scope}.")}
        if not self._flag.halted():
            self._phase(self.halting.rearm(changed.evidence, self._clock.now()))

    def on_snapshot(self, snapshot: str) -> None:
        """Begin the review where the desk is safe: people have what they need."""
        if self.halting.phase is Phase.SAFE:
            self._phase(self.halting.review(snapshot, self._clock.now()))

    def _trips(self) -> list[tuple[str, Fact]]:
        held = {(one.owner, one.code, one.scope) for one in self._guard.reasons()}
        news: list[tuple[str, Fact]] = []
        for halt in self._flag.halts():
            if halt.name in self._heard:
                continue
            again = any(name.startswith(f"{halt.owner}.{halt.code}.{halt.scope}.") for name in self._heard)
            self._heard.add(halt.name)
            known = (halt.owner, halt.code, halt.scope) in held
            if halt.owner == "operator" and (halt.flatten or again or not known):
                news.append((f"halt:{halt.name}", KillRequest(halt.evidence, "halt flag", halt.scope, halt.flatten)))
            elif not known:
                owner = halt.owner if halt.owner in OWNERS else "watchdog"
                asked = GuardAsked(owner, halt.code, GuardLevel.STOPPED, halt.scope, evidence=halt.evidence)
                news.append((f"halt:{halt.name}", asked))
            self._phase(self.halting.trip(halt.name, self._clock.now()))
            self._own_look_at = self._clock.monotonic() + OWN_LOOK_AFTER_NS
        return news

    def _certificates(self) -> list[tuple[str, Fact]]:
        key = self._folder / f"{KEY}.pub"
        written = sorted((self._folder / CERTIFICATES).glob(flatness.PATTERN))
        fresh = [path for path in written if path.name not in self._read]
        if not fresh or not key.exists():
            return []
        public = flatness.public_key(key)
        news: list[tuple[str, Fact]] = []
        for path in fresh:
            self._read.add(path.name)
            one = flatness.verify(path.read_bytes(), public)
            if one.certificate is None or one.faults:
                continue
            if path.name not in self._told:
                news.append((f"certificate:{one.digest}", _fact_of(one.certificate, one.digest)))
            self._take(one.certificate, one.digest)
        if news:
            self._told |= self._read
            write_durably(self._folder / TOLD, msgspec.json.encode(sorted(self._told)))
        return news

    def _take(self, made: Certificate, digest: str) -> None:
        """Let a certificate move the phase: safe is when each trip that is in force was seen through."""
        if made.outcome is Flatness.VERIFIED:
            self._verified.update(halt.name for halt in made.halts)
        halted = {halt.name for halt in self._flag.halts()}
        if not halted & {halt.name for halt in made.halts}:
            return
        if made.outcome is not Flatness.VERIFIED or halted <= self._verified:
            self._phase(self.halting.seen(made.outcome, digest, made.made_at))

    def _look_oneself(self, now: int) -> None:
        """See what is open where nobody certified it in time; a venue that shows nothing changes nothing."""
        if self.halting.phase is not Phase.HALTING or now < self._own_look_at:
            return
        view = self._view()
        if view is not None and not left_open(view.open_orders, self._flag.halts()):
            self._phase(self.halting.seen(Flatness.VERIFIED, OWN_LOOK, self._clock.now()))

    def _tell_view(self) -> None:
        """Write for the watchdog what the venue of this process shows, once nothing of the halt is open."""
        view = self._view()
        if view is not None and not left_open(view.open_orders, self._flag.halts()):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_durably(self._folder / DESK_VIEW, msgspec.json.encode(view))

    def _phase(self, changed: PhaseChanged | None) -> None:
        if changed is not None:
            self._phases.append((f"phase:{changed.after.value}:{changed.at}", changed))

    def _remembered(self) -> set[str]:
        try:
            return set(msgspec.json.decode((self._folder / TOLD).read_bytes(), type=list[str]))
        except (FileNotFoundError, msgspec.DecodeError):
            return set()


def _fact_of(made: Certificate, digest: str) -> FlatnessSeen:
    steps = {step.name: step.after_ns for step in made.steps if step.after_ns is not None}
    return FlatnessSeen(
        digest, made.outcome, tuple(halt.name for halt in made.halts), made.cause, made.tripped_at, made.made_at,
        steps, made.flatten_left,
    )  # fmt: skip
