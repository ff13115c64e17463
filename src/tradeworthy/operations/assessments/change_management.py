"""Had every change that touches live risk its request, its time, its window and its people? (AS-53)"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.assessment import Assessment
from tradeworthy.operations.assessments.framework.cases import Case
from tradeworthy.operations.assessments.framework.finding import Category
from tradeworthy.operations.assessments.framework.limits import Limit, at_least, below
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy
from tradeworthy.operations.assessments.framework.primitives import Verdict, against
from tradeworthy.operations.assessments.framework.rules import custom, one_of, required
from tradeworthy.operations.assessments.framework.values import FactSpec, Kind

OK, WARN, FAIL = Severity.OK, Severity.WARN, Severity.FAIL
IMPACTS, PROPOSED, APPROVED, REFUSED = ("low", "medium", "high", "critical"), "proposed", "approved", "refused"
BEGAN_S, ENDED_S = 104_800, 97_600  # 10:00 to 12:00 of a Saturday, before the moment of the cases
SOONER = "move the window, or ask for an emergency approval"


class ChangePolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """By a change's impact: hours to the window and of it, roles. weekly_day: Monday is 0; zone: an IANA name."""

    period_s: float = 300.0
    lead_low: Limit = at_least("h", fail=1)
    lead_medium: Limit = at_least("h", fail=4)
    lead_high: Limit = at_least("h", fail=24)
    lead_critical: Limit = at_least("h", fail=48)
    length_low: Limit = below("h", warn=4)
    length_medium: Limit = below("h", warn=8)
    length_high: Limit = below("h", warn=12)
    length_critical: Limit = below("h", warn=24)
    roles_low: tuple[str, ...] = ("operations",)
    roles_medium: tuple[str, ...] = ("operations", "strategy_owner")
    roles_high: tuple[str, ...] = ("operations", "strategy_owner", "risk", "compliance")
    roles_critical: tuple[str, ...] = ("operations", "strategy_owner", "risk", "compliance", "security")
    weekly_day: int = 5
    weekly_hours: tuple[int, int] = (10, 14)
    zone: str = "UTC"


def hours(limit: str, values: Mapping[str, Any], policy: Any, now: int) -> Verdict:
    """Judge hours by the limit of the change's impact."""
    return against(getattr(policy, f"{limit}_{values['impact']}"), values[limit])


def roles(values: Mapping[str, Any], policy: Any, now: int) -> Verdict | None:
    """Judge whose roles approved; what waits for its window may still be approved."""
    if values["state"] == PROPOSED and now < values["window_start"]:
        return None
    wanted = getattr(policy, f"roles_{values['impact']}")
    missing = ", ".join(one for one in wanted if one not in values["roles"])
    return Verdict(FAIL if missing else OK, missing or "none missing", ", ".join(wanted), f"missing: {missing}")


def past(values: Mapping[str, Any], policy: Any, now: int) -> Verdict:
    """Judge a change that nobody approved until its window was over."""
    late = values["state"] == PROPOSED and now >= values["window_end"]
    return Verdict(WARN if late else OK, values["state"], APPROVED, "its window passed, and nobody approved it")


def outside(values: Mapping[str, Any], policy: ChangePolicy, now: int) -> Verdict:
    """Judge whether the window lies in the week's one; an emergency that people approved may lie anywhere."""
    start, end = (datetime.fromtimestamp(values[name] / NANOS_PER_SECOND, ZoneInfo(policy.zone)) for name in WINDOW)
    midnight, (opens, closes) = start.replace(hour=0, minute=0, second=0, microsecond=0), policy.weekly_hours
    fits = timedelta(hours=opens) <= start - midnight and end - midnight <= timedelta(hours=closes)
    kept = (fits and start.weekday() == policy.weekly_day) or (values["emergency"] and values["state"] == APPROVED)
    said = f"{start:%a %H:%M} to {end:%a %H:%M} {policy.zone} without an approved emergency"
    return Verdict(OK if kept else FAIL, f"{start:%a %H:%M}", f"{opens}:00 to {closes}:00", said)


