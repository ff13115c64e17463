"""What the rows of the exposure table promise, each as the page puts it."""

from decimal import Decimal

import pytest
from risk_desk import ID, NOW, SECOND, USD, codes, desk, instrument, order, wide

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.model import InstrumentKind, Side
from tradeworthy.trading.risk import RiskPolicy
from tradeworthy.trading.risk.windows import NoTradeWindow

EUR = instrument(symbol="EURUSD", kind=InstrumentKind.FX, base="EUR", quote="USD")
JPY = instrument(symbol="USDJPY", kind=InstrumentKind.FX, base="USD", quote="USDT")
EIGHT = tuple(instrument(symbol=f"C{n}USDT", base=f"C{n}") for n in range(8))
MONDAY = 4 * NANOS_PER_DAY


def test_half_the_distance_to_the_stop_doubles_the_lots():
    def lots(stop):
        reviewer = desk(wide(per_trade=Decimal("0.01"), scale=True))
        leg = reviewer.review_all(order(lots=10_000, stop=stop))[0]
        assert leg.fact.binding == "risk.per_trade"
        return leg.approved.intent.lots

    assert (lots(960), lots(980)) == (2_500, 5_000)


def test_six_trades_of_one_percent_pass_and_the_seventh_is_refused():
    reviewer = desk(wide(per_trade=Decimal("0.01"), open_risk=Decimal("0.06")), instruments=EIGHT)
    found = []
    for n, one in enumerate(EIGHT[:7]):  # long and short in turn, so that the desk's net stays small
        side = (Side.BUY, Side.SELL)[n % 2]
        intent = order(side, lots=2_500, stop=1_000 - side * 40, instrument=one.instrument_id)
        found.append(codes(reviewer, intent))
        if not found[-1]:
            reviewer.context.reserve(intent)
    assert found[:6] == [[]] * 6
    assert "risk.open_risk" in found[6]


def test_open_risk_ends_with_the_position_and_with_a_cancelled_order():
    reviewer = desk()
    ctx = reviewer.context
    filled, cancelled = order(lots=100), order(lots=50, instance="other")
    for intent in (filled, cancelled):
        ctx.reserve(intent)
    assert ctx.risk2 == 150 * 4 * USD
    ctx.book_fill("ema", ID, Side.BUY, 100, 1_000, NOW)
    ctx.release(filled.intent_id, 100)
    ctx.release(cancelled.intent_id)
    assert ctx.risk2 == 100 * 4 * USD
    ctx.book_fill("ema", ID, Side.SELL, 60, 1_000, NOW)
    assert ctx.risk2 == 40 * 4 * USD
    ctx.book_fill("ema", ID, Side.SELL, 40, 1_000, NOW)
    assert (ctx.risk2, ctx.positions) == (0, 0)


def test_moved_stop_changes_what_is_at_stake():
    ctx = desk(held=10).context
    assert ctx.risk2 == 0
    ctx.set_stop("ema", ID, 950)
    assert ctx.risk2 == 10 * 10 * USD
    ctx.set_stop("ema", ID, 990)
    assert ctx.risk2 == 10 * 2 * USD
    ctx.mark(ID, None, False, NOW)
    with pytest.raises(ValueError, match="no reference"):
        ctx.set_stop("ema", ID, 990)


def test_long_eurusd_and_long_usdjpy_offset_in_dollars():
    reviewer = desk(wide(currency_net=Decimal("0.1")), instruments=(EUR, JPY))
    long_yen = order(instrument=JPY.instrument_id, lots=1_000)
    reviewer.context.book_fill("ema", EUR.instrument_id, Side.BUY, 1_000, 1_000, NOW)
    assert codes(reviewer, long_yen) == []
    assert codes(reviewer, order(Side.SELL, 1_000, instrument=JPY.instrument_id)) == ["risk.currency_factor"]
    assert codes(reviewer, order(instrument=EUR.instrument_id)) == ["risk.currency_factor"]
    assert codes(reviewer, order(Side.SELL, 1_000, instrument=EUR.instrument_id)) == []


def test_sixth_instrument_is_refused_and_adding_to_the_fifth_is_not():
    reviewer = desk(wide(positions_instance=5), instruments=EIGHT)
    for one in EIGHT[:5]:
        reviewer.context.book_fill("ema", one.instrument_id, Side.BUY, 1, 1_000, NOW)
    assert codes(reviewer, order(instrument=EIGHT[5].instrument_id)) == ["risk.max_positions"]
    assert codes(reviewer, order(instrument=EIGHT[4].instrument_id)) == []
    assert codes(reviewer, order(instrument=EIGHT[5].instrument_id, instance="other")) == []
    reviewer.context.book_fill("ema", EIGHT[0].instrument_id, Side.SELL, 1, 1_000, NOW)
    assert codes(reviewer, order(instrument=EIGHT[5].instrument_id)) == []


def test_second_name_of_thirteen_percent_in_a_sector_is_scaled():
    policy = wide(sectors=dict.fromkeys((EIGHT[0].instrument_id, EIGHT[1].instrument_id), "tech"), scale=True)
    reviewer = desk(policy, instruments=EIGHT)
    reviewer.context.book_fill("other", EIGHT[0].instrument_id, Side.BUY, 1_300, 1_000, NOW)
    leg = reviewer.review_all(order(lots=1_300, instrument=EIGHT[1].instrument_id))[0]
    assert (leg.approved.intent.lots, leg.fact.binding) == (1_200, "risk.sector")


