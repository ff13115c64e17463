"""What time alone brings beside the alert path: the roster's gaps, reviews and clocks of law (AR-19, IN-06, IN-08)."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Fact
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.ladder_policy import EscalationPolicy
from tradeworthy.operations.incidents.lifecycle import IncidentBook
from tradeworthy.operations.incidents.model import AlertSeverity, Signal
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.regulatory import Brought
from tradeworthy.operations.incidents.reviews import Owed, review_signal, reviews_owed
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
from tradeworthy.operations.incidents.tickets import TicketWatch

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


class ClockWatch:
    """Let clocks of law run: drafts go to a folder, alarms to people, each fact to the journal."""

    def __init__(self, incidents: IncidentBook, folder: Path) -> None:
        self._incidents, self._folder = incidents, folder

    def look(self, now: int) -> Brought:
        """Take one look."""
        return self._incidents.clocks.look(self._incidents.concerns(), now, self._keep)

    def _keep(self, name: str, text: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        write_durably(self._folder / name, text.encode())


class ReviewWatch:
    """Tell of reviews that are overdue, once when they become so and once when they grow worse."""

    def __init__(self, incidents: IncidentBook, policy: IncidentPolicy) -> None:
        self._incidents, self._policy = incidents, policy
        self._told: dict[str, Owed] = {}

    def look(self, now: int) -> tuple[Signal, ...]:
        """Take one look."""
        late = {
            one.incident: one for one in reviews_owed(self._incidents.all, self._policy, now)
            if one.severity is not Severity.OK
        }  # fmt: skip
        worse = [
            review_signal(one) for key, one in late.items()
            if key not in self._told or self._told[key].severity is not one.severity
        ]  # fmt: skip
        over = [review_signal(one, over=True) for key, one in self._told.items() if key not in late]
        self._told = late
        return (*worse, *over)


class Looks(Protocol):
    """What time alone brings of one duty."""

    def look(self, now: int) -> tuple[Signal, ...]: ...


def looks_of(clocks: ClockWatch, tickets: TicketWatch, *watches: Looks) -> Callable[[int], Brought]:
    """Return one look over all."""

    def look(now: int) -> Brought:
        law, ticket = clocks.look(now), tickets.look(now)
        told = tuple(signal for one in watches for signal in one.look(now))
        return Brought((*law.facts, *ticket.facts), (*law.signals, *ticket.signals, *told))

    return look
