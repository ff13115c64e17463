"""A failure that is forced on purpose, and what its alert, its receipts and its people made of it (AR-17)."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision import Criticality, Pulse, TaskPolicy, TaskSupervisor
from tradeworthy.operations.incidents.lifecycle import Incident, IncidentBook
from tradeworthy.operations.incidents.model import Alert, AlertSeverity, Outcome, Receipt, Signal

DRILL_TASK = "alerts.drill."
"""How the task that fails is named; what follows is the drill's own name."""
DRILL_CODE, DRILL_COMPONENT = "drill.failure", "alerts.drill"
DRILL_DUE, DRILL_OVERDUE = "incident_response.drill", "incident_response.drill_due"


class DrillFailure(Exception):
    """The failure that a drill forces."""


def force_failure(supervisor: TaskSupervisor, drill: str) -> None:
    """Start a task that fails at once and is given up: the alert must come the way of any other failure."""

    async def fail(pulse: Pulse) -> None:
        raise DrillFailure(f"forced by drill {drill}")

    supervisor.create(
        fail, owner="alerts", name=f"{DRILL_TASK}{drill}", criticality=Criticality.OPTIONAL,
        policy=TaskPolicy(max_restarts=0),
    )  # fmt: skip


class DrillReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a drill measured, from the journal alone. Times are nanoseconds UTC, spans nanoseconds.

    alert       empty: the failure raised none;  detected_ns  from the failure to its alert
    reached     channels that took it, with the span from the failure to the receipt;  unreached  with the reason
    answered_ns  from the detection to a person's acknowledgement, None while nobody took it
    """

    drill: str
    at: int
    alert: str = ""
    incident: str = ""
    reached: dict[str, int] = {}
    unreached: dict[str, str] = {}
    person: str = ""
    answered_ns: int | None = None

    @property
    def passed(self) -> bool:
        """Whether an alert came, some channel took it, and a person answered."""
        return bool(self.alert and self.reached) and self.answered_ns is not None


class Rehearsed(NamedTuple):
    """An alert of a drill with its receipts and who took it."""

    alert: Alert
    receipts: tuple[Receipt, ...]
    person: str


def drill_reports(rows: Iterable[Rehearsed], incidents: Iterable[Incident]) -> tuple[DrillReport, ...]:
    """Return a report of each drill that the journal tells of, oldest first."""
    by_alert = {one.opened.alert: one for one in incidents}
    found = []
    for row in rows:
        if row.alert.code != DRILL_CODE:
            continue
        incident = by_alert.get(row.alert.id)
        answered = None
        if incident is not None and incident.acknowledged_at is not None:
            answered = incident.acknowledged_at - incident.opened.detected_at
        took = [one for one in row.receipts if one.outcome is Outcome.ACCEPTED]
        found.append(DrillReport(
            drill=row.alert.subject, at=row.alert.since, alert=row.alert.id,
            incident="" if incident is None else incident.id, reached=_spans(took),
            unreached={
                one.channel: one.reason for one in row.receipts
                if one.channel not in {had.channel for had in took}
            },
            person=row.person, answered_ns=answered,
        ))  # fmt: skip
    return tuple(sorted(found, key=lambda one: one.at))


def _spans(receipts: list[Receipt]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in receipts:
        found.setdefault(one.channel, one.event_ns or one.latency_ns)
    return found


def judge_drills(reports: Iterable[DrillReport], interval_days: int, now: int) -> Check:
    """Judge how long ago a drill passed: FAIL when the interval is reached, unknown where none ever passed."""
    passed = [one for one in reports if one.passed]
    limit = f"one that passed in {interval_days} d"
    if not passed:
        return Check(DRILL_DUE, Severity.UNKNOWN, "no drill has passed", limit)
    days = (now - passed[-1].at) / NANOS_PER_DAY
    severity = Severity.FAIL if days >= interval_days else Severity.OK
    return Check(DRILL_DUE, severity, f"{days:.1f} d since {passed[-1].drill}", limit)


def rendered(report: DrillReport) -> str:
    """Return a report as Markdown."""
    lines = [f"# Alert drill {report.drill}", "", f"Result: {'passed' if report.passed else 'failed'}", ""]
    lines += ["| step | seen |", "|---|---|", f"| alert | {report.alert or 'none'} |"]
    lines += [f"| {name} | took it after {ns / NANOS_PER_SECOND:.3f} s |" for name, ns in report.reached.items()]
    lines += [f"| {name} | not delivered: {reason} |" for name, reason in report.unreached.items()]
    if report.answered_ns is None:
        lines.append("| person | nobody took it |")
    else:
        lines.append(f"| person | {report.person} took it after {report.answered_ns / NANOS_PER_SECOND:.1f} s |")
    lines.append(f"| incident | {report.incident or 'none'} |")
    return "\n".join(lines) + "\n"


class DrillWatch:
    """Ask for a drill when it is due, once, and say when one was answered.

    since  when a drill was answered last, or the path opened first, nanoseconds UTC; None: it opens now
    """

    def __init__(self, incidents: IncidentBook, interval_days: int, since: int | None) -> None:
        self._incidents, self._interval_ns, self._since = incidents, interval_days * NANOS_PER_DAY, since
        self._asked = False

    def look(self, now: int) -> tuple[Signal, ...]:
        """Take one look."""
        answered = (one.acknowledged_at for one in self._incidents.all if one.opened.drill)
        last = max((one for one in answered if one is not None), default=0)
        self._since = max(now if self._since is None else self._since, last)
        due = now - self._since >= self._interval_ns
        if due is self._asked:
            return ()
        self._asked = due
        days = (now - self._since) // NANOS_PER_DAY
        said = f"no alert drill was answered for {days} d: run `tradeworthy alert drill CONFIG`"
        return (Signal(
            code=DRILL_OVERDUE, category=DRILL_DUE, component="drill", subject="alerts", firing=due,
            severity=AlertSeverity.WARNING, message=said if due else "an alert drill was answered",
            observed=f"{days} d", limit=f"{self._interval_ns // NANOS_PER_DAY} d",
        ),)  # fmt: skip