def test_sector_has_its_own_budget_and_other_kinds_than_equities_are_not_unmapped():
    share = instrument(symbol="AAPL", kind=InstrumentKind.EQUITY, base="AAPL")
    mapped = wide(sectors={share.instrument_id: "tech"}, sector_budgets={"tech": Decimal("0.02")})
    assert codes(desk(mapped, instruments=(share,)), order(lots=201, instrument=share.instrument_id)) == ["risk.sector"]
    assert codes(desk(wide()), order(lots=5_000)) == []


@pytest.mark.parametrize(
    ("second", "weekday", "inside"),
    [(86_399, 0, True), (0, 1, True), (99, 1, True), (100, 1, False), (86_390, 0, False), (0, 0, False)],
)
def test_window_over_midnight_belongs_to_the_day_it_began(second, weekday, inside):
    window = NoTradeWindow(name="roll", start=86_395, end=100, weekdays=(0,))
    assert window.holds(MONDAY + weekday * NANOS_PER_DAY + second * SECOND) is inside


def test_window_of_one_instrument_leaves_others_alone_and_reducing_passes():
    at = NOW % NANOS_PER_DAY // SECOND
    window = NoTradeWindow(name="auction", start=at, end=at + 1, instruments=(ID,))
    reviewer = desk(wide(no_trade=(window,)), instruments=(instrument(), EIGHT[0]), held=5)
    assert codes(reviewer, order()) == ["risk.no_trade"]
    assert codes(reviewer, order(instrument=EIGHT[0].instrument_id)) == []
    assert codes(reviewer, order(Side.SELL, 5)) == []


def test_event_after_an_event_has_a_window_of_its_own():
    policy = wide(events=(NOW - 300 * SECOND, NOW + 60 * SECOND), event_before=60 * SECOND)
    assert codes(desk(policy), order()) == ["risk.event_window"]
    assert codes(desk(policy, held=5), order(Side.SELL, 5)) == []


def test_share_classes_of_one_issuer_are_one_name():
    reviewer = desk(
        wide(
            max_position=Decimal("0.1"), scale=True,
            issuers={EIGHT[0].instrument_id: "i", EIGHT[1].instrument_id: "i"},
        ),
        instruments=EIGHT,
    )
    reviewer.context.book_fill("other", EIGHT[0].instrument_id, Side.BUY, 900, 1_000, NOW)
    assert reviewer.review(order(lots=200, instrument=EIGHT[1].instrument_id)).intent.lots == 100
    assert reviewer.review(order(lots=200, instrument=EIGHT[2].instrument_id)).intent.lots == 200


@pytest.mark.parametrize(
    ("odd", "word"),
    [
        ({"currency_net": Decimal(0)}, "currency_net"), ({"positions_desk": 0}, "positions_desk"),
        ({"sector_unmapped": Decimal(2)}, "sector_unmapped"), ({"median_sample": 10**15}, "median_sample"),
        ({"sector_budgets": {"tech": Decimal("0.9")}, "gross_leverage": Decimal("0.5")}, "tech"),
        ({"event_before": -1}, "event_before"), ({"venue_messages": {"SIM": 0}}, "SIM"),
        ({"no_trade": (NoTradeWindow(name="w", start=5, end=5),)}, "'w'"),
        ({"no_trade": (NoTradeWindow(name="w", start=5, end=6, weekdays=(7,)),)}, "weekdays"),
    ],
)  # fmt: skip
def test_limit_that_must_not_start_is_named(odd, word):
    with pytest.raises(ConfigurationRefused, match=word):
        RiskPolicy(**odd)


def test_all_causes_of_not_tradable_are_told_one_at_a_time_in_their_order():
    reviewer = desk(held=1)
    for cause in ("halted", "session_closed", "not_active", "account_blocked", "account_type"):
        reviewer.context.set_cause(ID, cause, True)
        assert reviewer.review(order()).violations[0].observed == cause
        assert codes(reviewer, order(Side.SELL, 1)) == ["risk.not_tradable"]


def test_quoting_reaches_two_minimum_orders_and_counts_every_instrument_of_the_asset():
    perpetual = instrument(symbol="BTCUSDC", quote="USDC")
    large = instrument(min_notional=Decimal(40_000))
    policy = wide(asset_net=Decimal("0.05"))
    quote = {"instance": "quoter", "stop": None}
    assert codes(desk(policy, instruments=(large,)), order(lots=800, **quote)) == []
    assert codes(desk(policy, instruments=(large,)), order(lots=801, **quote)) == ["risk.net_exposure"]
    reviewer = desk(policy, instruments=(instrument(), perpetual))
    reviewer.context.book_fill("other", perpetual.instrument_id, Side.BUY, 300, 1_000, NOW)
    assert codes(reviewer, order(lots=201, **quote)) == ["risk.net_exposure"]
    assert codes(reviewer, order(Side.SELL, 800, **quote)) == []
    assert codes(reviewer, order(lots=900)) == []
