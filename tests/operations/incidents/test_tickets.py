"""A ticket asks for a commander, takes down the snapshot of a stop, and holds the desk at its first and its last."""

import asyncio

import pytest
from alert_scene import SECOND, START, Scene, signal

from tradeworthy.operations.incidents.acts import Request, Verb
from tradeworthy.operations.incidents.lifecycle import (
    IncidentBook,
    IncidentNoted,
    IncidentOpened,
    Phase,
    Role,
    replayed,
)
from tradeworthy.operations.incidents.model import AlertSeverity
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.reviews import unled
from tradeworthy.operations.incidents.scene import IncidentCircumstances
from tradeworthy.operations.incidents.tickets import TicketWatch, snapshots_of
from tradeworthy.trading.control.forensic import SnapshotTaken

MINUTE = 60 * SECOND
POLICY = IncidentPolicy()


def opened(sev=1, *, drill=False):
    book = IncidentBook(POLICY)
    book.fold(book.open_by("ann", "odd", sev, START, drill=drill))
    return book


def watch(book, taken=None):
    return TicketWatch(book, POLICY, lambda: taken)


@pytest.mark.parametrize(("sev", "minutes", "drill", "asks"), [
    (1, 4.999, False, False), (1, 5, False, True), (2, 5, False, True), (3, 60, False, False), (1, 60, True, False),
])
def test_a_grave_incident_without_a_commander_asks_for_one_from_five_minutes_on(sev, minutes, drill, asks):
    book = opened(sev, drill=drill)
    told = watch(book).look(START + round(minutes * MINUTE)).signals
    assert [(one.code, one.subject, one.firing) for one in told] == (
        [("incident_response.no_commander", "INC-00001", True)] if asks else []
    )
    assert all("assign DESK INC-00001 commander" in one.message for one in told)


def test_it_asks_once_and_says_who_commands():
    book = opened()
    look = watch(book)
    assert [one.firing for one in look.look(START + 5 * MINUTE).signals] == [True]
    assert look.look(START + 6 * MINUTE).signals == ()
    book.fold(book.assign("INC-00001", Role.COMMANDER, "ada", "ann", START + 7 * MINUTE))
    (over,) = look.look(START + 8 * MINUTE).signals
    assert (over.firing, over.message) == (False, "ada commands INC-00001")
    assert unled(book.all, POLICY, START + 60 * MINUTE) == ()


def taken(at, name="snap-1"):
    return SnapshotTaken(name, "INC-x", at, 1, "h", (), "clean")


def test_the_snapshot_of_a_stop_is_written_into_the_sev_1_once():
    book = opened()
    look = watch(book, taken(START + SECOND))
    (note,) = look.look(START + 2 * SECOND).facts
    assert (note.person, note.evidence) == ("desk", ("snap-1",))
    assert look.look(START + 3 * SECOND).facts == ()
    assert snapshots_of(book.get("INC-00001")) == ("snap-1",)


@pytest.mark.parametrize(("book", "snapshot"), [
    (opened(), None), (opened(), taken(START - 1)), (opened(2), taken(START + SECOND)),
    (opened(drill=True), taken(START + SECOND)),
])
def test_no_snapshot_an_older_one_a_milder_incident_and_a_drill_write_nothing(book, snapshot):
    assert watch(book, snapshot).look(START + MINUTE).facts == ()


def seen(incident, phase, at):
    return IncidentCircumstances(incident=incident, phase=phase, at=at, run="r1", seq=7 if phase == "open" else 9)


def test_the_path_takes_down_what_the_desk_held_when_it_opened_and_when_it_resolved():
    scene = Scene(scene=seen)

    async def play():
        scene.path.tell(signal("kill.flat", severity=AlertSeverity.CRITICAL, category="kill.flat", cause="journal:5"))
        await asyncio.sleep(1.0)
        for n, phase in enumerate((Phase.ACKNOWLEDGED, Phase.MITIGATED, Phase.RESOLVED)):
            scene.path.act(Request(id=f"q{n}", verb=Verb.MOVE, person="ann", target="INC-00001", phase=phase))
        scene.path.act(Request(id="q9", verb=Verb.OPEN, person="ann", text="odd"))
        await asyncio.sleep(1.0)

    scene.run(play)
    held = [(one.incident, one.phase, one.seq) for one in scene.record.of(IncidentCircumstances)]
    assert held == [("INC-00001", "open", 7), ("INC-00001", "resolved", 9), ("INC-00002", "open", 7)]
    (first, _) = scene.record.of(IncidentOpened)
    assert first.cause == "journal:5"
    book = replayed(scene.record.facts, POLICY)
    assert (book.get("INC-00001").began.seq, book.get("INC-00001").ended.seq) == (7, 9)
    assert book.get("INC-00002").ended is None
    assert book.all == scene.incidents.all


def test_the_same_request_opens_and_notes_once():
    scene = Scene()
    asked = Request(id="q1", verb=Verb.OPEN, person="ann", text="odd")
    note = Request(id="q2", verb=Verb.NOTE, person="ann", text="seen", target="INC-00001")

    async def play():
        answers = [scene.path.act(asked), scene.path.act(note)]
        scene.path._people._answered.clear()  # what a new process knows
        assert [scene.path.act(asked), scene.path.act(note)] == answers

    scene.run(play)
    assert len(scene.record.of(IncidentOpened)) == len(scene.record.of(IncidentNoted)) == 1
