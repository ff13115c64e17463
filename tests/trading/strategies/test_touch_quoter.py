"""The touch quoter joins both sides and keeps what did not move."""

from strategy_views import BTC, SECOND, FakeTop, FakeView

from tradeworthy.trading.model import Abstain, GuardLevel, Side
from tradeworthy.trading.strategies.touch_quoter import TouchQuoter, TouchQuoterPolicy


def quoter(**changes):
    return TouchQuoter("one", BTC, TouchQuoterPolicy(**changes))


def sides(decision):
    return {(q.side, q.price, q.lots) for q in decision.quotes}


def test_both_sides_join_the_touch():
    assert sides(quoter(lots=3).decide(FakeView())) == {(Side.BUY, 9_999, 3), (Side.SELL, 10_001, 3)}


def test_an_unmoved_touch_is_unchanged_until_a_fill_or_the_repeat():
    strategy = quoter()
    strategy.decide(FakeView(now=0))
    assert strategy.decide(FakeView(now=1)) == Abstain("unchanged")
    assert sides(strategy.decide(FakeView(now=2, fills=1)))
    assert strategy.decide(FakeView(now=SECOND, fills=1)) == Abstain("unchanged")
    assert sides(strategy.decide(FakeView(now=SECOND + 2, fills=1)))


def test_a_moved_touch_is_followed_but_not_faster_than_the_interval():
    strategy = quoter(interval_ns=100)
    strategy.decide(FakeView(now=0))
    moved = FakeTop(9_998, 10_000)
    assert strategy.decide(FakeView(now=99, top=moved)) == Abstain("unchanged")
    assert (Side.BUY, 9_998, 1) in sides(strategy.decide(FakeView(now=100, top=moved)))


def test_a_full_inventory_stops_its_side_only():
    assert {s for s, *_ in sides(quoter(inventory_lots_max=5).decide(FakeView(position=5)))} == {Side.SELL}
    assert {s for s, *_ in sides(quoter(inventory_lots_max=5).decide(FakeView(position=-5)))} == {Side.BUY}


def test_guard_and_unusable_market_withdraw_and_the_quotes_come_back():
    strategy = quoter()
    strategy.decide(FakeView(now=0))
    assert strategy.decide(FakeView(now=1, guard=GuardLevel.PAUSED)) == Abstain("guard", withdraw=True)
    assert sides(strategy.decide(FakeView(now=2)))
    assert strategy.decide(FakeView(now=3, top=FakeTop(usable=False))) == Abstain("market_unusable", withdraw=True)
    assert strategy.decide(FakeView(now=4, top=FakeTop(bid=None))) == Abstain("market_unusable", withdraw=True)
    assert sides(strategy.decide(FakeView(now=5)))
