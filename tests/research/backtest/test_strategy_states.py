"""What strategies thought, sampled at each minute's end: lines, bands, totals by regime, and the rows of the folder."""

import random
from decimal import Decimal

import msgspec
from run_builder import BOOK, ID, T0, at, fill, quote

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.research.backtest.strategy_state import StateReader, StateRecord, StrategyState, state_of
from tradeworthy.research.backtest.summary import summarise
from tradeworthy.trading.model.market import DepthDiff, DepthSnapshot, Side
from tradeworthy.trading.sensing.regime import Regime

MINUTE_0 = T0 // (60 * NANOS_PER_SECOND) * 60 * NANOS_PER_SECOND
FIRST_END_S = 60 - (T0 - MINUTE_0) / NANOS_PER_SECOND
"""Seconds from the tape's start to the end of its first minute."""


class Assessment(msgspec.Struct, frozen=True):
    spread: float
    floor: float
    edge: float


class Maker:
    instance, instrument_id = "mm-1", ID

    def __init__(self):
        self.regime, self.assessment = Regime.UP, None


class Bare:
    instance, instrument_id = "bare", ID


class Rows:
    def __init__(self):
        self.bars, self.fills, self.navs = [], [], []
        self.bar, self.fill, self.nav = self.bars.append, self.fills.append, self.navs.append


def test_a_strategy_without_regime_or_assessment_has_empty_fields():
    assert state_of(Bare()) == StrategyState("bare", ID)


def test_a_strategy_s_last_assessment_is_shown_whole():
    maker = Maker()
    assert state_of(maker) == StrategyState("mm-1", ID, "up")
    maker.assessment = Assessment(0.002, 0.001, 0.0005)
    state = state_of(maker)
    assert (state.spread, state.floor, state.edge) == (0.002, 0.001, 0.0005)
    assert msgspec.json.decode(state.detail) == {"spread": 0.002, "floor": 0.001, "edge": 0.0005}


def test_a_reader_shows_each_strategy_as_it_is_now_and_makes_an_unchanged_state_once():
    maker = Maker()
    read = StateReader([maker, Bare()])
    first, bare = read()
    assert (first, bare) == (state_of(maker), state_of(Bare()))
    assert read()[0] is first
    maker.assessment = Assessment(0.002, 0.001, 0.0005)
    assert read()[0] == state_of(maker) != first
    maker.regime = Regime.DOWN
    assert read()[0].regime == "down"


def played():
    maker, rows = Maker(), Rows()
    records = RunRecords(BOOK, Decimal(1000), states=lambda: [state_of(maker)], sink=rows)
    records.on_event(at(0, quote(999, 1001)))
    maker.assessment = Assessment(0.002, 0.001, 0.0005)
    records.on_event(at(FIRST_END_S + 1, quote(1009, 1011)))  # ends minute 0: UP
    records.on_event(at(FIRST_END_S + 2, fill(Side.BUY, 10, 1009, position=10)))  # still UP by the last sample
    maker.regime = Regime.SHOCK
    records.on_event(at(FIRST_END_S + 61, quote(1019, 1021)))  # ends minute 1: SHOCK from here
    records.on_event(at(FIRST_END_S + 62, fill(Side.SELL, 10, 1021, fee="0.01")))
    records.finish()
    return records, rows


def test_regimes_share_time_profit_and_fills():
    records, _ = played()
    state = records.states["mm-1"]
    first = T0 + int(FIRST_END_S * NANOS_PER_SECOND)
    assert state.bands == [(first, "up"), (first + 60 * NANOS_PER_SECOND, "high_vol_shock")]
    up, shock = state.totals["up"], state.totals["high_vol_shock"]
    assert (up.fills, shock.fills) == (1, 1)
    assert up.nanos == 60 * NANOS_PER_SECOND
    assert up.pnl + shock.pnl == records.pnl == Decimal("0.11")
    assert (up.captured2, shock.captured2) == (2 * 10**7, 2 * 10**7)
    assert list(state.spread.last) == [2_000_000] * 3


def test_a_fill_carries_the_regime_of_its_instance_into_the_markouts_and_rows():
    records, rows = played()
    assert [one.regime for one in records.fills] == ["up", "high_vol_shock"]
    summary = summarise(records, run_id="r", rng=random.Random(1))
    assert {one.group for one in summary.markouts_by_regime} == {"up", "high_vol_shock"}
    assert [one.regime for one in summary.regimes] == ["high_vol_shock", "up"]
    assert [one.regime for one in rows.fills] == ["up", "high_vol_shock"]


def test_minutes_leave_candles_with_the_strategy_s_state_and_the_account():
    _, rows = played()
    first, second = rows.bars[:2]
    assert (first.open, first.close, first.derived) == (Decimal("100.0"), Decimal("100.0"), True)
    assert second.close == Decimal("101.0")
    assert msgspec.json.decode(second.state)["mm-1"]["spread"] == 0.002
    assert [one.ts - rows.navs[0].ts for one in rows.navs[:2]] == [0, 60 * NANOS_PER_SECOND]
    last = rows.navs[-1]
    assert last.equity == 1000 + last.captured + last.inventory - last.fees + last.funding


def test_sources_of_profit_are_curves_that_end_in_the_totals():
    records, _ = played()
    ends = {name: Decimal(series.last[-1]) / (2 * 10**9) for name, series in records.sources.items()}
    assert ends == {
        "captured": records.captured, "inventory": records.inventory_move, "fees": -records.fees,
        "funding": records.funding,
    }


def test_bands_stay_bounded_while_totals_count_all():
    state = StateRecord(ID)
    for i in range(5000):
        state.sample(T0 + i, StrategyState("x", ID, "up" if i % 2 else "down"), Decimal(0))
    assert len(state.bands) == 2000
    assert state.changes == 5000
    assert sum(total.nanos for total in state.totals.values()) == 4999


def test_a_book_without_quotes_gives_the_mid_and_quotes_go_before_it():
    records = RunRecords(BOOK, Decimal(1000))
    records.on_event(at(0, DepthSnapshot(ID, 1, ((999, 5), (998, 5)), ((1001, 5),))))
    record = records.instruments[ID]
    assert (record.quoted, record.mid2, record.spread) == (True, 2000, 2)
    records.on_event(at(1, DepthDiff(ID, 2, 2, 1, ((1000, 3),), ())))
    assert record.mid2 == 2001
    records.on_event(at(2, quote(1010, 1012)))
    records.on_event(at(3, DepthDiff(ID, 3, 3, 2, ((1000, 4),), ())))
    assert record.mid2 == 2022
