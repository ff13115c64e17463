"""How incidents are answered, at each limit, and the draft of a review."""

import pytest
from alert_scene import SECOND, START

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.judge import judge_incidents
from tradeworthy.operations.incidents.lifecycle import IncidentBook, Phase
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.postmortem import Told, postmortem

MINUTE, HOUR = 60 * SECOND, 3_600 * SECOND
OK, WARN, UNKNOWN, FAIL = Severity


def book_of(*rows):
    """Return a book of incidents given as (sev, minutes to acknowledge, minutes to resolve), None for not yet."""
    book = IncidentBook(IncidentPolicy())
    for n, (sev, ack, fix) in enumerate(rows, 1):
        name = f"INC-{n:05d}"
        book.fold(book.open_by("ann", f"i{n}", sev, START))
        for minutes, phase in ((ack, Phase.ACKNOWLEDGED), (fix, Phase.RESOLVED)):
            if minutes is not None:
                book.fold(book.move(name, phase, "ann", START + round(minutes * MINUTE)))
    return book


def judged(book, now):
    checks = judge_incidents(book, IncidentPolicy(), now)
    return {one.code.removeprefix("incident_response."): one.severity for one in checks}


def test_without_incidents_nothing_is_broken():
    assert set(judged(book_of(), START).values()) == {OK}


@pytest.mark.parametrize(("open_", "expected"), [(0, OK), (1, WARN), (2, FAIL), (3, FAIL)])
def test_open_grave_incidents(open_, expected):
    assert judged(book_of(*[(2, 1, None)] * open_, (3, 1, None)), START + HOUR)["open_incidents"] is expected


@pytest.mark.parametrize(
    ("ack", "fix", "mtta", "mttr"),
    [
        (29.9, 179.9, OK, OK), (30, 180, WARN, WARN), (59.9, 359.9, WARN, WARN), (60, 360, FAIL, FAIL),
        (1, None, OK, UNKNOWN), (None, None, UNKNOWN, UNKNOWN),
    ],
)  # fmt: skip
def test_means_at_their_limits(ack, fix, mtta, mttr):
    found = judged(book_of((3, ack, fix)), START + 10 * HOUR)
    assert (found["mtta"], found["mttr"]) == (mtta, mttr)


@pytest.mark.parametrize(("hours", "expected"), [(23.99, OK), (24, WARN), (47.99, WARN), (48, FAIL)])
def test_a_review_that_waits(hours, expected):
    at = START + 2 * MINUTE + round(hours * HOUR)
    assert judged(book_of((3, 1, 2)), at)["postmortem_backlog"] is expected


def test_nobody_acknowledged_in_time():
    assert judged(book_of((1, None, None)), START + 5 * MINUTE)["late"] is FAIL
    assert judged(book_of((1, None, None)), START + 5 * MINUTE - 1)["late"] is OK


def test_a_draft_holds_the_facts_and_leaves_cause_and_lessons_to_people():
    book = book_of((1, 2, 10))
    book.fold(book.note("INC-00001", "bob", "saw the gap", START + 3 * MINUTE, ("aa11",)))
    draft = postmortem(book.get("INC-00001"), Told())
    assert "| severity | SEV-1 |" in draft
    assert "| duration | 600.0 s |" in draft
    assert "bob: saw the gap" in draft
    assert "- `aa11`" in draft
    assert draft.count("_to be written_") == 3
    book.fold(book.move("INC-00001", Phase.REVIEWED, "ann", START + HOUR, review="read the book"))
    words = {"cause": "a leak", "check": "risk.x", "failed_before": "f0", "passed_after": "p0"}
    book.fold(book.move("INC-00001", Phase.CLOSED, "ann", START + HOUR, **words))
    done = postmortem(book.get("INC-00001"), Told())
    assert "_to be written_" not in done
    assert "`risk.x`: failed on f0, passes on p0" in done
    assert done == postmortem(book.get("INC-00001"), Told())
