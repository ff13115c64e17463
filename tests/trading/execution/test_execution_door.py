"""The door to the venue: approval, identity, silence, streaks (OM-04, OM-05, OM-07, OM-09, OM-10, OM-11)."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from order_builders import BTC, SECOND, Reservations, approved, execution, filled, intent, report, sent

from tradeworthy.kernel.ids import client_order_id
from tradeworthy.trading.execution.execution import (
    Escalated,
    Execution,
    ExecutionPolicy,
    FillFar,
    PartialStale,
    RefusedAltered,
)
from tradeworthy.trading.model.order import AmendOrder, CancelOrder, OrderChanged, OrderState, QueryOrder, ReportType
from tradeworthy.trading.model.state import GuardLevel

R = ReportType


def kinds(facts):
    return [type(item) for item in facts]


def test_anything_but_an_approval_is_a_hole_in_the_wiring():
    with pytest.raises(TypeError, match="was Intent"):
        execution().submit(intent(), 0)


def test_altered_quantity_is_refused_with_a_fact_and_nothing_is_sent():
    reservations = Reservations()
    reservations.altered.add("d1:0")
    desk = Execution(reservations, ExecutionPolicy())
    assert kinds(desk.submit(approved(lots=11), 0)) == [RefusedAltered]
    assert not desk.orders.all_live()


def test_same_decision_gives_the_same_client_order_id():
    first, again, other = (sent(execution(), name) for name in ("d1:0", "d1:0", "d1:1"))
    assert first == again != other
    assert first.startswith("tw-")
    assert len(first) <= 32


def test_expired_and_repeated_intents_are_refused():
    desk = execution()
    late = desk.submit(approved("d1:0", expires_at=5), 5)[0]
    order_id = sent(desk, "d2:0")
    desk.on_report(filled(order_id, "t", 10), 1)
    repeated = desk.submit(approved("d2:0"), 2)[0]
    assert (late.code, repeated.code) == ("execution.expired", "execution.duplicate")


def test_silent_venue_makes_the_order_unknown_then_looks_up_and_cancels_at_thirty_seconds():
    desk = execution()
    sent(desk)
    assert desk.on_timer(30 * SECOND - 1) == ()
    facts = desk.on_timer(30 * SECOND)
    assert kinds(facts) == [OrderChanged, QueryOrder, CancelOrder]
    assert facts[0].after is OrderState.UNKNOWN
    assert kinds(desk.on_timer(60 * SECOND)) == [QueryOrder, CancelOrder]


def test_doubts_of_one_order_are_one_look_up_a_timeout_however_often_the_venue_does_not_know():
    desk = execution()
    order_id = sent(desk)
    for timeout in range(1, 6):
        assert kinds(desk.on_timer(timeout * 30 * SECOND))[-2:] == [QueryOrder, CancelOrder]
        for _ in range(3):
            desk.on_report(report(R.UNKNOWN, order_id), timeout * 30 * SECOND)
    assert kinds(desk.on_timer(180 * SECOND)) == [QueryOrder, CancelOrder]


def test_accepted_order_with_a_lost_answer_is_one_live_order_and_then_cancelled():
    desk = execution()
    order_id = sent(desk)
    desk.on_timer(30 * SECOND)
    facts, _ = desk.on_report(report(R.ACKNOWLEDGED, order_id), 31 * SECOND)
    assert [item.after for item in facts] == [OrderState.WORKING, OrderState.PENDING_CANCEL]
    desk.on_report(report(R.CANCELLED, order_id), 32 * SECOND)
    assert not desk.orders.all_live()


def test_cancel_before_the_acknowledgement_is_sent_and_taken_up_by_it():
    desk = execution()
    order_id = sent(desk)
    assert kinds(desk.cancel_all("risk.stop", 1)) == [CancelOrder]
    assert desk.cancel_all("risk.stop", 2) == ()
    desk.on_report(report(R.ACKNOWLEDGED, order_id), 3)
    assert desk.orders.get(order_id).state is OrderState.PENDING_CANCEL


def test_late_cancel_answer_of_a_filled_order_is_no_anomaly():
    desk = execution()
    order_id = sent(desk)
    desk.on_report(report(R.ACKNOWLEDGED, order_id), 1)
    desk.cancel_all("risk.stop", 2)
    desk.on_report(filled(order_id, "t", 10), 3)
    facts, _ = desk.on_report(report(R.CANCEL_REJECTED, order_id), 4)
    assert (facts, desk.drain_reasons()) == ((), ())


def test_partial_fill_of_a_minute_is_remarked_on_once():
    desk = execution()
    desk.on_report(filled(sent(desk), "t", 4), 0)
    assert PartialStale not in kinds(desk.on_timer(60 * SECOND - 1))
    stale = [item for item in desk.on_timer(60 * SECOND) if isinstance(item, PartialStale)]
    assert [(item.leaves, item.proposal) for item in stale] == [(6, "reprice")]
    assert PartialStale not in kinds(desk.on_timer(200 * SECOND))


@pytest.mark.parametrize(("price", "far"), [(1009, False), (1010, True), (990, True)])
def test_fill_one_percent_from_the_mid_is_remarked_on(price, far):
    desk = execution()
    facts, _ = desk.on_report(filled(sent(desk), "t", 4, price), 0, 2000)
    assert (FillFar in kinds(facts)) is far


def rest(desk, number, ts):
    order_id = sent(desk, f"d{number}:0", ts)
    desk.on_report(report(R.ACKNOWLEDGED, order_id), ts)
    return order_id


def cancel_round(desk, number, ts):
    order_id = rest(desk, number, ts)
    facts = desk.cancel_all("strategy.replaced", ts)
    desk.on_report(report(R.CANCELLED, order_id), ts)
    return facts


def test_third_burst_of_cancels_in_a_day_stops_and_an_emergency_cancel_still_goes():
    desk = execution(cancels_minute=5)
    told, ts, number = [], 0, 0
    for burst in range(3):
        for _ in range(6):
            number, ts = number + 1, ts + SECOND
            cancel_round(desk, number, ts)
        told += desk.drain_reasons()
        ts += 120 * SECOND
        if burst < 2:
            desk.on_timer(ts)
            told += desk.drain_reasons()
    levels = [level for _, level in told]
    assert levels == [GuardLevel.PAUSED, GuardLevel.RUNNING, GuardLevel.PAUSED, GuardLevel.RUNNING, GuardLevel.STOPPED]
    assert CancelOrder in kinds(cancel_round(desk, 99, ts))


def test_the_whole_cancel_budget_may_be_used():
    desk = execution(cancels_minute=5)
    for number in range(5):
        cancel_round(desk, number, number)
    assert desk.drain_reasons() == ()


@pytest.mark.parametrize(("failures", "told"), [(7, []), (8, [("execution.failures", GuardLevel.STOPPED)])])
def test_eight_failed_cancels_in_a_row_stop(failures, told):
    desk = execution()
    order_id = rest(desk, 1, 0)
    for ts in range(failures):
        desk.cancel_all("strategy.replaced", ts)
        desk.on_report(report(R.CANCEL_REJECTED, order_id), ts)
    assert list(desk.drain_reasons()) == told


@pytest.mark.parametrize(("failures", "told"), [(5, []), (6, [("execution.failures", GuardLevel.STOPPED)])])
def test_six_evaluations_without_a_ready_venue_stop_and_tell_it_once(failures, told):
    desk = execution()
    for _ in range(failures):
        desk.on_evaluation(venue_ready=False, balances_consistent=True)
    assert list(desk.drain_reasons()) == told
    for _ in range(1000):
        desk.on_evaluation(venue_ready=False, balances_consistent=False)
    assert len(desk.drain_reasons()) == (0 if told else 1)


def test_third_rejection_in_a_row_cancels_what_is_pending_and_pauses():
    desk = execution()
    rest(desk, 0, 0)
    facts = ()
    for number in (1, 2, 3):
        order_id = sent(desk, f"d{number}:0", level=number)
        assert Escalated not in kinds(facts)
        facts, _ = desk.on_report(report(R.REJECTED, order_id, code="venue.balance"), number)
    assert kinds(facts) == [OrderChanged, Escalated, OrderChanged, CancelOrder]
    assert desk.drain_reasons() == (("execution.failed_in_row", GuardLevel.PAUSED),)


@pytest.mark.parametrize("code", ["venue.post_only_crosses", "control.halted", "venue.session_blocked"])
def test_rejections_of_quoting_and_of_a_halt_are_no_failed_executions(code):
    desk = execution()
    for number in range(5):
        desk.on_report(report(R.REJECTED, sent(desk, f"d{number}:0"), code=code), number)
    assert desk.drain_reasons() == ()


def test_approval_covers_less_and_never_more():
    desk = execution()
    order_id = rest(desk, 1, 0)
    assert desk.shrink(order_id, 11, 1) == ()
    assert kinds(desk.shrink(order_id, 6, 1)) == [OrderChanged, AmendOrder]
    desk.on_report(report(R.AMENDED, order_id), 2)
    assert (desk.orders.get(order_id).lots, desk.open_lots("mm", BTC, 1)) == (6, 6)


@given(st.text(max_size=20), st.integers(0, 9), st.integers(0, 9))
def test_client_order_id_is_the_base32_of_its_hash(decision, leg, attempt):
    raw = hashlib.blake2b(f"{decision}\x1f{leg}\x1f{attempt}".encode(), digest_size=16).digest()
    assert client_order_id(decision, leg, attempt) == "tw-" + base64.b32encode(raw).decode().rstrip("=").lower()
