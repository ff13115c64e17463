"""Instruments convert, and nothing else does; what nobody knows stays unknown (MO-01, MO-02, MO-06)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.market_data.top import MarketState
from tradeworthy.trading.model import FeeRates, Instrument, InstrumentKind, Quote, Unknown

D = Decimal


def instrument(**changes):
    fields = {"symbol": "X", "venue": "SIM", "kind": InstrumentKind.SPOT, "tick": D("0.1"), "lot": D("0.001"),
              "base": "X", "quote": "USD", "fees": FeeRates(D(0), D(0))}  # fmt: skip
    return Instrument(**(fields | changes))


def test_a_tenth_and_two_tenths_are_three_tenths():
    x = instrument()
    assert x.price(x.ticks("0.1") + x.ticks("0.2")) == D("0.3")
    assert x.quantity(x.lots("0.001") + x.lots("0.002")) == D("0.003")


@given(st.integers(1, 10**12), st.integers(0, 10**12))
def test_every_tick_and_lot_survives_the_way_through_text(ticks, lots):
    x = instrument()
    assert x.ticks(format(x.price(ticks), "f")) == ticks
    assert x.lots(format(x.quantity(lots), "f")) == lots


@pytest.mark.parametrize("text", ["0.15", "-0.1", "0", "nan", "inf", "abc", "", 0.1])
def test_a_price_that_is_no_whole_positive_tick_is_refused(text):
    with pytest.raises(InvalidInput, match="price must"):
        instrument().ticks(text)


@pytest.mark.parametrize("text", ["0.0005", "-1", "NaN", 1.0])
def test_a_quantity_that_is_no_whole_lot_is_refused(text):
    with pytest.raises(InvalidInput, match="quantity must"):
        instrument().lots(text)


@pytest.mark.parametrize("changes", [{"tick": D(0)}, {"lot": D("-1")}, {"multiplier": D("NaN")},
                                     {"tick": D("0.000001"), "lot": D("0.00001")}])  # fmt: skip
def test_an_instrument_that_cannot_count_is_refused(changes):
    with pytest.raises(InvalidInput):
        instrument(**changes)


@pytest.mark.parametrize(("ts", "valid"), [(9, False), (10, True), (19, True), (20, False)])
def test_validity_begins_and_ends_with_a_rename(ts, valid):
    assert instrument(valid_from=10, valid_to=20).valid_at(ts) is valid


def test_arithmetic_with_the_unknown_stays_unknown_and_keeps_its_reason():
    nobody = Unknown("no mark")
    for found in (nobody + 1, 1 + nobody, nobody - 1, 2 * nobody, nobody / 3, 3 / nobody, -nobody, abs(nobody),
                  nobody + nobody):  # fmt: skip
        assert found == Unknown("no mark")
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(nobody)


def test_a_quote_without_size_never_becomes_size_zero():
    market = MarketState("X.SIM")
    market.apply(Quote("X.SIM", 100, 101), 1)
    assert (market.bid_lots, market.ask_lots) == (None, None)
    market.apply(Quote("X.SIM", 100, 101, 0, 5), 2)
    assert (market.bid_lots, market.ask_lots) == (0, 5)
