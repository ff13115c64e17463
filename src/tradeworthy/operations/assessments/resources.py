"""Does the process have what it needs, and for how long? (AS-29)"""

from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision.resources import ResourcePolicy
from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_most,
    one_of,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit

LAG = ResourcePolicy()
WORDS = {one.name: one for one in Severity}


class ResourcesPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Shares of what there is, growth of memory in 24 h as a share, loop lag in milliseconds.

    Forecasts (full in 24 h warns, in 2 h fails) are those of section `runtime.resources`.
    """

    period_s: float = 60.0
    fact_age_max_s: float = 120.0
    cpu: Limit = at_most("share", warn=0.90)
    memory: Limit = at_most("share", warn=0.85, fail=0.95)
    disk: Limit = at_most("share", warn=0.80, fail=0.95, high=1.0)
    memory_growth: Limit = at_most("share a day", warn=0.10)
    loop_lag: Limit = at_most("ms", warn=float(LAG.lag_warn_ms), fail=float(LAG.lag_fail_ms))


ASSESSMENT = Assessment(
    title="The process has what it needs, and will have it tomorrow.",
    topic="telemetry.runtime.resources", section="runtime", owner="operations", runbook="runbooks/disk.md",
    category=Category.RUNTIME, policy=ResourcesPolicy(),
    facts=(
        FactSpec("cpu", Kind.NUMBER, "share", 0.1), FactSpec("memory", Kind.NUMBER, "share", 0.1),
        FactSpec("disk", Kind.NUMBER, "share", 0.1),
        FactSpec("memory_growth", Kind.NUMBER, "share a day", 0.0, low=None),
        FactSpec("loop_lag", Kind.NUMBER, "ms", 0.0), FactSpec("forecast", Kind.TEXT, "", "OK", per="resource"),
    ),
    rules=(
        threshold("cpu", "cpu", remedy="see which stage takes it: the least of five minutes is shown",
                  runbook="runbooks/supervision.md"),
        threshold("memory", "memory", remedy="see what grows; restart in a quiet hour",
            runbook="runbooks/supervision.md"),
        threshold("disk", "disk", remedy="release what retention allows: tradeworthy journal retention"),
        threshold("memory_growth", "memory_growth", remedy="see what grows; restart in a quiet hour",
                  runbook="runbooks/supervision.md"),
        threshold("loop_lag", "loop_lag", remedy="see what blocks the loop", runbook="runbooks/supervision.md"),
        one_of("forecast", WORDS, remedy="make room before it is full"),
    ),
)  # fmt: skip
