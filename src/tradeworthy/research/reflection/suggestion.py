"""What a reflection suggests, schema `rim.v1`, and what is journaled of it (RF-05, RF-06)."""

from typing import Any

import msgspec

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.words import Word

SCHEMA = "rim.v1"


class SuggestionType(Word):
    """What is suggested: to look at a strategy, to move its weight, or to try something."""

    STRATEGY_FLAG = "STRATEGY_FLAG"
    WEIGHT_ADJUST = "WEIGHT_ADJUST"
    EXPERIMENT_PROPOSAL = "EXPERIMENT_PROPOSAL"


class StrategyFlag(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="STRATEGY_FLAG",
                   tag_field="is"):  # fmt: skip
    """A strategy that people should look at. `risk_rate` is the share that risk refused."""

    strategy_id: str
    reason: str
    risk_rate: float
    drawdown_ratio: float
    recommended_action: str


class WeightAdjust(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="WEIGHT_ADJUST",
                   tag_field="is"):  # fmt: skip
    """A strategy whose weight should move by a fraction."""

    strategy_id: str
    proposed_weight_delta: float
    window_minutes: int
    confidence: float


class ExperimentProposal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True,
                         tag="EXPERIMENT_PROPOSAL", tag_field="is"):  # fmt: skip
    """Something that is worth trying on paper."""

    hypothesis: str
    strategy_candidates: tuple[str, ...]
    duration_minutes: int
    experiment_id: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a suggestion rests on; times are nanoseconds UTC, `entries` those of the strategy."""

    window_start: int
    window_end: int
    entries: int
    features: dict[str, float]
    masked: tuple[str, ...]


@fact("reflection.suggested")
class Suggestion(Fact, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One suggestion to people. Nothing applies it: `applied` is always false in this release, `shadow` says why.

    created_at  the window's end: the same inputs give the same bytes;  audit_ids  events of the desk's journal
    """

    suggestion_id: str
    type: SuggestionType
    payload: StrategyFlag | WeightAdjust | ExperimentProposal
    confidence: float
    rationale: str
    audit_ids: tuple[str, ...]
    created_at: int
    evidence: Evidence
    input_hash: str
    model_hash: str
    config_hash: str
    code_hash: str
    run_id: str
    shadow: bool
    schema_version: str = SCHEMA
    applied: bool = False


@fact("reflection.ran")
class ReflectionRan(Fact, frozen=True, kw_only=True):
    """One run over a window of decisions. `suppressed` were suggestions beyond the budget, told by nobody.

    budget_left  suggestions of the rolling day that may still come
    risk_hits    suggestions that would give more weight to a strategy whose orders risk refused in the window
    """

    run_id: str
    window_start: int
    window_end: int
    entries: int
    strategies: int
    suggestions: int
    suppressed: int
    budget_left: int
    risk_hits: int
    input_hash: str
    model_hash: str
    config_hash: str
    code_hash: str
    shadow: bool
    applied: int = 0
    schema_version: str = SCHEMA


@fact("reflection.skipped")
class ReflectionSkipped(Fact, frozen=True):
    """A run that did not happen: kill_switch, lock_active, no_diaries, insufficient_entries or stale_diaries."""

    code: str
    detail: str


def encode(suggestion: Suggestion) -> bytes:
    """Return the canonical bytes of a suggestion."""
    return msgspec.json.encode(suggestion, order="sorted")


def decode(data: bytes) -> Suggestion:
    """Return a suggestion; raises `msgspec.ValidationError` for anything else, an unknown field among it."""
    return msgspec.json.decode(data, type=Suggestion, strict=True)


def suggestion_schema() -> dict[str, Any]:
    """Return the JSON schema of `rim.v1`."""
    found: dict[str, Any] = msgspec.json.schema(Suggestion)
    return found
