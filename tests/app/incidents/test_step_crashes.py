"""A step of an incident is killed at each of its boundaries and asked again: it is there once, and in order (IN-02).

Each step runs in a process of its own that gets SIGKILL from itself: before the journal has it, after the journal has
it, before the answer lies there, and after. The next process finds the request in the box, or the person asks again.
"""

import os
import signal

import pytest

from tradeworthy.app.alerts import journal as alert_journal
from tradeworthy.app.alerts.journal import JOURNAL, AlertJournal, Mailbox, alert_facts, incidents_of
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.operations.incidents.actions import Stand
from tradeworthy.operations.incidents.acts import Request, Verb, act_on_incidents
from tradeworthy.operations.incidents.lifecycle import Phase, Role
from tradeworthy.operations.incidents.policy import IncidentPolicy

START, POLICY = 1_700_000_000 * NANOS_PER_SECOND, IncidentPolicy()
ONE = "INC-00001"
STEPS = {
    "open": Request(id="open", verb=Verb.OPEN, person="ann", text="odd", sev=2),
    "assign": Request(id="assign", verb=Verb.ASSIGN, person="ann", target=ONE, role=Role.COMMANDER, text="ada"),
    "ack": Request(id="ack", verb=Verb.ACK, person="ann", target=ONE),
    "note": Request(id="note", verb=Verb.NOTE, person="ann", target=ONE, text="seen", evidence=("aa11",)),
    "rate": Request(id="rate", verb=Verb.RATE, person="ann", target=ONE, sev=1),
    "clock": Request(id="clock", verb=Verb.CLOCK, person="ann", target=ONE, clock="personal_data", text="names leaked"),
    "file": Request(id="file", verb=Verb.FILE, person="ann", target=ONE, clock="personal_data", text="ref-1"),
    "mitigate": Request(id="mitigate", verb=Verb.MOVE, person="ann", target=ONE, phase=Phase.MITIGATED),
    "resolve": Request(id="resolve", verb=Verb.MOVE, person="ann", target=ONE, phase=Phase.RESOLVED),
    "false": Request(id="false", verb=Verb.FALSE, person="ann", target=ONE, text="the feed was fine"),
    "action": Request(id="action", verb=Verb.ACTION, person="ann", target=ONE, owner="bob", text="fix it",
                      due=START + 10**15),
    "done": Request(id="done", verb=Verb.END, person="bob", target="ACT-00001", stand=Stand.DONE, text="fixed"),
    "review": Request(id="review", verb=Verb.MOVE, person="ann", target=ONE, phase=Phase.REVIEWED, review="read"),
    "close": Request(id="close", verb=Verb.MOVE, person="ann", target=ONE, phase=Phase.CLOSED, cause="c", check="k",
                     failed_before="f", passed_after="p"),
}  # fmt: skip
BOUNDARIES = ("taken", "journal_open", "journaled", "closed", "answered", "nowhere")


def life(folder, boundary):
    """One process of the path: take what lies in the box, journal it, answer; killed at the boundary."""

    def here(name):
        if name == boundary:
            os.kill(os.getpid(), signal.SIGKILL)

    clock = EventClock(START)
    box = Mailbox(folder, clock)
    for asked in box.take():
        here("taken")
        book = incidents_of(folder, POLICY)
        told = []

        def keep(fact, told=told, book=book):
            told.append(fact)
            book.fold(fact)

        answer = act_on_incidents(book, asked, START, keep)
        journal = AlertJournal(folder / JOURNAL, clock, run_id=f"{asked.id}-{os.getpid()}")
        here("journal_open")
        journal.tell_all(told)
        here("journaled")
        journal.close()
        here("closed")
        box.answer(answer)
        here("answered")


def played(folder, boundary):
    """Run `life` in a child; returns whether it was killed."""
    child = os.fork()
    if child == 0:
        try:
            life(folder, boundary)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) is (boundary != "nowhere")
    return os.WIFSIGNALED(status)


def kinds(folder):
    return [event.kind for event in alert_facts(folder)]


def whole(folder, kill=("", "nowhere")):
    """Play every step in order; the step named is killed at the boundary and goes on in the next process."""
    for name, asked in STEPS.items():
        box = Mailbox(folder, EventClock(START))
        box.put(asked)
        if name == kill[0] and played(folder, kill[1]):
            if box.answer_of(asked.id) is None:
                played(folder, "nowhere")
            assert box.answer_of(asked.id).fault == ""
            box.put(asked)  # the person heard nothing, and asks again
        played(folder, "nowhere")
        assert box.answer_of(asked.id).fault == "", name
    book = incidents_of(folder, POLICY)
    return book.all, book.actions.all, book.clocks.all, kinds(folder)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    return whole(tmp_path_factory.mktemp("unbroken"))


@pytest.mark.parametrize("boundary", BOUNDARIES[:-1])
@pytest.mark.parametrize(
    "step", [name if name in ("open", "resolve") else pytest.param(name, marks=pytest.mark.proof) for name in STEPS]
)
def test_a_step_that_is_killed_at_a_boundary_is_there_once(step, boundary, unbroken, tmp_path):
    assert whole(tmp_path, (step, boundary)) == unbroken


def test_what_is_played_reaches_the_end_and_a_second_time_changes_nothing(unbroken, tmp_path):
    (incident,), (action,), (clock,), told = unbroken
    assert (incident.phase, action.stand, clock.ended) == (Phase.CLOSED, Stand.DONE, "filed")
    assert len(told) == len(STEPS)
    assert whole(tmp_path)[3] == told
    for asked in STEPS.values():
        Mailbox(tmp_path, EventClock(START)).put(asked)
    played(tmp_path, "nowhere")
    assert kinds(tmp_path) == told, "a step that was taken, and one that is refused by now, write nothing"


def test_a_request_lies_in_the_box_until_it_is_answered(tmp_path):
    clock = EventClock(START)
    Mailbox(tmp_path, clock).put(STEPS["open"])
    assert Mailbox(tmp_path, clock).take() == (STEPS["open"],)
    assert Mailbox(tmp_path, clock).take() == (STEPS["open"],), "the process died before it answered"
    (tmp_path / alert_journal.ASKED / "odd.json").write_bytes(b"no request")
    box = Mailbox(tmp_path, clock)
    assert box.take() == (STEPS["open"],)
    assert "expected a request" in box.answer_of("odd").fault
    assert not (tmp_path / alert_journal.ASKED / "odd.json").exists()



@pytest.mark.parametrize(("seconds", "offered"), [(600, True), (601, False)])
def test_a_request_that_nobody_took_for_ten_minutes_is_answered_and_not_done(seconds, offered, tmp_path):
    Mailbox(tmp_path, EventClock(START)).put(STEPS["open"])
    path = tmp_path / alert_journal.ASKED / "open.json"
    os.utime(path, ns=(START, START))
    box = Mailbox(tmp_path, EventClock(START + seconds * NANOS_PER_SECOND))
    assert bool(box.take()) is offered
    assert offered or "ask again" in box.answer_of("open").fault


def test_a_request_that_breaks_whoever_takes_it_is_given_up(tmp_path):
    clock = EventClock(START)
    box = Mailbox(tmp_path, clock)
    box.put(STEPS["open"])
    taken = 0
    for _ in range(6):
        taken += len(box.take())
        clock.sleep(alert_journal.ASK_EVERY_NS)
    assert taken == alert_journal.OFFERS_MAX
    assert "given up" in box.answer_of("open").fault
