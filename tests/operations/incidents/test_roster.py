"""Who is on call: a gap warns two weeks ahead, is no GO three days ahead, and pages when it is there."""

import json
import math
from datetime import UTC, datetime, timedelta

import pytest

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.ladder_policy import EscalationPolicy
from tradeworthy.operations.incidents.model import AlertSeverity
from tradeworthy.operations.incidents.policy import AlertPolicy
from tradeworthy.operations.incidents.roster import (
    RosterFacts,
    judge_roster,
    on_shift,
    read_roster,
    roster_facts,
    roster_signals,
)
from tradeworthy.operations.incidents.routing import Routing

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
NOW = round(MONDAY.timestamp()) * NANOS_PER_SECOND
HOUR = 3_600 * NANOS_PER_SECOND
POLICY = EscalationPolicy()
WAYS = [{"transport": "sms", "address": "1"}, {"transport": "email", "address": "a"}]


def raw(**changed):
    """Return a roster of twenty days: ada is primary and bob secondary, a shift a day."""
    shifts = [
        {
            "begin": (MONDAY + timedelta(days=day)).isoformat(), "end": (MONDAY + timedelta(days=day + 1)).isoformat(),
            "primary": ["ada"], "secondary": ["bob"],
        }
        for day in range(20)
    ]  # fmt: skip
    people = [{"name": name, "zone": "Europe/Berlin", "contacts": WAYS} for name in ("ada", "bob")]
    return {"as_of": MONDAY.isoformat(), "people": people, "shifts": shifts} | changed


def facts_of(raw, now=NOW, tests=None):
    reached = {(name, way["transport"]): NOW for name in ("ada", "bob") for way in WAYS}
    return roster_facts(read_roster(json.dumps(raw).encode()), reached if tests is None else tests, POLICY, now)


def severities(raw, now=NOW, tests=None):
    found = judge_roster(facts_of(raw, now, tests), POLICY)
    return {one.code.rpartition(".")[2]: (one.severity, one.urgency) for one in found}


def without(day):
    shifts = raw()["shifts"]
    del shifts[day]
    return raw(shifts=shifts)


def test_a_whole_roster_is_covered():
    assert {one for one, _ in severities(raw()).values()} == {Severity.OK}
    assert facts_of(raw()).primary_gap_hours == math.inf


@pytest.mark.parametrize(("day", "expected"), [
    (13, (Severity.WARN, AlertSeverity.WARNING)), (4, (Severity.WARN, AlertSeverity.WARNING)),
    (3, (Severity.FAIL, AlertSeverity.ERROR)), (1, (Severity.FAIL, AlertSeverity.ERROR)),
    (0, (Severity.FAIL, AlertSeverity.CRITICAL)), (14, (Severity.OK, AlertSeverity.INFO)),
])  # fmt: skip
def test_a_deleted_shift_is_no_go_before_the_gap(day, expected):
    found = severities(without(day))
    assert found["primary"] == found["secondary"] == expected


def test_the_edge_of_three_days_is_an_error_and_an_hour_before_it_a_warning():
    assert severities(without(3), NOW)["primary"][1] is AlertSeverity.ERROR
    assert severities(without(3), NOW - HOUR)["primary"][1] is not AlertSeverity.ERROR


@pytest.mark.parametrize(("hours", "expected"), [(-1, Severity.FAIL), (23.9, Severity.OK), (24, Severity.FAIL)])
def test_a_roster_is_stale_after_a_day_and_never_from_the_future(hours, expected):
    assert severities(raw(), NOW + round(hours * HOUR))["stale"][0] is expected


def test_nobody_is_on_both_and_everybody_has_two_contacts_and_a_zone():
    both = raw()
    both["shifts"][2]["secondary"] = ["ada"]
    assert facts_of(both).on_both == ("ada",)
    short = raw(people=[{"name": "ada", "zone": "Mars/Base", "contacts": WAYS[:1]}])
    found = facts_of(short)
    assert (found.short, found.unknown) == (("ada",), ("bob", "Mars/Base"))
    assert severities(short)["contacts"][0] is Severity.FAIL


@pytest.mark.parametrize(("days", "expected"), [(29.9, Severity.OK), (30, Severity.FAIL)])
def test_a_contact_must_have_answered_within_thirty_days(days, expected):
    tests = {
        (name, way["transport"]): NOW - round(days * NANOS_PER_DAY) for name in ("ada", "bob") for way in WAYS
    }  # fmt: skip
    assert severities(raw(), tests=tests)["contact_test"][0] is expected
    assert severities(raw(), tests={})["contact_test"][0] is Severity.FAIL


def test_no_roster_is_unknown():
    assert [one.severity for one in judge_roster(RosterFacts(), POLICY)] == [Severity.UNKNOWN]


def test_who_is_on_shift_changes_at_its_end():
    roster = read_roster(json.dumps(raw()).encode())
    assert on_shift(roster, NOW) == (("ada",), ("bob",))
    assert on_shift(roster, NOW + 20 * NANOS_PER_DAY) == ((), ())


@pytest.mark.parametrize("data", [
    b"", b"[]", json.dumps(raw(as_of="2026-03-02T00:00:00")).encode(),
    json.dumps(raw(shifts=[{"begin": MONDAY.isoformat(), "end": MONDAY.isoformat(), "primary": [], "secondary": []}]))
    .encode(),
])
def test_what_is_no_roster_is_refused(data):
    with pytest.raises(UsageError):
        read_roster(data)


def test_every_finding_reaches_somebody():
    routing = Routing(AlertPolicy())
    for one in roster_signals(judge_roster(facts_of(without(0)), POLICY)):
        assert routing.knows(one.category), one.code
