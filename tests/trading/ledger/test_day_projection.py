"""The desk day after a restart is the day before it (AC-01), and the ledger the fold of its journal (LG-11)."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_builders import ALL, INVERSE, PERP, SHARE, SPOT, D, fill, ledger

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.kernel.facts import KINDS, event_of
from tradeworthy.trading.ledger.bookings import FlowKind
from tradeworthy.trading.ledger.day import HOUR_NS, EquitySampled
from tradeworthy.trading.ledger.day_projection import DayProjection, days_of
from tradeworthy.trading.ledger.reconstruct import reconstruct
from tradeworthy.trading.model import CancelOrder, ExecReport, OrderType, ReportType, Side, SubmitOrder, TimeInForce

USD = 10**9


class Journal:
    """Facts as lines of JSON, read back as events."""

    def __init__(self):
        self.lines = []

    def add(self, ts, *facts):
        self.lines += [(ts, one.kind, msgspec.json.encode(one)) for one in facts]

    def read(self, upto=None):
        for number, (ts, kind, body) in enumerate(self.lines[:upto], 1):
            fact = msgspec.json.decode(body, type=KINDS[kind])
            event = event_of(fact, source="t", key=number, ts_event=ts, ts_init=ts)
            yield msgspec.structs.replace(event, seq=number)


def a_day(journal, book, start=0):
    """A deposit, a submitted and filled order, funding, a cancel, and equity that falls by 6 % in small steps."""
    journal.add(start, book.flow("a", "USDT", D(1000), FlowKind.DEPOSIT), EquitySampled("a", 1000 * USD))
    submit = SubmitOrder("o1", "i", "a", PERP.instrument_id, Side.BUY, 10, OrderType.MARKET, TimeInForce.GTC)
    journal.add(start + 1, submit)
    journal.add(start + 2, book.book(fill(PERP, 10, 10_000, fee=D("0.05")), 20_000))
    journal.add(start + 3, book.funding("a", PERP.instrument_id, D("0.0001"), 20_000), CancelOrder("o1", "x", "r"))
    for step in range(1, 101):
        journal.add(start + 4 + step, EquitySampled("a", (1000 * 10 - 6 * step) * USD // 10))


def test_a_kill_at_any_event_leaves_the_same_loss_budget():
    journal = Journal()
    a_day(journal, ledger())
    for cut in range(1, len(journal.lines) + 1):
        running = DayProjection(ALL, "USDT")
        for event in journal.read(cut):
            running.apply(event)
        restarted = days_of(journal.read(cut), DayProjection(ALL, "USDT"))
        assert restarted["a"].line() == running.days["a"].line()
    told = running.days["a"].line()
    assert (told.loss, told.drawdown_day, told.equity_open) == (0.06, 0.06, 1000 * USD)
    assert (told.fills, told.cancels, told.fees, told.notional) == (1, 1, D("0.05"), 1 * USD)
    assert (told.funding, told.position, told.net_flows) == (D("-0.0001"), {PERP.instrument_id: 10}, 0)


@pytest.mark.parametrize(("hour", "loss"), [(22, 0.0), (0, 0.06)])
def test_the_day_rolls_at_the_policys_hour_also_when_it_is_rebuilt(hour, loss):
    journal = Journal()
    a_day(journal, ledger(), start=NANOS_PER_DAY + 21 * HOUR_NS)
    journal.add(NANOS_PER_DAY + 22 * HOUR_NS, EquitySampled("a", 940 * USD))
    days = days_of(journal.read(), DayProjection(ALL, "USDT", rollover_hour=hour))
    assert days["a"].loss == loss
    assert days["a"].position == {PERP.instrument_id: 10}


def test_a_roll_is_told_once_with_what_the_day_was():
    journal, projection = Journal(), DayProjection(ALL, "USDT")
    a_day(journal, ledger())
    journal.add(NANOS_PER_DAY, EquitySampled("a", 940 * USD))
    journal.add(NANOS_PER_DAY + 1, EquitySampled("a", 941 * USD))
    rolled = [one for event in journal.read() for one in projection.apply(event)]
    (day,) = rolled
    assert (day.day, day.equity_open, day.equity_close, day.fills) == (0, 1000 * USD, 940 * USD, 1)


def test_an_amount_without_a_rate_is_named_and_not_guessed():
    journal, projection = Journal(), DayProjection(ALL, "USDT")
    book = ledger()
    journal.add(0, book.book(fill(SPOT, 10, 10_000, fee=D("0.001"), fee_currency="BNB"), None))
    days_of(journal.read(), projection)
    assert projection.unvalued == {"BNB"}
    assert days_of(journal.read(), DayProjection(ALL, "USDT", rates={"BNB": D(500)}))["a"].fees == D("0.5")


def venue_says(kind, item, **changes):
    return ExecReport(kind, item.client_order_id, item.instrument, trade_id=item.trade_id, side=item.side,
                      lots=item.lots, price=item.price, fee=changes.get("fee"))  # fmt: skip


def booked(journal, book, number, item, kind=ReportType.FILL):
    act = {ReportType.FILL: book.book, ReportType.BUST: book.bust, ReportType.CORRECTION: book.correct}[kind]
    journal.add(number, venue_says(kind, item, fee=item.fee), act(item, 2 * item.price))


acts = st.lists(
    st.tuples(st.sampled_from([SPOT, PERP, INVERSE, SHARE]), st.integers(-9, 9).filter(bool), st.integers(5_000, 9_000),
              st.sampled_from(["fill", "bust", "correct", "late fee", "funding", "flow"])),
    max_size=25,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(acts)
def test_delete_the_ledger_fold_the_journal_equal_hash(steps):
    journal, book, fills = Journal(), ledger(), []
    for number, (on, signed, price, act) in enumerate(steps):
        if act == "bust" and fills:
            booked(journal, book, number, fills.pop(), ReportType.BUST)
        elif act == "correct" and fills:
            changed = msgspec.structs.replace(fills[-1], price=price)
            booked(journal, book, number, changed, ReportType.CORRECTION)
        elif act == "funding" and on.perpetual:
            journal.add(number, book.funding("a", on.instrument_id, D("0.0001"), 2 * price))
        elif act == "flow":
            journal.add(number, book.flow("a", "USDT", D(signed), FlowKind.DEPOSIT))
        elif act == "late fee":
            item = fill(on, signed, price, f"t{number}", fee=None)
            booked(journal, book, number, item)
            journal.add(number, book.settle_fee(item, D("0.03"), on.settlement))
        else:
            item = fill(on, signed, price, f"t{number}", fee=D("0.01"))
            booked(journal, book, number, item)
            fills.append(item)
    rebuilt = reconstruct(journal.read(), ledger())
    assert rebuilt.state_hash() == book.state_hash()
    assert all(rebuilt.accounts.total(currency) == 0 for currency in ("USDT", "BTC", "IBM"))


def test_a_booking_that_comes_out_otherwise_halts():
    journal, book = Journal(), ledger()
    told = book.book(fill(PERP, 10, 10_000), None)
    journal.add(0, msgspec.structs.replace(told, realized=D(7)))
    with pytest.raises(HaltTrading, match="verify the journal"):
        reconstruct(journal.read(), ledger())


def test_a_split_is_folded_too():
    journal, book = Journal(), ledger()
    journal.add(0, book.book(fill(SHARE, 10, 12_000), None))
    journal.add(1, book.split(SHARE.instrument_id, 4, 1), book.dividend("a", SHARE.instrument_id, D("0.5")))
    journal.add(2, book.borrow("a", "USDT", D("0.2")))
    assert reconstruct(journal.read(), ledger()).state_hash() == book.state_hash()
