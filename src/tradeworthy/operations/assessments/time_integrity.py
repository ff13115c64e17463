"""Is the clock right, quiet, and at one with the venue's? (AS-27)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_most,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit


class TimeIntegrityPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Offset from UTC in milliseconds: half of the tolerance warns, all of it fails (50 ms; 1 ms for algorithmic
    trading, 0.1 ms for high frequency, rule pack `EU@2026-03-02`). Step of the wall against the monotonic clock,
    and difference from the venue's clock, in seconds."""

    period_s: float = 10.0
    fact_age_max_s: float = 60.0
    offset: Limit = at_most("ms", warn=25.0, fail=50.0)
    step: Limit = at_most("s", fail=0.75)
    venue_difference: Limit = at_most("s", warn=0.5, fail=1.0)
    backwards: Limit = at_most("events", fail=1)


ASSESSMENT = Assessment(
    title="The clock is right, quiet, and at one with the venue's.",
    topic="telemetry.runtime.time", section="runtime", owner="operations", runbook="runbooks/clock.md",
    category=Category.RUNTIME, policy=TimeIntegrityPolicy(),
    nouns={"venue": "a simulated venue has no clock of its own"},
    facts=(
        FactSpec("offset", Kind.NUMBER, "ms", 0.0), FactSpec("step", Kind.NUMBER, "s", 0.0),
        FactSpec("backwards", Kind.INTEGER, "events", 0),
        FactSpec("venue_difference", Kind.NUMBER, "s", 0.0, per="venue"),
    ),
    rules=(
        threshold("offset", "offset", remedy="see chronyd or the PTP daemon: source, reach, offset"),
        threshold("step", "step", remedy="see who sets the clock by steps; slewing is allowed"),
        threshold("venue_difference", "venue_difference", remedy="compare both clocks with a third"),
        threshold("backwards", "backwards", what="stamp_backwards", remedy="see who sets the clock by steps",
                  runbook="runbooks/journal.md"),
    ),
)  # fmt: skip
