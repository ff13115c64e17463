"""The ramp promotes an equal candidate, aborts a doubled error, and never takes silence for good news."""

import random
from decimal import Decimal

import pytest

from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.gates.capital.paired_test import Finding, PairedPolicy, PairedTest
from tradeworthy.operations.gates.capital.ramp import (
    ABORT_ACTS,
    RAMP,
    Measurement,
    RampPolicy,
    Step,
    capital_of,
    decide,
    next_tier,
)
from tradeworthy.operations.gates.policy_ledger import STAGES, PolicyStanding

TOP = PolicyStanding(policy_id="p", stage=STAGES[-1])
ERROR = 0.1


def pairs(count, seed, ratio=1.0, *, sessions=10):
    drawn = random.Random(seed)
    for at in range(count):
        yield Measurement(
            session=f"s{at * sessions // count}", filled=True, candidate_erred=drawn.random() < ERROR * ratio,
            baseline_erred=drawn.random() < ERROR,
        )


def finding(seed, ratio, count=4_000):
    """Return the first finding that is not open, looking after every pair."""
    policy, test, drawn = PairedPolicy(), PairedTest(), random.Random(seed)
    for _ in range(count):
        worse, base = drawn.random() < ERROR * ratio, drawn.random() < ERROR
        test = test.seen(candidate_erred=worse, baseline_erred=base, policy=policy)
        if test.finding(policy) is not Finding.OPEN:
            break
    return test.finding(policy)


def judged(runs):
    equal = [finding(seed, 1.0) for seed in range(runs)]
    doubled = [finding(seed, 2.0) for seed in range(runs, 2 * runs)]
    return equal, doubled


def held(runs):
    equal, doubled = judged(runs)
    assert sum(one is Finding.WORSE for one in equal) / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5
    assert sum(one is Finding.NOT_WORSE for one in doubled) / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5
    assert sum(one is Finding.WORSE for one in doubled) / runs >= 0.90
    return equal, doubled


def test_an_equal_candidate_is_seldom_aborted_and_a_doubled_error_is_found():
    held(60)


@pytest.mark.proof
def test_a_thousand_runs_of_each_keep_the_error_rates(capsys):
    equal, doubled = held(1_000)
    with capsys.disabled():
        wrong, missed = sum(o is Finding.WORSE for o in equal), sum(o is Finding.NOT_WORSE for o in doubled)
        found = sum(o is Finding.WORSE for o in doubled)
        print(f"\n1,000 A/A runs: {wrong} aborted; 1,000 doubled: {missed} promoted, {found} aborted")


def test_pairs_that_agree_say_nothing():
    policy, test = PairedPolicy(), PairedTest()
    for erred in (True, False) * 500:
        test = test.seen(candidate_erred=erred, baseline_erred=erred, policy=policy)
    assert (test.finding(policy), test.log_wealth, test.pairs) == (Finding.OPEN, 0.0, 1_000)


def good(count=2_000):
    return list(pairs(count, 3))


def test_an_equal_candidate_goes_up_one_tier_and_a_worse_one_is_undone():
    found = decide(TOP, "pilot", good())
    assert (found.step, found.to, found.acts) == (Step.PROMOTE, "limited_live", ())
    aborted = decide(TOP, "pilot", pairs(2_000, 5, 2.0))
    assert (aborted.step, aborted.acts) == (Step.ABORT, ABORT_ACTS)
    assert aborted.pairs < 2_000


def test_four_failed_measurements_in_a_row_abort_and_three_pause():
    lost = Measurement(session="s", filled=True, candidate_erred=None, baseline_erred=False)
    assert decide(TOP, "pilot", [*good(), lost, lost, lost]).step is Step.PAUSE
    assert decide(TOP, "pilot", [*good(), lost, lost, lost, lost]).step is Step.ABORT
    spread = [lost, lost, lost, good()[0], lost, lost, lost, *good()]
    assert decide(TOP, "pilot", spread).step is Step.PROMOTE


def test_a_muted_metric_never_promotes():
    assert decide(TOP, "pilot", []).step is Step.PAUSE
    muted = [Measurement(session="s", filled=True, candidate_erred=None, baseline_erred=None)] * 3
    assert decide(TOP, "pilot", muted).step is Step.PAUSE


def test_a_step_needs_five_sessions_and_a_hundred_fills():
    few = list(pairs(2_000, 3, sessions=4))
    assert decide(TOP, "pilot", few).step is Step.HOLD
    assert decide(TOP, "pilot", pairs(2_000, 3, sessions=5)).step is Step.PROMOTE
    dry = [Measurement(session=one.session, filled=at < 99, candidate_erred=one.candidate_erred,
                       baseline_erred=one.baseline_erred) for at, one in enumerate(good())]  # fmt: skip
    assert decide(TOP, "pilot", dry).step is Step.HOLD


def test_inconclusive_holds_and_in_the_end_pauses():
    same = [Measurement(session=f"s{at % 6}", filled=True, candidate_erred=False, baseline_erred=False)
            for at in range(200)]  # fmt: skip
    assert decide(TOP, "pilot", same).step is Step.HOLD
    assert decide(TOP, "pilot", same, RampPolicy(pairs_max=200)).step is Step.PAUSE


@pytest.mark.parametrize(("tier", "stage", "step"), [
    ("paper", "experiment", Step.HOLD), ("paper", "paper", Step.PROMOTE), ("canary", "paper", Step.HOLD),
    ("canary", "pilot", Step.PROMOTE), ("live_micro", "pilot", Step.PROMOTE), ("pilot", "pilot", Step.HOLD),
    ("pilot", "limited_live", Step.PROMOTE), ("limited_live", "limited_live", Step.PROMOTE),
    ("live", "limited_live", Step.HOLD),
])  # fmt: skip
def test_a_tier_needs_its_stage_of_the_ledger(tier, stage, step):
    assert decide(PolicyStanding(policy_id="p", stage=stage), tier, good()).step is step


@pytest.mark.parametrize(("tier", "capital"), [
    ("shadow", 0), ("paper", 0), ("canary", 0), ("live_micro", 100), ("pilot", 5_000), ("limited_live", 25_000),
    ("live", 100_000),
])  # fmt: skip
def test_each_tier_has_its_share_of_the_limit(tier, capital):
    assert capital_of(tier, Decimal(100_000)) == capital
    assert capital_of("live_micro", Decimal(1_000)) == 10


def test_an_unknown_tier_is_refused_and_the_top_stays():
    with pytest.raises(UsageError, match="shadow"):
        next_tier("huge")
    assert [next_tier(one) for one in RAMP] == [*RAMP[1:], "live"]
