"""What changed in the configuration, how grave is it, and was it approved? (AS-52)"""

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    equals,
    one_of,
    required,
)

WORDS = {one.name: one for one in Severity}


class ConfigurationAuditPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """How grave a field is stands in `app/configuration/changes.py`; this judges what the audit found."""

    fact_age_max_s: float = 1_200.0


ASSESSMENT = Assessment(
    title="Every grave change of the configuration was approved.",
    topic="telemetry.runtime.configuration", section="runtime", owner="operations", runbook="runbooks/config.md",
    category=Category.OPERATIONS, policy=ConfigurationAuditPolicy(),
    nouns={"field": "nothing changed since the last start"},
    facts=(
        FactSpec("change", Kind.TEXT, "", "OK", per="field"), FactSpec("approved", Kind.FLAG, "", True),
        FactSpec("running_hash", Kind.TEXT, "", "a"), FactSpec("audited_hash", Kind.TEXT, "", "a"),
    ),
    rules=(
        one_of("change", WORDS, remedy="read the field's old and new value: tradeworthy config history"),
        required("approved", what="unapproved", remedy="have the change approved, or put the old value back"),
        equals("running_hash", "audited_hash", what="hash_differs",
            remedy="restart with the document that was audited"),
    ),
)  # fmt: skip
