"""What becomes of a signal: severity, suppression, explanation, silence, flapping, repeats, and bounded memory."""

import msgspec
import pytest
from alert_scene import SECOND, START, policy_of, signal

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.book import AlertBook, Why
from tradeworthy.operations.incidents.catalogue import severity_of
from tradeworthy.operations.incidents.model import AlertSeverity, Silence
from tradeworthy.operations.incidents.routing import Routing

INFO, WARNING, ERROR, CRITICAL = AlertSeverity


def book_of(**changed):
    alerts = policy_of(**changed).alerts
    return AlertBook(alerts, Routing(alerts), run_id="r")


@pytest.mark.parametrize(
    ("told", "overrides", "expected"),
    [
        (signal("x.y", finding=Severity.WARN), {}, WARNING),
        (signal("x.y", finding=Severity.UNKNOWN), {}, ERROR),
        (signal("x.y", finding=Severity.FAIL), {}, CRITICAL),
        (signal("x.y"), {}, WARNING),
        (signal("risk_reject"), {}, ERROR),
        (signal("risk_stress_breach"), {}, CRITICAL),
        (signal("risk_reject"), {"risk_reject": CRITICAL}, CRITICAL),
        (signal("risk_reject", severity=INFO), {"risk_reject": CRITICAL}, INFO),
        (signal("x.y", finding=Severity.FAIL), {"x.y": INFO}, WARNING),
        (signal("roi.behind", finding=Severity.FAIL), {}, ERROR),
        (signal("evolution.stalls", severity=CRITICAL), {}, ERROR),
        (signal("drift_sentry.cusum", finding=Severity.UNKNOWN), {}, WARNING),
        (signal("drift_sentry.cusum", finding=Severity.FAIL), {}, CRITICAL),
    ],
)
def test_an_explicit_severity_beats_an_override_and_that_beats_the_default(told, overrides, expected):
    assert severity_of(told, overrides) is expected


def test_the_same_event_inside_the_window_is_sent_once_and_counted_another_component_is_sent():
    book = book_of()
    first = book.take(signal(), START)
    same = book.take(signal(), START + 299 * SECOND)
    other = book.take(signal(component="feed"), START + 299 * SECOND)
    after = book.take(signal(), START + 300 * SECOND)
    assert [one.why for one in (first, same, other, after)] == [Why.NEW, Why.SUPPRESSED, Why.NEW, Why.REPEATED]
    assert (same.channels, same.alert.count, after.alert.count) == ((), 2, 3)
    assert after.alert.id == first.alert.id


def test_a_rise_in_severity_goes_through_and_a_fall_does_not_lower_it():
    book = book_of()
    book.take(signal(severity=WARNING), START)
    risen = book.take(signal(severity=CRITICAL), START + SECOND)
    fallen = book.take(signal(severity=WARNING), START + 2 * SECOND)
    assert (risen.why, risen.channels) == (Why.RISEN, ("one", "two"))
    assert (fallen.why, fallen.alert.severity) == (Why.SUPPRESSED, CRITICAL)


def test_below_the_least_severity_it_is_journaled_and_not_sent():
    verdict = book_of().take(signal(severity=INFO), START)
    assert (verdict.why, verdict.changed, verdict.channels) == (Why.BELOW, True, ())


def test_a_root_explains_what_is_declared_of_its_subject_alone():
    book = book_of()
    root = book.take(signal("venue.down", severity=CRITICAL, component="edge"), START)
    assert root.why is Why.NEW
    assert book.take(signal("venue.no_fills", severity=ERROR), START).why is Why.INHIBITED
    assert book.take(signal("venue.no_fills", severity=ERROR, subject="cme"), START).why is Why.NEW
    assert book.take(signal("risk.x", severity=ERROR), START).why is Why.NEW
    assert [one.code for one in book.hidden_by(root.alert)] == ["venue.no_fills"]
    over = book.resolve(root.alert.key, START + SECOND)
    freed = book.released(over.alert, START + SECOND)
    assert [(one.why, one.alert.code) for one in freed] == [(Why.RELEASED, "venue.no_fills")]
    assert freed[0].channels == ("one", "two")


