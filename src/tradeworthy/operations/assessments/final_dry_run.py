"""Was this desk rehearsed from outside for as long as it must, and did it pass? (DR-19, EV-21)"""

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    age,
    at_most,
    one_of,
    required,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit

VERDICTS = {"pass": Severity.OK, "warn": Severity.WARN, "unknown": Severity.UNKNOWN, "fail": Severity.FAIL}
DAYS_14_S = 14 * 86_400.0


class FinalDryRunPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """A dry run counts for 14 days; incidents that are open at its end warn."""

    run_age: Limit = at_most("s", warn=DAYS_14_S * 0.75, fail=DAYS_14_S)
    incidents: Limit = at_most("incidents", warn=1)


ASSESSMENT = Assessment(
    title="The desk was rehearsed from outside for as long as it must, and passed.",
    topic="telemetry.operational.dry_run", section="operational", owner="operations",
    runbook="runbooks/final_dry_run.md", category=Category.OPERATIONS, policy=FinalDryRunPolicy(),
    facts=(
        FactSpec("verdict", Kind.TEXT, "", "pass"), FactSpec("signed_off", Kind.TEXT, "", "pass"),
        FactSpec("run_class", Kind.TEXT, "", "release"), FactSpec("ended", Kind.TIME, "", 3_600),
        FactSpec("duration_met", Kind.FLAG, "", True), FactSpec("open_incidents", Kind.INTEGER, "incidents", 0),
    ),
    rules=(
        one_of("verdict", VERDICTS, remedy="read the summary's findings; mend, then run again"),
        one_of("signed_off", VERDICTS, what="sign_off", remedy="see the findings of the sign-off"),
        one_of("run_class", {"release": Severity.OK, "rehearsal": Severity.WARN},
               remedy="a live gate takes a run of class release: no switch that relaxes it without a waiver"),
        age("ended", "run_age", what="run_age", remedy="run the final dry run again"),
        required("duration_met", what="too_short", remedy="let it run for its whole required time"),
        threshold("open_incidents", "incidents", remedy="see incidents.jsonl for what was still open at the end"),
    ),
)  # fmt: skip
