"""Reviews to their days, roles of an incident, and heartbeats to the outside (IN-06, IN-02, AR-15)."""

import msgspec
import pytest
from alert_scene import SECOND, START, Scene, policy_of

from tradeworthy.app.alerts.duties import ReviewWatch
from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.judge import judge_incidents
from tradeworthy.operations.incidents.lifecycle import IncidentBook, IncidentRefused, Phase, Role
from tradeworthy.operations.incidents.model import Purpose
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.reviews import reviews_owed

POLICY = IncidentPolicy()
TUESDAY = START
"""2023-11-14T22:13:20Z."""


def resolved(sev, *, drill=False):
    book = IncidentBook(POLICY)
    book.fold(book.open_by("ada", "odd", sev, TUESDAY - 60 * SECOND, drill=drill))
    for phase in (Phase.ACKNOWLEDGED, Phase.RESOLVED):
        book.fold(book.move("INC-00001", phase, "ada", TUESDAY))
    return book


@pytest.mark.parametrize(("sev", "days", "expected"), [
    (1, 2.99, Severity.OK), (1, 3, Severity.WARN), (1, 7.99, Severity.WARN), (1, 8, Severity.FAIL),
    (2, 6.99, Severity.OK), (2, 7, Severity.WARN), (2, 12, Severity.FAIL),
])
def test_a_review_is_due_after_three_days_or_five_business_days_and_fails_five_days_later(sev, days, expected):
    now = TUESDAY + round(days * NANOS_PER_DAY)
    assert [one.severity for one in reviews_owed(resolved(sev).all, POLICY, now)] == [expected]
    found = {one.code: one.severity for one in judge_incidents(resolved(sev), POLICY, now)}
    assert found["incident_response.review_overdue"] is expected


def test_milder_ones_drills_and_reviewed_ones_owe_nothing():
    late = TUESDAY + 30 * NANOS_PER_DAY
    assert reviews_owed(resolved(3).all, POLICY, late) == ()
    assert reviews_owed(resolved(1, drill=True).all, POLICY, late) == ()
    book = resolved(1)
    book.fold(book.move("INC-00001", Phase.REVIEWED, "ada", late, review="r"))
    assert reviews_owed(book.all, POLICY, late) == ()


def test_people_hear_once_when_it_is_late_once_when_it_is_worse_and_when_it_is_written():
    book = resolved(1)
    watch = ReviewWatch(book, POLICY)
    told = []
    for hour in range(24 * 10):
        told += [(hour, one.severity.value, one.firing) for one in watch.look(TUESDAY + hour * 3_600 * SECOND)]
    assert told == [(72, "warning", True), (192, "error", True)]
    book.fold(book.move("INC-00001", Phase.REVIEWED, "ada", TUESDAY + 10 * NANOS_PER_DAY, review="r"))
    assert [one.firing for one in watch.look(TUESDAY + 10 * NANOS_PER_DAY)] == [False]


def test_the_commander_of_a_sev_1_is_not_its_scribe():
    book = IncidentBook(POLICY)
    book.fold(book.open_by("ada", "fire", 1, START))
    book.fold(book.assign("INC-00001", Role.COMMANDER, "ada", "ada", START))
    assert book.assign("INC-00001", Role.COMMANDER, "ada", "ada", START) is None
    with pytest.raises(IncidentRefused, match="cannot be its scribe"):
        book.assign("INC-00001", Role.SCRIBE, "ada", "bob", START)
    book.fold(book.assign("INC-00001", Role.SCRIBE, "bob", "ada", START))
    assert book.get("INC-00001").roles == {"commander": "ada", "scribe": "bob"}
    with pytest.raises(IncidentRefused):
        book.assign("INC-00001", Role.LIAISON, "", "ada", START)


def test_in_a_milder_incident_one_person_may_do_both():
    book = IncidentBook(POLICY)
    book.fold(book.open_by("ada", "odd", 2, START))
    book.fold(book.assign("INC-00001", Role.COMMANDER, "ada", "ada", START))
    assert book.assign("INC-00001", Role.SCRIBE, "ada", "ada", START) is not None


def test_heartbeats_leave_each_minute_and_end_with_the_process():
    usual = policy_of()
    alerts = msgspec.structs.replace(usual.alerts, dead_man_channel="one")
    scene = Scene(policy=msgspec.structs.replace(usual, alerts=alerts))
    scene.after(301)
    beats = [one for one in scene.transports["one"].notices if one.purpose is Purpose.CANARY]
    assert len(beats) == 6
    assert "page after 120 s of silence" in beats[0].title
