"""A finding: what was observed against which limit, where to read on, and who answers (FW-03)."""

from enum import Enum
from typing import Any, NamedTuple

import msgspec

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.values import Provenance


class Category(Enum):
    """Which table routes it (FW-29)."""

    DATA = "data"
    RUNTIME = "runtime"
    TRADING = "trading"
    RISK = "risk"
    OPERATIONS = "operations"
    FRAMEWORK = "framework"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One judged rule. `code` is `<assessment>.<what>`.

    observed, limit  a number, a text or a flag, never prose; None = nobody knows
    evidence         journal seqs or content digests that it rests on
    """

    code: str
    severity: Severity
    component: str
    category: Category
    message: str
    observed: Any
    limit: Any
    unit: str
    provenance: Provenance
    runbook: str
    remedy: str
    owner: str
    evidence: tuple[str, ...] = ()
    utilisation: float | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same finding at another time."""
        return self.code, self.component


class Kept(NamedTuple):
    """A rule that was judged and kept: nothing to tell but that it was."""

    code: str
    component: str
    utilisation: float | None
    severity: Severity = Severity.OK

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same rule at another time."""
        return self.code, self.component


class CodeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What `assess explain CODE` tells: the rule behind a code."""

    code: str
    primitive: str
    facts: tuple[str, ...]
    limit: str
    category: Category
    runbook: str
    remedy: str
    owner: str


FRAMEWORK_CODES = {
    "no_data": "no fact was collected: run the collector, or see why it could not read",
    "invalid_fact": "a fact is not what was declared: correct what brings it",
    "future_timestamp": "a stamp lies ahead of now: correct the clock that made it",
    "collector_failed": "a probe failed, was too slow or brought only a part: see the probe that is named",
    "attested_only": "a person's word stands where a measurement should: measure it",
    "simulated_only": "a simulation stands where a measurement is asked for: measure it",
    "redaction_failed": "the snapshot could not be cleaned of secrets and was withheld: correct the fact that is named",
    "render_failed": "a page could not be made; the JSON stands: correct the page",
    "publish_failed": "telemetry did not take the snapshot: see the bus and its spool",
    "gate_unmarked": "no gate looked again: its verdict ends by itself; see the gate's watch",
    "stale": "nobody judged it again in time: run the assessment",
    "flapping": "the status changes again and again: look for what comes and goes",
}
"""Codes that every assessment has, and their remedies."""
