"""Does what the process must hand on arrive, and how much waits? (AS-25)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_most,
    below,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit


class RuntimeLagPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Events that wait, open dead letters of guarded flows and of others, seconds of the last drain at an end."""

    period_s: float = 30.0
    fact_age_max_s: float = 300.0
    backlog: Limit = at_most("events", warn=50, fail=500)
    critical_dead_letters: Limit = at_most("letters", fail=1)
    dead_letters: Limit = at_most("letters", warn=1)
    drain: Limit = below("s", fail=2.0)


NOUNS = {
    "flow": "a running bus tells the letters of guarded flows alone; the journal of its life has all of them",
    "end": "a process that still runs has not ended",
}
ASSESSMENT = Assessment(
    title="What the process must hand on arrives in time.",
    topic="telemetry.runtime.lag", section="runtime", owner="operations", runbook="runbooks/bus.md",
    category=Category.RUNTIME, policy=RuntimeLagPolicy(), nouns=NOUNS,
    facts=(
        FactSpec("backlog", Kind.INTEGER, "events", 0),
        FactSpec("critical_dead_letters", Kind.INTEGER, "letters", 0),
        FactSpec("dead_letters", Kind.INTEGER, "letters", 0, per="flow"),
        FactSpec("drain", Kind.NUMBER, "s", 0.1, per="end"),
    ),
    rules=(
        threshold("backlog", "backlog", remedy="find the slow subscriber by name in the bus's facts"),
        threshold("critical_dead_letters", "critical_dead_letters", what="critical_dead_letter",
                  remedy="the desk is paused: see the letter, mend its handler, settle it"),
        threshold("dead_letters", "dead_letters", remedy="see the dead letters and settle them"),
        threshold("drain", "drain", primitive="cap", remedy="see which step of the end took its time",
                  runbook="runbooks/shutdown.md"),
    ),
)  # fmt: skip
