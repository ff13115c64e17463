"""What a desk's decisions suggest: the model's figures, the windows, the ranks, the bytes (RF-01 to RF-06)."""

import msgspec
import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.research.reflection.entries import Entry, input_hash
from tradeworthy.research.reflection.features import FEATURES, features_of
from tradeworthy.research.reflection.model import ReflectionModel
from tradeworthy.research.reflection.policy import ReflectionPolicy
from tradeworthy.research.reflection.reflect import MINUTE_NS, Origins, Reflection, reflect
from tradeworthy.research.reflection.suggestion import (
    SCHEMA,
    ReflectionSkipped,
    SuggestionType,
    decode,
    encode,
    suggestion_schema,
)

NOW = 2_000 * MINUTE_NS
ORIGINS = Origins("c" * 64, "d" * 64)
POLICY, MODEL = ReflectionPolicy(), ReflectionModel()


def entry(number, *, strategy="trend", ts=NOW, flagged=False, result=None):
    return Entry(f"{strategy}:{number}", f"{number:064x}", ts, strategy, result is None, flagged, result)


def losing(strategy="trend", count=100, first=0):
    """Return decisions of which risk refused every second, and results of which each loses one budget."""
    decisions = [entry(first + n, strategy=strategy, flagged=n % 2 == 0) for n in range(count)]
    return decisions + [entry(first + count + n, strategy=strategy, result=-1.0) for n in range(4)]


def winning(strategy="maker", count=100, first=1_000):
    decisions = [entry(first + n, strategy=strategy) for n in range(count)]
    return decisions + [entry(first + count + n, strategy=strategy, result=0.4) for n in range(6)]


def run(entries, *, now=NOW, policy=POLICY, model=MODEL, origins=ORIGINS, budget=40):
    return reflect(entries, now=now, policy=policy, model=model, origins=origins, budget=budget)


def test_the_weight_head_is_its_sum_within_the_clip():
    features = {"win": 0.6, "loss": 0.4, "belief": 0.7, "trend": 0.2, "drawdown": 0.5}
    assert MODEL.weight_delta(features) == 0.30
    wider = msgspec.structs.replace(MODEL, weight_clip=1.0)
    assert wider.weight_delta(features) == pytest.approx(0.35)
    assert MODEL.weight_delta({"loss": 1.0, "drawdown": 1.0}) == -0.30


def test_the_flag_head_is_the_pages_figure():
    assert MODEL.flag_score({"risk": 0.5, "loss": 0.5, "drawdown": 1.0}) == pytest.approx(0.930862, abs=5e-7)


@pytest.mark.parametrize("name", ["mean_r", "win", "trend"])
def test_a_weight_grows_with_what_is_good(name):
    assert MODEL.weight_delta({name: 0.2}) > MODEL.weight_delta({name: 0.1})


@pytest.mark.parametrize("name", ["risk", "loss", "drawdown"])
def test_a_weight_falls_with_what_is_bad(name):
    assert MODEL.weight_delta({name: 0.2}) < MODEL.weight_delta({name: 0.1})


@pytest.mark.parametrize("odd", [{"weight": {"moon": 1.0}}, {"flag": {"risk": 0.0}}, {"flag": {"risk": float("nan")}},
                                 {"weight_clip": 0.0}, {"schema": "rim_model@2"}])  # fmt: skip
def test_a_coefficient_that_changes_nothing_is_refused(odd):
    with pytest.raises(ValueError, match=r"must|expected"):
        ReflectionModel(**odd)


def test_a_model_that_was_not_scored_suggests_in_shadow_only():
    scored = [msgspec.structs.replace(MODEL, brier=brier).shadow for brier in (None, 0.12, 0.1201)]
    assert scored == [True, False, True]


def test_what_is_missing_is_masked_and_never_zero():
    features = features_of([entry(1)])
    assert sorted(features) == ["log_n", "risk"]
    one = features_of([entry(1), entry(2, result=-2.0)])
    assert one["loss"] == 1.0
    assert not {"sd_r", "trend", "volatility", "spread", "belief"} & set(one)
    assert set(features_of([*losing(), *winning()])) <= set(FEATURES)


def test_drawdown_is_from_the_peak_and_trend_is_second_half_less_first():
    results = (1.0, 2.0, -1.5, -1.0)
    found = features_of([entry(n, result=one) for n, one in enumerate(results)])
    assert found["drawdown"] == 2.5
    assert found["trend"] == -1.25 - 1.5
    assert found["abs_trend"] == 2.75


