"""What a strategy says of itself reaches the guard once a change; the cancel budget pauses, releases and stops."""

import pytest
from small_desk import ID, SECOND, Feed, Scripted, build, of, perpetual, quotes, submits

from tradeworthy.trading.model import CancelOrder, GuardChanged, GuardLevel, Quote, ReportType, Side
from tradeworthy.trading.sensing.regime import Regime
from tradeworthy.trading.strategies.market_maker import MarketMaker
from tradeworthy.trading.strategies.market_maker_formulas.guard_inputs import MakerGuard
from tradeworthy.trading.strategies.market_maker_formulas.policy import MarketMakerPolicy

SPREAD = MarketMakerPolicy(market_spread_min=0.0005)


class Guarded(Scripted):
    """A scripted strategy with the maker's guard; `inputs` are what it measures at the next observation."""

    def __init__(self, answers=(), policy=SPREAD, spot=False):
        super().__init__(answers)
        self.observes = (Quote,)
        self.guard = MakerGuard(policy, spot=spot)
        self.inputs = {"regime": Regime.NEUTRAL, "band": 0.002, "market_spread": 0.001, "share": 0.0}

    def observe(self, view):
        self.guard.update(view.now, **self.inputs)


def told(outcome):
    return [(one.reason, one.set, one.reason_level) for one in of(outcome, GuardChanged)]


@pytest.mark.parametrize(
    ("trip", "before", "reason", "level", "release", "seconds"),
    [
        ({"regime": Regime.UNKNOWN}, {}, "warming", GuardLevel.PAUSED, {"regime": Regime.UP}, 0),
        ({"band": 0.0160}, {"band": 0.0159}, "high_vol", GuardLevel.PAUSED, {"band": 0.0119}, 60),
        ({"market_spread": 0.00049}, {"market_spread": 0.0005}, "market_spread", GuardLevel.PAUSED,
         {"market_spread": 0.0005}, 10),
        ({"share": 0.91}, {"share": 0.90}, "inventory", GuardLevel.REDUCING, {"share": 0.90}, 10),
        ({"share": -0.91}, {"share": -0.90}, "inventory", GuardLevel.REDUCING, {"share": -0.90}, 10),
        ({"edge": -0.0002}, {}, "edge", GuardLevel.PAUSED, {"edge": None}, 0),
    ],
)  # fmt: skip
def test_each_row_trips_at_its_value_and_is_released_by_its_rule(trip, before, reason, level, release, seconds):
    maker = Guarded()
    feed = Feed(build(maker))
    maker.inputs |= before
    assert told(feed.quote()) == []
    maker.inputs |= trip
    assert told(feed.quote()) == [(f"strategy.{reason}", True, level)]
    assert feed.desk.seats[0].guard is level
    maker.inputs |= release
    for _ in range(seconds):
        assert told(feed.quote()) == []
    assert told(feed.quote()) == [(f"strategy.{reason}", False, level)]
    assert feed.desk.seats[0].guard is GuardLevel.RUNNING


def test_a_thousand_ticks_in_breach_are_one_event_with_value_and_limit():
    maker = Guarded()
    feed = Feed(build(maker))
    maker.inputs["band"] = 0.02
    changes = [one for _ in range(1_000) for one in of(feed.quote(), GuardChanged)]
    assert [(one.reason, one.scope, one.evidence) for one in changes] == [
        ("strategy.high_vol", "strategy:script", "0.02, limit 0.016")
    ]


def test_a_tripped_maker_has_its_quotes_taken_off_in_the_same_outcome():
    maker = Guarded([quotes(Side.BUY, Side.SELL)])
    feed = Feed(build(maker))
    orders = submits(feed.quote())
    for order in orders:
        feed.acknowledge(order)
    maker.inputs["band"] = 0.02
    outcome = feed.quote()
    assert {one.client_order_id for one in of(outcome, CancelOrder)} == {one.client_order_id for one in orders}


@pytest.mark.parametrize(("share", "raised"), [(0.91, True), (0.14, False)])
def test_too_little_of_a_spot_asset_is_no_reason_to_forbid_buying(share, raised):
    maker = Guarded(policy=MarketMakerPolicy(), spot=True)
    maker.inputs["share"] = share
    feed = Feed(build(maker))
    assert bool(told(feed.quote())) is raised
    assert maker.guard.holds("strategy.inventory")


def burst(feed, cancels=51):
    """Quote and withdraw one order until `cancels` were sent; return the guard's changes."""
    changes = []
    for number in range(cancels):
        feed.desk.seats[0].strategy.answers.append(quotes(Side.BUY, bid=99_000 - number))
        (order,) = submits(feed.give(Quote(ID, 99_990, 100_010), ts=feed.ts + 10**6))
        feed.report(ReportType.ACKNOWLEDGED, order, leaves_lots=order.lots)
        feed.ts -= SECOND - 10**6
        feed.desk.seats[0].strategy.answers.append(quotes())
        changes += of(feed.give(Quote(ID, 99_990, 100_010), ts=feed.ts + 10**6), GuardChanged)
        feed.report(ReportType.CANCELLED, order)
        feed.ts -= SECOND - 10**6
    return changes


LOOSE = {"messages_per_second": 500, "messages_per_minute": 600, "throttle_quoting": 600}


def test_a_burst_of_cancels_pauses_for_two_minutes_and_the_third_stops():
    feed = Feed(build(Scripted(), **LOOSE))
    for breach in (1, 2):
        assert [(one.reason, one.reason_level) for one in burst(feed)] == [
            ("risk.cancel_budget", GuardLevel.PAUSED)
        ], breach
        held = of(feed.give(Quote(ID, 99_990, 100_010), ts=feed.ts + 119 * SECOND), GuardChanged)
        freed = of(feed.give(Quote(ID, 99_990, 100_010), ts=feed.ts + 2 * SECOND), GuardChanged)
        assert (held, [one.set for one in freed]) == ([], [False])
    assert [(one.reason, one.reason_level) for one in burst(feed)] == [("risk.cancel_budget", GuardLevel.STOPPED)]


def test_fifty_cancels_a_minute_are_within_the_budget():
    feed = Feed(build(Scripted(), **LOOSE))
    assert burst(feed, 50) == []


def test_the_makers_strategy_states_its_guard():
    assert MarketMaker("m", perpetual(), MarketMakerPolicy()).guard.raised == ()
