"""Did the last validation, e.g. a dry run, pass, and how have the last ones ended? (AS-49)"""

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
    equals,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.operations.assessments.framework.primitives import names

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
AGAIN = "read the report, correct what failed, and validate again"


class SystemValidationPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Report age in seconds; the share of passed reports and the failures in a row over 72 h."""

    report_age: Limit = at_most("s", warn=86_400.0, fail=172_800.0)
    success_rate: Limit = at_least("share", warn=0.95, fail=0.85, high=1.0)
    failure_streak: Limit = at_most("reports", warn=1, fail=2)


def checks(values: Mapping[str, Any], policy: SystemValidationPolicy, now: int) -> Verdict:
    """Judge the last report: a required check or all of them failed fails, some warn, no check at all is unknown."""
    del policy, now
    total, failed = values["checks"], values["failed"]
    if not total:
        return Verdict(UNKNOWN, 0, 1, "the report holds no check", "checks")
    required = [one for one in failed if one in values["required"]]
    if required or len(failed) >= total:
        return Verdict(FAIL, len(failed), 0, f"failed: {names(required or failed)}", "checks")
    return Verdict(WARN if failed else OK, len(failed), 0, f"{len(failed)} of {total} failed: {names(failed)}",
        "checks")


ASSESSMENT = Assessment(
    title="The last validation passed, and the ones before it did.",
    topic="telemetry.operational.system_validation", section="operational", owner="operations",
    runbook="runbooks/final_dry_run.md", category=Category.OPERATIONS, policy=SystemValidationPolicy(),
    facts=(
        FactSpec("checks", Kind.INTEGER, "checks", 10), FactSpec("distinct_checks", Kind.INTEGER, "checks", 10),
        FactSpec("failed", Kind.NAMES, "", ()), FactSpec("required", Kind.NAMES, "", ("verdict",)),
        FactSpec("reported_at", Kind.TIME, "", 60), FactSpec("success_rate", Kind.NUMBER, "share", 1.0),
        FactSpec("failure_streak", Kind.INTEGER, "reports", 0),
    ),
    rules=(
        custom("checks", checks, facts=("checks", "failed", "required"), remedy=AGAIN, cases=(
            Case("none_failed", {"failed": ()}, OK), Case("one_failed", {"failed": ("a",)}, WARN),
            Case("required_failed", {"failed": ("verdict",)}, FAIL),
            Case("all_but_one_failed", {"failed": tuple("abcdefghi")}, WARN),
            Case("all_failed", {"failed": tuple("abcdefghij")}, FAIL),
            Case("no_checks", {"checks": 0, "distinct_checks": 0}, UNKNOWN),
        )),
        equals("distinct_checks", "checks", what="duplicate_check", remedy="correct the report: a check counts once"),
        age("reported_at", "report_age", what="report_age", remedy="validate again"),
        threshold("success_rate", "success_rate", primitive="floor", remedy=AGAIN),
        threshold("failure_streak", "failure_streak", primitive="streak", remedy=AGAIN),
    ),
)  # fmt: skip
