"""Each kind of line has one severity, whoever asks (section 5 of the specification)."""

import pytest

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.audit.classification import (
    CODE_LEVEL,
    CODE_PLAIN,
    CODE_TRACE,
    classify_record,
    classify_text,
    parse_time,
)

OK, WARN, FAIL = Severity.OK, Severity.WARN, Severity.FAIL
MOMENT = 1_772_431_209_000_000_000


@pytest.mark.parametrize(("record", "severity"), [
    ({"level": "info"}, OK), ({"level": "DEBUG"}, OK), ({"level": "notice"}, OK), ({"level": "trace"}, OK),
    ({"level": "warning"}, WARN), ({"lvl": "warn"}, WARN), ({"severity": "WARNING"}, WARN),
    ({"severity_text": "error"}, FAIL), ({"level": "exception"}, FAIL), ({"level": "critical"}, FAIL),
    ({"level": "Fatal"}, FAIL), ({"level": 29}, OK), ({"level": 30}, WARN), ({"level": 39}, WARN),
    ({"level": 40}, FAIL),
    ({"level": "50"}, FAIL), ({"level": ""}, OK), ({"level": None, "lvl": "error"}, FAIL), ({"level": True}, OK),
    ({"payload": {"level": "error"}}, OK), ({"level": "info", "detail": {"level": "error"}}, OK),
])  # fmt: skip
def test_the_level_of_the_line_itself_is_its_severity(record, severity):
    assert classify_record(record).severity is severity


def test_info_on_stderr_is_fine_and_a_record_without_level_there_is_plain():
    assert classify_record({"level": "info", "event": "x"}, stream="stderr").severity is OK
    found = classify_record({"event": "x"}, stream="stderr", plain_severity=WARN)
    assert (found.severity, found.code) == (WARN, CODE_PLAIN)


def test_a_level_nobody_knows_is_a_warning():
    found = classify_record({"level": "verbose"})
    assert (found.severity, found.code, found.level) == (WARN, CODE_LEVEL, "verbose")


@pytest.mark.parametrize(("record", "holds"), [
    ({"exc_info": "Traceback (most recent call last):\n  File \"a.py\", line 1"}, True),
    ({"a": {"b": [{"stack_trace": "at main.go (x:12)"}]}}, True), ({"exception": "ValueError: boom"}, True),
    ({"exception": {"exc_type": "ValueError"}}, True), ({"traceback": ["Traceback (most recent call last):"]}, True),
    ({"message": "first\ntraceback (MOST recent call last):\n"}, True), ({"deep": ["panic: nil map"]}, True),
    ({"message": "fatal error: all goroutines are asleep"}, True),
    ({"exc_info": None}, False), ({"exc_info": ""}, False), ({"exc_info": True}, False), ({"stack": []}, False),
    ({"stack": "production"}, False), ({"exception": "none"}, False), ({"message": "no exceptions seen"}, False),
    ({"message": "error rate 0"}, False), ({"message": "we do not panic: ever"}, False),
])  # fmt: skip
def test_a_stack_trace_is_found_at_any_depth_and_mere_words_are_none(record, holds):
    found = classify_record({"level": "info"} | record)
    assert (found.severity, found.code) == ((FAIL, CODE_TRACE) if holds else (OK, ""))


@pytest.mark.parametrize(("text", "stream", "severity"), [
    ("hello", "stdout", OK), ("hello", "stderr", FAIL), ("   ", "stderr", OK), ("no exceptions seen", "stdout", OK),
    ("Traceback (most recent call last):", "stdout", FAIL), ("panic: x", "stdout", FAIL),
])  # fmt: skip
def test_plain_text_is_judged_by_its_stream(text, stream, severity):
    assert classify_text(text, stream=stream).severity is severity


def test_plain_text_on_stderr_can_be_a_warning():
    assert classify_text("hello", stream="stderr", plain_severity=WARN).severity is WARN


@pytest.mark.parametrize(("value", "expected"), [
    ("2026-03-02T06:00:09Z", (MOMENT, False)), ("2026-03-02T08:00:09+02:00", (MOMENT, False)),
    ("2026-03-02 06:00:09", (MOMENT, True)), ("2026-03-02T06:00:09.123456789Z", (MOMENT + 123_456_789, False)),
    ("2026-03-02T06:00:09.5+00:00", (MOMENT + 500_000_000, False)), (1_772_431_209, (MOMENT, False)),
    (1_772_431_209_000, (MOMENT, False)), (1_772_431_209_000_000, (MOMENT, False)), (MOMENT, (MOMENT, False)),
    (1_772_431_209.5, (MOMENT + 500_000_000, False)), ("2026-02-30T06:00:09Z", (None, False)), ("soon", (None, False)),
    (-1, (None, False)), (True, (None, False)), (None, (None, False)), ("1969-12-31T23:59:59Z", (None, False)),
])  # fmt: skip
def test_times_in_every_spelling(value, expected):
    assert parse_time(value) == expected


def test_the_first_usable_time_of_a_record_counts():
    found = classify_record({"timestamp": "never", "ts": 1_772_431_209, "time": "2020-01-01T00:00:00Z"})
    assert found.own_ns == MOMENT
