"""How incidents are answered, held to their limits: open ones, reviews that wait, MTTA and MTTR (IN-03, IN-06)."""

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.operations.incidents.lifecycle import IncidentBook, Mean, Phase
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.reviews import reviews_owed, unled

HOUR_NS = 3_600 * NANOS_PER_SECOND


def judge_incidents(book: IncidentBook, policy: IncidentPolicy, now: int) -> tuple[Check, ...]:
    """Return the checks at `now`, nanoseconds UTC; a budget is breached when it is reached, no incident breaks none.

    A mean of nothing is OK where no incident was there to answer, and unknown where one was and is not answered.
    """
    window = [
        one for one in book.all
        if not one.opened.drill and now - one.opened.detected_at <= policy.window_days * 24 * HOUR_NS
    ]  # fmt: skip
    grave = sum(1 for one in book.all if one.living and one.sev <= 2 and not one.opened.drill)
    waits = [
        (now - one.resolved_at) / HOUR_NS for one in book.all
        if one.phase is Phase.RESOLVED and one.resolved_at is not None
    ]  # fmt: skip
    late, means = book.late(now), book.means(now)
    overdue = [one for one in reviews_owed(book.all, policy, now) if one.severity is not Severity.OK]
    actions, alone = book.actions.overdue(now), unled(book.all, policy, now)
    return (
        _budget("incident_response.open_incidents", float(grave), policy.open_warn, policy.open_fail, "SEV-1 and 2"),
        _budget(
            "incident_response.postmortem_backlog", max(waits, default=0.0), policy.postmortem_warn_hours,
            policy.postmortem_fail_hours, "h since the oldest resolved one without a review",
        ),
        Check(
            "incident_response.review_overdue", worst(one.severity for one in overdue) if overdue else Severity.OK,
            ", ".join(one.incident for one in overdue) or "none",
            f"SEV-1 {policy.review_sev1_days} d, SEV-2 {policy.review_sev2_business_days} business days",
        ),
        Check(
            "incident_response.action_overdue",
            worst(book.actions.severity(one, now) for one in actions) if actions else Severity.OK,
            ", ".join(f"{one.told.action} ({one.told.owner or 'nobody'})" for one in actions) or "none",
            f"its day warns, {policy.action_overdue_fail_days} d later fails",
        ),
        Check(
            "incident_response.no_commander", Severity.WARN if alone else Severity.OK,
            ", ".join(one.id for one in alone) or "none", f"{policy.commander_minutes:g} min for a SEV-1 or SEV-2",
        ),
        _mean("incident_response.mtta", means.mtta, policy.mtta_warn_minutes, policy.mtta_fail_minutes, len(window)),
        _mean("incident_response.mttr", means.mttr, policy.mttr_warn_minutes, policy.mttr_fail_minutes, len(window)),
        Check(
            "incident_response.late", Severity.FAIL if late else Severity.OK, ", ".join(late) or "none",
            f"{policy.ack_deadline_minutes:g} min to acknowledge a SEV-1 or SEV-2",
        ),
    )  # fmt: skip


def _budget(code: str, observed: float, warn: float, fail: float, unit: str) -> Check:
    severity = Severity.FAIL if observed >= fail else Severity.WARN if observed >= warn else Severity.OK
    return Check(code, severity, f"{observed:.4g} {unit}", f"{warn:g} warns, {fail:g} fails")


def _mean(code: str, mean: Mean, warn: float, fail: float, there: int) -> Check:
    if mean.minutes is None:
        severity = Severity.UNKNOWN if there else Severity.OK
        return Check(code, severity, f"not measured, {there} incidents", f"{warn:g} min warns, {fail:g} fails")
    found = _budget(code, mean.minutes, warn, fail, f"min, n {mean.n}")
    return Check(code, found.severity, found.observed, found.limit, f"95 %: {mean.low} to {mean.high}")