@pytest.mark.parametrize(("count", "code"), [(99, "insufficient_entries"), (100, None)])
def test_a_hundred_decisions_are_enough_and_one_less_is_not(count, code):
    found = run(losing(count=count))
    assert (found.code if isinstance(found, ReflectionSkipped) else None) == code


def test_nothing_and_what_is_old_have_their_own_codes():
    assert run([]).code == "no_diaries"
    old = [msgspec.structs.replace(one, ts=NOW - POLICY.window_minutes * MINUTE_NS - 1) for one in losing()]
    assert run(old).code == "stale_diaries"
    edge = [msgspec.structs.replace(one, ts=NOW - POLICY.window_minutes * MINUTE_NS) for one in losing()]
    assert isinstance(run(edge), Reflection)
    ahead = [msgspec.structs.replace(one, ts=NOW + 1) for one in losing()]
    assert run(ahead).code == "stale_diaries"


def test_a_losing_strategy_is_flagged_and_a_winning_one_gets_weight():
    found = run([*losing(), *winning()])
    kinds = {one.payload.strategy_id: one.type for one in found.suggestions}
    assert kinds == {"trend": SuggestionType.STRATEGY_FLAG, "maker": SuggestionType.WEIGHT_ADJUST}
    flag = next(one for one in found.suggestions if one.type is SuggestionType.STRATEGY_FLAG)
    assert (flag.payload.risk_rate, flag.payload.recommended_action) == (0.5, "pause")
    assert flag.evidence.masked == ("volatility", "spread", "belief")
    assert len(flag.audit_ids) == 5
    assert [one.confidence for one in found.suggestions] == sorted(
        (one.confidence for one in found.suggestions), reverse=True
    )
    assert (found.ran.entries, found.ran.strategies, found.ran.suggestions) == (210, 2, 2)


def test_nothing_is_applied_and_all_is_shadow():
    found = run([*losing(), *winning()])
    assert {(one.applied, one.shadow, one.schema_version) for one in found.suggestions} == {(False, True, SCHEMA)}
    assert (found.ran.applied, found.ran.shadow) == (0, True)


def test_more_weight_for_what_risk_refused_is_a_risk_hit():
    clean = run(winning())
    refused = [msgspec.structs.replace(one, flagged=n == 0) for n, one in enumerate(winning())]
    assert (clean.ran.risk_hits, run(refused).ran.risk_hits) == (0, 1)


@pytest.mark.parametrize(("budget", "told"), [(40, 2), (2, 2), (1, 1), (0, 0)])
def test_a_budget_ends_what_is_told_and_the_rest_is_counted(budget, told):
    ran = run([*losing(), *winning()], budget=budget).ran
    assert (ran.suggestions, ran.suppressed, ran.budget_left) == (told, 2 - told, budget - told)


def test_the_same_inputs_give_the_same_bytes_and_others_do_not():
    entries = [*losing(), *winning()]
    one, again = run(entries), run(list(entries))
    assert [encode(a) for a in one.suggestions] == [encode(b) for b in again.suggestions]
    assert one.ran == again.ran
    assert all(found.suggestion_id.startswith("rim-") and len(found.suggestion_id) == 20 for found in one.suggestions)
    assert one.ran.input_hash == input_hash(entries) != input_hash(entries[:-1])
    assert run(entries, origins=Origins("e" * 64, "d" * 64)).ran.run_id != one.ran.run_id
    assert one.suggestions[0].created_at == NOW


def test_a_suggestion_reads_back_and_an_unknown_field_is_refused():
    one = run(losing()).suggestions[0]
    assert decode(encode(one)) == one
    plain = {**msgspec.json.decode(encode(one)), "account_id": "canary"}
    with pytest.raises(msgspec.ValidationError, match="account_id"):
        decode(msgspec.json.encode(plain))
    assert "Suggestion" in suggestion_schema()["$defs"]


@pytest.mark.parametrize("odd", [{"interval_seconds": 0}, {"entries_min": 0}, {"confidence_min": float("nan")}])
def test_a_limit_that_is_none_is_refused(odd):
    with pytest.raises(ValueError, match="must be above 0"):
        ReflectionPolicy(**odd)


def test_it_is_off_by_default_hourly_and_at_once():
    assert (POLICY.enabled, POLICY.interval_seconds, POLICY.run_on_start) == (False, 3_600.0, True)
    assert POLICY.window_minutes * MINUTE_NS == 86_400 * NANOS_PER_SECOND