def test_a_critical_is_hidden_by_its_own_cause_alone():
    book = book_of()
    book.take(signal("venue.down", severity=CRITICAL, component="edge", cause="journal:7"), START)
    same = book.take(signal("venue.no_fills", severity=CRITICAL, cause="journal:7"), START)
    other = book.take(signal("venue.stale_book", severity=CRITICAL, cause="journal:8"), START)
    unknown = book.take(signal("venue.errors", severity=CRITICAL), START)
    assert [one.why for one in (same, other, unknown)] == [Why.INHIBITED, Why.NEW, Why.NEW]


def silence(**changed):
    given = {"id": "s", "codes": "venue.", "owner": "ann", "reason": "repair", "since": START,
             "until": START + 3_600 * SECOND}  # fmt: skip
    return Silence(**(given | changed))


def test_a_silence_keeps_back_and_when_it_ends_what_still_holds_is_sent():
    book = book_of()
    book.silence(silence())
    assert book.take(signal(), START).why is Why.SILENCED
    assert book.tick(START + 3_599 * SECOND) == []
    [verdict] = book.tick(START + 3_600 * SECOND)
    assert (verdict.why, verdict.channels) == (Why.RELEASED, ("one", "two"))


@pytest.mark.parametrize(
    "changed",
    [
        {"codes": "kill"}, {"codes": "kill.flat"}, {"codes": "k"}, {"codes": "journal.slow"}, {"codes": ""},
        {"codes": "reconciliation."}, {"owner": ""}, {"reason": ""}, {"until": START + 86_401 * SECOND},
        {"until": START},
    ],
)  # fmt: skip
def test_a_silence_is_refused_for_what_must_be_heard_too_long_or_without_a_name(changed):
    with pytest.raises(UsageError):
        book_of().silence(silence(**changed))


def test_the_longest_silence_is_a_day():
    book_of().silence(silence(until=START + 86_400 * SECOND))


def test_what_comes_and_goes_is_held_open_until_it_is_quiet():
    book = book_of()
    verdicts = []
    for n in range(2):
        book.take(signal(severity=WARNING), START + 2 * n * 60 * SECOND)
        verdicts.append(book.take(signal(finding=Severity.OK, firing=False), START + (2 * n + 1) * 60 * SECOND).why)
    assert verdicts == [Why.RESOLVED, Why.FLAPPING]
    last = START + 180 * SECOND
    assert book.flapping(signal().key)
    assert book.tick(last + 599 * SECOND) == []
    [over] = book.tick(last + 600 * SECOND)
    assert (over.why, over.alert.firing) == (Why.RESOLVED, False)


@pytest.mark.parametrize(("severity", "repeat_s"), [(CRITICAL, 3_600), (ERROR, 14_400)])
def test_what_holds_is_told_again_until_somebody_takes_it(severity, repeat_s):
    book = book_of()
    alert = book.take(signal(severity=severity), START).alert
    book.told(alert, START)
    assert book.tick(START + (repeat_s - 1) * SECOND) == []
    [again] = book.tick(START + repeat_s * SECOND)
    assert again.why is Why.REPEATED
    book.told(alert, START + repeat_s * SECOND)
    assert book.acknowledge(alert.id, START + 10 * repeat_s * SECOND) is not None
    assert book.tick(START + 3 * repeat_s * SECOND) == []


def test_memory_is_bounded_and_a_critical_still_finds_room():
    book = book_of(active_max=3)
    for n in range(3):
        book.take(signal(component=f"c{n}"), START)
    assert book.take(signal(component="c3"), START).why is Why.OVERFLOWED
    assert book.take(signal("kill.flat", severity=CRITICAL), START).why is Why.NEW
    assert len(book.firing) == 3
    assert book.overflowed == 1


def test_what_is_over_is_forgotten():
    book = book_of()
    key = book.take(signal(), START).alert.key
    book.resolve(key, START)
    book.tick(START + 600 * SECOND)
    assert book.take(signal(), START + 601 * SECOND).why is Why.NEW
    assert book._known.keys() == {key}


def test_an_alert_keeps_the_words_of_its_source_without_secrets(monkeypatch):
    from tradeworthy.kernel import redaction

    monkeypatch.setattr(redaction, "_known", {})
    redaction.Secret("canary-99-abc")
    told = signal(observed="token=canary-99-abc", tags=(("password", "hunter22"), ("host", "canary-99-abc")))
    alert = book_of().take(msgspec.structs.replace(told, message="login canary-99-abc failed"), START).alert
    said = msgspec.json.encode(alert)
    assert b"canary-99" not in said
    assert b"hunter22" not in said
    assert b"[redacted]" in said
