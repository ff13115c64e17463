"""The day, its sources of profit, its owners and its integrity (AC-01, AC-02, AC-04, AC-07, LG-10)."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_builders import ALL, PERP, D, fill, ledger

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.ledger.attribution import Attribution, coverage
from tradeworthy.trading.ledger.bookings import FlowKind
from tradeworthy.trading.ledger.day import HOUR_NS, DayState, nanos
from tradeworthy.trading.ledger.explain import Explainer
from tradeworthy.trading.ledger.integrity import IntegrityPolicy, IntegrityState, judge_integrity

USD = 10**9


def day_at(equity, ts=0, **kwargs):
    day = DayState("a", **kwargs)
    day.on_time(ts)
    day.on_equity(ts, equity * USD)
    return day


def test_six_percent_in_a_hundred_small_steps_is_six_percent():
    day = day_at(1000)
    for step in range(1, 101):
        day.on_equity(step, 1000 * USD - step * 600_000_000)
    assert (day.loss, day.drawdown_day, day.drawdown_30d) == (0.06, 0.06, 0.06)


def test_deposit_changes_neither_loss_nor_drawdown():
    day = day_at(1000)
    day.on_equity(1, 990 * USD)
    before = (day.loss, day.peak)
    day.on_flow(399 * USD)
    assert (day.loss, day.peak, day.equity) == (before[0], 1399 * USD, 1389 * USD)


@pytest.mark.parametrize(("hour", "rolls"), [(22, True), (0, False)])
def test_day_rolls_at_the_policys_hour(hour, rolls):
    day = day_at(1000, ts=NANOS_PER_DAY + 21 * HOUR_NS, rollover_hour=hour)
    day.on_equity(NANOS_PER_DAY + 21 * HOUR_NS, 970 * USD)
    ended = day.on_time(NANOS_PER_DAY + 22 * HOUR_NS)
    assert (ended is not None) is rolls
    assert day.equity_open == (970 if rolls else 1000) * USD


def test_position_and_entry_cross_the_day_and_counts_do_not():
    day, book = day_at(1000), ledger()
    day.on_fill(book.book(fill(PERP, 10, 10_000), None), 5 * USD, D("0.1"))
    ended = day.on_time(NANOS_PER_DAY)
    assert (ended.fills, ended.fees, ended.notional) == (1, D("0.1"), 5 * USD)
    assert (day.fills, day.position, day.average) == (0, {PERP.instrument_id: 10}, {PERP.instrument_id: D(10_000)})


def test_thirty_day_peak_is_left_behind_by_time():
    day = day_at(1000)
    day.on_equity(NANOS_PER_DAY, 900 * USD)
    assert day.drawdown_30d == 0.1
    day.on_equity(30 * NANOS_PER_DAY, 900 * USD)
    assert day.drawdown_30d == 0.0


def test_loss_is_not_known_without_equity():
    day = DayState("a")
    assert (day.loss, day.drawdown_day, day.turnover) == (None, None, None)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-20, 20), st.integers(5_000, 9_000), st.integers(-30, 30)), max_size=25))
def test_sources_explain_the_change_of_equity_to_the_last_unit(acts):
    book, sources = ledger(), Explainer(ALL)
    book.flow("a", "USDT", D(1000), FlowKind.DEPOSIT)
    for number, (signed, price, away) in enumerate(acts):
        sources.mark(PERP.instrument_id, 2 * price)
        if signed:
            item = fill(PERP, signed, price, f"t{number}", fee=D("0.003"))
            sources.fill(book.book(item, 2 * price + away), item.fee)
        sources.fund(PERP.instrument_id, book.funding("a", PERP.instrument_id, D("0.0001"), 2 * price).amount)
    sources.mark(PERP.instrument_id, 14_000)
    told = sources.explain(D(1000), book.equity("a", {PERP.instrument_id: 14_000}, {}))
    assert (told.residual, told.severity) == (0, Severity.OK)


def test_planted_missing_fee_is_the_residual():
    book, sources = ledger(), Explainer(ALL)
    book.flow("a", "USDT", D(1000), FlowKind.DEPOSIT)
    sources.fill(book.book(fill(PERP, 10, 10_000, fee=D("0.05")), 20_002), D(0))
    told = sources.explain(D(1000), book.equity("a", {PERP.instrument_id: 20_002}, {}))
    assert (told.residual, told.captured_spread, told.severity) == (D("-0.05"), D("0.0001"), Severity.WARN)


def test_closed_profit_goes_to_the_instance_that_opened_the_lot():
    shared = Attribution(ALL)
    shared.book(fill(PERP, 10, 10_000, "t1", instance="trend"))
    shared.book(fill(PERP, 10, 10_100, "t2", instance="maker"))
    shared.book(fill(PERP, -15, 10_200, "t3", instance="operator"))
    assert shared.profit == {"trend": nanos(D("0.02")), "maker": nanos(D("0.005"))}


@pytest.mark.parametrize(
    ("named", "total", "severity"),
    [(89, 100, Severity.WARN), (90, 100, Severity.OK), (0, 0, Severity.UNKNOWN)],
)
def test_coverage_below_ninety_percent_warns(named, total, severity):
    fills = [fill(PERP, 1, 1, f"t{i}", client_order_id="known" if i < named else "lost") for i in range(total)]
    assert coverage(fills, {"known": "d1"}).severity is severity


GOOD = IntegrityState("a", D(1000), D(1), D(1), D(5), D("5.1"), D(1), D("1.1"), 60, 60, base_share=D("0.5"),
                      share_target=D("0.5"))  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code", "severity"),
    [
        ({"equity": D(0)}, "accounting.equity", Severity.FAIL),
        ({"base_share": D("1.01")}, "accounting.base_share", Severity.FAIL),
        ({"base_share": D("0.75")}, "accounting.inventory", Severity.WARN),
        ({"base_share": D("0.95")}, "accounting.inventory", Severity.FAIL),
        ({"fees": D("4.95")}, "accounting.fees_fell", Severity.WARN),
        ({"fees": D("4.80")}, "accounting.fees_fell", Severity.FAIL),
        ({"sources": D("0.98")}, "accounting.unexplained", Severity.FAIL),
        ({"fees": D(5)}, "accounting.turnover_without_fee", Severity.WARN),
        ({"age": 120}, "accounting.stale", Severity.WARN),
        ({"enabled": False, "equity": D(0)}, "accounting.skipped", Severity.OK),
    ],
)
def test_each_bad_state_alone_gives_exactly_one_finding(change, code, severity):
    found = judge_integrity(msgspec.structs.replace(GOOD, **change), IntegrityPolicy())
    assert [(item.code, item.severity) for item in found] == [(code, severity)]


@pytest.mark.parametrize("change", [{}, {"day_rolled": True, "fees": D(0), "turnover": D(0)},
                                    {"has_rebate": True, "fees": D(4)}])  # fmt: skip
def test_good_states_day_rolls_and_rebates_give_no_finding(change):
    assert judge_integrity(msgspec.structs.replace(GOOD, **change), IntegrityPolicy()) == ()
