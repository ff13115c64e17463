"""Are incidents answered in time, and is somebody there to answer the next one? (AS-48)"""

from collections.abc import Mapping
from typing import Any

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Case,
    Category,
    FactSpec,
    Kind,
    Verdict,
    age,
    at_least,
    at_most,
    custom,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.operations.assessments.framework.primitives import against, names
from tradeworthy.operations.assessments.framework.rules import Rule
from tradeworthy.operations.incidents.policy import IncidentPolicy

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
SET = IncidentPolicy()
DAY_S = 86_400.0
OWED = {f"{one}_overdue{long}": f"owed{long}" for one in ("reviews", "actions") for long in ("", "_long")}
END_IT = "tradeworthy incident report names them: write the review, end the action or drop it with a reason"
ANSWER = "tradeworthy incident list: take what is open, resolve it, and write its review"


class IncidentResponsePolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Incidents of SEV-1 and SEV-2, means of the last 30 days, the roster's next days, drills and training."""

    open_incidents: Limit = at_most("incidents", warn=SET.open_warn, fail=SET.open_fail)
    postmortem_backlog: Limit = at_most("h", warn=SET.postmortem_warn_hours, fail=SET.postmortem_fail_hours)
    mtta: Limit = at_most("min", warn=SET.mtta_warn_minutes, fail=SET.mtta_fail_minutes)
    mttr: Limit = at_most("min", warn=SET.mttr_warn_minutes, fail=SET.mttr_fail_minutes)
    late: Limit = at_most("incidents", fail=1)
    owed: Limit = at_most("items", warn=1)
    owed_long: Limit = at_most("items", fail=1)
    primary_gap: Limit = at_least("h", warn=72.0, fail=0.001)
    secondary_gap: Limit = at_least("h", warn=0.001)
    journal_age: Limit = at_most("s", warn=DAY_S, fail=2 * DAY_S)
    drill_age: Limit = at_most("s", warn=60 * DAY_S, fail=120 * DAY_S)
    training_age: Limit = at_most("s", warn=90 * DAY_S, fail=180 * DAY_S)


def mean_of(samples: str, limit: str, what: str) -> Rule:
    """Judge the mean of what incidents took: none is in order where no incident was, and unknown where one was."""

    def decide(values: Mapping[str, Any], policy: IncidentResponsePolicy, now: int) -> Verdict:
        del now
        taken, there = values[samples], values["incidents"]
        if not taken:
            said = f"{there} incidents, and not one has come so far"
            return Verdict(UNKNOWN if there else OK, len(taken), there, said, "incidents")
        return against(getattr(policy, limit), sum(taken) / len(taken), f"mean of {len(taken)}")

    bounds = {"mtta": (SET.mtta_warn_minutes, SET.mtta_fail_minutes),
              "mttr": (SET.mttr_warn_minutes, SET.mttr_fail_minutes)}[limit]  # fmt: skip
    return custom(
        what, decide, facts=(samples, "incidents"), limit=limit, remedy=ANSWER, cases=(
            Case("at_warn", {samples: (bounds[0],), "incidents": 1}, WARN),
            Case("under_warn", {samples: (bounds[0] - 0.001,), "incidents": 1}, OK),
            Case("at_fail", {samples: (bounds[1], bounds[1]), "incidents": 2}, FAIL),
            Case("under_fail", {samples: (bounds[1] - 0.001,), "incidents": 1}, WARN),
            Case("none_so_far", {samples: (), "incidents": 1}, UNKNOWN),
            Case("none_at_all", {samples: (), "incidents": 0}, OK),
        ),
    )  # fmt: skip


def runbooks(values: Mapping[str, Any], policy: IncidentResponsePolicy, now: int) -> Verdict:
    """Judge the runbooks that alerts name: each must be there."""
    del policy, now
    gone = values["missing_runbooks"]
    return Verdict(FAIL if gone else OK, len(gone), 0, f"missing: {names(gone)}" if gone else "", "runbooks")


ASSESSMENT = Assessment(
    title="Incidents are answered in time, and somebody is there for the next one.",
    topic="telemetry.operational.incident_response", section="operational", owner="operations",
    runbook="runbooks/incidents.md", category=Category.OPERATIONS, policy=IncidentResponsePolicy(),
    facts=(
        FactSpec("open_incidents", Kind.INTEGER, "incidents", 0), FactSpec("incidents", Kind.INTEGER, "incidents", 1),
        FactSpec("postmortem_backlog", Kind.NUMBER, "h", 0.0), FactSpec("late", Kind.INTEGER, "incidents", 0),
        *(FactSpec(name, Kind.INTEGER, "items", 0) for name in OWED),
        FactSpec("acknowledged_after", Kind.NUMBERS, "min", (1.0,)),
        FactSpec("resolved_after", Kind.NUMBERS, "min", (10.0,)),
        FactSpec("primary_gap", Kind.NUMBER, "h", 336.0), FactSpec("secondary_gap", Kind.NUMBER, "h", 336.0),
        FactSpec("missing_runbooks", Kind.NAMES, "", ()), FactSpec("last_told", Kind.TIME, "", 60),
        FactSpec("last_drill", Kind.TIME, "", 3_600), FactSpec("last_training", Kind.TIME, "", 3_600),
    ),
    rules=(
        threshold("open_incidents", "open_incidents", remedy=ANSWER),
        threshold("postmortem_backlog", "postmortem_backlog", remedy="write the review of the oldest one"),
        *(threshold(name, limit, remedy=END_IT) for name, limit in OWED.items()),
        mean_of("acknowledged_after", "mtta", "mtta"), mean_of("resolved_after", "mttr", "mttr"),
        threshold("late", "late", what="late_answer", remedy="answer it now; see who is on call",
                  runbook="runbooks/escalation.md"),
        threshold("primary_gap", "primary_gap", what="primary_roster", primitive="floor",
                  remedy="put somebody on call", runbook="runbooks/escalation.md"),
        threshold("secondary_gap", "secondary_gap", what="secondary_roster", primitive="floor",
                  remedy="put a second person on call", runbook="runbooks/escalation.md"),
        custom(
            "missing_runbooks", runbooks, facts=("missing_runbooks",), remedy="write the runbook that is named", cases=(
                Case("one_gone", {"missing_runbooks": ("runbooks/a.md",)}, FAIL),
                Case("all_there", {"missing_runbooks": ()}, OK),
            ),
        ),
        age("last_told", "journal_age", what="metrics_staleness", remedy="see why the alert path tells nothing",
            runbook="runbooks/alert-path.md"),
        age("last_drill", "drill_age", what="drill", remedy="tradeworthy alert drill", runbook="runbooks/drill.md"),
        age("last_training", "training_age", what="training",
            remedy="train, and attest it: tradeworthy assess incident_response --facts FILE"),
    ),
)  # fmt: skip
