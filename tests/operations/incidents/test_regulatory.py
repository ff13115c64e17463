"""Clocks of law on a moved clock: each alarm, a missed one, a filing, and a signed decision (IN-08, IN-04)."""

import asyncio
from datetime import UTC, date, datetime

import msgspec
import pytest
from alert_scene import SECOND, START, Scene, policy_of, signal

from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.operations.incidents.acts import Request, Verb, act_on_incidents
from tradeworthy.operations.incidents.business_days import open_days_of
from tradeworthy.operations.incidents.lifecycle import IncidentBook, IncidentOpened, Phase
from tradeworthy.operations.incidents.model import AlertSeverity
from tradeworthy.operations.incidents.policy import CLOCKS, ClockPolicy, IncidentPolicy
from tradeworthy.operations.incidents.regulatory import (
    Brought,
    ClockAlarmed,
    ClockBook,
    ClockRefused,
    ClockStarted,
    Concern,
    NoticeDrafted,
    due_of,
)
from tradeworthy.trading.model import GuardLevel

HOUR, MINUTE = 3_600 * SECOND, 60 * SECOND
ICT = IncidentPolicy(rule_packs=("ict",))
ONE = Concern("INC-00001", 2, "venue.down", START, START + HOUR, "venue is down")


def looked(book, now, concerns=(ONE,), keep=lambda name, text: None):
    found = book.look(concerns, now, keep)
    return found, [(one.code, one.component, one.severity.value, one.firing) for one in found.signals]


def at(text):
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize(("clock", "since", "due"), [
    ("ict_early", "2026-03-02T10:00", "2026-03-02T14:00"), ("ict_aware", "2026-03-02T10:00", "2026-03-03T10:00"),
    ("ict_intermediate", "2026-03-02T10:00", "2026-03-05T10:00"), ("ict_final", "2026-01-31T10:00", "2026-02-28T10:00"),
    ("ict_final", "2026-12-15T10:00", "2027-01-15T10:00"), ("market_systems", "2026-03-02T10:00", "2026-03-03T10:00"),
    ("personal_data", "2026-03-02T10:00", "2026-03-05T10:00"), ("swap_data", "2026-03-02T10:00", "2026-03-11T10:00"),
    ("transaction_report", "2026-03-06T10:00", "2026-03-09T10:00"),
    ("suspicious_activity", "2026-03-02T10:00", "2026-04-01T10:00"),
])
def test_each_clock_ends_when_its_row_says(clock, since, due):
    policy = next(one for one in CLOCKS if one.id == clock)
    assert due_of(policy, at(since)) == at(due)


def test_without_a_rule_pack_no_clock_runs():
    found, _ = looked(ClockBook(IncidentPolicy()), START)
    assert found == Brought((), ())


@pytest.mark.parametrize(("sev", "code", "clocks"), [
    (2, "venue.down", 4), (1, "kill", 4), (3, "venue.down", 0),
])
def test_clocks_start_by_themselves_for_grave_incidents(sev, code, clocks):
    found, _ = looked(ClockBook(ICT), START + 2 * HOUR, [ONE._replace(sev=sev, code=code)])
    started = [one for one in found.facts if isinstance(one, ClockStarted)]
    assert len(started) == clocks
    assert sum(isinstance(one, NoticeDrafted) for one in found.facts) == clocks
    if clocks:
        assert (started[0].clock, started[0].since) == ("ict_early", START + HOUR)
        assert (started[1].clock, started[1].since) == ("ict_aware", START)


def test_alarms_come_at_half_at_four_fifths_and_when_it_is_missed_each_once():
    book = ClockBook(IncidentPolicy(rule_packs=("market_systems",)))
    seen = []
    for minute in range(0, 25 * 60, 1):
        found, _ = looked(book, START + minute * MINUTE)
        seen += [(minute, one.code, one.severity.value) for one in found.signals]
    assert seen == [
        (12 * 60, "regulatory.alarm", "warning"), (1_152, "regulatory.alarm", "error"),
        (24 * 60, "regulatory.missed", "critical"),
    ]  # fmt: skip
    assert book.all[0].ended == "missed"


def test_a_filing_ends_a_clock_and_its_alarm():
    book = ClockBook(IncidentPolicy(rule_packs=("market_systems",)))
    looked(book, START)
    looked(book, START + 13 * HOUR)
    for person, reference in (("", "R-1"), ("ada", "")):
        with pytest.raises(ClockRefused):
            book.file("INC-00001", "market_systems", person, reference, START)
    with pytest.raises(ClockRefused, match="INC-00001 market_systems"):
        book.file("INC-00001", "ict_early", "ada", "R-1", START)
    book.fold(book.file("INC-00001", "market_systems", "ada", "R-1", START + 14 * HOUR))
    _, told = looked(book, START + 30 * HOUR)
    assert told == [("regulatory.alarm", "market_systems", "info", False)]


