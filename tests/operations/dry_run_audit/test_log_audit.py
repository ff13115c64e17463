"""Each rule of the log section alone: levels, silences, uptime, window, content (DR-20 to DR-24)."""

import bz2
import gzip
import lzma
import random

import audit_logs as logs
import pytest
import zstandard

from tradeworthy.operations.dry_run.audit.log_section import audit_logs
from tradeworthy.operations.dry_run.audit.policy import AuditPolicy, ScanPolicy, Window
from tradeworthy.operations.dry_run.model import Status
from tradeworthy.operations.dry_run.policy import GapPolicy

HOUR = 3_600
QUIET = AuditPolicy()
MINUTES = AuditPolicy(gaps=GapPolicy(warn_minutes=0.05, fail_minutes=0.2), heartbeat_interval_seconds=1.0)


def audit(tmp_path, lines, policy=QUIET, *, window=None, end=b"\n", name="log.jsonl"):
    path = logs.write(tmp_path / name, lines, end=end)
    return audit_logs([path], policy, now=logs.NOW_NS, window=window)


def window(start, stop):
    return Window(start=logs.START_NS + int(start * logs.SECOND), stop=logs.START_NS + int(stop * logs.SECOND))


def codes(section):
    return {one.metadata["code"]: one.severity for one in section.content_incidents}


def ticks(stop, step=10):
    return [logs.line(n) for n in range(0, stop + 1, step)]


def test_a_healthy_log_passes_and_is_counted(tmp_path):
    section = audit(tmp_path, ticks(600), window=window(0, 600))
    assert (section.status, section.records, section.ignored_lines) == (Status.PASS, 61, 0)
    assert section.level_counts == {"info": 61}
    assert section.event_counts == {"tick": 61}
    assert (section.uptime_ratio, section.uptime_source, section.time_source) == (1.0, "lines", "measured")
    assert section.window_proved
    assert section.content_incidents == ()


def test_without_a_window_the_section_says_so_and_still_passes(tmp_path):
    section = audit(tmp_path, ticks(600))
    assert section.status is Status.PASS
    assert codes(section) == {"log.window.unproved": Status.PASS}
    assert not section.window_proved


@pytest.mark.parametrize(("level", "status"), [
    ("info", Status.PASS), ("warning", Status.WARN), ("error", Status.FAIL), ("critical", Status.FAIL),
    ("verbose", Status.WARN),
])  # fmt: skip
def test_one_line_of_a_level_decides(tmp_path, level, status):
    assert audit(tmp_path, [*ticks(60), logs.line(61, level=level)]).status is status


def test_repetitions_are_one_finding_with_first_last_and_count(tmp_path):
    rows = [logs.line(n, level="error", event="e", message=f"order {n}00 of 0xab{n} refused") for n in range(1, 6)]
    (found,) = audit(tmp_path, rows).errors
    assert (found.count, found.severity, found.summary) == (5, Status.FAIL, "order 100 of 0xab1 refused")
    assert (found.last_at - found.occurred_at).total_seconds() == 4


@pytest.mark.parametrize(("seconds", "status"), [
    (HOUR - 1, Status.PASS), (HOUR, Status.WARN), (6 * HOUR - 1, Status.WARN), (6 * HOUR, Status.FAIL),
])  # fmt: skip
def test_a_silence_is_judged_when_it_reaches_its_limit(tmp_path, seconds, status):
    section = audit(tmp_path, [logs.line(0), logs.line(0.5), logs.line(seconds + 0.5)])
    assert section.status is status
    assert [one.seconds for one in section.gap_incidents] == ([] if status is Status.PASS else [seconds])


def test_head_and_tail_are_silences_when_the_window_is_known(tmp_path):
    section = audit(tmp_path, ticks(600), window=window(-HOUR, 600 + 7 * HOUR))
    assert [(one.position, one.severity, one.seconds) for one in section.gap_incidents] == [
        ("head", Status.WARN, HOUR), ("tail", Status.FAIL, 7 * HOUR),
    ]  # fmt: skip


def test_a_silent_tail_fails_a_short_run_with_limits_scaled_to_it(tmp_path):
    assert audit(tmp_path, ticks(60, 1), MINUTES, window=window(0, 61)).status is Status.PASS
    assert audit(tmp_path, ticks(60, 1), MINUTES, window=window(0, 63)).status is Status.WARN
    assert audit(tmp_path, ticks(60, 1), MINUTES, window=window(0, 72)).status is Status.FAIL


def test_fifty_nine_silent_minutes_an_hour_are_no_uptime(tmp_path):
    rows = [logs.line(hour * HOUR + second) for hour in range(24) for second in range(0, 61, 10)]
    section = audit(tmp_path, rows, window=window(0, 24 * HOUR))
    assert section.uptime_ratio < 0.05
    assert section.status is Status.PASS  # no silence reaches an hour: only the ratio tells


def test_beats_count_when_there_are_any_and_cover_up_to_three_intervals(tmp_path):
    rows = [*ticks(1_000, 1), *(logs.beat(n, n) for n in (0, 30, 60, 91, 100))]
    section = audit(tmp_path, rows, window=window(0, 1_000))
    assert section.uptime_source == "heartbeat"
    assert section.uptime_ratio == pytest.approx((60 + 9) / 1_000)


