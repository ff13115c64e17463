"""The accounting snapshot, the figures of a window, the equity's missing inputs (AC-03, AC-04, AC-08, LG-03, LG-06)."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_builders import PERP, SPOT, D, fill, instrument, ledger

from tradeworthy.kernel.clock import NANOS_PER_SECOND as S
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.ledger import Ledger
from tradeworthy.trading.ledger.bookings import FlowKind
from tradeworthy.trading.ledger.day import DayState
from tradeworthy.trading.ledger.integrity import (
    LIVE_MAKER,
    PAPER_MAKER,
    IntegrityPolicy,
    IntegrityState,
    judge_integrity,
)
from tradeworthy.trading.ledger.kpis import KpiPolicy, kpis_of
from tradeworthy.trading.ledger.snapshot import AccountingSnapshot, SnapshotPolicy, judge_snapshot, take_snapshot
from tradeworthy.trading.model import InstrumentKind, MarginRates


def snapshot(book=None, on=SPOT, mid2=20_000, price_ts=100 * S, now=110 * S, **changes):
    book = book or ledger()
    day = DayState("a")
    day.on_time(now)
    day.on_equity(now, 1_000_000_000_000)
    return take_snapshot(book, on, day, mid2=mid2, price_ts=price_ts, equity_ts=None, now=now,
                         policy=SnapshotPolicy(), **changes)  # fmt: skip


def spot_book():
    book = ledger()
    book.flow("a", "USDT", D(1000), FlowKind.DEPOSIT)
    book.book(fill(SPOT, 1000, 9_000, fee=D("0.1")), None)
    return book


def test_a_snapshot_tells_the_books_with_their_ages():
    told = snapshot(spot_book())
    assert (told.mid, told.equity, told.base, told.quote) == (D(100), D("1009.9"), D(1), D("909.9"))
    assert (told.unrealized, told.average, told.position, told.price_age_ns) == (D(10), D(90), D(1), 10 * S)
    assert (told.fee_source, told.margin_ratio, told.venue) == ("venue", None, "SIM")
    assert snapshot(spot_book(), capital=D(5)).equity == D("1014.9")


@pytest.mark.parametrize(("age_s", "known"), [(29, True), (30, False), (-1, False)])
def test_a_price_of_thirty_seconds_values_nothing(age_s, known):
    told = snapshot(spot_book(), price_ts=(110 - age_s) * S)
    assert (told.mid is not None, told.unrealized is not None, told.equity is not None) == (known, known, known)
    assert known or [one.field for one in judge_snapshot(msgspec.to_builtins(told))] >= ["mid"]


def test_a_perps_margin_ratio_is_equity_over_maintenance():
    perp = instrument("P", InstrumentKind.LINEAR_PERP, "BTC", margin=MarginRates(D("0.1"), D("0.05")))
    book = Ledger({perp.instrument_id: perp}, "USDT")
    book.flow("a", "USDT", D(10), FlowKind.DEPOSIT)
    book.book(fill(perp, 1000, 10_000), None)
    assert snapshot(book, perp).margin_ratio == D(2)
    assert snapshot(book, perp).base == D(1)


@pytest.mark.parametrize("field", AccountingSnapshot.__struct_fields__)
def test_dropping_a_field_fails_and_names_it(field):
    row = msgspec.to_builtins(snapshot(spot_book()))
    assert judge_snapshot(row) == ()
    del row[field]
    (found,) = judge_snapshot(row)
    assert (found.code, found.severity, found.field) == ("accounting.field_missing", Severity.FAIL, field)


def test_an_estimated_fee_names_its_source():
    book = spot_book()
    book.book(fill(SPOT, 10, 9_000, "t2", fee=None), None)
    assert snapshot(book).fee_source == "estimated"


GOOD = IntegrityState("a", D(1000), D(1), D(1), D(5), D("5.1"), D(1), D("1.01"), 60, 60, base_share=D("0.5"),
                      share_target=D("0.5"))  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "away", "severity"),
    [(IntegrityPolicy(), "0.24", None), (IntegrityPolicy(), "0.25", Severity.WARN),
     (IntegrityPolicy(), "0.45", Severity.FAIL), (LIVE_MAKER, "0.39", None), (LIVE_MAKER, "0.40", Severity.WARN),
     (LIVE_MAKER, "0.55", Severity.FAIL), (PAPER_MAKER, "0.44", None), (PAPER_MAKER, "0.45", Severity.WARN),
     (PAPER_MAKER, "0.65", Severity.FAIL)],
)  # fmt: skip
def test_inventory_is_judged_by_the_roles_own_bounds(policy, away, severity):
    state = msgspec.structs.replace(GOOD, share_target=D("0.2"), base_share=D("0.2") + D(away))
    assert [one.severity for one in judge_integrity(state, policy)] == ([] if severity is None else [severity])


@pytest.mark.parametrize("rate", ["0.0001", "-0.0001"])
def test_received_and_paid_funding_are_no_finding(rate):
    book = ledger()
    book.flow("a", "USDT", D(1000), FlowKind.DEPOSIT)
    book.book(fill(PERP, 1000, 10_000), None)
    marks = {PERP.instrument_id: 20_000}
    before = book.equity("a", marks, {})
    paid = book.funding("a", PERP.instrument_id, D(rate), 20_000).amount
    state = msgspec.structs.replace(
        GOOD, equity=book.equity("a", marks, {}), equity_change=book.equity("a", marks, {}) - before, sources=paid
    )
    assert judge_integrity(state, IntegrityPolicy()) == ()


def test_a_missing_rate_makes_equity_unknown_and_a_perps_is_its_wallet():
    book = ledger()
    book.flow("a", "USDT", D(100), FlowKind.DEPOSIT)
    book.flow("a", "EUR", D(1), FlowKind.DEPOSIT)
    book.book(fill(PERP, 100, 10_000), None)
    marks = {PERP.instrument_id: 22_000}
    assert book.equity("a", marks, {"EUR": D("1.1")}) == D(100) + D(1) + D("1.1")
    assert book.equity("a", marks, {}).reason == "no rate of EUR in USDT"
    book.marks.mark(PERP.instrument_id, 22_000)
    assert book.marks.desk().reason == "no rate of EUR in USDT"


def window(*realized, notional="100", fee="0.1", equity=(1000,)):
    book = ledger()
    base = book.book(fill(PERP, 1, 10_000, fee=D(fee)), None)
    fills = [(msgspec.structs.replace(base, realized=D(one)), D(notional)) for one in realized]
    return {kpi.name: kpi for kpi in kpis_of(fills, [D(one) for one in equity], KpiPolicy()).kpis}


@pytest.mark.parametrize(
    ("name", "kpis", "severity"),
    [
        ("turnover", window(1, notional="1999.99"), Severity.OK),
        ("turnover", window(1, notional="2000"), Severity.WARN),
        ("turnover", window(1, notional="3000"), Severity.FAIL),
        ("fees_of_gross_profit", window(1, fee="0.3499"), Severity.OK),
        ("fees_of_gross_profit", window(1, fee="0.35"), Severity.WARN),
        ("fees_of_gross_profit", window(1, fee="0.40"), Severity.FAIL),
        ("fees_of_gross_profit", window(-1), Severity.UNKNOWN),
        ("profit_factor", window("1.26", -1), Severity.OK),
        ("profit_factor", window("1.25", -1), Severity.FAIL),
        ("profit_factor", window(1), Severity.OK),
        ("profit_factor", window(), Severity.UNKNOWN),
        ("drawdown", window(1, equity=(1000, 971)), Severity.OK),
        ("drawdown", window(1, equity=(1000, 970)), Severity.WARN),
        ("drawdown", window(1, equity=(1000, 1100, 1056)), Severity.FAIL),
        ("drawdown", window(1, equity=()), Severity.UNKNOWN),
        ("turnover", window(1, equity=(0,)), Severity.UNKNOWN),
    ],
)
def test_each_figure_is_judged_at_its_limit(name, kpis, severity):
    assert kpis[name].severity is severity


@given(st.lists(st.tuples(st.integers(-10**6, 10**6), st.integers(1, 10**6)), min_size=1, max_size=40))
def test_figures_equal_their_recomputation_from_fills(fills):
    book = ledger()
    base = book.book(fill(PERP, 1, 10_000, fee=D("0.07")), None)
    rows = [(msgspec.structs.replace(base, realized=D(r) / 1000), D(n) / 100) for r, n in fills]
    report = kpis_of(rows, [D(10_000)], KpiPolicy())
    gains = sum((Fraction(r, 1000) for r, _ in fills if r > 0), Fraction(0))
    losses = -sum((Fraction(r, 1000) for r, _ in fills if r < 0), Fraction(0))
    turnover = sum(Fraction(n, 100) for _, n in fills) / 10_000
    found = {kpi.name: kpi.value for kpi in report.kpis}
    assert abs(Fraction(found["turnover"]) - turnover) < Fraction(1, 10**9)
    if gains:
        assert abs(Fraction(found["fees_of_gross_profit"]) - len(fills) * Fraction(7, 100) / gains) < Fraction(1, 10**9)
    if losses:
        assert abs(Fraction(found["profit_factor"]) - gains / losses) < Fraction(1, 10**9)
