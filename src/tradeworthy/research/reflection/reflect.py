"""One reflection, purely: the same entries, model and limits give the same bytes on any machine (RF-01, RF-05)."""

import hashlib
from collections.abc import Sequence

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.research.reflection.entries import Entry, input_hash
from tradeworthy.research.reflection.features import FEATURES, Features, features_of
from tradeworthy.research.reflection.model import ReflectionModel
from tradeworthy.research.reflection.policy import ReflectionPolicy
from tradeworthy.research.reflection.suggestion import (
    Evidence,
    ExperimentProposal,
    ReflectionRan,
    ReflectionSkipped,
    StrategyFlag,
    Suggestion,
    SuggestionType,
    WeightAdjust,
)

AUDIT_IDS_MAX = 5
MINUTE_NS = 60 * NANOS_PER_SECOND
DURATION_MIN_MINUTES = 60
VOLATILE, PRESSED, LOSING = 0.3, 0.5, 0.45
"""Volatility and risk rate above which, and share of wins below which, an experiment has its own name."""


class Reflection(msgspec.Struct, frozen=True):
    """What came of one run: the run and its suggestions, best first."""

    ran: ReflectionRan
    suggestions: tuple[Suggestion, ...]


class Origins(msgspec.Struct, frozen=True):
    """The hashes of what made a suggestion, beside its inputs and its model."""

    config_hash: str
    code_hash: str


def reflect(
    entries: Sequence[Entry], *, now: int, policy: ReflectionPolicy, model: ReflectionModel, origins: Origins,
    budget: int,
) -> Reflection | ReflectionSkipped:  # fmt: skip
    """Look at the window that ends at `now`, in nanoseconds UTC of the desk's time.

    entries  of the desk, in order of time;  budget  suggestions that may still be told today
    """
    if not entries:
        return ReflectionSkipped("no_diaries", "the desk's journals hold no decision")
    start = now - policy.window_minutes * MINUTE_NS
    window = [one for one in entries if start <= one.ts <= now]
    decisions = sum(one.decision for one in window)
    if not decisions:
        return ReflectionSkipped("stale_diaries", f"the last decision is older than {policy.window_minutes} minutes")
    if decisions < policy.entries_min:
        return ReflectionSkipped("insufficient_entries", f"{decisions} decisions, expected {policy.entries_min}")
    digest = input_hash(window)
    run = f"rim-run-{_short(digest, model.digest, origins.config_hash, origins.code_hash)}"
    by_strategy: dict[str, list[Entry]] = {}
    for one in window:
        by_strategy.setdefault(one.strategy, []).append(one)
    found: list[Suggestion] = []
    for strategy, own in sorted(by_strategy.items()):
        features = features_of(own)
        made = _wanted(strategy, features, policy, model)
        if made is None:
            continue
        kind, payload, confidence, why = made
        found.append(Suggestion(
            suggestion_id=f"rim-{_short(digest, strategy, kind.value)}", type=kind, payload=payload,
            confidence=confidence, rationale=why, audit_ids=tuple(one.id for one in own[-AUDIT_IDS_MAX:]),
            created_at=now, evidence=Evidence(
                window_start=start, window_end=now, entries=len(own), features=features,
                masked=tuple(name for name in FEATURES if name not in features),
            ),
            input_hash=digest, model_hash=model.digest, config_hash=origins.config_hash,
            code_hash=origins.code_hash, run_id=run, shadow=model.shadow,
        ))  # fmt: skip
    ranked = sorted(found, key=lambda one: (-one.confidence, one.suggestion_id))
    told = tuple(ranked[: max(0, min(policy.suggestions_max, budget))])
    ran = ReflectionRan(
        run_id=run, window_start=start, window_end=now, entries=len(window), strategies=len(by_strategy),
        suggestions=len(told), suppressed=len(found) - len(told), budget_left=budget - len(told),
        risk_hits=sum(map(_risky, told)), input_hash=digest, model_hash=model.digest,
        config_hash=origins.config_hash, code_hash=origins.code_hash, shadow=model.shadow,
    )  # fmt: skip
    return Reflection(ran, told)


Made = tuple[SuggestionType, StrategyFlag | WeightAdjust | ExperimentProposal, float, str]


def _wanted(strategy: str, features: Features, policy: ReflectionPolicy, model: ReflectionModel) -> Made | None:
    """Return the one suggestion for a strategy: a flag goes before a weight, a weight before an experiment."""
    flag = model.flag_score(features)
    if flag >= policy.flag_min and flag >= policy.confidence_min:
        risk, drawdown = features.get("risk", 0.0), features.get("drawdown", 0.0)
        action = "pause" if risk >= PRESSED else "review"
        said = f"flag {flag:.3f}: risk refused {risk:.1%}, drawdown {drawdown:.3f} R"
        payload = StrategyFlag(
            strategy_id=strategy, reason=said, risk_rate=risk, drawdown_ratio=drawdown, recommended_action=action
        )
        return SuggestionType.STRATEGY_FLAG, payload, flag, said
    sure = model.confidence_score(features)
    if sure < policy.confidence_min:
        return None
    delta = model.weight_delta(features)
    if "mean_r" in features and abs(delta) >= policy.weight_min:
        adjust = WeightAdjust(
            strategy_id=strategy, proposed_weight_delta=delta, window_minutes=policy.window_minutes, confidence=sure
        )
        return SuggestionType.WEIGHT_ADJUST, adjust, sure, f"mean result {features['mean_r']:+.3f} R"
    score = model.experiment_score(features)
    if score < policy.experiment_min:
        return None
    name = _experiment_of(features)
    proposal = ExperimentProposal(
        hypothesis=f"{name} explains {strategy}", strategy_candidates=(strategy,), experiment_id=name,
        duration_minutes=max(DURATION_MIN_MINUTES, policy.window_minutes // 2),
    )  # fmt: skip
    return SuggestionType.EXPERIMENT_PROPOSAL, proposal, sure, f"experiment {score:.3f}"


def _experiment_of(features: Features) -> str:
    if features.get("volatility", 0.0) > VOLATILE:
        return "volatility_guardrail"
    if features.get("risk", 0.0) > PRESSED:
        return "risk_pressure_backtest"
    if features.get("win", 1.0) < LOSING:
        return "alpha_refresh"
    return "stability_probe"


def _risky(one: Suggestion) -> bool:
    more = isinstance(one.payload, WeightAdjust) and one.payload.proposed_weight_delta > 0
    return more and one.evidence.features.get("risk", 0.0) > 0


def _short(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
