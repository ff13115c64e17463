"""Lines as evidence: the short way and the long way agree, secrets go, nothing is lost (DR-03, DR-18, section 5)."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.redaction import register
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.audit.classification import may_hold_trace
from tradeworthy.operations.dry_run.model import StructuredLine
from tradeworthy.operations.dry_run.pump import Line
from tradeworthy.operations.dry_run.recorder import STAMP, TRACE_HINTS, Recorder

NOW = 1_767_571_200 * NANOS_PER_SECOND
STAMPED = "2026-01-05T00:00:00.000000Z"


def recorder(plain=Severity.FAIL, **odd):
    told = []
    made = Recorder(
        wall_at=lambda moment: moment, now=lambda: NOW, plain_severity=plain, report=lambda *all_: told.append(all_),
        **odd,
    )  # fmt: skip
    return made, told


def line(data, stream="stdout", **odd):
    data = data if isinstance(data, bytes) else data.encode()
    return Line(stream, odd.get("at", NOW), data, odd.get("original_bytes", len(data)))


def recorded(data, stream="stdout", plain=Severity.FAIL):
    """Return (the structured line as an object, codes told, the batch)."""
    made, told = recorder(plain)
    batch = made.take([line(data, stream)])
    return json.loads(batch.structured), [one[0] for one in told], batch


@pytest.mark.parametrize(("data", "stream", "codes", "level"), [
    ('{"level":"info","event":"x"}', "stderr", [], "info"),
    ('{"lvl":"WARN","event":"x"}', "stdout", ["log.warning"], "warn"),
    ('{"severity":40,"event":"x"}', "stdout", ["log.error"], "40"),
    ('{"severity_text":"notice","event":"x"}', "stderr", [], "notice"),
    ('{"level":"loud","event":"x"}', "stdout", ["log.level.unknown"], "loud"),
    ('{"event":"no level"}', "stdout", [], "info"),
    ('{"event":"no level"}', "stderr", ["log.plain_stderr"], "error"),
    ("plain words", "stdout", [], "info"),
    ("plain words", "stderr", ["log.plain_stderr"], "error"),
    ("Traceback (most recent call last):", "stdout", ["log.stack_trace"], "error"),
    ('{"level":"info","event":"no exceptions seen, error rate 0"}', "stdout", [], "info"),
    ('{"level":"info","a":[{"exc_info":"Traceback (most recent call last):\\n  File"}]}', "stdout",
     ["log.stack_trace"], "info"),
    ('{"level":"info","event":"x","timestamp":"2026-01-05T00:00:05.000001Z"}', "stdout",
     ["log.timestamp.future"], "info"),
    ('{"level":"info","event":"x","timestamp":"2026-01-05T00:00:05.000000Z"}', "stdout", [], "info"),
    ('{"level":"error","event":"x","ratio":NaN}', "stdout", ["log.error"], "error"),
])  # fmt: skip
def test_each_kind_of_line_has_its_verdict(data, stream, codes, level):
    found, told, _ = recorded(data, stream)
    assert told == codes
    assert found["level"] == level


ORDINARY = st.fixed_dictionaries(
    {"level": st.sampled_from(["info", "debug", "INFO", "warning", "notice", "error"]),
     "event": st.one_of(st.text(max_size=8), st.sampled_from(["heartbeat", "order_accepted"]))},
    optional={
        "timestamp": st.sampled_from([STAMPED, "2026-01-05T00:00:09.000000Z", "2026-01-05T00:00:00Z", 1767571200, "x"]),
        "seq": st.one_of(st.integers(-5, 5), st.text(max_size=2), st.booleans()), "message": st.text(max_size=6),
        "msg": st.text(max_size=4), "lvl": st.just("error"), "note": st.text(max_size=10),
    },
)  # fmt: skip


@given(ORDINARY)
@settings(max_examples=300)
def test_the_short_way_and_the_long_way_write_the_same(document):
    data = json.dumps(document)
    short, short_told = recorder()
    long, long_told = recorder()
    long._ordinary = lambda *_: None
    assert short.take([line(data)]) == long.take([line(data)])
    assert [one[:4] for one in short_told] == [one[:4] for one in long_told]
    assert short.line_counts == long.line_counts
    assert short.level_counts == long.level_counts


@given(st.text(alphabet="excptionstakrb_ :panicf\\u", max_size=30))
def test_no_trace_can_hide_from_the_hints(text):
    data = text.encode()
    if may_hold_trace(data):
        assert any(hint in data.lower() for hint in TRACE_HINTS)


@given(st.binary(max_size=80), st.sampled_from(["stdout", "stderr"]))
def test_any_bytes_become_one_valid_line_each(data, stream):
    data = data.replace(b"\n", b" ")
    made, _ = recorder()
    batch = made.take([line(data, stream), line(b"{}", stream)])
    decoded = [msgspec.json.decode(one, type=StructuredLine) for one in batch.structured.splitlines()]
    assert len(decoded) == 2
    assert decoded[0].payload.raw is not None or decoded[0].payload.structured is not None
    assert batch.raw.count(b"\n") == 2


def test_the_layout_is_the_documented_one_and_keeps_the_object_byte_for_byte():
    inner = b'{"level": "info",  "event":"heartbeat","seq":7}'
    made, _ = recorder()
    batch = made.take([line(inner)])
    assert batch.structured == (
        b'{"timestamp":"2026-01-05T00:00:00.000000Z","level":"info","event":"heartbeat","message":"heartbeat",'
        b'"stream":"stdout","payload":{"stream":"stdout","ingested_at":"2026-01-05T00:00:00.000000Z",'
        b'"monotonic_ns":1767571200000000000,"structured":' + inner + b"}}\n"
    )
    assert batch.beats == [(NOW, 7)]


def test_a_cut_line_says_so_and_is_reported_once_a_kind():
    made, told = recorder()
    found = json.loads(made.take([line("x" * 10, original_bytes=5_000)]).structured)
    assert found["payload"]["truncated"] is True
    assert found["payload"]["original_bytes"] == 5_000
    assert [(one[0], one[1]) for one in told] == [("log.line.truncated", Severity.WARN)]


@pytest.mark.parametrize("data", [
    '{"level":"info","event":"login","password":"hunter2-plain"}', "password=hunter2-plain",
    '{"level":"info","event":"password: hunter2-plain"}', 'GET /?api_key=hunter2-plain&x=1',
    '{"level":"info","event":"x","deep":[{"auth_token":"hunter2-plain"}]}',
    '{"level":"info","event":"x","p\\u0061ssword":"hunter2-plain"}',
])  # fmt: skip
def test_secrets_by_name_are_in_neither_stream(data):
    _, _, batch = recorded(data)
    assert b"hunter2" not in batch.structured + batch.raw


def test_registered_secrets_are_in_neither_stream_nor_incident():
    register("swordfish-of-the-desk")
    made, told = recorder()
    batch = made.take([line('{"level":"info","event":"x"}'), line("got swordfish-of-the-desk", "stderr")])
    assert b"swordfish" not in batch.structured + batch.raw
    assert "swordfish" not in str(told)


def test_broken_utf8_is_replaced_and_counted():
    made, _ = recorder()
    batch = made.take([line(b"caf\xe9"), line(b'{"level":"info","event":"caf\xe9"}')])
    assert made.invalid_utf8 == 2
    assert "caf\ufffd".encode() in batch.raw
    assert [json.loads(one)["message"] for one in batch.structured.splitlines()] == ["caf\ufffd", "caf\ufffd"]


def test_level_words_are_counted_in_bounded_memory():
    made, _ = recorder()
    made.take([line(f'{{"level":"odd{n}","event":"x"}}') for n in range(500)])
    assert sum(made.level_counts.values()) == 500
    assert len(made.level_counts) <= 65


@pytest.mark.parametrize(("text", "plain"), [
    (STAMPED, True), ("2026-02-29T00:00:00.000000Z", False), ("2026-13-01T00:00:00.000000Z", False),
    ("2026-01-05T24:00:00.000000Z", False), ("2026-01-05T00:00:00Z", False),
])  # fmt: skip
def test_only_stamps_of_the_writers_own_form_are_taken_as_they_are(text, plain):
    assert (STAMP.fullmatch(text) is not None) is plain
