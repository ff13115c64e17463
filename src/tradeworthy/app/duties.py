"""What time alone brings beside the alert path: the roster's gaps and what else falls due (AR-19)."""

from collections.abc import Callable
from pathlib import Path

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Fact
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.model import AlertSeverity, Signal
from tradeworthy.operations.incidents.policy import EscalationPolicy
from tradeworthy.operations.incidents.roster import (
    ContactTested,
    Roster,
    RosterFacts,
    RosterFinding,
    judge_roster,
    read_roster,
    roster_facts,
    roster_signals,
)

LOOK_EVERY_NS = 60 * NANOS_PER_SECOND


class RosterWatch:
    """Read the roster's file each minute, and tell what is wrong with it; folds the tests of contacts."""

    def __init__(self, policy: EscalationPolicy, base: Path) -> None:
        self._policy = policy
        self._path = base / policy.roster if policy.roster else None
        self._tests: dict[tuple[str, str], int] = {}
        self._next = 0
        self._said: set[str] = set()

    def fold(self, told: Fact) -> None:
        """Take one fact of the journal."""
        if isinstance(told, ContactTested):
            if told.reached:
                self._tests[told.name, told.transport] = told.at
            else:
                self._tests.pop((told.name, told.transport), None)

    def roster(self) -> Roster | None:
        """Return the roster as the file has it; raises `UsageError` for one that is none."""
        if self._path is None:
            return None
        try:
            return read_roster(self._path.read_bytes())
        except OSError as problem:
            raise UsageError(f"expected a roster in {self._path}, found {problem.strerror}") from None

    def facts(self, now: int) -> RosterFacts:
        """Return the roster's facts; nothing is known of one that cannot be read."""
        try:
            return roster_facts(self.roster(), self._tests, self._policy, now)
        except UsageError:
            return RosterFacts()

    def findings(self, now: int) -> tuple[RosterFinding, ...]:
        """Return the findings at `now`, nanoseconds UTC."""
        return judge_roster(self.facts(now), self._policy)

    def look(self, now: int) -> tuple[Signal, ...]:
        """Return what changed or still holds, once a minute; nothing where nobody keeps a roster."""
        if self._path is None or now < self._next:
            return ()
        self._next = now + LOOK_EVERY_NS
        found = self.findings(now)
        broken = {one.code for one in found if one.severity is not Severity.OK}
        gone = [
            RosterFinding(code, Severity.OK, AlertSeverity.INFO, "over", "")
            for code in sorted(self._said - {one.code for one in found})
        ]  # fmt: skip
        told = [one for one in (*found, *gone) if one.code in broken or one.code in self._said]
        self._said = broken
        return roster_signals(told)


def looks_of(*watches: Callable[[int], tuple[Signal, ...]]) -> Callable[[int], tuple[Signal, ...]]:
    """Return one look over several."""

    def look(now: int) -> tuple[Signal, ...]:
        return tuple(signal for watch in watches for signal in watch(now))

    return look