def test_not_applicable_is_a_signed_decision():
    book = ClockBook(IncidentPolicy(rule_packs=("market_systems",)))
    looked(book, START)
    for key_id, signature, reason in (("", "s", "r"), ("k", "", "r"), ("k", "s", "")):
        with pytest.raises(ClockRefused):
            book.exclude("INC-00001", "market_systems", "ada", reason, START, key_id=key_id, signature=signature)
    book.fold(book.exclude("INC-00001", "market_systems", "ada", "r", START, key_id="k", signature="s"))
    assert looked(book, START + 30 * HOUR)[1] == []
    with pytest.raises(ClockRefused):
        book.file("INC-00001", "market_systems", "ada", "R-1", START)


@pytest.mark.parametrize(("minutes", "told"), [(14, []), (15, ["regulatory.draft_late"])])
def test_a_draft_that_cannot_be_written_is_told_after_a_quarter_of_an_hour(minutes, told):
    def broken(name, text):
        raise OSError(28, "no space left")

    book = ClockBook(IncidentPolicy(rule_packs=("market_systems",)))
    looked(book, START, keep=broken)
    found, _ = looked(book, START + minutes * MINUTE, keep=broken)
    assert [one.code for one in found.signals] == told
    found, _ = looked(book, START + 20 * MINUTE)
    assert [type(one) for one in found.facts] == [NoticeDrafted]


def test_a_folded_journal_runs_on_and_alarms_no_second_time():
    policy = IncidentPolicy(rule_packs=("market_systems",))
    first = ClockBook(policy)
    facts = [*looked(first, START)[0].facts, *looked(first, START + 13 * HOUR)[0].facts]
    second = ClockBook(policy)
    for one in facts:
        second.fold(one)
    assert second.all == first.all
    assert looked(second, START + 14 * HOUR)[1] == []
    assert next(one for one in facts if isinstance(one, ClockAlarmed)).share == 0.5


@pytest.mark.parametrize("wrong", [
    {"pack": ""}, {"pack": "x"}, {"pack": "x", "hours": 1, "months": 1}, {"pack": "x", "hours": 1, "begins": "x"},
])
def test_a_clock_that_makes_no_sense_is_refused(wrong):
    with pytest.raises((ConfigurationRefused, ValueError)):
        ClockPolicy(id="c", title="t", **wrong)
    with pytest.raises(ConfigurationRefused, match="nowhere"):
        IncidentPolicy(rule_packs=("nowhere",))


class Port:
    def __init__(self):
        self.held = []

    def hold(self, code, level, scope, evidence, expires_at):
        self.held.append((code, level))

    def release(self, code, level, scope):
        self.held.append((code, None))


def scene_of(**incidents):
    usual = policy_of()
    policy = msgspec.structs.replace(usual, incidents=IncidentPolicy(**incidents))
    return Scene(policy=policy)


def test_a_missed_clock_is_a_sev_1_and_stops_the_guard():
    scene, port = scene_of(rule_packs=("market_systems",)), Port()
    scene.path._guards = scene.path._guards._replace(triggers=port)
    scene.path._people._guards = scene.path._guards
    scene.path._looks = lambda now: scene.incidents.clocks.look(
        scene.incidents.concerns(), now, lambda name, text: None
    )

    async def play():
        scene.path.tell(signal("venue.down", severity=AlertSeverity.CRITICAL))
        await asyncio.sleep(24 * 3_600 + 60)

    scene.run(play)
    severe = scene.incidents.severe()
    assert [one.opened.code for one in severe] == ["regulatory.missed"]
    assert ("prohibited", GuardLevel.STOPPED) in port.held
    assert ("severe_incident", GuardLevel.STOPPED) in port.held


def test_a_person_who_opens_a_sev_1_stops_trading_and_a_drill_or_a_milder_one_does_not():
    for sev, drill, expected in ((1, False, [("severe_incident", GuardLevel.STOPPED)]), (1, True, []), (2, False, [])):
        scene, port = scene_of(), Port()
        scene.path._people._guards = scene.path._guards._replace(triggers=port)
        scene.path.act(Request(id="a", verb=Verb.OPEN, person="ada", text="fire", sev=sev, drill=drill))
        assert port.held == expected
        scene.loop.close()


