import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.severity import Severity
from tradeworthy.research.backtest.bootstrap import mean_interval
from tradeworthy.research.backtest.edge import EdgeVerdict, edge_of
from tradeworthy.research.backtest.fill_factor import fill_factors
from tradeworthy.research.backtest.fills import FillRecord, adverse, capture, markout
from tradeworthy.research.backtest.markout import adverse_selection, by_side
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import Liquidity


def fill_at(i=0, *, side=Side.BUY, price=9_999, mid2=20_000, spread=4, later2=20_000, fee="0", level=0):
    record = FillRecord(
        ts=i * 10**9, instrument="X.Y", instance="mm", side=side, lots=1, price=price, liquidity=Liquidity.MAKER,
        notional=Decimal(price), fee=Decimal(fee), level=level, mid2=mid2, spread=spread,
    )
    record.later2 = [later2] * 4
    return record


def test_the_signs_of_capture_adverse_and_markout_for_both_sides():
    assert capture(1, 9_999, 20_000) == capture(-1, 10_001, 20_000) == pytest.approx(1e-4, abs=1e-15)
    assert adverse(1, 20_000, 19_996) == adverse(-1, 20_000, 20_004) == pytest.approx(2e-4, abs=1e-15)
    assert markout(1, 9_999, 20_000, 19_996) == pytest.approx(-1e-4, abs=1e-15)


@given(st.sampled_from(Side), st.integers(1, 10**6), st.integers(2, 10**6), st.integers(2, 10**6))
def test_markout_is_the_gain_at_the_later_mid(side, price, mid2, later2):
    assert markout(side, price, mid2, later2) == pytest.approx(side * (later2 - 2 * price) / mid2, abs=1e-9)


def test_ten_fills_with_known_capture_give_the_exact_factor():
    fills = [fill_at(i, level=i % 2) for i in range(10)]  # 1 tick of a spread of 4
    everything, zero, one = fill_factors(fills, rng=random.Random(1))
    assert everything.factor == zero.factor == one.factor == 0.25
    assert (everything.n, zero.level, one.n) == (10, "0", 5)
    assert everything.maker_share == 1.0
    assert everything.severity is Severity.UNKNOWN


@pytest.mark.parametrize(("n", "severity"), [(99, Severity.UNKNOWN), (100, Severity.OK)])
def test_the_fill_factor_is_known_from_a_hundred_fills(n, severity):
    assert fill_factors([fill_at(i) for i in range(n)], rng=random.Random(1))[0].severity is severity


def test_known_fills_have_known_basis_points():
    edge = edge_of([fill_at(i, later2=19_999, fee="0.2") for i in range(20)], rng=random.Random(1))
    # capture 1 bp, fee 0.2 of 10 000 = 0.2 bp, adverse 0.5 bp
    assert edge.gross.bps == pytest.approx(1.0, abs=1e-9)
    assert edge.fees.bps == pytest.approx(0.2, abs=1e-9)
    assert edge.adverse.bps == pytest.approx(0.5, abs=1e-9)
    assert edge.net.bps == pytest.approx(0.3, abs=1e-9)
    assert edge.net.quote == edge.net.per_day == pytest.approx(6.0, abs=1e-9)
    assert edge.verdict is EdgeVerdict.POSITIVE


@pytest.mark.parametrize(
    ("fills", "verdict", "code"),
    [
        ([fill_at(i) for i in range(10)], EdgeVerdict.INSUFFICIENT, ExitCode.COULD_NOT_JUDGE),
        ([fill_at(i) for i in range(11)], EdgeVerdict.POSITIVE, ExitCode.PASS),
        ([fill_at(i, price=10_001) for i in range(11)], EdgeVerdict.NEGATIVE, ExitCode.FAIL),
        ([fill_at(price=9_000), *(fill_at(i, price=10_000 + i % 2) for i in range(1, 30))],
         EdgeVerdict.INCONCLUSIVE, ExitCode.WARN),
    ],
    ids=["ten", "eleven", "losing", "one lucky fill"],
)
def test_the_edge_verdict(fills, verdict, code):
    edge = edge_of(fills, rng=random.Random(1))
    assert (edge.verdict, edge.exit_code) == (verdict, code)


def test_a_fill_without_a_known_fee_or_an_open_horizon_is_excluded_and_counted():
    unknown, waiting = fill_at(), fill_at()
    unknown.fee = None
    waiting.later2[2] = None
    edge = edge_of([fill_at(), unknown, waiting], rng=random.Random(1))
    assert (edge.n, edge.excluded) == (1, 2)


def test_adverse_selection_by_side_is_exact_and_counts_open_horizons():
    waiting = fill_at(3)
    waiting.later2[3] = None
    fills = [fill_at(0, later2=19_996), fill_at(1, later2=19_992), fill_at(2, side=Side.SELL, later2=19_996), waiting]
    rows = {(m.group, m.horizon_s): m for m in adverse_selection(fills, rng=random.Random(1), group=by_side)}
    assert rows["buy", 300].adverse_bps == pytest.approx(3.0, abs=1e-9)
    assert (rows["buy", 300].n, rows["buy", 300].open) == (2, 1)
    assert rows["buy", 1].adverse_bps == pytest.approx(2.0, abs=1e-9)
    assert rows["sell", 30].adverse_bps == pytest.approx(-2.0, abs=1e-9)
    assert rows["buy", 300].markout_bps == pytest.approx(-2.0, abs=1e-9)


def test_the_bootstrap_interval_covers_the_mean_about_as_often_as_it_says():
    rng = random.Random(11)
    covered = 0
    for _ in range(100):
        found = mean_interval([rng.gauss(1, 2) for _ in range(120)], rng=rng, resamples=200)
        covered += found.lower <= 1 <= found.upper
    assert 85 <= covered <= 100


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=50), st.integers(1, 9))
def test_the_interval_of_a_mean_lies_within_its_values(values, block):
    found = mean_interval(values, rng=random.Random(1), block=block, resamples=50)
    assert min(values) - 1e-9 <= found.lower <= found.upper <= max(values) + 1e-9
