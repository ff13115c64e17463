"""Does a secret stand in anything that was written? (AS-54)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_most,
    required,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit

LEAK = "take the secret out of use at once, then out of the file; find who wrote it"


class SecretsHygienePolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Hits in a sink: registered secrets of 8 characters or more, and values that look like one."""

    hits: Limit = at_most("hits", fail=1)
    open_keys: Limit = at_most("files", fail=1)


ASSESSMENT = Assessment(
    title="No secret stands in anything that was written, and keys are their owner's alone.",
    topic="telemetry.operational.secrets", section="operational", owner="security", runbook="runbooks/secrets.md",
    category=Category.OPERATIONS, policy=SecretsHygienePolicy(),
    facts=(
        FactSpec("hits", Kind.INTEGER, "hits", 0, per="sink"), FactSpec("bytes", Kind.INTEGER, "bytes", 1, per="sink"),
        FactSpec("open_keys", Kind.INTEGER, "files", 0, per="sink"),
        FactSpec("canary_found", Kind.FLAG, "", True),
    ),
    rules=(
        threshold("hits", "hits", what="secret_found", remedy=LEAK),
        threshold("open_keys", "open_keys", what="key_readable_by_others", remedy="chmod 600, and a new key"),
        required("canary_found", what="scanner_blind", remedy="it misses a planted secret: trust no zero of it"),
    ),
)  # fmt: skip
