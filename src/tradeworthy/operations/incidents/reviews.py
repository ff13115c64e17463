"""Which incidents still wait for their review, and how late it is (IN-06)."""

from collections.abc import Iterable
from typing import NamedTuple

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.lifecycle import Incident, Phase
from tradeworthy.operations.incidents.model import AlertSeverity, Signal
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.regulatory import after_business_days

OVERDUE = "incident_response.postmortem_backlog"


class Owed(NamedTuple):
    """A review that is owed: due at, nanoseconds UTC, and how it stands now."""

    incident: str
    sev: int
    due: int
    severity: Severity


def reviews_owed(incidents: Iterable[Incident], policy: IncidentPolicy, now: int) -> tuple[Owed, ...]:
    """Return the reviews of resolved SEV-1 and SEV-2 incidents: WARN when due, FAIL five days later; no drills."""
    found = []
    for one in incidents:
        if one.phase is not Phase.RESOLVED or one.resolved_at is None or one.sev > 2 or one.opened.drill:
            continue
        if one.sev == 1:
            due = one.resolved_at + policy.review_sev1_days * NANOS_PER_DAY
        else:
            due = after_business_days(one.resolved_at, policy.review_sev2_business_days)
        late = now - due
        fails = late >= policy.review_overdue_fail_days * NANOS_PER_DAY
        severity = Severity.FAIL if fails else Severity.WARN if late >= 0 else Severity.OK
        found.append(Owed(one.id, one.sev, due, severity))
    return tuple(found)


def review_signal(owed: Owed, *, over: bool = False) -> Signal:
    """Return what people are told of a review that is late, or that it is over."""
    severity = AlertSeverity.ERROR if owed.severity is Severity.FAIL else AlertSeverity.WARNING
    return Signal(
        code=OVERDUE, category=OVERDUE, component="review", subject=owed.incident, severity=severity, firing=not over,
        message=f"the review of {owed.incident} (SEV-{owed.sev}) is {'written' if over else 'overdue'}",
    )  # fmt: skip