def test_a_beat_that_repeats_itself_proves_no_life(tmp_path):
    section = audit(tmp_path, [logs.beat(n * 10, min(n, 3)) for n in range(61)], window=window(0, 600))
    assert section.uptime_ratio == pytest.approx(30 / 600)


def test_beats_may_start_again_with_the_process(tmp_path):
    rows = [logs.beat(n * 10, n % 20) for n in range(61)]
    assert audit(tmp_path, rows, window=window(0, 600)).uptime_ratio == 1.0


def test_uptime_below_its_minimum_fails_and_equal_to_it_does_not(tmp_path):
    for least, status in ((0.5, Status.PASS), (0.51, Status.FAIL)):
        policy = AuditPolicy(uptime_ratio_min=least)
        assert audit(tmp_path, ticks(600), policy, window=window(0, 1_200)).status is status


def test_a_run_shorter_than_required_fails_by_its_monotonic_time(tmp_path):
    policy = AuditPolicy(duration_seconds_min=600)
    for seconds, status in ((599.9, Status.PASS), (599.8, Status.FAIL)):
        measured = Window(
            start=logs.START_NS, stop=logs.START_NS + 600 * logs.SECOND, source="harness", run_seconds=seconds
        )
        assert audit(tmp_path, ticks(600), policy, window=measured).status is status


@pytest.mark.parametrize(("bad", "status"), [(0, Status.PASS), (1, Status.WARN), (9, Status.WARN), (10, Status.FAIL)])
def test_ignored_lines_are_judged_by_their_share(tmp_path, bad, status):
    section = audit(tmp_path, [*ticks(10 * (99 - bad)), *[b"not json"] * bad])
    assert (section.status, section.ignored_lines, section.records) == (status, bad, 100 - bad)


def test_a_few_ignored_lines_among_many_are_told_and_pass(tmp_path):
    section = audit(tmp_path, [*ticks(1_990), b"plain"])
    assert (section.status, codes(section)["log.lines.ignored"]) == (Status.PASS, Status.PASS)


def test_a_tail_cut_in_the_middle_of_a_line_is_a_warning(tmp_path):
    path = logs.write(tmp_path / "log.jsonl", ticks(600))
    path.write_bytes(path.read_bytes()[:-30])
    section = audit_logs([path], QUIET, now=logs.NOW_NS)
    assert (section.status, section.records) == (Status.WARN, 60)
    assert codes(section)["log.tail.truncated"] is Status.WARN


def test_a_whole_last_line_without_end_counts(tmp_path):
    path = logs.write(tmp_path / "log.jsonl", ticks(600))
    path.write_bytes(path.read_bytes()[:-1])
    assert audit_logs([path], QUIET, now=logs.NOW_NS).records == 61


@pytest.mark.parametrize("content", [b"", b"\n\n", b"text\n" * 3])
def test_a_log_without_any_record_fails(tmp_path, content):
    path = tmp_path / "log.jsonl"
    path.write_bytes(content)
    section = audit_logs([path], QUIET, now=logs.NOW_NS)
    assert section.status is Status.FAIL
    assert codes(section)["log.empty"] is Status.FAIL


def test_records_without_any_time_cannot_be_judged(tmp_path):
    section = audit(tmp_path, [b'{"level":"info","event":"x"}'] * 3)
    assert section.status is Status.UNKNOWN


def test_a_line_dated_after_its_arrival_fails_five_seconds_on(tmp_path):
    for ahead, status in ((5, Status.PASS), (5.001, Status.FAIL)):
        rows = [*ticks(600), logs.line(20, timestamp=logs.at(20 + ahead))]
        section = audit(tmp_path, rows)
        assert section.status is status
        assert section.started_at.timestamp() == logs.START.timestamp()


def test_a_trace_nested_in_an_info_line_fails(tmp_path):
    nested = {"event": "x", "detail": {"inner": [{"exc_text": "Traceback (most recent call last):\n  File"}]}}
    section = audit(tmp_path, [*ticks(60), logs.line(61, structured=nested)])
    assert (section.status, codes(section)["log.stack_trace"]) == (Status.FAIL, Status.FAIL)


def test_a_traceback_in_plain_text_fails_although_its_lines_are_few(tmp_path):
    section = audit(tmp_path, [*ticks(9_990), b"Traceback (most recent call last):"])
    assert section.status is Status.FAIL


def test_an_unknown_level_word_is_told_once_a_word(tmp_path):
    rows = [logs.line(n, level=("odd", "strange")[n % 2]) for n in range(10)]
    found = [one for one in audit(tmp_path, rows).content_incidents if one.metadata["code"] == "log.level.unknown"]
    assert [one.count for one in found] == [5, 5]