def test_a_milder_incident_that_is_graver_than_thought_stops_trading():
    scene, port = scene_of(), Port()
    scene.path._people._guards = scene.path._guards._replace(triggers=port)
    scene.path.act(Request(id="a", verb=Verb.OPEN, person="ada", text="odd", sev=3))
    scene.path.act(Request(id="b", verb=Verb.RATE, person="ada", target="INC-00001", sev=1, text="worse"))
    assert port.held == [("severe_incident", GuardLevel.STOPPED)]
    scene.loop.close()
    assert isinstance(scene.record.facts[0], IncidentOpened)
    assert scene.incidents.get("INC-00001").phase is Phase.OPEN


@pytest.mark.parametrize(("cause", "expected"), [
    ("journal:7", [("severe_incident", GuardLevel.STOPPED)]), ("snapshot:ab", []),
])
def test_a_finding_of_an_assessment_opens_a_sev_1_and_leaves_the_stop_to_its_gate(cause, expected):
    scene, port = scene_of(), Port()
    scene.path._people._guards = scene.path._guards._replace(triggers=port)
    scene.after(1, signal("reconciliation.break", severity=AlertSeverity.CRITICAL, cause=cause))
    assert [one.sev for one in scene.incidents.all] == [1]
    assert port.held == expected


def by_hand(book, clock="personal_data", **odd):
    return book.begin(ONE, clock, odd.get("person", "ada"), odd.get("reason", "names leaked"), START + HOUR)


def test_a_person_starts_a_clock_of_a_pack_that_does_not_apply_by_itself_and_it_runs_like_the_others():
    book = ClockBook(IncidentPolicy())
    told = by_hand(book)
    assert (told.clock, told.person, told.due) == ("personal_data", "ada", START + 72 * HOUR)
    book.fold(told)
    assert by_hand(book) is None, "twice is once"
    found, alarms = looked(book, START + 58 * HOUR)
    assert any(isinstance(one, NoticeDrafted) for one in found.facts)
    assert [one[0] for one in alarms] == ["regulatory.alarm"]
    assert looked(book, START + 72 * HOUR)[1][0][0] == "regulatory.missed"


@pytest.mark.parametrize("odd", [{"clock": "no_such"}, {"person": ""}, {"reason": ""}])
def test_a_clock_that_no_pack_has_or_that_nobody_stands_for_is_refused(odd):
    with pytest.raises(ClockRefused):
        by_hand(ClockBook(IncidentPolicy()), **odd)


def test_no_clock_is_started_for_a_drill_and_a_verb_does_it_for_an_incident():
    book = IncidentBook(IncidentPolicy())
    told = []

    def keep(fact):
        told.append(fact)
        book.fold(fact)

    keep(book.open_by("ann", "drill", 1, START, drill=True))
    keep(book.open_by("ann", "real", 3, START))
    asked = Request(id="q", verb=Verb.CLOCK, person="ada", target="INC-00001", clock="swap_data", text="late report")
    assert "drill" in act_on_incidents(book, asked, START, keep).fault
    assert act_on_incidents(book, msgspec.structs.replace(asked, target="INC-00002"), START, keep).fault == ""
    assert isinstance(told[-1], ClockStarted)


@pytest.mark.parametrize(("calendar", "due"), [("", "2026-12-01T15:00"), ("XNYS", "2026-12-02T15:00")])
def test_a_holiday_of_the_exchange_is_no_business_day(calendar, due):
    """Thanksgiving 2026 is on 26 November; the day after has an early close and is a business day."""
    clock = next(one for one in CLOCKS if one.id == "swap_data")
    since = at("2026-11-20T15:00")
    assert due_of(clock, since, open_days_of(calendar)) == at(due)
    book = ClockBook(IncidentPolicy(rule_packs=("swap_data",), business_calendar=calendar))
    book.look([Concern("INC-1", 2, "reporting.swap", since, since, "t")], since, lambda name, text: None)
    assert book.all[0].started.due == at(due)


def test_a_day_beyond_the_calendar_counts_as_a_weekday_and_a_wrong_calendar_is_refused_at_once():
    assert open_days_of("XNYS")(date(2199, 1, 1)) is True
    assert open_days_of("XNYS")(date(2199, 1, 5)) is False, "a Saturday"
    for name in ("24/7", "NOWHERE"):
        with pytest.raises(UsageError):
            ClockBook(IncidentPolicy(business_calendar=name))
