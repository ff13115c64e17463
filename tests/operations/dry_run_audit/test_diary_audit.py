"""Each rule of the decision diary alone (DR-26 to DR-30)."""

import json

import audit_logs as logs
import pytest

from tradeworthy.kernel.errors import DeskError
from tradeworthy.operations.dry_run.audit.diary import DiaryPolicy, JournalDecisions, audit_diary
from tradeworthy.operations.dry_run.audit.policy import Window
from tradeworthy.operations.dry_run.model import Status

DAY = 86_400


def entry(seconds, number=0, **more):
    base = {"entry_id": f"e{number}", "recorded_at": logs.at(seconds), "policy_id": "core", "journal_seq": number}
    return base | more


def window(start, stop):
    return Window(start=logs.START_NS + int(start * logs.SECOND), stop=logs.START_NS + int(stop * logs.SECOND))


def audit(tmp_path, entries, *, policy=None, end="\n", **more):
    path = tmp_path / "diary.jsonl"
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + end for one in entries))
    return audit_diary(path, policy or DiaryPolicy(), now=logs.NOW_NS, **more)


def issues(section):
    return {one.entry_id: one.severity for one in section.issues}


def test_a_diary_of_lines_is_read_and_counted(tmp_path):
    section = audit(tmp_path, [entry(n * 60, n) for n in range(10)], window=window(0, 540))
    assert (section.status, section.total_entries, section.malformed_lines) == (Status.PASS, 10, 0)
    assert section.policy_counts == {"core": 10}
    assert (section.last_recorded_at - section.first_recorded_at).total_seconds() == 540


@pytest.mark.parametrize("indent", [None, 2])
def test_one_document_with_entries_is_read_too(tmp_path, indent):
    path = tmp_path / "diary.json"
    path.write_text(json.dumps({"entries": [entry(n, n) for n in range(5)]}, indent=indent))
    section = audit_diary(path, DiaryPolicy(), now=logs.NOW_NS)
    assert (section.status, section.total_entries) == (Status.PASS, 5)


@pytest.mark.parametrize(("bad", "status"), [(0, Status.PASS), (1, Status.WARN), (2, Status.FAIL)])
def test_malformed_lines_are_counted_with_their_place(tmp_path, bad, status):
    rows = [entry(n, n) for n in range(200 - bad)]
    section = audit(tmp_path, rows[:50] + ['{"entry_id": "torn", "rec'] * bad + rows[50:])
    assert (section.status, section.malformed_lines, section.total_entries) == (status, bad, 200 - bad)
    if bad:
        place = next(one for one in section.issues if one.entry_id == "line-51")
        assert place.metadata["line"] == 51


def test_a_last_line_torn_by_a_crash_is_a_warning_and_earlier_entries_are_intact(tmp_path):
    path = tmp_path / "diary.jsonl"
    whole = "".join(json.dumps(entry(n, n)) + "\n" for n in range(5))
    for cut in (1, 20, 60):
        path.write_text(whole + json.dumps(entry(6, 6))[:cut])
        section = audit_diary(path, DiaryPolicy(), now=logs.NOW_NS)
        assert (section.status, section.total_entries, section.malformed_lines) == (Status.WARN, 5, 1)


@pytest.mark.parametrize(
    "bad", ["[]", "7", "null", '{"entry_id": ""}', '{"entry_id": "x", "recorded_at": "soon"}', "\x00"]
)
def test_what_is_no_entry_is_malformed(tmp_path, bad):
    section = audit(tmp_path, [*(entry(n, n) for n in range(150)), bad])
    assert (section.status, section.malformed_lines) == (Status.WARN, 1)


def test_a_diary_that_is_absent_raises_for_its_section(tmp_path):
    with pytest.raises(DeskError, match="cannot read"):
        audit_diary(tmp_path / "none.jsonl", DiaryPolicy(), now=logs.NOW_NS)


