"""A desk's death, hang and kill, proved from outside: the venue in another process shows no order (WD-02, KS-02)."""

import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request

import msgspec
import pytest
from halt_scene import FAST, SECOND, DeskProcess, ServedVenue, until

from tradeworthy.adapters.venue_line import EmergencyLine
from tradeworthy.kernel.supervision.incident import IncidentCause, Outcome
from tradeworthy.trading.control.certificate import Flatness

FLAT_WITHIN_S = 7.0
"""From the beginning of a block to no open order (WD-02)."""


@pytest.fixture
def venue(tmp_path):
    one = ServedVenue(tmp_path)
    yield one
    one.end()


@pytest.fixture
def desk(tmp_path, venue):
    made = []

    def start(policy=FAST, **options):
        made.append(DeskProcess(tmp_path, venue, policy, **options))
        return made[-1]

    yield start
    for one in made:
        one.end()


def flat(venue):
    return not venue.view().open_orders


def no_order_after(venue, seconds=0.5):
    """Tell whether no order is taken for a while, and none is open at its end."""
    before = venue.view().orders
    time.sleep(seconds)
    view = venue.view()
    return view.orders == before and not view.open_orders


def test_a_blocked_loop_ends_with_no_open_order_and_a_certificate(desk, venue):
    one = desk()
    one.tell("block", "4")
    began = time.monotonic()
    incident = one.incident()
    assert incident.cause is IncidentCause.LOOP_HUNG
    assert time.monotonic() - began <= FLAT_WITHIN_S
    assert [(act.name, act.outcome) for act in incident.acts] == [
        ("trip", Outcome.DONE), ("stacks", Outcome.DONE), ("cancel", Outcome.VERIFIED), ("record", Outcome.DONE),
        ("page", Outcome.DONE),
    ]  # fmt: skip
    assert flat(venue)
    (judged,) = one.certificates()
    assert (judged.faults, judged.certificate.outcome) == ((), Flatness.VERIFIED)
    assert judged.certificate.cause == "loop_hung"
    assert one.stops() == {"watchdog.loop_hung"}
    one.line("unblocked")
    assert no_order_after(venue), "the loop turns again: the flag holds its orders back"
    assert len(one.pages()) == 1


@pytest.mark.parametrize(("how", "cause"), [(signal.SIGSTOP, "process_stopped"), (signal.SIGKILL, "process_gone")])
def test_a_stopped_or_killed_desk_leaves_no_open_order(desk, venue, how, cause):
    one = desk()
    os.kill(one.process.pid, how)
    began = time.monotonic()
    until(lambda: flat(venue))
    assert time.monotonic() - began <= FLAT_WITHIN_S
    assert one.incident().cause.value == cause
    assert one.certificates()[-1].certificate.outcome is Flatness.VERIFIED
    assert no_order_after(venue)
    if how is signal.SIGSTOP:
        os.kill(one.process.pid, signal.SIGCONT)
        assert no_order_after(venue), "what was under way when the process stopped stays out"


def test_a_killed_desk_whose_venue_cancels_on_disconnect_is_flat_at_once(desk, venue):
    one = desk(cancel_on_disconnect=True)
    os.kill(one.watchdog, signal.SIGSTOP)
    one.process.kill()
    until(lambda: flat(venue), 1.0)
    assert {cancel.by for cancel in venue.view().cancels if cancel.answer == "taken off"} == {"small"}


DEAD = {
    "all alive": (), "journal dead": ("journal",), "bus dead": ("bus",), "loop dead": ("block",),
    "all dead": ("journal", "bus", "block"),
}  # fmt: skip


@pytest.mark.parametrize("dead", DEAD.values(), ids=DEAD)
def test_a_kill_works_with_journal_bus_and_loop_dead(desk, venue, dead):
    one = desk()
    for what in dead:
        one.tell(*((what, "3") if what == "block" else (what,)))
    if "block" in dead:
        one.line("blocking")
    halt = one.kill_switch()
    judged = one.certificate(halt)
    assert (judged.faults, judged.certificate.outcome) == ((), Flatness.VERIFIED)
    steps = {step.name: step for step in judged.certificate.steps}
    assert {name for name, step in steps.items() if not step.in_time} == set()
    assert judged.certificate.cancels
    assert "operator.kill" in one.stops()
    assert no_order_after(venue)


