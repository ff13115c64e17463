"""Does the bus run, and does it lose nothing? Counts are of the last hour (AS-22)."""

from collections.abc import Mapping
from typing import Any

from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.telemetry.bus_health import BusHealthPolicy
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
from tradeworthy.operations.assessments.framework.primitives import required

LIMITS = BusHealthPolicy()
"""The numbers of the bus stand where the bus is."""


class EventBusPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Events that wait in the deepest queue, drops and errors of the last hour, seconds without an event."""

    period_s: float = 30.0
    fact_age_max_s: float = 60.0
    depth: Limit = at_most("events", warn=LIMITS.depth_warn, fail=LIMITS.depth_fail)
    dropped: Limit = at_most("events", warn=LIMITS.dropped_warn, fail=LIMITS.dropped_fail)
    handler_errors: Limit = at_most("errors", warn=LIMITS.handler_errors_warn, fail=LIMITS.handler_errors_fail)
    idle: Limit = at_most("s", warn=LIMITS.idle_seconds_warn)
    subscribers: Limit = at_least("subscribers", warn=1)


def running(values: Mapping[str, Any], policy: EventBusPolicy, now: int) -> Verdict:
    """Judge whether the bus runs where one is expected."""
    del policy, now
    return required(values["running"] or not values["expected"])


ASSESSMENT = Assessment(
    title="The bus runs, and nothing is dropped, stuck or unheard.",
    topic="telemetry.event_bus.health", section="runtime", owner="operations", runbook="runbooks/bus.md",
    category=Category.RUNTIME, policy=EventBusPolicy(),
    facts=(
        FactSpec("expected", Kind.FLAG, "", True), FactSpec("running", Kind.FLAG, "", True),
        FactSpec("depth", Kind.INTEGER, "events", 0), FactSpec("dropped", Kind.INTEGER, "events", 0),
        FactSpec("handler_errors", Kind.INTEGER, "errors", 0),
        FactSpec("subscribers", Kind.INTEGER, "subscribers", 2),
        FactSpec("last_published", Kind.TIME, "", 1),
    ),
    rules=(
        custom("not_running", running, facts=("running", "expected"), primitive="required",
               remedy="restart the process: nothing outside sees the desk", cases=(
                   Case("down", {"running": False}, Severity.FAIL), Case("up", {"running": True}, Severity.OK),
                   Case("not_wanted", {"running": False, "expected": False}, Severity.OK),
               )),
        threshold("depth", "depth", remedy="find the slow subscriber by name in the bus's facts"),
        threshold("dropped", "dropped", remedy="find the slow subscriber; the journal has every fact"),
        threshold("handler_errors", "handler_errors", remedy="see the dead letters and settle them"),
        threshold("subscribers", "subscribers", what="no_subscribers", primitive="floor",
            remedy="nobody listens: see exporters"),
        age("last_published", "idle", what="idle", remedy="see whether the desk publishes at all"),
    ),
)  # fmt: skip
