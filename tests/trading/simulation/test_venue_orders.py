"""Latency, commands, rules, account (SV-05, SV-07, SV-08, SV-12, SV-13, SV-14)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from venue_bench import X, codes, fills, instrument, order, play, quote, venue

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.model import (
    AmendOrder,
    CancelOrder,
    Funding,
    InstrumentKind,
    Liquidity,
    MarginRates,
    Mark,
    OrderType,
    QueryOrder,
    ReportType,
    Side,
    Status,
    TimeInForce,
    TradingStatus,
    TriggerPrice,
)
from tradeworthy.trading.model.funding import funding_cash
from tradeworthy.trading.simulation import (
    LATENCY_100_50_30_MS,
    Latency,
    MarginTier,
    RecordedLatency,
    VenueRules,
)
from tradeworthy.trading.simulation.margin import borrow_cash, rates_at

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
CANCEL, QUERY = CancelOrder("a", X, "test"), QueryOrder("a", X)


def test_cancel_in_flight_loses_to_a_fill_that_is_earlier_at_the_venue():
    sim = venue(latency=Latency.every(100))
    sim.on_market(quote(100, 110), 0)
    sim.send(order(price=105), 0)
    sim.on_market(quote(100, 110), 150)
    sim.send(CANCEL, 200)
    sim.on_market(quote(99, 104), 299)
    reports = sim.advance(1_000)
    assert [(ts, r.type) for ts, r in reports] == [
        (200, ReportType.ACKNOWLEDGED), (399, ReportType.FILL), (400, ReportType.CANCEL_REJECTED),
    ]
    assert reports[-1][1].code == "venue.already_filled"


@pytest.mark.parametrize(("move", "price"), [(99, 120), (100, 120), (101, 102)])
def test_order_meets_the_market_as_it_stood_when_it_arrived(move, price):
    sim = venue(latency=Latency.every(100))
    sim.on_market(quote(), -10)
    sim.send(order(), 0)
    sim.on_market(quote(118, 120), move)
    assert fills([r for _, r in sim.advance(500)]) == [("a", 1, price, "taker")]


def test_next_due_names_the_arrival_then_the_report_then_nothing():
    sim = venue(latency=Latency(submit_ns=10, report_ns=5))
    sim.on_market(quote(), 0)
    assert sim.next_due() is None
    sim.send(order(price=90), 0)
    assert sim.next_due() == 10
    assert sim.advance(10) == []
    assert sim.next_due() == 15
    assert [ts for ts, _ in sim.advance(15)] == [15]
    assert sim.next_due() is None


def test_command_needs_at_least_one_nanosecond_and_a_cancel_never_overtakes_its_order():
    sim = venue(latency=LATENCY_100_50_30_MS)
    sim.on_market(quote(), 0)
    sim.send(order(price=90), 0)
    sim.send(CANCEL, 1)
    assert [r.type for _, r in sim.advance(10**9)] == [ReportType.ACKNOWLEDGED, ReportType.CANCELLED]
    instant = venue()
    instant.send(order(price=90), 7)
    assert instant.next_due() == 8


def test_recorded_latency_repeats_with_its_seed():
    samples = RecordedLatency((5, 50, 500), (7,), (7,), (3, 30, 300))

    def times(seed):
        sim = venue(latency=samples, seed=seed)
        sim.on_market(quote(), 0)
        for number in range(20):
            sim.send(order(f"o{number}", price=90), number)
        return [ts for ts, _ in sim.advance(10_000)]

    assert times(1) == times(1)
    assert times(1) != times(2)


def test_cancel_and_amend_of_an_unknown_order_are_rejected():
    reports = play(venue(), quote(), CANCEL, AmendOrder("a", X, 99, None))
    assert codes(reports) == [
        (ReportType.CANCEL_REJECTED, "venue.unknown_order"), (ReportType.AMEND_REJECTED, "venue.unknown_order"),
    ]


def test_amend_below_the_filled_lots_is_rejected_and_a_move_may_take():
    sim = venue()
    reports = play(sim, quote(100, 102, 1, 1), order(lots=3, price=102), AmendOrder("a", X, None, 1))
    assert codes(reports)[-1] == (ReportType.AMEND_REJECTED, "venue.lots_below_filled")
    reports = play(sim, quote(100, 104, 9, 9), AmendOrder("a", X, 104, None), start=10_000)
    assert fills(reports) == [("a", 2, 104, "taker")]


def test_query_tells_fills_again_and_the_state_or_absent():
    assert codes(play(venue(), QUERY)) == [(ReportType.ABSENT, "venue.unknown_order")]
    sim = venue()
    first = play(sim, quote(100, 102, 1, 1), order(lots=3, price=102))
    again = play(sim, QUERY, start=10_000)
    assert again[0] == first[1]
    assert (again[1].type, again[1].cum_lots, again[1].leaves_lots) == (ReportType.ACKNOWLEDGED, 1, 2)
    play(sim, CANCEL, start=20_000)
    assert play(sim, QUERY, start=30_000)[-1].type is ReportType.CANCELLED


def test_day_order_expires_at_the_end_of_the_day_and_not_before():
    day = 86_400_000_000_000
    sim = venue()
    play(sim, quote(), order(price=90, tif=TimeInForce.DAY))
    assert sim.next_due() == day
    assert sim.advance(day - 1) == []
    assert [(ts, r.type) for ts, r in sim.advance(day)] == [(day, ReportType.EXPIRED)]


def test_a_day_order_that_ended_before_the_day_leaves_no_expiry_behind():
    sim = venue()
    days = [order(name, price=90, tif=TimeInForce.DAY) for name in ("a", "b")]
    play(sim, quote(), *days, CANCEL)
    assert [r.client_order_id for _, r in sim.advance(86_400_000_000_000)] == ["b"]
    play(sim, order("c", price=90, tif=TimeInForce.DAY), CancelOrder("c", X, "test"), start=86_400_000_000_000)
    assert sim.next_due() is None


@pytest.mark.parametrize("side", [BUY, SELL])
def test_reduce_only_fills_at_most_the_position_then_ends(side):
    sim = venue()
    reports = play(
        sim, quote(), order("open", side.opposite, 2), order("close", side, 5, reduce_only=True),
        order("again", side, 1, reduce_only=True),
    )
    assert [(name, lots) for name, lots, _, _ in fills(reports)] == [("open", 2), ("close", 2)]
    assert codes(reports)[-2:] == [
        (ReportType.CANCELLED, "venue.reduce_only"), (ReportType.REJECTED, "venue.reduce_only"),
    ]
    assert sim.positions()[X] == 0


def test_mark_triggers_follow_the_mark_alone():
    sim = venue()
    stop = order(type=OrderType.STOP, trigger=105, trigger_by=TriggerPrice.MARK)
    assert fills(play(sim, quote(), stop, quote(120, 122), Mark(X, 104))) == []
    assert fills(play(sim, Mark(X, 105), start=10_000)) == [("a", 1, 122, "taker")]


BAND = instrument(price_band=D("0.1"))
RULES = [
    (instrument(valid_to=1), order(price=100), "venue.not_valid"),
    (instrument(), order(lots=0, price=100), "venue.lot"),
    (instrument(min_lots=5), order(lots=4, price=100), "venue.min_lots"),
    (instrument(), order(price=0), "venue.tick"),
    (instrument(), order(type=OrderType.STOP), "venue.trigger"),
    (instrument(), order(type=OrderType.STOP, trigger=5, trigger_by=TriggerPrice.INDEX), "venue.trigger_not_supported"),
    (instrument(min_notional=D("0.0501")), order(price=100), "venue.min_notional"),
    (BAND, order(price=112), "venue.price_band"),
    (BAND, order(price=90), "venue.price_band"),
]


@pytest.mark.parametrize(("inst", "command", "code"), RULES, ids=[code for _, _, code in RULES])
def test_each_rule_broken_alone_rejects_with_its_code(inst, command, code):
    assert codes(play(venue(inst=inst), quote(), command)) == [(ReportType.REJECTED, code)]


@pytest.mark.parametrize(
    ("inst", "command"),
    [
        (instrument(min_lots=5), order(lots=5, price=100)), (instrument(min_notional=D("0.05")), order(price=100)),
        (BAND, order(price=111)), (BAND, order(price=91)),
    ],
)
def test_order_at_the_rule_is_accepted(inst, command):
    assert play(venue(inst=inst), quote(), command)[0].type is ReportType.ACKNOWLEDGED


def test_band_without_a_reference_is_no_pass_and_a_market_order_needs_a_market():
    assert codes(play(venue(inst=BAND), order(price=100))) == [(ReportType.REJECTED, "venue.reference_unknown")]
    assert codes(play(venue(), order())) == [(ReportType.REJECTED, "venue.no_market")]


def test_duplicate_id_is_rejected_also_after_its_order_ended():
    reports = play(venue(), quote(), order(price=90), order(price=90), CANCEL, order(price=90))
    assert [code for _, code in codes(reports)] == ["venue.duplicate_client_id", "test", "venue.duplicate_client_id"]


def test_open_orders_are_capped_at_fifty():
    reports = play(venue(), quote(), *(order(f"o{k}", price=90) for k in range(51)))
    assert codes(reports) == [(ReportType.REJECTED, "venue.open_orders")]


@pytest.mark.parametrize(
    ("status", "code"), [(TradingStatus.HALTED, "venue.halted"), (TradingStatus.CLOSED, "venue.closed")]
)
def test_a_closed_market_takes_no_orders_and_fills_none_but_lets_cancels_pass(status, code):
    sim = venue()
    reports = play(sim, quote(), order(price=95), Status(X, status), order("b", price=95), quote(80, 90), CANCEL)
    assert codes(reports) == [(ReportType.REJECTED, code), (ReportType.CANCELLED, "test")]
    assert fills(reports) == []


def test_unknown_session_is_no_pass_where_the_rule_is_strict():
    strict = VenueRules(assume_open=False)
    assert codes(play(venue(rules=strict), quote(), order())) == [(ReportType.REJECTED, "venue.session_unknown")]
    assert fills(play(venue(rules=strict), quote(), Status(X, TradingStatus.OPEN), order()))


@pytest.mark.parametrize(("cash", "code"), [("0.051", None), ("0.0509", "venue.balance")])
def test_spot_buy_needs_its_cash(cash, code):
    sim = venue(inst=instrument(InstrumentKind.SPOT), capital={"USD": D(cash)})
    assert play(sim, quote(), order(price=102, post_only=False))[0].code == code


def test_spot_sell_needs_the_coins_and_open_orders_hold_theirs():
    sim = venue(inst=instrument(InstrumentKind.SPOT), capital={"XXX": D("0.002")})
    reports = play(sim, quote(), order("a", SELL, 1, 110), order("b", SELL, 1, 110), order("c", SELL, 1, 110))
    assert codes(reports) == [(ReportType.REJECTED, "venue.balance")]


def test_short_equity_needs_a_locate():
    equity = instrument(InstrumentKind.EQUITY)
    assert codes(play(venue(inst=equity), quote(), order(side=SELL))) == [(ReportType.REJECTED, "venue.no_locate")]
    located = VenueRules(locates={X: 3})
    assert fills(play(venue(inst=equity, rules=located), quote(), order(side=SELL, lots=3)))
    assert codes(play(venue(inst=equity, rules=located), quote(), order(side=SELL, lots=4)))[0][1] == "venue.no_locate"


def test_borrow_fee_falls_on_shorts_only():
    equity = instrument(InstrumentKind.EQUITY, tick=D("0.01"), lot=D(1))
    assert borrow_cash(equity, -100, 36_500, D("0.01")) == D("-1")
    assert borrow_cash(equity, 100, 36_500, D("0.01")) == 0


@pytest.mark.parametrize(("lots", "code"), [(10, None), (11, "venue.margin")])
def test_margin_caps_the_exposure_at_the_accounts_leverage(lots, code):
    perp = instrument(lot=D(1), tick=D(1), margin=MarginRates(D("0.01"), D("0.005")))
    sim = venue(inst=perp, capital={"USD": D(500)}, rules=VenueRules(leverage=D(2)))
    assert play(sim, quote(), order(lots=lots, price=100))[0].code == code


def test_leverage_above_five_does_not_start():
    VenueRules(leverage=D(5))
    with pytest.raises(ConfigurationRefused) as refused:
        VenueRules(leverage=D(6))
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(("mark", "liquidated"), [(85, False), (84, True)])
def test_below_maintenance_the_position_is_liquidated_with_the_penalty(mark, liquidated):
    perp = instrument(lot=D(1), tick=D(1), margin=MarginRates(D("0.1"), D("0.05")), fees=instrument().fees)
    sim = venue(inst=perp, capital={"USD": D("20")}, rules=VenueRules(leverage=D(5)), fees=lambda *_: D(0))
    play(sim, quote(99, 100), order("a"))
    reports = play(sim, Mark(X, mark), start=10_000)
    assert bool(reports) is liquidated
    if liquidated:
        assert (reports[0].code, reports[0].price, reports[0].fee) == ("venue.liquidation", 84, D("0.42"))
        assert sim.positions()[X] == 0
        assert sim.balances()["USD"] == D(20) - 16 - D("0.42")


def test_margin_tier_of_the_notional_applies():
    low, high = MarginRates(D("0.1"), D("0.05")), MarginRates(D("0.2"), D("0.1"))
    tiers = (MarginTier(D(1_000), low), MarginTier(None, high))
    assert rates_at(instrument(), tiers, D(1_000)) == low
    assert rates_at(instrument(), tiers, D(1_001)) == high


PERP = instrument(lot=D(1), tick=D(1))


@pytest.mark.parametrize(
    ("lots", "rate", "cash"), [(2, "0.0001", -6), (2, "-0.0001", 6), (-2, "0.0001", 6), (-2, "-0.0001", -6)]
)
def test_funding_is_paid_by_the_side_that_the_rate_names(lots, rate, cash):
    assert funding_cash(PERP, lots, 30_000, D(rate)) == cash


def test_funding_reaches_the_wallet():
    perp = instrument(lot=D(1), tick=D(1), margin=MarginRates(D("0.01"), D("0.005")))
    sim = venue(inst=perp, capital={"USD": D(100_000)}, fees=lambda *_: D(0))
    play(sim, quote(29_999, 30_000), order(lots=2), Mark(X, 30_000), Funding(X, D("0.0001")))
    assert sim.balances()["USD"] == 100_000 - 6


def test_profit_and_fees_reach_the_wallet_exactly():
    sim = venue(inst=PERP, fees=lambda _inst, _side, liquidity: D("0.01") * (liquidity is Liquidity.TAKER))
    play(sim, quote(99, 100), order("a"), quote(110, 111), order("b", SELL, 3), quote(99, 100), order("c", lots=2))
    assert sim.balances()["USD"] == D(10) + 20 - D("1.00") - D("3.30") - D("2.00")


sides = st.sampled_from([BUY, SELL])
steps = st.lists(
    st.one_of(
        st.builds(lambda bid, spread, b, a: quote(bid, bid + spread, b, a), st.integers(90, 110), st.integers(1, 4),
                  st.integers(0, 6), st.integers(0, 6)),
        st.tuples(sides, st.integers(1, 6), st.one_of(st.none(), st.integers(88, 114)), st.booleans(), st.booleans()),
    ),
    max_size=40,
)


@given(steps)
def test_fills_never_exceed_the_order_nor_its_limit_and_reduce_only_never_increases(script):
    sim, sent, bids, asks = venue(), {}, [], []
    commands = [quote()]
    for number, step in enumerate(script):
        if isinstance(step, tuple):
            side, lots, price, reduce_only, post_only = step
            post_only = post_only and price is not None
            step = order(f"o{number}", side, lots, price, reduce_only=reduce_only, post_only=post_only)
            sent[step.client_order_id] = step
        commands.append(step)
    filled, position = {}, 0
    for number, step in enumerate(commands):
        if step.kind == "market.quote":
            bids.append(step.bid)
            asks.append(step.ask)
        for report in play(sim, step, start=number * 2_000):
            if report.type is not ReportType.FILL:
                continue
            command = sent[report.client_order_id]
            filled[report.client_order_id] = filled.get(report.client_order_id, 0) + report.lots
            assert report.cum_lots == filled[report.client_order_id] <= command.lots
            assert report.leaves_lots == command.lots - report.cum_lots
            if command.price is not None:
                assert (report.price - command.price) * command.side <= 0
                assert asks[-1] <= command.price if command.side is BUY else bids[-1] >= command.price
            after = position + report.lots * command.side
            if command.reduce_only:
                assert abs(after) < abs(position)
                assert after * position >= 0
            position = after
    assert sim.positions().get(X, 0) == position
