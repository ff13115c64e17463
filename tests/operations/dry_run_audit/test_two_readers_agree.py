"""The compiled reader and the general parser give equal tallies on any bytes whatever."""

import json
import random

import audit_logs as logs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradeworthy.operations.dry_run.audit.log_section import judge
from tradeworthy.operations.dry_run.audit.policy import AuditPolicy, ScanPolicy
from tradeworthy.operations.dry_run.audit.scan import scan

pytest.importorskip("numba")

SMALL = AuditPolicy(scan=ScanPolicy(block_bytes=512, line_bytes_max=1 << 20))
WORDS = ["info", "INFO", "Info", "debug", "notice", "trace", "warning", "error", "40", "verbose", "", "infos"]
TIMES = [
    logs.at(5), logs.at(7.25), "2026-03-02T06:00:09+00:00", "2026-03-02T06:00:09.123456789Z", "2026-03-02T06:00:09",
    "2026-03-02T08:00:09+02:00", "2026-03-02 06:00:09Z", "2026-02-30T06:00:09Z", "2026-03-02T24:00:00Z", "later",
    "2026-03-02T06:00:60Z", "2099-01-01T00:00:00Z", "1969-01-01T00:00:00Z", "2026-03-02T06:00:09.Z",
    "2026-03-02T06:00Z",
    1772431209, 1772431209123, 17.5, None, True, 1772431209.25, 1772431209.123456, 1772431209.1234567, 0, 0.0, -5,
    1772431209123456, 1772431209123456789, 1e9, 99999999999, 100000000000, 7258118400, 0.000001, 0.0000000015,
]  # fmt: skip
KEYS = [
    "level", "lvl", "severity", "severity_text", "timestamp", "ts", "@timestamp", "time", "event", "message", "payload",
    "ingested_at", "seq", "stream", "stack", "exception", "traceback", "exc_info", "stack_trace", "stacktrace",
    "id", "é",
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from([
        *WORDS, "heartbeat", "Traceback (most recent call last):", "panic: x", " panic: x", "fatal error: y",
        "no exceptions seen", "ValueError: boom", 'a "quoted" \\ text', "two\nlines", "tab\t", "\u2028", "ü",
        "x\nTraceback (most recent call last):\n  File", "\n\t panic: x", "a\r\n fatal error: y", "\tpanic: z", "/",
        "pan\u0131c: x", "\npan\u0131c: panic:", "trace\u212a", "\u017f", "\ud800", "a\udc00b", "\U0001f600", "\x7f",
        "h\u00e9artbeat", "\u20ac" * 12, "\b\f\u0001",
    ]),
    st.text(max_size=40),
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0, -0.0, 1e300])
)
VALUES = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.booleans(), st.none(), st.sampled_from(TIMES)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)),
    max_leaves=8,
)  # fmt: skip
RECORDS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=7)


@st.composite
def likely_records(draw):
    """A record that is mostly as the writer makes it, in any order of keys, with one part that may be odd."""
    record = {
        "timestamp": draw(st.sampled_from(TIMES)), "level": draw(st.sampled_from(WORDS[:6])), "event": draw(TEXTS),
        "message": draw(TEXTS),
        "payload": {
            "ingested_at": draw(st.sampled_from(TIMES[:8])), "monotonic_ns": draw(NUMBERS), "structured": draw(VALUES),
        },
    }  # fmt: skip
    record |= draw(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=1))
    keys = draw(st.permutations(list(record)))
    return {key: record[key] for key in keys if draw(st.integers(0, 19))}


