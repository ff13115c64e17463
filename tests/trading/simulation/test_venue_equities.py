"""Shares at the venue: settlement, borrow fees, splits (SV-14, MD-11); funding without a rate (SV-12)."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from venue_bench import X, codes, fills, instrument, order, play, quote, venue

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.model import Funding, InstrumentKind, ReportType, Side, Split
from tradeworthy.trading.simulation import VenueRules
from tradeworthy.trading.simulation.equity import settles_at

D = Decimal
DAY = 86_400_000_000_000
SHARE = instrument(InstrumentKind.EQUITY, tick=D("0.01"), lot=D(1), fees=instrument().fees)
AT = quote(9_999, 10_000)


def shares(cash="1000", **rules):
    return venue(inst=SHARE, capital={"USD": D(cash)}, fees=lambda *_: D(0), rules=VenueRules(**rules))


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("traded", "settled"),
    [("2024-08-05T10:00", "2024-08-06"), ("2024-08-09T23:59", "2024-08-12"), ("2024-08-10T10:00", "2024-08-12")],
)
def test_a_trade_settles_on_the_next_business_day(traded, settled):
    assert settles_at(at(traded), 1) == at(settled)


def test_proceeds_of_a_sale_buy_nothing_until_they_settle():
    sim = shares()
    play(sim, AT, order("a", lots=10))
    reports = play(sim, order("b", Side.SELL, 10), order("c", lots=1), start=10_000)
    assert codes(reports)[-1] == (ReportType.REJECTED, "venue.balance")
    assert sim.balances()["USD"] == D("999.9")
    friday = 2 * DAY  # the tape begins on Thursday, 1 January 1970
    assert fills(play(sim, order("d", lots=1), start=friday))


def test_a_short_position_pays_its_borrow_fee_each_day_and_a_flat_one_none():
    sim = shares(locates={X: 100}, borrow_rates={X: D("0.365")})
    play(sim, AT, order("a", Side.SELL, 10))
    sim.advance(DAY - 1)
    assert sim.drain_charges() == []
    sim.advance(2 * DAY)
    first, second = sim.drain_charges()
    assert [first[0], second[0]] == [DAY, 2 * DAY]
    assert (first[1].instance, first[1].lots, first[1].cash) == ("test", -10, D("-0.99990"))
    assert sim.balances()["USD"] == 1000 + D("999.9") - 2 * D("0.9999")
    play(sim, order("b", lots=10), start=2 * DAY)
    sim.advance(5 * DAY)
    assert sim.drain_charges() == []
    assert sim.next_due() is None


def test_the_default_rate_is_charged_where_none_is_stated():
    sim = shares(locates={X: 100})
    play(sim, AT, order("a", Side.SELL, 100))
    sim.advance(DAY)
    ((_, charge),) = sim.drain_charges()
    assert charge.cash == -D("9999.00") * D("0.0030") / 365


def test_a_split_scales_the_venues_position_ends_orders_and_forgets_prices():
    sim = shares()
    play(sim, AT, order("a", lots=3), order("rest", lots=1, price=9_000))
    sim.on_split(Split(X, date(1970, 1, 1), 7, 1), 50_000)
    assert [(r.client_order_id, r.code) for _, r in sim.advance(60_000)] == [("rest", "venue.split")]
    assert sim.positions()[X] == 21
    assert codes(play(sim, order("b"), start=70_000)) == [(ReportType.REJECTED, "venue.reference_unknown")]
    cheap = quote(1_428, 1_429)
    assert fills(play(sim, cheap, order("c", Side.SELL, 21, reduce_only=True), start=80_000))
    assert sim.positions()[X] == 0


def test_a_split_into_part_shares_moves_nothing():
    sim = shares()
    play(sim, AT, order("a", lots=3))
    with pytest.raises(InvalidInput, match="whole lots"):
        sim.on_split(Split(X, date(1970, 1, 1), 1, 2), 50_000)
    assert sim.positions()[X] == 3


def test_funding_without_a_rate_moves_no_cash():
    perp = instrument(lot=D(1), tick=D(1))
    sim = venue(inst=perp, capital={"USD": D(1_000_000)}, fees=lambda *_: D(0))
    play(sim, quote(29_999, 30_000), order(lots=2))
    before = dict(sim.balances())
    sim.on_market(Funding(X, None), 50_000)
    assert sim.balances() == before
