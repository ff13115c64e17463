"""Does coordination between instances keep to its scope, its bounds and its time, and never past risk? (AS-125)"""

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
    at_most,
    custom,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit

OK, FAIL = Severity.OK, Severity.FAIL
OFF = "switch coordination off, and see which intent it was"


class CoordinationPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """One intent beyond its scope, its target of 0.25 to 0.75, its 60 s or the risk review is too many."""

    wider_scope: Limit = at_most("intents", fail=1)
    target_outside: Limit = at_most("intents", fail=1)
    expired: Limit = at_most("intents", fail=1)
    overrides_risk: Limit = at_most("intents", fail=1)


def switched(values: Mapping[str, Any], policy: CoordinationPolicy, now: int) -> Verdict:
    """Judge the switch: coordination that is on needs models that are on."""
    del policy, now
    wrong = values["enabled"] and not values["models"]
    said = "coordination is on, and no model is" if wrong else ""
    return Verdict(FAIL if wrong else OK, values["enabled"], values["models"], said)


ASSESSMENT = Assessment(
    title="Coordination keeps to its scope and its bounds.",
    topic="telemetry.desk.coordination_policy", section="desk", owner="trading", runbook="runbooks/agents.md",
    category=Category.OPERATIONS, policy=CoordinationPolicy(),
    facts=(
        FactSpec("enabled", Kind.FLAG, "", True), FactSpec("models", Kind.FLAG, "", True),
        FactSpec("wider_scope", Kind.INTEGER, "intents", 0), FactSpec("target_outside", Kind.INTEGER, "intents", 0),
        FactSpec("expired", Kind.INTEGER, "intents", 0), FactSpec("overrides_risk", Kind.INTEGER, "intents", 0),
    ),
    rules=(
        custom("without_models", switched, facts=("enabled", "models"), remedy=OFF, primitive="required", cases=(
            Case("alone", {"models": False}, FAIL), Case("off", {"enabled": False, "models": False}, OK),
        )),
        *(threshold(name, name, remedy=OFF) for name in ("wider_scope", "target_outside", "expired", "overrides_risk")),
    ),
)  # fmt: skip