@pytest.mark.parametrize(("part", "status"), [
    ({"metadata": {"status": "ok"}}, Status.PASS), ({"metadata": {"status": "Failed"}}, Status.FAIL),
    ({"decision": {"status": "halted"}}, Status.FAIL), ({"outcomes": {"status": "error"}}, Status.FAIL),
    ({"outcomes": [{"status": "ok"}, {"status": "critical"}]}, Status.FAIL),
    ({"metadata": {"status": "fatal"}}, Status.FAIL),
    ({"decision": {"status": "throttled"}}, Status.WARN), ({"outcomes": {"status": "skipped"}}, Status.WARN),
    ({"metadata": {"status": "degraded"}}, Status.WARN), ({"metadata": {"status": "warning"}}, Status.WARN),
    ({"regime_state": {"status": "error"}}, Status.PASS), ({"decision": "error"}, Status.PASS),
    ({"notes": ["halt of the venue"]}, Status.FAIL), ({"notes": ["Incident 7"]}, Status.FAIL),
    ({"notes": ["an error came"]}, Status.FAIL), ({"notes": ["feed degraded"]}, Status.WARN),
    ({"notes": ["warn the desk"]}, Status.WARN), ({"notes": "error in a single note"}, Status.FAIL),
    ({"notes": ["no error"]}, Status.PASS), ({"notes": ["without any incident"]}, Status.PASS),
    ({"notes": ["error-free day"]}, Status.PASS), ({"notes": ["not degraded"]}, Status.PASS),
    ({"notes": ["terrors of the deep", "incidental", "halting", "errors"]}, Status.PASS),
    ({"notes": ["no error, then an error"]}, Status.FAIL),
])  # fmt: skip
def test_an_entry_is_as_bad_as_its_status_and_its_notes(tmp_path, part, status):
    assert audit(tmp_path, [entry(1, 1, **part)]).status is status


def test_no_entry_in_the_window_fails(tmp_path):
    assert issues(audit(tmp_path, []))["coverage/missing"] is Status.FAIL
    section = audit(tmp_path, [entry(10)], window=window(100, 200))
    assert issues(section) == {"coverage/missing": Status.FAIL}


@pytest.mark.parametrize(("seconds", "found"), [(899, False), (900, False), (901, True)])
def test_the_edges_of_the_window_may_lie_fifteen_minutes_away(tmp_path, seconds, found):
    head = audit(tmp_path, [entry(seconds), entry(9_000)], window=window(0, 9_000))
    tail = audit(tmp_path, [entry(0), entry(9_000 - seconds)], window=window(0, 9_000))
    assert issues(head) == ({"coverage/start_gap": Status.WARN} if found else {})
    assert issues(tail) == ({"coverage/end_gap": Status.WARN} if found else {})


def test_a_day_with_too_few_entries_is_named_and_parts_of_days_ask_for_their_part(tmp_path):
    policy = DiaryPolicy(entries_per_day_min=24, daily_gap_severity=Status.FAIL)
    hours = [entry(n * 3_600, n) for n in range(49)]  # the window begins at six: 18 h, 24 h, 6 h
    assert audit(tmp_path, hours, policy=policy, window=window(0, 2 * DAY)).status is Status.PASS
    fewer = [one for n, one in enumerate(hours) if n not in (20, 21)]
    section = audit(tmp_path, fewer, policy=policy, window=window(0, 2 * DAY))
    assert issues(section) == {"coverage/daily/2026-03-03": Status.FAIL}


def test_an_entry_from_the_future_fails(tmp_path):
    beyond = (logs.NOW_NS - logs.START_NS) / logs.SECOND
    assert audit(tmp_path, [entry(1), entry(beyond + 5)]).status is Status.PASS
    assert audit(tmp_path, [entry(1), entry(beyond + 6)]).status is Status.FAIL


def test_the_diary_must_hold_what_the_journal_decided(tmp_path):
    rows = [entry(n, n) for n in range(1, 6)]
    agreed = JournalDecisions(count=5, last_seq=5)
    assert audit(tmp_path, rows, journal=agreed).status is Status.PASS
    assert issues(audit(tmp_path, rows[:-1], journal=agreed)) == {
        "journal/count": Status.FAIL, "journal/last_seq": Status.FAIL,
    }  # fmt: skip
    assert issues(audit(tmp_path, rows[1:], journal=agreed)) == {"journal/count": Status.FAIL}
