"""A forced failure: its report has the alert, the receipts and the person, with their times."""

import asyncio

import pytest
from alert_scene import SECOND, START, Failing, Scene, Taking

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.acts import Request, Verb
from tradeworthy.operations.incidents.drills import (
    DRILL_CODE,
    DRILL_TASK,
    DrillReport,
    DrillWatch,
    Rehearsed,
    drill_reports,
    judge_drills,
    rendered,
)
from tradeworthy.operations.incidents.lifecycle import IncidentBook, Phase
from tradeworthy.operations.incidents.model import AlertSeverity, Receipt, Signal
from tradeworthy.operations.incidents.policy import IncidentPolicy


def drilled(transports, *, ack_after=None, wait=30):
    """Play a drill; the supervisor's escalation is what a desk's alerting makes of it."""
    scene = Scene(transports)

    def escalated(told, cause):
        assert told.task == f"{DRILL_TASK}d1"
        scene.path.tell(Signal(
            code=DRILL_CODE, category="x.drill", message="DRILL", subject="d1", severity=AlertSeverity.CRITICAL
        ))  # fmt: skip

    scene.calm.escalate = escalated

    async def play():
        assert scene.path.act(Request(id="d1", verb=Verb.DRILL, person="ada")).found == "d1"
        await asyncio.sleep(ack_after or 0)
        if ack_after:
            scene.path.act(Request(id="a", verb=Verb.ACK, person="bob", target=scene.path.book.firing[0].id))
        await asyncio.sleep(wait)

    scene.run(play)
    (alert,) = [one for one in scene.record.facts if getattr(one, "code", "") == DRILL_CODE and hasattr(one, "since")]
    receipts = tuple(one for one in scene.record.of(Receipt) if alert.id in one.alerts)
    return scene, drill_reports([Rehearsed(alert, receipts, "bob" if ack_after else "")], scene.incidents.all)[0]


def test_a_drill_is_answered_and_measured_and_its_incident_counts_apart():
    scene, report = drilled({"one": Taking(0.25), "two": Failing()}, ack_after=40)
    assert report.passed
    assert report.answered_ns == pytest.approx(40 * SECOND, abs=10)
    assert report.reached == {"one": 250_000_000}
    assert "connection reset" in report.unreached["two"]
    assert scene.incidents.get(report.incident).opened.drill
    means = scene.incidents.means(scene.clock.now())
    assert (means.mtta.n, means.drills_mtta.n) == (0, 1)
    assert "bob took it after 40.0 s" in rendered(report)


def test_a_drill_that_nobody_takes_has_not_passed_and_never_reduces_the_desk():
    scene, report = drilled({"one": Taking(), "two": Taking()}, wait=1_000)
    assert not report.passed
    assert "nobody took it" in rendered(report)
    assert scene.reducing.now == {}


def test_a_drill_that_no_channel_took_has_not_passed():
    assert not DrillReport(drill="d", at=START, alert="a", answered_ns=1).passed


@pytest.mark.parametrize(("days", "expected"), [
    (None, Severity.UNKNOWN), (89.99, Severity.OK), (90, Severity.FAIL), (91, Severity.FAIL),
])
def test_a_drill_is_due_when_its_days_are_reached(days, expected):
    passed = DrillReport(drill="d", at=START, alert="a", reached={"one": 1}, answered_ns=1)
    reports = () if days is None else (passed,)
    assert judge_drills(reports, 90, START + round((days or 0) * NANOS_PER_DAY)).severity is expected


def test_one_that_failed_since_does_not_count():
    failed = DrillReport(drill="e", at=START)
    assert judge_drills((failed,), 90, START).severity is Severity.UNKNOWN


def due_told(days, *, since=START, answered=None):
    """Return what a watch tells at so many days, having looked at the start."""
    book = IncidentBook(IncidentPolicy())
    watch = DrillWatch(book, 90, since)
    first = watch.look(START)
    if answered is not None:
        book.fold(book.open_by("ann", "drill", 2, START, drill=True))
        book.fold(book.move("INC-00001", Phase.ACKNOWLEDGED, "bob", START + round(answered * NANOS_PER_DAY)))
    return [(one.code, one.firing) for one in (*first, *watch.look(START + round(days * NANOS_PER_DAY)))]


@pytest.mark.parametrize(("days", "since", "answered", "told"), [
    (89.99, START, None, []), (90, START, None, [("incident_response.drill_due", True)]), (90, None, None,
    [("incident_response.drill_due", True)]), (100, START, 50, []), (140, START, 50,
    [("incident_response.drill_due", True)]),
])
def test_a_drill_that_is_due_is_told_by_the_running_path(days, since, answered, told):
    assert due_told(days, since=since, answered=answered) == told


def test_a_drill_of_an_earlier_life_that_is_long_ago_is_due_at_once_and_an_answered_one_ends_it():
    book = IncidentBook(IncidentPolicy())
    watch = DrillWatch(book, 90, START - 90 * NANOS_PER_DAY)
    assert [one.firing for one in watch.look(START)] == [True]
    assert watch.look(START) == ()
    book.fold(book.open_by("ann", "drill", 2, START, drill=True))
    book.fold(book.move("INC-00001", Phase.ACKNOWLEDGED, "bob", START + 1))
    assert [one.firing for one in watch.look(START + 2)] == [False]
