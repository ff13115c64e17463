"""Does the desk understand the market in time, and would it understand the same again? (AS-44, BL-08)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    age,
    at_most,
    below,
    required,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit

FASTER = "see which stage takes the time: tradeworthy assess runtime_performance"
SAME = "find the first difference: tradeworthy replay RUN; trade nothing on code that decides otherwise"


class UnderstandingSlosPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Milliseconds of one event: from its arrival to what the desk decides, and from there to the order that leaves.

    verdict_age   of the newest drift verdict;  differing  facts that a replay derives otherwise
    replay_drift  share of the recorded outcomes that a replay did not reach alike
    """

    signal_p95: Limit = below("ms", warn=50.0, fail=100.0)
    signal_max: Limit = below("ms", fail=1_000.0)
    order_p95: Limit = below("ms", warn=50.0, fail=100.0)
    order_max: Limit = below("ms", fail=1_000.0)
    verdict_age: Limit = at_most("s", warn=600.0, fail=1_200.0)
    differing: Limit = at_most("facts", fail=1)
    replay_drift: Limit = below("share", warn=0.0, fail=0.01, high=1.0)


ASSESSMENT = Assessment(
    title="The desk understands in time, and the same again.",
    topic="telemetry.operational.slos", section="operational", owner="trading", runbook="runbooks/slos.md",
    category=Category.OPERATIONS, policy=UnderstandingSlosPolicy(),
    facts=(
        FactSpec("signal_p95", Kind.NUMBER, "ms", 1.0), FactSpec("signal_max", Kind.NUMBER, "ms", 2.0),
        FactSpec("order_p95", Kind.NUMBER, "ms", 1.0), FactSpec("order_max", Kind.NUMBER, "ms", 2.0),
        FactSpec("drift_verdict_at", Kind.TIME, "", 60), FactSpec("replay_equal", Kind.FLAG, "", True),
        FactSpec("replay_differing", Kind.INTEGER, "facts", 0), FactSpec("replay_drift", Kind.NUMBER, "share", 0.0),
    ),
    rules=(
        threshold("signal_p95", "signal_p95", what="ingest_to_signal", primitive="cap", remedy=FASTER),
        threshold("signal_max", "signal_max", what="ingest_to_signal_max", primitive="cap", remedy=FASTER),
        threshold("order_p95", "order_p95", what="signal_to_order", primitive="cap", remedy=FASTER),
        threshold("order_max", "order_max", what="signal_to_order_max", primitive="cap", remedy=FASTER),
        age("drift_verdict_at", "verdict_age", what="drift_verdict_age",
            remedy="see why drift is not judged: tradeworthy assess drift_sentry"),
        required("replay_equal", what="replay_checksum", remedy=SAME),
        threshold("replay_differing", "differing", what="replay_differs", remedy=SAME),
        threshold("replay_drift", "replay_drift", primitive="cap", remedy=SAME),
    ),
)  # fmt: skip
