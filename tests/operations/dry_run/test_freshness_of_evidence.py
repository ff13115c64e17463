"""How fresh evidence is: the older of file time and content, episodes, the future (DR-09)."""

import json
import os

import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.duties import EvidenceWatch
from tradeworthy.operations.dry_run.freshness import judge, look
from tradeworthy.operations.dry_run.incidents import IncidentBook
from tradeworthy.operations.dry_run.model import stamp
from tradeworthy.operations.dry_run.policy import FreshnessPolicy, HarnessPolicy

SECOND = NANOS_PER_SECOND
NOW = 1_767_571_200 * SECOND
LIMITS = FreshnessPolicy(warn_minutes=1.0, fail_minutes=2.0)


def written(path, *, content, file_time=None, key="recorded_at"):
    path.write_text(json.dumps({key: stamp(content).isoformat(), "entry_id": "a"}) + "\n")
    moment = content if file_time is None else file_time
    os.utime(path, ns=(moment, moment))
    return path


def verdict(path, *, now=NOW, since=1_000.0):
    return judge("diary", look(path), LIMITS, now=now, since_start_seconds=since)


@pytest.mark.parametrize(("age", "severity"), [
    (59.9, Severity.OK), (60, Severity.WARN), (119.9, Severity.WARN), (120, Severity.FAIL),
])  # fmt: skip
def test_reached_limits_are_breached(tmp_path, age, severity):
    path = written(tmp_path / "d", content=NOW - round(age * SECOND))
    assert verdict(path).severity is severity


def test_the_older_of_file_and_content_counts(tmp_path):
    touched = written(tmp_path / "a", content=NOW - 100 * SECOND, file_time=NOW)
    assert verdict(touched).severity is Severity.WARN
    copied = written(tmp_path / "b", content=NOW, file_time=NOW - 100 * SECOND)
    assert verdict(copied).severity is Severity.WARN


def test_content_from_the_future_fails_beyond_five_seconds(tmp_path):
    assert verdict(written(tmp_path / "a", content=NOW + 5 * SECOND)).severity is Severity.OK
    ahead = verdict(written(tmp_path / "b", content=NOW + 5 * SECOND + 1_000))
    assert (ahead.severity, ahead.age_seconds) == (Severity.FAIL, None)


WAITING = '{"status": "waiting", "generated_at": "2026-01-05T00:00:00Z"}'


@pytest.mark.parametrize("content", [None, "", "garbage\n", WAITING])
def test_missing_empty_broken_and_placeholder_files_count_from_the_start(tmp_path, content):
    path = tmp_path / "d"
    if content is not None:
        path.write_text(content)
    assert verdict(path, since=59).severity is Severity.OK
    assert verdict(path, since=120).severity is Severity.FAIL


def test_a_torn_last_line_and_one_document_with_entries_are_read(tmp_path):
    path = written(tmp_path / "a", content=NOW)
    with path.open("a") as file:
        file.write('{"recorded_at": "20')
    assert look(path).content == NOW
    document = tmp_path / "b"
    document.write_text(json.dumps({"entries": [{"recorded_at": stamp(NOW).isoformat()}]}, indent=1))
    assert look(document).content == NOW


def test_stale_recovered_and_stale_again_are_two_incidents_after_the_grace(tmp_path):
    book = IncidentBook(kept_max=10, changed=lambda incident: None)
    policy = HarnessPolicy(diary_freshness=LIMITS, evidence_initial_grace_minutes=5.0)
    path = tmp_path / "d"
    watch = EvidenceWatch(policy, path, None, book)
    steps = [(299, None), (300, None), (310, 310), (500, 310), (510, 510), (600, 510)]
    for since, content in steps:
        if content is not None:
            written(path, content=NOW + content * SECOND)
        watch.look(now=NOW + since * SECOND, at=NOW + since * SECOND, since_start_seconds=since)
    found = [(one.code, str(one.severity), str(one.state)) for one in book.all()]
    assert found == [
        ("evidence.diary.stale", "fail", "closed"), ("evidence.diary.stale", "fail", "closed"),
        ("evidence.diary.stale", "warn", "open"),
    ]  # fmt: skip
