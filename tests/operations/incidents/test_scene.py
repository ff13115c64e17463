"""What a ticket holds of the desk: a fold of its journal, and what an incident did to it (IN-02, IN-07)."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import event_of
from tradeworthy.operations.incidents.course import AFTER, BEFORE, DURING, Bounds, course
from tradeworthy.operations.incidents.scene import ROWS_MAX, SceneFold
from tradeworthy.trading.control.forensic import SnapshotTaken
from tradeworthy.trading.ledger.bookings import FeeBooked, FundingBooked
from tradeworthy.trading.ledger.day import EquitySampled
from tradeworthy.trading.model import (
    NANOS,
    FillBooked,
    GuardChanged,
    GuardLevel,
    Liquidity,
    OrderChanged,
    OrderState,
    OrderType,
    Side,
    SubmitOrder,
    TimeInForce,
)
from tradeworthy.trading.model.run import RunStarted

START, SECOND = 1_700_000_000 * NANOS_PER_SECOND, NANOS_PER_SECOND
ONE = Decimal(1)


def order(name, *, lots=5, instance="mm"):
    return SubmitOrder(name, f"i-{name}", instance, "EURUSD", Side.BUY, lots, OrderType.LIMIT, TimeInForce.GTC, 100)


def moved(name, after, *, cum=0, instance="mm"):
    return OrderChanged(name, instance, "EURUSD", OrderState.SUBMITTED, after, cum)


def fill(name, position, *, realized=0, fee=ONE, trade="t"):
    return FillBooked(
        f"{trade}-{name}", name, "mm", "EURUSD", Side.BUY, 1, 100, Liquidity.MAKER, Decimal(realized), fee, "USD",
        position, Decimal("1.5"), None,
    )  # fmt: skip


def equity(value, instance="desk"):
    return EquitySampled(instance, value * NANOS)


def started(run="r1"):
    return RunStarted(run, "paper", "{}", "conf", "code", ())


def stopped(*, set_=True):
    return GuardChanged("risk.daily_loss", "desk", set_, GuardLevel.STOPPED,
                        GuardLevel.STOPPED if set_ else GuardLevel.RUNNING)  # fmt: skip


def events(*facts, step=60 * SECOND):
    found = []
    for n, one in enumerate(facts, 1):
        at = START + n * step
        found.append(msgspec.structs.replace(event_of(one, source="t", key=n, ts_event=at, ts_init=at), seq=n))
    return found


def held(*facts):
    fold = SceneFold()
    for one in events(*facts):
        fold.on_event(one, one.seq)
    return fold.circumstances("INC-00001", "open", START)


def test_a_ticket_holds_orders_positions_money_and_configuration():
    found = held(
        started(), equity(1_000), order("a"), moved("a", OrderState.WORKING), order("b"),
        moved("b", OrderState.WORKING), fill("a", 3, realized=7),
        moved("a", OrderState.PARTIALLY_FILLED, cum=1), moved("b", OrderState.CANCELLED),
        equity(990), stopped(), SnapshotTaken("snap-1", "INC-x", START, 1, "h", (), "clean"),
    )  # fmt: skip
    assert [(one.client_order_id, one.side, one.lots, one.cum_lots, one.state) for one in found.orders] == [
        ("a", "BUY", 5, 1, "partially_filled")
    ]
    assert [(one.instance, one.instrument, one.lots, one.average) for one in found.positions] == [
        ("mm", "EURUSD", 3, Decimal("1.5"))
    ]
    assert found.equity == Decimal(990)
    assert (found.run_id, found.config_hash, found.code_hash, found.environment) == ("r1", "conf", "code", "paper")
    assert (found.guard, found.reasons, found.snapshot) == ("stopped", ("risk.daily_loss@desk",), "snap-1")
    assert (found.seq, found.desk_time) == (12, START + 12 * 60 * SECOND)
    assert found.last_event
    assert found.instances == ("mm",)


def test_a_position_that_was_closed_a_guard_that_was_cleared_and_a_strategys_equity_are_not_held():
    found = held(started(), fill("a", 3), fill("a", 0, trade="u"), stopped(), stopped(set_=False), equity(5, "mm"))
    assert (found.positions, found.guard, found.reasons, found.equity) == ((), "running", (), None)


def test_reasons_from_before_the_run_are_in_force():
    start = msgspec.structs.replace(
        started(), guard='[{"owner":"operator","code":"kill","scope":"desk","level":3,"since":1}]'
    )
    assert (held(start).guard, held(start).reasons) == ("stopped", ("operator.kill@desk",))


def test_a_fee_that_was_not_told_is_open_until_it_comes():
    booked = (started(), fill("a", 1, fee=None, realized=4), FundingBooked("mm", "EURUSD", ONE, Decimal(-2), "USD"))
    (row,) = held(*booked).booked
    assert (row.fills, row.realized, row.fees, row.fees_open, row.funding) == (1, 4, 0, 1, -2)
    (row,) = held(*booked, FeeBooked("t-a", "a", "mm", "EURUSD", ONE, "USD", ONE)).booked
    assert (row.fees, row.fees_open) == (1, 0)


def test_without_a_run_the_ticket_says_so_and_a_long_list_says_what_it_leaves_out():
    nothing = SceneFold().circumstances("INC-00001", "open", START)
    assert (nothing.seq, nothing.why) == (0, "no run of the desk was open")
    many = [one for n in range(ROWS_MAX + 3) for one in (order(f"o{n:04d}"), moved(f"o{n:04d}", OrderState.WORKING))]
    found = held(started(), *many)
    assert (len(found.orders), found.orders_more) == (ROWS_MAX, 3)


def test_circumstances_are_the_same_bytes_from_the_same_journal():
    facts = (started(), order("a"), moved("a", OrderState.WORKING), fill("a", 2), equity(10))
    assert msgspec.json.encode(held(*facts)) == msgspec.json.encode(held(*facts))


LIFE = (
    started(), equity(1_000), fill("a", 1, realized=1), equity(1_010), stopped(), fill("b", 2, realized=-30),
    equity(980), equity(970), stopped(set_=False), equity(975), fill("c", 0, realized=2), equity(990),
)  # fmt: skip


def spans(**bounds):
    usual = {"run": "r1", "first_seq": 5, "first_time": START + 5 * 60 * SECOND, "shortest_ns": 300 * SECOND}
    found = course([("r1", events(*LIFE))], Bounds(**(usual | bounds)))
    return found, {one.name: one for one in found.spans}


def test_money_fills_drawdown_and_guard_before_during_and_after():
    found, row = spans(last_run="r1", last_seq=9, last_time=START + 9 * 60 * SECOND)
    seen = {name: (one.pnl, one.drawdown, one.fills, one.guard) for name, one in row.items()}
    assert seen == {
        BEFORE: (Decimal(10), Decimal(0), 1, "running"), DURING: (Decimal(-40), Decimal(40), 1, "stopped"),
        AFTER: (Decimal(20), Decimal(0), 1, "running"),
    }  # fmt: skip
    assert [(one.instrument, one.fills, one.realized, one.fees) for one in found.effect] == [("EURUSD", 1, -30, 1)]
    assert (found.first_seq, found.last_seq, found.over) == (5, 9, True)


def test_an_incident_that_is_not_over_goes_to_the_journals_end():
    found, row = spans()
    assert (row[DURING].pnl, row[DURING].fills, row[AFTER].events, found.over) == (Decimal(-20), 2, 0, False)


def test_an_incident_over_a_restart_is_counted_in_both_runs():
    second = (started("r2"), equity(960), fill("d", 1, realized=-5), equity(950), equity(955))
    bounds = Bounds(
        run="r1", first_seq=5, first_time=START + 5 * 60 * SECOND, last_run="r2", last_seq=4,
        last_time=START + 4 * 60 * SECOND, shortest_ns=300 * SECOND,
    )  # fmt: skip
    found = course([("r1", events(*LIFE)), ("r2", events(*second))], bounds)
    assert found.span(DURING).pnl == Decimal(-60)
    assert [(one.fills, one.realized) for one in found.effect] == [(3, Decimal(-33))]
    assert found.span(AFTER).pnl == Decimal(5)


def test_where_equity_was_never_sampled_the_money_is_not_known_and_not_nought():
    found = course([("r1", events(started(), fill("a", 1)))], Bounds(run="r1", first_seq=1, first_time=START))
    assert found.span(DURING).pnl is None
    assert found.span(DURING).fills == 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=30), st.integers(1, 30), st.integers(0, 30))
def test_the_three_spans_add_up_to_the_whole_change_of_equity(moves, first, length):
    total, facts = 1_000, [started(), equity(1_000)]
    for one in moves:
        total += one
        facts.append(equity(total))
    first = min(first + 1, len(facts))
    last = min(first + length, len(facts))
    bounds = Bounds(
        run="r1", first_seq=first, first_time=START + first * 60 * SECOND, last_run="r1", last_seq=last,
        last_time=START + last * 60 * SECOND, shortest_ns=10**6 * SECOND,
    )  # fmt: skip
    found = course([("r1", events(*facts))], bounds)
    assert sum(one.pnl or 0 for one in found.spans) == total - 1_000
    assert all(one.drawdown is None or one.drawdown >= max(Decimal(0), -(one.pnl or 0)) for one in found.spans)


@pytest.mark.parametrize("seq", [0, 6])
def test_bounds_outside_the_journal_show_nothing_after(seq):
    found = course([("r1", events(*LIFE)[:5])], Bounds(run="r1", first_seq=seq or 1, first_time=START))
    assert found.span(AFTER).events == 0