def edges(fact: str, bounds: tuple[int, ...], beyond: float, worse: Severity) -> tuple[Case, ...]:
    """Return the cases at each impact's bound in hours, and just beyond it."""
    edge, limits = (("beyond", beyond, worse), ("at", 0.0, OK)), zip(IMPACTS, bounds, strict=True)
    return tuple(Case(f"{word}_{name}", {"roles": EVERYBODY, "impact": word, fact: bound + away}, told)
                 for word, bound in limits for name, away, told in edge)  # fmt: skip


WINDOW, CHANGE, EVERYBODY = ("window_start", "window_end"), "change", ChangePolicy().roles_critical
STATES = {APPROVED: OK, PROPOSED: OK, REFUSED: FAIL}
WAITS = Case("one_that_waits", {"state": PROPOSED, "roles": (), "window_start": -500_000, "window_end": -507_200}, OK)
ASSESSMENT = Assessment(
    title="Every change that touches live risk had its request, time, window and people.",
    topic="telemetry.operational.changes", section="operational", owner="operations",
    runbook="runbooks/change-requests.md", category=Category.OPERATIONS, policy=ChangePolicy(),
    nouns={CHANGE: "nothing that touches live risk was proposed"},
    facts=(
        FactSpec("requests", Kind.INTEGER, "changes", 0), FactSpec("impact", Kind.TEXT, "", "low", CHANGE),
        FactSpec("lead", Kind.NUMBER, "h", 72.0, CHANGE, None), FactSpec("length", Kind.NUMBER, "h", 2.0, CHANGE, None),
        FactSpec(WINDOW[0], Kind.TIME, "", BEGAN_S, CHANGE), FactSpec(WINDOW[1], Kind.TIME, "", ENDED_S, CHANGE),
        FactSpec("roles", Kind.NAMES, "", ("operations",), CHANGE), FactSpec("state", Kind.TEXT, "", APPROVED, CHANGE),
        FactSpec("emergency", Kind.FLAG, "", False, CHANGE), FactSpec("others", Kind.FLAG, "", True, CHANGE),
    ),
    rules=(
        custom("lead_time", partial(hours, "lead"), facts=("impact", "lead"), primitive="floor", remedy=SOONER,
               cases=edges("lead", (1, 4, 24, 48), -0.001, FAIL)),
        custom("window_length", partial(hours, "length"), facts=("impact", "length"), primitive="cap", remedy=SOONER,
               cases=edges("length", (4, 8, 12, 24), 0.001, WARN)),
        custom("no_approval", roles, facts=("impact", "roles", "state", "window_start"), primitive="missing_of",
               remedy="have the roles approve that its impact asks for", cases=(
                   Case("nobody", {"roles": ()}, FAIL), Case("more", {"roles": ("risk", "operations")}, OK), WAITS,
                   Case("high_without_risk", {"impact": "high", "roles": ChangePolicy().roles_medium}, FAIL))),
        custom("window_past", past, facts=("state", "window_end"), remedy="propose it again, with another window",
               cases=(Case("nobody_approved", {"state": PROPOSED}, WARN), Case("approved", {"state": APPROVED}, OK))),
        one_of("state", STATES, what="rejected", remedy="mend what it was refused for", also=("window_past",)),
        custom("outside_window", outside, facts=(*WINDOW, "emergency", "state"), remedy=SOONER, cases=(
            Case("a_second_early", {"window_start": BEGAN_S + 1}, FAIL), Case("whole", {"window_end": 90_400}, OK),
            Case("a_second_late", {"window_end": 90_399}, FAIL),
            Case("another_day", {"window_start": 18_400, "window_end": 11_200}, FAIL),
            Case("emergency", {"window_start": 18_400, "window_end": 11_200, "emergency": True}, OK))),
        required("others", what="own_approval", remedy="let somebody approve it who did not propose it"),
    ),
)  # fmt: skip
