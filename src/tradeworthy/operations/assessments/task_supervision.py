"""Do all supervised tasks live, beat and keep within their restarts? (AS-23)"""

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
    at_most,
    custom,
    one_of,
    required,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.operations.assessments.framework.primitives import against

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
STATES = {"running": OK, "finished": OK, "restarting": WARN, "cancelled": WARN, "failed": FAIL, "abandoned": FAIL}
SEE = "read the task's last exception; restart the process when it is not clear"
PERIODS = 2
"""Declared hang timeouts after which silence fails, where that is sooner than the limit."""


class TaskSupervisionPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Heartbeat age in seconds, the used share of the restart budget, unrecorded transitions."""

    period_s: float = 30.0
    fact_age_max_s: float = 60.0
    heartbeat_age: Limit = at_most("s", warn=120.0, fail=300.0)
    restarts_used: Limit = at_most("share", warn=0.5, fail=1.0)


def heartbeat(values: Mapping[str, Any], policy: TaskSupervisionPolicy, now: int) -> Verdict:
    """Judge a heartbeat's age; past twice its declared timeout it fails, where that is sooner."""
    del now
    age, declared = values["heartbeat_age"], PERIODS * values["hang_timeout"]
    found = against(policy.heartbeat_age, age)
    if found.severity is not FAIL and age >= declared:
        return found._replace(severity=FAIL, limit=declared, message=f"{age:g} s, twice its timeout is {declared:g} s")
    return found


ASSESSMENT = Assessment(
    title="All supervised tasks live, beat and keep within their restarts.",
    topic="telemetry.runtime.tasks", section="runtime", owner="operations", runbook="runbooks/supervision.md",
    category=Category.RUNTIME, policy=TaskSupervisionPolicy(), nouns={"tracked": "no foreign task is tracked"},
    facts=(
        FactSpec("state", Kind.TEXT, "", "running", per="task"),
        FactSpec("owned", Kind.FLAG, "", True, per="task"),
        FactSpec("heartbeat_age", Kind.NUMBER, "s", 1.0, per="task"),
        FactSpec("hang_timeout", Kind.NUMBER, "s", 1_000.0, per="task"),
        FactSpec("restarts_used", Kind.NUMBER, "share", 0.0, per="task"),
        FactSpec("tracked_state", Kind.TEXT, "", "running", per="tracked"),
    ),
    rules=(
        one_of("state", STATES, remedy=SEE),
        one_of("tracked_state", STATES, remedy=SEE),
        required("owned", what="nameless", remedy="give the task a name and an owner where it is created"),
        custom(
            "heartbeat", heartbeat, facts=("heartbeat_age", "hang_timeout"), primitive="age", limit="heartbeat_age",
            remedy="see what blocks the loop: the watchdog keeps stacks", cases=(
                Case("under_warn", {"heartbeat_age": 119.999}, OK), Case("at_warn", {"heartbeat_age": 120.0}, WARN),
                Case("under_fail", {"heartbeat_age": 299.999}, WARN), Case("at_fail", {"heartbeat_age": 300.0}, FAIL),
                Case("under_twice", {"heartbeat_age": 9.999, "hang_timeout": 5.0}, OK),
                Case("at_twice", {"heartbeat_age": 10.0, "hang_timeout": 5.0}, FAIL),
            ),
        ),
        threshold("restarts_used", "restarts_used", remedy="end what makes it fail before the budget is spent"),
    ),
)  # fmt: skip
