"""Do orders reach the venue, get answered in time and filled? (AS-64)"""

from collections.abc import Mapping
from typing import Any

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_least,
    at_most,
    missing_of,
    ratio,
    required,
    threshold,
)
from tradeworthy.operations.assessments.framework.cases import Case
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.operations.assessments.framework.primitives import Verdict
from tradeworthy.operations.assessments.framework.rules import custom


class ExecutionReadinessPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Shares of ended orders, open orders without an answer, acknowledgement latency in ms, drop-copy lag in s."""

    orders_min: int = 5
    fill_rate: Limit = at_least("share", warn=0.90, fail=0.72, high=1.0)
    rejection_rate: Limit = at_most("share", warn=0.05, fail=0.075, high=1.0)
    pending: Limit = at_most("orders", warn=5, fail=10)
    latency_average: Limit = at_most("ms", warn=500.0, fail=750.0)
    latency_peak: Limit = at_most("ms", warn=1_500.0)
    drop_copy_lag: Limit = at_most("s", warn=10.0, fail=30.0)


def no_orders(values: Mapping[str, Any], policy: ExecutionReadinessPolicy, now: int) -> Verdict:
    """Say that nobody knows how execution is while there was no order."""
    del policy, now
    known = values["orders"] > 0
    return Verdict(Severity.OK if known else Severity.UNKNOWN, values["orders"], 1, f"{values['orders']} orders",
        "orders")


ASSESSMENT = Assessment(
    title="Orders reach the venue, are answered in time, and fill.",
    topic="telemetry.operational.execution", section="risk-compliance", owner="trading",
    runbook="runbooks/execution.md", category=Category.TRADING, policy=ExecutionReadinessPolicy(),
    nouns={"drop_copy": "the venue is simulated", "session": "no session is required"},
    facts=(
        FactSpec("orders", Kind.INTEGER, "orders", 1_000), FactSpec("ended", Kind.INTEGER, "orders", 20_000),
        FactSpec("filled", Kind.INTEGER, "orders", 20_000), FactSpec("submitted", Kind.INTEGER, "orders", 20_000),
        FactSpec("rejected", Kind.INTEGER, "orders", 0), FactSpec("pending", Kind.INTEGER, "orders", 0),
        FactSpec("latency_average", Kind.NUMBER, "ms", 1.0), FactSpec("latency_peak", Kind.NUMBER, "ms", 1.0),
        FactSpec("connected", Kind.FLAG, "", True), FactSpec("drop_copy_lag", Kind.NUMBER, "s", 0.0, per="drop_copy"),
        FactSpec("drop_copy_active", Kind.FLAG, "", True, per="drop_copy"),
        FactSpec("sessions_wanted", Kind.NAMES, "", ("a", "b"), per="session"),
        FactSpec("sessions_open", Kind.NAMES, "", ("a", "b"), per="session"),
    ),
    rules=(
        custom("no_orders", no_orders, facts=("orders",), remedy="send a small order on paper", cases=(
            Case("none", {"orders": 0}, Severity.UNKNOWN), Case("one", {"orders": 1}, Severity.OK))),
        ratio("filled", "ended", "fill_rate", what="fill_rate_below_target", n_min="orders_min",
              remedy="compare prices with the touch; see what cancels"),
        ratio("rejected", "submitted", "rejection_rate", what="rejection_rate_high", n_min="orders_min",
              remedy="see the venue's reasons by code"),
        threshold("pending", "pending", what="pending_orders_exceeded", remedy="look the orders up; then cancel"),
        threshold("latency_average", "latency_average", remedy="see the line and the venue's state"),
        threshold("latency_peak", "latency_peak", remedy="see the line and the venue's state"),
        required("connected", what="connection_down", remedy="reconnect; the desk is paused",
            runbook="runbooks/venue.md"),
        threshold("drop_copy_lag", "drop_copy_lag", remedy="see the drop copy's session", runbook="runbooks/fix.md"),
        required("drop_copy_active", what="drop_copy_inactive", remedy="log the drop copy on",
            runbook="runbooks/fix.md"),
        missing_of("sessions_wanted", "sessions_open", what="sessions_missing", remedy="log the session on",
                   runbook="runbooks/fix.md"),
    ),
)  # fmt: skip