@st.composite
def lines(draw):
    """The bytes of one line: a record in one of several spellings, or something that is none."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.binary(max_size=60)).replace(b"\n", b"")
    record = draw(likely_records() if kind < 7 else RECORDS)
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " : ")]))
    text = json.dumps(record, separators=separators, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    if kind == 1:
        place = draw(st.integers(0, len(text) - 1))
        text = text[:place] + bytes([draw(st.integers(0, 255))]) + text[place + draw(st.integers(0, 1)) :]
    elif kind == 2:
        text = text[: draw(st.integers(0, len(text)))]
    elif kind == 3:
        before, after = [b" ", b"\t", b"\xef\xbb\xbf"], [b" ", b"\r", b"x", b","]
        text = draw(st.sampled_from(before)) + text + draw(st.sampled_from(after))
    return text.replace(b"\n", b"")


def outcome(path, policy, *, compiled):
    tally = scan([path], policy, now=logs.NOW_NS, compiled=compiled)
    beats = (sorted(zip(tally.beats[::2], tally.beats[1::2], strict=True)), tally.beats_dropped)
    counts = (tally.measured, tally.attested, tally.naive, tally.untimed, tally.overlong, sorted(tally.truncated))
    return judge(tally, policy, None), beats, counts, list(tally.coverage.cells())


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(lines(), max_size=12), st.sampled_from([b"\n", b"\r\n"]), st.booleans())
def test_any_log_reads_the_same(tmp_path_factory, content, end, ended):
    path = tmp_path_factory.getbasetemp() / "fuzz.jsonl"
    data = end.join(content) + (end if ended else b"")
    path.write_bytes(data)
    assert outcome(path, SMALL, compiled=True) == outcome(path, SMALL, compiled=False)


@pytest.mark.proof
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(lines(), max_size=6), st.sampled_from([b"\n", b"\r\n"]), st.booleans())
def test_any_log_reads_the_same_at_length(tmp_path_factory, content, end, ended):
    path = tmp_path_factory.getbasetemp() / "fuzz_long.jsonl"
    path.write_bytes(end.join(content) + (end if ended else b""))
    assert outcome(path, SMALL, compiled=True) == outcome(path, SMALL, compiled=False)


def test_every_byte_of_a_line_changed_reads_the_same(tmp_path):
    whole = logs.line(3, structured={"event": "x", "n": -1.5, "list": [1, {"deep": None}], "flag": False})
    changed = [
        whole[:at] + bytes([byte]) + whole[at + 1 :]
        for at in range(len(whole)) for byte in (0x00, 0x20, 0x22, 0x2C, 0x30, 0x5C, 0x65, 0x7B, 0x7D, 0xC3)
    ]  # fmt: skip
    path = logs.write(tmp_path / "changed.jsonl", changed)
    assert outcome(path, SMALL, compiled=True) == outcome(path, SMALL, compiled=False)


def test_every_cut_of_a_line_reads_the_same(tmp_path):
    whole = logs.line(3)
    path = logs.write(tmp_path / "cut.jsonl", [whole[:at] for at in range(len(whole) + 1)])
    assert outcome(path, SMALL, compiled=True) == outcome(path, SMALL, compiled=False)


@pytest.mark.parametrize("extra", [
    {"level": "error"}, {"severity": "error"}, {"timestamp": logs.at(9)}, {"ts": logs.at(9)}, {"event": "other"},
    {"payload": {"ingested_at": logs.at(1)}}, {"payload": 1}, {"payload": []}, {"stack": "production"},
    {"exception": "ValueError: boom"}, {"nested": {"level": "error", "payload": {"ingested_at": "x"}, "ts": 1}},
])  # fmt: skip
def test_a_key_given_twice_or_nested_reads_the_same(tmp_path, extra):
    whole = logs.line(3)
    doubled = [whole[:-1] + b"," + logs.encode(extra)[1:], logs.encode(extra)[:-1] + b"," + whole[1:]]
    path = logs.write(tmp_path / "doubled.jsonl", doubled)
    assert outcome(path, SMALL, compiled=True) == outcome(path, SMALL, compiled=False)


PLACES = [
    lambda key, value: {key: value, "level": "info"},
    lambda key, value: {"payload": {key: value}, "level": "info"},
    lambda key, value: {"payload": {"structured": {key: value}}, "level": "info"},
    lambda key, value: {"other": {key: value}, "level": "info"},
    lambda key, value: {"list": [{key: value}], "level": "info"},
]
"""The same key, first or second of its line, where it means something and where it does not."""


@pytest.mark.parametrize("key", ["seq", "ts", "ingested_at", "event", "level", "stack", "k" * 29, "k" * 30, "", "é"])
def test_a_key_that_the_line_before_had_elsewhere_reads_the_same(tmp_path, key):
    values = [5, 1772431209, "2026-03-02T06:00:09Z", "info", "heartbeat", {}, None]
    rows = [
        logs.encode({"event": "heartbeat"} | place(key, value) | {"time": logs.at(4)})
        for value in values for place in PLACES
    ]  # fmt: skip
    rows += [row.replace(b'":', b'" :') for row in rows] + [row.replace(b'k"', b"k'") for row in rows]
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        path = logs.write(tmp_path / "places.jsonl", rows)
        assert outcome(path, SMALL, compiled=True) == outcome(path, SMALL, compiled=False)


def test_a_time_that_arrival_repeats_or_almost_repeats_reads_the_same(tmp_path):
    whole, clock = logs.line(3), b"03.000000Z"
    stamps = [
        clock, b"03.000001Z", b"03.00000xZ", b"03.000000z", b"60.000000Z", b"59.999999Z", b"03,000000Z", b"0x.000000Z",
        b"03Z", b"03.0000000Z", b"03.00000Z", b"03.000000+00:00",
    ]  # fmt: skip
    before, between, after = whole.split(clock)
    rows = [before + own + between + arrival + after for own in stamps for arrival in stamps]
    assert whole in rows
    path = logs.write(tmp_path / "stamps.jsonl", rows)
    assert outcome(path, SMALL, compiled=True) == outcome(path, SMALL, compiled=False)


def test_plain_lines_never_reach_the_general_parser(tmp_path, monkeypatch):
    path = logs.write(tmp_path / "plain.jsonl", [logs.line(n) for n in range(500)])
    asked = []
    monkeypatch.setattr("tradeworthy.operations.dry_run.audit.tally.Tally.take", lambda _self, line: asked.append(line))
    tally = scan([path], AuditPolicy(), now=logs.NOW_NS, compiled=True)
    assert (tally.records, tally.measured, asked) == (500, 500, [])


FOREIGN = [
    {"ts": 1772431209.1234567, "lvl": "info", "msg": "prêt\nligne « deux »", "user": "Łukasz 🚀"},
    {"time": 1772431209123, "level": "info", "event": "Überblick", "msg": 'a "quoted" \\ path/\ttab'},
    {"@timestamp": "2026-03-02T06:00:09.123+00:00", "severity": "INFO", "message": "日本語のログ", "n": -1.5},
]


@pytest.mark.parametrize("ascii_only", [True, False])
def test_foreign_lines_with_escapes_and_beyond_ascii_never_reach_the_general_parser(tmp_path, monkeypatch, ascii_only):
    chosen = [one for one in FOREIGN if not ascii_only or "event" not in one]
    rows = [json.dumps(one, ensure_ascii=ascii_only).encode() for one in chosen]
    path = logs.write(tmp_path / "foreign.jsonl", rows)
    expected = outcome(path, SMALL, compiled=False)
    assert outcome(path, SMALL, compiled=True) == expected
    asked = []
    monkeypatch.setattr("tradeworthy.operations.dry_run.audit.tally.Tally.take", lambda _self, line: asked.append(line))
    assert scan([path], AuditPolicy(), now=logs.NOW_NS, compiled=True).records == len(rows)
    assert asked == []


@settings(deadline=None)
@given(st.integers(0, 10**11), st.integers(0, 10), st.integers(0, 10**10))
def test_a_time_of_an_epoch_with_a_fraction_is_the_same_to_the_nanosecond(tmp_path_factory, whole, digits, fraction):
    text = f"{whole}.{fraction:010d}"[: len(str(whole)) + 1 + digits].rstrip(".")
    path = tmp_path_factory.getbasetemp() / "epoch.jsonl"
    path.write_bytes(f'{{"level":"info","ts":{text}}}\n'.encode())
    assert outcome(path, SMALL, compiled=True) == outcome(path, SMALL, compiled=False)


def test_shuffled_lines_and_any_block_size_read_the_same(tmp_path):
    rows = [logs.line(n * 3, event=f"event_{n % 7}", level="warning" if n % 50 == 0 else "info") for n in range(800)]
    rows += [logs.beat(n * 10, n) for n in range(240)]
    expected = outcome(logs.write(tmp_path / "log.jsonl", rows), SMALL, compiled=False)
    random.Random(5).shuffle(rows)
    path = logs.write(tmp_path / "log.jsonl", rows)
    for block in (64, 999, 1 << 20):
        policy = AuditPolicy(scan=ScanPolicy(block_bytes=block))
        for compiled in (True, False):
            assert outcome(path, policy, compiled=compiled) == expected


def test_several_readers_of_one_file_read_the_same(tmp_path):
    path = logs.write(tmp_path / "log.jsonl", [logs.line(n) for n in range(4_000)])
    one = AuditPolicy(scan=ScanPolicy(readers=1))
    three = AuditPolicy(scan=ScanPolicy(readers=3, line_bytes_max=20_000, range_bytes=100_000))
    assert outcome(path, three, compiled=True) == outcome(path, one, compiled=False)
