"""The compiled population equals a plain event-driven loop, pair by pair."""

import random
from decimal import Decimal

import pytest

np = pytest.importorskip("numpy", reason="the research extra is not installed")
pytest.importorskip("numba", reason="the research extra is not installed")

from tradeworthy.kernel.errors import InvalidInput  # noqa: E402
from tradeworthy.research.population import ema_cross_population  # noqa: E402
from tradeworthy.trading.model import Bar, FeeRates, Instrument, InstrumentKind, Targets  # noqa: E402
from tradeworthy.trading.strategies.ema_trend import EmaTrend, EmaTrendPolicy  # noqa: E402


class Reference:
    """One always-in EMA cross: decides at a close, is filled at the next one."""

    def __init__(self, fast, slow, fee):
        self.fast_alpha, self.slow_alpha, self.slow, self.fee = 2 / (fast + 1), 2 / (slow + 1), slow, fee
        self.bars = self.held = self.wanted = self.orders = 0
        self.cash = self.peak = self.drawdown = 0.0

    def on_close(self, price):
        if self.bars == 0:
            self.fast_mean = self.slow_mean = price
        else:
            if self.wanted != self.held:
                self.cash -= (self.wanted - self.held) * price + self.fee * price * abs(self.wanted - self.held)
                self.held, self.orders = self.wanted, self.orders + 1
            self.fast_mean += self.fast_alpha * (price - self.fast_mean)
            self.slow_mean += self.slow_alpha * (price - self.slow_mean)
        self.bars += 1
        if self.bars >= self.slow and self.fast_mean != self.slow_mean:
            self.wanted = 1 if self.fast_mean > self.slow_mean else -1
        self.pnl = self.cash + self.held * price
        self.peak = max(self.peak, self.pnl)
        self.drawdown = max(self.drawdown, self.peak - self.pnl)


def walk(n, seed=3):
    generator, price, closes = random.Random(seed), 100.0, []
    for _ in range(n):
        price *= 1.0 + generator.gauss(0.0, 0.002)
        closes.append(price)
    return np.array(closes)


def test_trades_pnl_and_drawdown_equal_the_event_driven_reference():
    closes = walk(3_000)
    generator = random.Random(5)
    fast = np.array([generator.randint(1, 40) for _ in range(45)])  # more than one block, the last one not full
    slow = fast + np.array([generator.randint(1, 120) for _ in range(45)])
    result = ema_cross_population(closes, fast, slow, 0.0005)
    for i in range(45):
        reference = Reference(int(fast[i]), int(slow[i]), 0.0005)
        for price in closes.tolist():
            reference.on_close(price)
        assert int(result.trades[i]) == reference.orders
        assert result.pnl[i] == pytest.approx(reference.pnl, rel=1e-9, abs=1e-9)
        assert result.max_drawdown[i] == pytest.approx(reference.drawdown, rel=1e-9, abs=1e-9)
    assert result.trades.min() > 5


def test_the_order_of_the_pairs_is_kept():
    closes = walk(500)
    one = ema_cross_population(closes, np.array([5, 3, 9]), np.array([60, 7, 30]), 0.0)
    other = ema_cross_population(closes, np.array([9, 5, 3]), np.array([30, 60, 7]), 0.0)
    assert one.pnl.tolist() == other.pnl[[1, 2, 0]].tolist()


def test_bars_after_the_last_one_read_change_no_earlier_profit():
    closes = walk(400)
    fast, slow = np.array([5]), np.array([20])
    whole = ema_cross_population(np.append(closes, closes[-1]), fast, slow, 0.0)
    cut = ema_cross_population(closes, fast, slow, 0.0)
    assert whole.pnl[0] == cut.pnl[0]


def test_a_history_shorter_than_the_warm_up_trades_nothing():
    result = ema_cross_population(walk(20), np.array([5]), np.array([20]), 0.001)
    assert (result.trades[0], result.pnl[0], result.max_drawdown[0]) == (0, 0.0, 0.0)


def test_no_pairs_give_no_rows():
    empty = np.array([], dtype=np.int64)
    assert len(ema_cross_population(walk(20), empty, empty, 0.0).pnl) == 0


@pytest.mark.parametrize(("closes", "fast", "slow", "fee"), [
    ([1.0, float("nan")], [2], [3], 0.0),
    ([1.0, 0.0], [2], [3], 0.0),
    ([1.0, 2.0], [3], [3], 0.0),
    ([1.0, 2.0], [0], [3], 0.0),
    ([1.0, 2.0], [2, 2], [3], 0.0),
    ([1.0, 2.0], [2], [3], float("inf")),
])
def test_values_that_mean_nothing_are_refused(closes, fast, slow, fee):
    with pytest.raises(InvalidInput):
        ema_cross_population(np.array(closes), np.array(fast), np.array(slow), fee)


class Passing:
    """The least of a view that the flip mode reads."""

    guard = 0
    fact = None


def test_the_population_trades_as_often_as_the_desk_strategy_flips():
    generator, price, closes = random.Random(11), 100_000, []
    for _ in range(2_000):
        price += generator.randint(-200, 200)
        closes.append(price)
    of = Instrument(
        "BTCUSDT", "SIM", InstrumentKind.LINEAR_PERP, Decimal("0.01"), Decimal("0.001"), "BTC", "USDT",
        FeeRates(Decimal(0), Decimal(0)),
    )
    strategy = EmaTrend("one", of, EmaTrendPolicy(fast=10, slow=20, exit="flip"))
    view, targets = Passing(), []
    for close in closes:
        view.fact = Bar(of.instrument_id, 3_600_000_000_000, close, close, close, close)
        strategy.observe(view)
        targets.append(isinstance(strategy.decide(view), Targets))
    result = ema_cross_population(np.array(closes, dtype=float), np.array([10]), np.array([20]), 0.0)
    assert int(result.trades[0]) == sum(targets[:-1]) > 50  # the last bar has no next close to trade at
