"""A split, a dividend and a borrow fee through the rooms of the desk (MD-11, LG-08, SV-14)."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

from tradeworthy.trading.corporate_actions import CorporateActions
from tradeworthy.trading.ledger import FlowKind, Ledger
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.market_data.top import MarketState
from tradeworthy.trading.model import (
    BorrowCharged,
    Dividend,
    Fill,
    GuardLevel,
    Liquidity,
    Quote,
    Side,
    Split,
    Unknown,
)
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.policy import RiskPolicy

D = Decimal
NAME = "AAPL.XNAS"
SHARE = shipped()[NAME]


class Rooms:
    def __init__(self, lots=10, price=64_500):
        self.ledger = Ledger({NAME: SHARE}, "USD")
        self.ledger.flow("trend", "USD", D(100_000), FlowKind.DEPOSIT)
        self.context = RiskContext([SHARE], RiskPolicy(base_currency="USD"))
        self.market = MarketState(NAME)
        self.reasons = []
        self.market.apply(Quote(NAME, price - 1, price + 1), 1)
        self.ledger.marks.mark(NAME, 2 * price)
        self.context.mark(NAME, 2 * price, True, 1)
        side = Side.BUY if lots > 0 else Side.SELL
        self.ledger.book(Fill("t", "o", "trend", NAME, side, abs(lots), price, Liquidity.TAKER, D(0), "USD", 1), None)
        self.context.book_fill("trend", NAME, side, abs(lots), price, 1)
        holders = [SimpleNamespace(instance=name, instrument_id=NAME) for name in ("trend", "idle")]
        self.actions = CorporateActions(
            holders, ledger=self.ledger, markets={NAME: self.market}, context=self.context, apply=self.reasons.extend
        )

    def held(self):
        return self.ledger.lots("trend", NAME), self.context.holding_of("trend", NAME).lots


def test_a_split_reaches_ledger_risk_and_market_and_equity_waits_for_the_next_price():
    rooms = Rooms()
    (booked,) = rooms.actions.on_split(Split(NAME, date(2014, 6, 6), 7, 1), 2)
    assert (booked.new, booked.old, rooms.held()) == (7, 1, (70, 70))
    assert (rooms.market.usable, rooms.market.mid2) == (False, None)
    assert rooms.ledger.marks.desk() == Unknown(f"no mark of {NAME}")
    assert rooms.reasons == []


def test_value_is_kept_where_the_price_divides():
    rooms = Rooms(price=70_000)
    before = rooms.ledger.marks.desk()
    rooms.actions.on_split(Split(NAME, date(2014, 6, 6), 7, 1), 2)
    assert rooms.ledger.marks.mark(NAME, 2 * 10_000) == before
    assert rooms.ledger.realized("trend", "USD") == 0


def test_a_split_into_part_shares_stops_the_instrument_and_moves_nothing():
    rooms = Rooms(lots=5)
    assert rooms.actions.on_split(Split(NAME, date(2014, 6, 6), 1, 2), 2) == []
    (reason,) = rooms.reasons
    assert (reason.name, reason.level, reason.scope) == ("ledger.part_lots", GuardLevel.STOPPED, f"instrument:{NAME}")
    assert (rooms.held(), rooms.market.usable) == ((5, 5), True)


def test_a_reverse_split_of_a_short_position():
    rooms = Rooms(lots=-10)
    rooms.actions.on_split(Split(NAME, date(2014, 6, 6), 1, 2), 2)
    assert rooms.held() == (-5, -5)


def test_a_dividend_is_cash_for_holders_only():
    rooms = Rooms()
    (booked,) = rooms.actions.on_dividend(Dividend(NAME, date(2014, 8, 6), D("0.47")), 3)
    assert (booked.instance, booked.amount) == ("trend", D("4.70"))


def test_a_borrow_fee_is_booked_and_an_unknown_one_pauses():
    rooms = Rooms(lots=-10)
    (booked,) = rooms.actions.on_borrow(BorrowCharged("trend", NAME, -10, D("-0.05"), "USD", 1), 4)
    assert (booked.cost, rooms.ledger.cash("trend", "USD")) == (D("0.05"), D(100_000) + 6_450 - D("0.05"))
    assert rooms.actions.on_borrow(BorrowCharged("trend", NAME, -10, None, "USD", 2), 5) == []
    assert [(one.name, one.level) for one in rooms.reasons] == [("ledger.borrow_unknown", GuardLevel.PAUSED)]
