"""The minute row holds every field of its page, and tells what is not known as None (AC-06)."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest

from tradeworthy.trading.ledger import FlowKind, Ledger
from tradeworthy.trading.ledger.day import DayState
from tradeworthy.trading.ledger.snapshot import SnapshotPolicy, take_snapshot
from tradeworthy.trading.minute import DeskMinute, minute_row
from tradeworthy.trading.model import FeeRates, Fill, GuardLevel, Instrument, InstrumentKind, Liquidity, Side

D = Decimal
S = 1_000_000_000
X = Instrument("X", "SIM", InstrumentKind.SPOT, D("0.01"), D("0.001"), "X", "USD", FeeRates(D("0.001"), D("0.002")))


class Words(Enum):
    NEUTRAL = "neutral_low_vol"
    CLOSED = "closed"


@dataclass
class FakeSeat:
    strategy: Any = None
    instance: str = "mm"
    instrument: Instrument = X
    guard: GuardLevel = GuardLevel.PAUSED
    top: Any = None
    orders: tuple[Any, ...] = ()

    def working(self):
        return self.orders


def books(price_ts=100 * S, now=110 * S):
    ledger = Ledger({X.instrument_id: X}, "USD")
    ledger.flow("mm", "USD", D(1_000), FlowKind.DEPOSIT)
    ledger.book(
        Fill("t", "o", "mm", X.instrument_id, Side.BUY, 1_000, 9_000, Liquidity.MAKER, D(0), "USD", 0), None
    )
    day = DayState("mm")
    day.on_time(now)
    day.on_equity(now, 1_000 * S)
    return take_snapshot(ledger, X, day, mid2=20_000, price_ts=price_ts, equity_ts=now, now=now,
                         policy=SnapshotPolicy())  # fmt: skip


def row(seat, told=None):
    return minute_row(seat, told or books(), reasons=("risk.daily_loss",), turnover=0.5, fills=3, cancels=7,
                      stale=True, withheld=None)  # fmt: skip


PAGE = (
    "state regime mid equity gross net target spread floor model_edge evidence_edge skew drift band market_spread "
    "size_quote turnover cancels_minute orders_active fills fees maker_fee taker_fee fee_source loss drawdown "
    "guard_reasons realized position average funding_rate funding_cost margin_ratio position_difference reconnects "
    "stale step_p50_ms step_p99_ms"
)


@pytest.mark.parametrize("field", PAGE.split(" "))
def test_every_field_of_the_page_is_in_the_row(field):
    assert field in DeskMinute.__struct_fields__


def test_a_strategy_that_quotes_nothing_leaves_those_fields_unknown():
    told = row(FakeSeat())
    assert (told.regime, told.spread, told.gate, told.skew, told.size_quote) == (None,) * 5
    assert (told.state, told.guard_reasons, told.turnover, told.fills, told.cancels_minute) == (
        "paused", ("risk.daily_loss",), 0.5, 3, 7)
    assert (told.equity, told.mid, told.average) == (D(1_010), D(100), D(90))
    assert told.net == pytest.approx(100 / 1_010)
    assert (told.stale, told.withheld, told.orders_active) == (True, None, 0)


def test_a_maker_tells_its_evaluation_and_its_best_quote():
    known = SimpleNamespace(share=-0.2, target=0.5, drift=0.001, band=0.002, market_spread=0.0003, funding=0.0)
    told = SimpleNamespace(known=known, spread=0.004, floor=0.003, edge=0.0005, skew=0.001, levels=2, bids=(1, 2),
                           asks=(3,))  # fmt: skip
    gate = SimpleNamespace(mean=0.0002, state=Words.CLOSED)
    maker = SimpleNamespace(regime=Words.NEUTRAL, assessment=told, gate=gate, edge_ewma=0.0004)
    orders = tuple(SimpleNamespace(level=level, price=9_999 - level, lots=50) for level in (1, 0, -1))
    found = row(FakeSeat(maker, orders=orders))
    assert (found.regime, found.gate, found.evidence_edge, found.model_edge) == (
        "neutral_low_vol", "closed", 0.0002, 0.0005)
    assert (found.net, found.gross, found.target, found.edge_ewma) == (-0.2, 0.2, 0.5, 0.0004)
    assert (found.size_quote, found.orders_active, found.levels) == (X.notional(9_999, 50), 3, 2)
    maker.assessment = None
    assert row(FakeSeat(maker)).spread is None


def test_an_old_price_leaves_equity_and_share_unknown():
    told = row(FakeSeat(), books(price_ts=80 * S))
    assert (told.equity, told.mid, told.net, told.position) == (None, None, None, D(1))
