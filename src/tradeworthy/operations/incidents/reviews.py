"""What incidents still wait for: a review, and how late it is; somebody who commands (IN-02, IN-06)."""

from collections.abc import Iterable
from typing import NamedTuple

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.business_days import after_business_days, open_days_of
from tradeworthy.operations.incidents.lifecycle import Incident, Phase, Role
from tradeworthy.operations.incidents.means import MINUTE_NS
from tradeworthy.operations.incidents.model import AlertSeverity, Signal
from tradeworthy.operations.incidents.policy import IncidentPolicy

OVERDUE = "incident_response.postmortem_backlog"
UNLED, UNLED_CATEGORY = "incident_response.no_commander", "incident_response.status"


class Owed(NamedTuple):
    """A review that is owed: due at, nanoseconds UTC, and how it stands now."""

    incident: str
    sev: int
    due: int
    severity: Severity


def reviews_owed(incidents: Iterable[Incident], policy: IncidentPolicy, now: int) -> tuple[Owed, ...]:
    """Return the reviews of resolved SEV-1 and SEV-2 incidents: WARN when due, FAIL five days later; no drills."""
    found, open_on = [], open_days_of(policy.business_calendar)
    for one in incidents:
        if one.phase is not Phase.RESOLVED or one.resolved_at is None or one.sev > 2 or one.opened.drill:
            continue
        if one.sev == 1:
            due = one.resolved_at + policy.review_sev1_days * NANOS_PER_DAY
        else:
            due = after_business_days(one.resolved_at, policy.review_sev2_business_days, open_on)
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


def unled(incidents: Iterable[Incident], policy: IncidentPolicy, now: int) -> tuple[Incident, ...]:
    """Return the SEV-1 and SEV-2 incidents that live, are no drills, and have had no commander for too long."""
    limit = round(policy.commander_minutes * MINUTE_NS)
    return tuple(
        one for one in incidents
        if one.living and one.sev <= 2 and not one.opened.drill and Role.COMMANDER.value not in one.roles
        and now - one.opened.detected_at >= limit
    )  # fmt: skip


def command_signal(one: Incident, *, over: bool = False) -> Signal:
    """Return what people are asked where nobody commands an incident, or that somebody does or it is over."""
    who = one.roles.get(Role.COMMANDER.value)
    asked = f"who commands {one.id} (SEV-{one.sev})? `tradeworthy incident assign DESK {one.id} commander NAME`"
    said = f"{who} commands {one.id}" if who else f"{one.id} needs no commander any more"
    return Signal(
        code=UNLED, category=UNLED_CATEGORY, component="commander", subject=one.id, severity=AlertSeverity.WARNING,
        firing=not over, message=said if over else asked,
    )  # fmt: skip
