"""Exposure with its sign, and overlaps with exact start, end and size."""

from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.trading.allocation.overlap import Exposures
from tradeworthy.trading.model import FeeRates, FillBooked, Instrument, InstrumentKind, Liquidity, Side

MINUTE = 60 * 10**9


def made(symbol, kind=InstrumentKind.LINEAR_PERP):
    return Instrument(
        symbol=symbol, venue="SIM", kind=kind, tick=Decimal("0.1"), lot=Decimal("0.01"), base="BTC", quote="USDT",
        fees=FeeRates(Decimal(0), Decimal(0)),
    )  # fmt: skip


PERP, SPOT = made("BTCUSDT"), made("BTC", InstrumentKind.SPOT)
BOOK = {one.instrument_id: one for one in (PERP, SPOT)}


def hold(exposures, instance, position, ts, of=PERP, price=1_000):
    fill = FillBooked(
        trade_id=f"{instance}-{ts}", client_order_id="o", instance=instance, instrument=of.instrument_id, side=Side.BUY,
        lots=1, price=price, liquidity=Liquidity.TAKER, realized=Decimal(0), fee=Decimal(0), fee_currency="USDT",
        position=position, average=None, mid=None,
    )  # fmt: skip
    exposures.on_fill(fill, ts)


def test_ten_minutes_of_overlap_have_an_exact_start_end_and_size():
    exposures = Exposures(BOOK)
    hold(exposures, "a", 500, 0)
    hold(exposures, "b", 300, 5 * MINUTE)
    hold(exposures, "b", 400, 7 * MINUTE)
    hold(exposures, "a", 0, 15 * MINUTE)
    (one,) = exposures.overlaps()
    assert (one.asset, one.side, one.first, one.second) == ("BTC", 1, "a", "b")
    assert (one.start, one.end) == (5 * MINUTE, 15 * MINUTE)
    assert (one.quantity, one.notional) == (Decimal(4), Decimal(400))


def test_two_instruments_of_one_asset_overlap_and_opposite_sides_do_not():
    exposures = Exposures(BOOK)
    hold(exposures, "a", -10, 0)
    hold(exposures, "b", 10, 1, of=SPOT)
    assert exposures.overlaps() == ()
    hold(exposures, "b", -10, 2, of=SPOT)
    (one,) = exposures.overlaps()
    assert (one.side, one.start, one.end) == (-1, 2, None)


def test_a_turn_of_both_sides_ends_one_overlap_and_begins_another():
    exposures = Exposures(BOOK)
    for ts, (instance, position) in enumerate([("a", 5), ("b", 5), ("a", -5), ("b", -5)]):
        hold(exposures, instance, position, ts)
    assert [(one.side, one.start, one.end, one.first) for one in exposures.overlaps()] == [
        (1, 1, 2, "a"), (-1, 3, None, "a"),
    ]  # fmt: skip


def test_exposure_is_signed_cash_is_zero_and_marks_move_it():
    exposures = Exposures(BOOK)
    hold(exposures, "short", -800, 0)
    hold(exposures, "flat", 0, 1)
    assert exposures.exposure("short") == -800
    assert exposures.exposure("flat") == exposures.exposure("nobody") == 0
    exposures.on_mid(PERP.instrument_id, 4_000)
    assert exposures.exposure("short") == -1_600
    assert exposures.largest == {"short": -800}


@given(moves=st.lists(st.tuples(st.sampled_from("abc"), st.integers(-3, 3)), max_size=40))
def test_overlaps_of_a_pair_never_overlap_each_other_and_agree_with_what_is_held(moves):
    exposures = Exposures(BOOK)
    for ts, (instance, position) in enumerate(moves):
        hold(exposures, instance, position, ts)
    found = exposures.overlaps()
    for pair in ({"a", "b"}, {"a", "c"}, {"b", "c"}):
        of_pair = [one for one in found if {one.first, one.second} == pair]
        assert all(x.end is not None and x.end <= y.start for x, y in pairwise(of_pair))
        held = [exposures.held(name, "BTC") for name in pair]
        assert any(one.end is None for one in of_pair) is (held[0] * held[1] > 0)