@pytest.mark.parametrize(("name", "pack"), [
    ("log.jsonl.gz", gzip.compress), ("log.jsonl.bz2", bz2.compress), ("log.jsonl.xz", lzma.compress),
    ("log.jsonl.lzma", lambda data: lzma.compress(data, lzma.FORMAT_ALONE)),
    ("log.jsonl.zst", lambda data: zstandard.ZstdCompressor().compress(data)),
    ("two_members.gz", lambda data: gzip.compress(data[:5_000]) + gzip.compress(data[5_000:])),
    ("two_frames.zst", lambda data: b"".join(zstandard.ZstdCompressor().compress(data[a:b])
                                            for a, b in ((0, 777), (777, None)))),
])  # fmt: skip
def test_every_compression_reads_as_the_plain_file(tmp_path, name, pack):
    rows = [*ticks(3_000), logs.line(3_001, level="warning")]
    plain = audit(tmp_path, rows)
    packed = tmp_path / name
    packed.write_bytes(pack((tmp_path / "log.jsonl").read_bytes()))
    for compiled in (False, True):
        assert audit_logs([packed], QUIET, now=logs.NOW_NS, compiled=compiled) == plain


@pytest.mark.parametrize(("name", "pack"), [
    ("log.jsonl.gz", gzip.compress), ("log.jsonl.zst", lambda data: zstandard.ZstdCompressor().compress(data)),
    ("log.jsonl.bz2", bz2.compress), ("log.jsonl.xz", lzma.compress),
])  # fmt: skip
def test_a_stream_that_was_cut_is_read_as_far_as_it_goes(tmp_path, name, pack):
    packed = tmp_path / name
    random_text = random.Random(3)
    rows = [logs.line(n, message=f"{random_text.getrandbits(400):x}") for n in range(4_000)]
    packed.write_bytes(pack(b"\n".join(rows))[:-200])
    section = audit_logs([packed], QUIET, now=logs.NOW_NS)
    assert section.error is None
    assert codes(section)["log.tail.truncated"] is Status.WARN
    assert section.records > 1_000 or name.endswith((".bz2", ".zst"))


@pytest.mark.parametrize("pack", [
    gzip.compress, bz2.compress, lzma.compress,
    lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
])  # fmt: skip
def test_a_damaged_stream_never_passes_and_says_which_file(tmp_path, pack):
    packed = tmp_path / "log.packed"
    whole = pack(b"\n".join(logs.line(n) for n in range(5_000)) + b"\n")
    for place in (len(whole) // 4, len(whole) // 2, len(whole) - 6):
        packed.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        section = audit_logs([packed], QUIET, now=logs.NOW_NS)
        assert section.status in (Status.UNKNOWN, Status.FAIL)
        assert "log.packed is damaged" in section.error


def test_one_of_two_logs_missing_is_unknown_and_the_other_is_judged(tmp_path):
    there = logs.write(tmp_path / "a.jsonl", ticks(600))
    section = audit_logs([there, tmp_path / "b.jsonl"], QUIET, now=logs.NOW_NS)
    assert (section.status, section.records) == (Status.UNKNOWN, 61)
    assert "b.jsonl" in section.error


def test_segments_in_any_order_give_one_answer(tmp_path):
    rows = ticks(3_000)
    parts = [logs.write(tmp_path / f"log_p{n:03}.jsonl", rows[n * 100 : n * 100 + 100]) for n in range(4)]
    forward = audit_logs(parts, QUIET, now=logs.NOW_NS)
    assert audit_logs(parts[::-1], QUIET, now=logs.NOW_NS) == forward
    assert forward.records == 301


def test_more_findings_than_are_kept_stay_exact_in_any_order(tmp_path):
    words = [f"{a}{b}{c} stopped" for a in "abcdefghij" for b in "klmnopqrst" for c in "uvwxyzabcd"]
    rows = [logs.line(n, level="error", message=word) for n, word in enumerate(words * 2)]
    policy = AuditPolicy(fingerprints_kept_max=100)
    section = audit(tmp_path, rows, policy)
    assert len(section.errors) == 100
    assert all(one.count == 2 for one in section.errors)
    assert codes(section)["incident.overflow"] is Status.WARN
    random.Random(1).shuffle(rows)
    assert audit(tmp_path, rows, policy) == section


def test_a_line_longer_than_the_buffer_is_ignored_and_the_rest_is_read(tmp_path):
    policy = AuditPolicy(scan=ScanPolicy(block_bytes=1_000, line_bytes_max=5_000))
    rows = [*ticks(500), logs.line(501, message="x" * 20_000), *ticks(600)]
    section = audit(tmp_path, rows, policy)
    assert (section.records, section.ignored_lines) == (51 + 61, 1)


def test_times_years_apart_stay_in_bounds_and_their_gap_is_exact(tmp_path):
    rows = [logs.line(day * 86_400) for day in range(0, 400, 100)]
    section = audit(tmp_path, rows, AuditPolicy(scan=ScanPolicy(coverage_bytes_max=1 << 15)))
    assert [one.seconds for one in section.gap_incidents] == [100 * 86_400.0] * 3


def test_a_secret_in_a_message_appears_in_no_finding(tmp_path):
    section = audit(tmp_path, [logs.line(1, level="error", message="login failed password=hunter2secret")])
    assert "hunter2secret" not in repr(section)
