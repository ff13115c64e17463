"""The phases of a halt, ARMED to SAFE and back: done is what was seen, never what was sent (KS-04)."""

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.words import Word
from tradeworthy.trading.control.certificate import Flatness

REPEAT_NS = 30 * NANOS_PER_SECOND
"""How long a halt that is not verified waits before cancels and pages are repeated."""


class Phase(Word):
    """Where a desk stands: nothing halted, orders going, seen to be gone, people looking at it."""

    ARMED = "armed"
    HALTING = "halting"
    SAFE = "safe"
    REVIEW = "review"


@fact("control.phase")
class PhaseChanged(Fact, frozen=True):
    """A halt went on. `cause` names trip, certificate, snapshot or re-arm; `at` is nanoseconds UTC."""

    before: Phase
    after: Phase
    cause: str
    at: int


@fact("control.flatness")
class FlatnessSeen(Fact, frozen=True):
    """A watchdog's certificate, as the desk or the next start found it. `certificate` is the SHA-256 of its file.

    tripped_at, made_at  nanoseconds UTC;  steps_ns  times from the trip by step, those that were done
    """

    certificate: str
    outcome: Flatness
    halts: tuple[str, ...]
    cause: str
    tripped_at: int
    made_at: int
    steps_ns: dict[str, int]
    flatten_left: bool = False


class Halting:
    """Hold the phase. Each act returns the change as a fact, None where nothing changes.

    safe_at  when orders were seen to be gone, from which the cool-off of a re-arm counts; None before
    """

    __slots__ = ("_repeat_at", "outcome", "phase", "safe_at")

    def __init__(self, phase: Phase = Phase.ARMED, safe_at: int | None = None) -> None:
        self.phase, self.safe_at = phase, safe_at
        self.outcome: Flatness | None = None
        self._repeat_at: int | None = None

    def trip(self, name: str, ts: int) -> PhaseChanged | None:
        """Begin a halt, from any phase; a trip while halting is the same halt."""
        self.outcome, self.safe_at, self._repeat_at = None, None, ts + REPEAT_NS
        return self._to(Phase.HALTING, name, ts)

    def seen(self, outcome: Flatness, certificate: str, ts: int) -> PhaseChanged | None:
        """Take what was seen at the venue: only `verified` makes it safe, all else is tried and paged again."""
        if self.phase is Phase.ARMED or self.phase is Phase.REVIEW:
            return None
        self.outcome = outcome
        if outcome is Flatness.VERIFIED:
            self._repeat_at = None
            if self.safe_at is None:
                self.safe_at = ts
            return self._to(Phase.SAFE, certificate, ts)
        self.safe_at = None
        self._repeat_at = ts + REPEAT_NS
        return self._to(Phase.HALTING, certificate, ts)

    def review(self, snapshot: str, ts: int) -> PhaseChanged | None:
        """Begin the review with a forensic snapshot; raises `InvalidInput` before the desk is safe."""
        if self.phase not in (Phase.SAFE, Phase.REVIEW):
            raise InvalidInput(f"a review begins when the desk is safe, it is {self.phase.value}")
        return self._to(Phase.REVIEW, snapshot, ts)

    def rearm(self, incident: str, ts: int) -> PhaseChanged | None:
        """Arm again: who may was judged before, the change tells from which phase."""
        self.outcome = self.safe_at = self._repeat_at = None
        return self._to(Phase.ARMED, incident, ts)

    def repeat_due(self, ts: int) -> bool:
        """Tell whether cancels and pages are to be repeated now; the next time is set when they were."""
        if self.phase is not Phase.HALTING or self._repeat_at is None or ts < self._repeat_at:
            return False
        self._repeat_at = ts + REPEAT_NS
        return True

    def fold(self, changed: PhaseChanged) -> None:
        """Take over a change that the journal holds."""
        self.phase = changed.after
        self.safe_at = changed.at if changed.after is Phase.SAFE else self.safe_at
        if changed.after in (Phase.ARMED, Phase.HALTING):
            self.safe_at = None

    def _to(self, after: Phase, cause: str, ts: int) -> PhaseChanged | None:
        before, self.phase = self.phase, after
        return None if before is after else PhaseChanged(before, after, cause, ts)