def test_a_refused_cancel_is_partial_is_tried_and_paged_again_and_then_verified(desk, venue):
    one = desk(msgspec.structs.replace(FAST, verify_within_s=0.5, hang_after_s=30.0))
    one.tell("block", "10")  # else the desk's own cancels take the orders off
    one.line("blocking")
    venue.fail(refuse_cancels=8)
    halt = one.kill_switch()
    judged = one.certificate(halt)
    outcomes = [found.certificate.outcome for found in one.certificates()]
    assert outcomes[0] is Flatness.PARTIAL
    assert "refuses" in one.certificates()[0].certificate.problem
    assert judged.certificate.outcome is Flatness.VERIFIED
    assert len(until(lambda: len(one.pages()) == len(outcomes) and one.pages())) >= 2


def test_a_half_open_connection_is_unverified_until_the_venue_answers(desk, venue):
    one = desk(msgspec.structs.replace(FAST, verify_within_s=0.5))
    venue.fail(silent="unanswered", scopes=("cancel_only", "trade"))
    halt = one.kill_switch()
    first = until(one.certificates)[0].certificate
    assert (first.outcome, first.view_at) == (Flatness.UNVERIFIED, None)
    venue.fail()
    assert one.certificate(halt).certificate.outcome is Flatness.VERIFIED
    assert no_order_after(venue)


def test_a_kill_of_one_scope_leaves_the_rest(desk, venue):
    one = desk()
    judged = one.certificate(one.kill_switch(scope="strategy:another"))
    assert judged.certificate.outcome is Flatness.VERIFIED
    assert judged.certificate.cancels == ()
    assert until(one.trading)  # it may just be replacing its quotes
    assert one.certificate(one.kill_switch(scope="strategy:touch")).certificate.outcome is Flatness.VERIFIED
    assert no_order_after(venue)


def test_a_desk_trades_again_after_it_was_armed_again(desk, venue):
    one = desk()
    one.certificate(one.kill_switch())
    one.rearm()
    assert until(one.trading)


def test_the_watchdog_answers_for_a_loop_that_hangs(desk, venue):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    one = desk(http=f"127.0.0.1:{port}")

    def asked(path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as problem:
            return problem.code, json.load(problem)

    assert [asked(path)[0] for path in ("/live", "/health", "/other")] == [200, 200, 404]
    one.tell("block", "5")
    one.line("blocking")
    time.sleep(FAST.hang_after_s + 0.2)
    for path in ("/live", "/health"):
        status, body = asked(path)
        assert (status, body["status"], body["run_id"]) == (503, "FAIL", "run-1")
        assert "loop_hung" in body["checks"][0]["summary"]


def test_an_old_watchdog_can_do_nothing(desk, venue):
    one = desk()
    stale = EmergencyLine(venue.url, venue.clock, name="watchdog-1", token=1)
    stale.greet()
    os.kill(one.watchdog, signal.SIGSTOP)
    one.line("release")
    with pytest.raises(PermissionError, match="older than 2"):
        stale.take_off(("desk",), token=1)
    assert until(one.trading)
    stale.close()


def test_an_orderly_end_leaves_no_incident_and_no_certificate(desk, venue):
    one = desk()
    one.tell("end")
    assert one.process.wait(10) == 0
    assert one.incidents() == ()
    assert one.certificates() == []


def test_the_times_of_a_kill_are_inside_their_limits(desk, venue):
    one = desk()
    made = one.certificate(one.kill_switch()).certificate
    steps = {step.name: step.after_ns for step in made.steps}
    assert steps["no_new_order"] < 0.05 * SECOND
    assert steps["cancels_dispatched"] < 0.25 * SECOND
