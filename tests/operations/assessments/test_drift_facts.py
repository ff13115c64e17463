"""Figures of a run against their own past: a step is caught, noise is not, and what was not measured is not known."""

import random

import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.collectors.drift import DriftFold, Training
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.detectors import page_hinkley
from tradeworthy.operations.assessments.framework.mutation import AT, judged
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.trading.model import Bar, Quote
from tradeworthy.trading.timing import STEP, DeskTiming, StageTiming

TELL = Teller("test", AT, environment="backtest")
SENTRY = registry().get("drift_sentry")
MINUTE = 60 * NANOS_PER_SECOND


def fold(series, name="figure", **made):
    found = DriftFold({}, **made)
    for one in series:
        found.add(name, one)
    return found


def noise(count, seed=7, mean=0.0, deviation=1.0):
    draw = random.Random(seed)
    return [draw.gauss(mean, deviation) for _ in range(count)]


def status(found):
    return judged(SENTRY, tuple(found.facts(TELL)), SENTRY.policy)


def codes(snapshot):
    return {one.code.partition(".")[2]: one.severity for one in snapshot.findings}


def told(found):
    return {(one.component, one.name): (one.value, one.missing) for one in found.facts(TELL)}


def test_a_step_is_caught_and_names_its_figure():
    snapshot = status(fold([*noise(240), *noise(60, seed=8, mean=1.0)]))
    assert snapshot.status is Severity.FAIL
    assert codes(snapshot)["cusum"] is Severity.FAIL
    assert {one.component for one in snapshot.findings} == {"figure"}


@pytest.mark.parametrize("deviation", [2.0, 0.5])
def test_another_variance_is_caught_either_way_round(deviation):
    snapshot = status(fold([*noise(240), *noise(60, seed=8, deviation=deviation)]))
    assert codes(snapshot)["variance_ratio"] is Severity.FAIL


def test_noise_fails_in_at_most_one_of_a_hundred_runs_a_detector():
    failed = {"page_hinkley": 0, "cusum": 0, "variance_ratio": 0}
    limits = {name: getattr(SENTRY.policy, name).fail for name in failed}
    for seed in range(1_000):
        facts = told(fold(noise(300, seed)))
        for name, limit in limits.items():
            failed[name] += facts["figure", name][0] >= limit
    assert max(failed.values()) <= 10, failed


def test_the_statistic_alarms_where_river_does():
    drift = pytest.importorskip("river.drift", reason="the drift extra is not installed")
    for seed in range(40):
        series = [*noise(240, seed), *noise(60, seed + 1_000, mean=seed / 40)]
        for threshold in (15.0, 20.0):
            detector = drift.PageHinkley(min_instances=30, delta=0.25, alpha=1.0, threshold=threshold, mode="both")
            seen = False
            for one in series:
                detector.update(one)
                seen = seen or detector.drift_detected
            assert seen is (page_hinkley(series, delta=0.25) > threshold), seed


@pytest.mark.parametrize(("count", "known"), [(89, False), (90, True)])
def test_fewer_than_thirty_samples_on_a_side_are_unknown(count, known):
    value, why = told(fold(noise(count)))["figure", "cusum"]
    assert (value is not None) is known
    assert known or why == "29 samples, 30 are needed"


def test_a_figure_that_never_varied_says_nothing():
    snapshot = status(fold([5.0] * 300))
    assert snapshot.status is Severity.UNKNOWN
    assert "does not vary" in snapshot.findings[0].message


def test_a_step_that_went_into_the_past_no_longer_alarms():
    found = fold([*noise(30), *noise(300, seed=8, mean=6.0)])
    assert "cusum" not in codes(status(found))


def test_memory_is_bounded_in_length_and_in_names():
    found = fold(noise(5_000))
    for number in range(100):
        found.add(f"other {number}", 1.0)
    assert len({one.component for one in found.facts(TELL)}) == 64
    assert told(found)["figure", "samples"][0] == 60


def test_a_pinned_training_set_is_what_new_figures_are_held_against():
    known = {"figure": Training(0.0, 1.0, "a" * 64)}
    assert "training_shift" not in codes(status(fold(noise(300), training=known)))
    moved = status(fold(noise(300, mean=1.5), training=known))
    assert codes(moved)["training_shift"] is Severity.FAIL
    wider = status(fold(noise(300, deviation=2.0), training=known))
    assert codes(wider)["training_variance"] is Severity.FAIL


def test_market_and_pace_are_told_once_a_minute_of_their_own_time():
    found = DriftFold({})
    stage = StageTiming(STEP, 100, 2_000_000, 3_000_000, 4_000_000, 1, Severity.OK)
    facts = [
        (0, Quote("A", 99, 101)), (1, Quote("A", 50, 60)), (60, Quote("A", 100, 102)), (60, Bar("B", 1, 1, 1, 1, 5)),
        (60, DeskTiming(Severity.OK, (stage,))),
    ]  # fmt: skip
    for number, (at, fact) in enumerate(facts):
        ts = AT + at * NANOS_PER_SECOND - AT % MINUTE
        found.on_event(event_of(fact, source="tape", key=number, ts_event=ts, ts_init=ts))
    assert list(found._series["return_bps:A"]) == pytest.approx([100.0])
    assert list(found._series["spread_bps:A"]) == pytest.approx([200.0, 198.0198])
    assert list(found._series["step_ms"]) == [2.0]
    assert "return_bps:B" not in found._series
