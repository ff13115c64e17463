"""Do the run's own figures still behave as they did, and as the models learnt them? (AS-88, DF-01 to DF-03, DF-06)"""

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

ACT = "see the figure's course; freeze exploration, halve the size, on FAIL send new orders to paper"
OF_TRAINING = "size x 0.35, on FAIL x 0.2; a model is trained again as a new release with its own evidence"


class DriftSentryPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Statistics in standard deviations of the baseline; variance ratios either way round. A verdict is renewed every
    two minutes, and ends after four of them without a word.
    """

    period_s: float = 120.0
    age_max_s: float = 480.0
    page_hinkley: Limit = at_most("sd", warn=15.0, fail=20.0)
    cusum: Limit = at_most("sd", warn=6.0, fail=8.0)
    variance_ratio: Limit = at_most("ratio", warn=1.6, fail=2.4, low=1.0)
    training_shift: Limit = at_most("sd", warn=0.6, fail=1.2)
    training_variance: Limit = at_most("ratio", warn=1.8, fail=3.0, low=1.0)


ASSESSMENT = Assessment(
    title="The run's figures behave as they did before.",
    topic="telemetry.understanding.drift_sentry", section="understanding", owner="trading",
    runbook="runbooks/drift-sentry.md", category=Category.TRADING, policy=DriftSentryPolicy(),
    facts=(
        FactSpec("samples", Kind.INTEGER, "samples", 60, per="figure"),
        FactSpec("page_hinkley", Kind.NUMBER, "sd", 1.0, per="figure"),
        FactSpec("cusum", Kind.NUMBER, "sd", 1.0, per="figure"),
        FactSpec("variance_ratio", Kind.NUMBER, "ratio", 1.1, per="figure", low=1.0),
        FactSpec("training_set", Kind.TEXT, "", "0" * 64, per="trained figure"),
        FactSpec("training_shift", Kind.NUMBER, "sd", 0.1, per="trained figure"),
        FactSpec("training_variance", Kind.NUMBER, "ratio", 1.1, per="trained figure", low=1.0),
    ),
    rules=(
        threshold("page_hinkley", "page_hinkley", primitive="drift", remedy=ACT),
        threshold("cusum", "cusum", primitive="drift", remedy=ACT),
        threshold("variance_ratio", "variance_ratio", primitive="drift", remedy=ACT),
        threshold("training_shift", "training_shift", primitive="drift", remedy=OF_TRAINING),
        threshold("training_variance", "training_variance", primitive="drift", remedy=OF_TRAINING),
    ),
    nouns={"trained figure": "a desk without a model that learnt has no training set"},
)  # fmt: skip
