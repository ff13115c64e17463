"""Would an alert reach a person, and soon enough? Judged by what the path did, never by the check itself (AS-32)."""

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
from tradeworthy.operations.assessments.framework.primitives import against
from tradeworthy.operations.incidents.latency import P99_SAMPLES_MIN

OK, WARN, UNKNOWN = Severity.OK, Severity.WARN, Severity.UNKNOWN
DAY_S = 86_400.0
WAY = "tradeworthy alert test, and see which channel refuses"


class AlertPathPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """From event to alert in milliseconds; seconds since a canary came back; alerts that reached nobody in an hour."""

    period_s: float = 60.0
    to_alert_p99: Limit = at_most("ms", warn=1_000.0)
    to_alert_max: Limit = at_most("ms", fail=5_000.0)
    canary_age: Limit = at_most("s", fail=120.0)
    reached_nobody: Limit = at_most("alerts", fail=1)
    endpoints: Limit = at_least("channels", fail=1)
    drill_age: Limit = at_most("s", warn=90 * DAY_S, fail=120 * DAY_S)


def pace(values: Mapping[str, Any], policy: AlertPathPolicy, now: int) -> Verdict | None:
    """Judge the p99 of event to alert; of fewer than a hundred the longest is judged alone, by its own limit."""
    del now
    few = values["alerts"] < P99_SAMPLES_MIN
    return None if few else against(policy.to_alert_p99, values["to_alert_p99"])


ASSESSMENT = Assessment(
    title="An alert reaches a person, and soon enough.",
    topic="telemetry.operational.alert_path", section="operational", owner="operations",
    runbook="runbooks/alert-path.md", category=Category.OPERATIONS, policy=AlertPathPolicy(),
    facts=(
        FactSpec("endpoints", Kind.INTEGER, "channels", 2), FactSpec("alerts", Kind.INTEGER, "alerts", 1_000),
        FactSpec("to_alert_p99", Kind.NUMBER, "ms", 10.0), FactSpec("to_alert_max", Kind.NUMBER, "ms", 20.0),
        FactSpec("canary_age", Kind.NUMBER, "s", 1.0), FactSpec("reached_nobody", Kind.INTEGER, "alerts", 0),
        FactSpec("last_drill", Kind.TIME, "", 3_600),
    ),
    rules=(
        threshold("endpoints", "endpoints", what="no_endpoints", primitive="floor",
                  remedy="name a channel and its secret in telemetry.alerts.channels"),
        custom("to_alert_p99", pace, facts=("alerts", "to_alert_p99"), primitive="quantile", limit="to_alert_p99",
               remedy="see which step is slow: tradeworthy alert list", cases=(
                   Case("at_a_second", {"to_alert_p99": 1_000.0}, WARN),
                   Case("under", {"to_alert_p99": 999.9}, OK),
                   Case("of_few", {"alerts": P99_SAMPLES_MIN - 1, "to_alert_p99": 1_000.0}, OK),
               )),
        threshold("to_alert_max", "to_alert_max", remedy="see which step is slow: tradeworthy alert list"),
        threshold("canary_age", "canary_age", what="canary", remedy=WAY),
        threshold("reached_nobody", "reached_nobody", what="undelivered", remedy=WAY),
        age("last_drill", "drill_age", what="drill", remedy="tradeworthy alert drill", runbook="runbooks/drill.md"),
    ),
)  # fmt: skip
