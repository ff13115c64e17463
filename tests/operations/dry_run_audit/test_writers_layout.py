"""A line as the writer lays it out is read by its head, and any change of it reads as the general parser has it."""

import ctypes
import random

import audit_logs as logs
import pytest
from test_two_readers_agree import SMALL, outcome

np = pytest.importorskip("numpy")
pytest.importorskip("numba")

SEED, LINES_A_FILE = 17, 60
BYTES = [*(bytes([one]) for one in b'"\\,:{}[ 09-.Ze\t\r\xc3'), b""]
PARTS = [
    b'"level":"error"', b'"level":"warning"', b'"ts":1772431209', b'"ingested_at":"2026-03-02T06:00:09Z"', b'"seq":7',
    b'"event":"heartbeat"', b'"payload":{}', b'"structured":{"seq":9}', b'"stack":"x"', b'"exc_info":true', b"stderr",
    b"\\n Traceback (most", b"panic: x", b"INFO", b"notice", b"2026-03-02T06:00:59.999999Z", b"03Z", b"60.000000Z",
    b'"message":"\\u0070anic: x"', "é".encode(), b'":"', b'","', b'":', b"}}", b'"timestamp":"',
]  # fmt: skip


def whole_lines(rng):
    """Return lines in the writer's layout, of several events, streams, levels and shapes."""
    lines = []
    for _ in range(LINES_A_FILE):
        second, event = rng.randrange(7_000) + rng.choice([0.0, 0.25]), rng.choice(["tick", "heartbeat", "fill", ""])
        structured = rng.choice([
            {"event": event, "seq": rng.randrange(50)}, {"seq": rng.randrange(50), "price": 1.5, "ok": None}, {},
            {"event": "heartbeat", "list": [1, {"seq": 3}]},
        ])  # fmt: skip
        level, stream = rng.choice(["info", "info", "debug", "INFO", "notice"]), rng.choice(["stdout", "stderr"])
        lines.append(logs.line(second, level=level, event=event, structured=structured, stream=stream))
    return lines


def changed(rng, line):
    """Return a line with up to three changes: bytes put in or over, parts put in, pieces of it moved or left out."""
    for _ in range(rng.randrange(4)):
        at, length = rng.randrange(len(line) + 1), rng.choice([0, 0, 1, 1, 2, 9])
        new = rng.choice(BYTES) if rng.random() < 0.6 else rng.choice(PARTS)
        if rng.random() < 0.1:
            start = rng.randrange(len(line) + 1)
            new = line[start : start + rng.randrange(40)]
        line = line[:at] + new + line[at + length :]
    return line.replace(b"\n", b"")


def read_both(folder, seed, files):
    rng = random.Random(seed)
    path = folder / "changed.jsonl"
    for _ in range(files):
        logs.write(path, [changed(rng, line) for line in whole_lines(rng)])
        assert outcome(path, SMALL, compiled=True) == outcome(path, SMALL, compiled=False)


def test_a_line_in_the_writers_layout_is_read_by_its_head():
    from tradeworthy.operations.dry_run.audit import compiled_head as head

    line = logs.line(3, message='say "hello"\tto é', structured={"event": "tick", "seq": 4})
    memory, state = bytearray(line + b"\n" + bytes(64)), np.zeros(32, np.int64)
    begin = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    after = head.read_head(begin, state.ctypes.data)
    assert line[after - begin :].startswith(b'"structured"')
    level, own, arrival, event, length = state[head.HEAD : head.HEAD + 5].tolist()
    moment = logs.START_NS + 3 * logs.SECOND
    assert (level, own, arrival) == (0, moment, moment)
    assert line[event - begin : event - begin + length] == b"tick"


@pytest.mark.parametrize("own", [b"03.000001Z", b"03.00000xZ", b"03.000000z", b"60.000000Z", b"03,000000Z", b"03Z"])
@pytest.mark.parametrize("arrival", [b"03.000001Z", b"03.000002Z", b"60.000000Z", b"03.0000010Z"])
def test_a_time_after_others_of_its_minute_reads_the_same(tmp_path, own, arrival):
    before, between, after = logs.line(3).split(b"03.000000Z")
    rows = [before + b"50.000000Z" + between + b"50.000001Z" + after, before + own + between + arrival + after]
    path = logs.write(tmp_path / "minute.jsonl", rows)
    assert outcome(path, SMALL, compiled=True) == outcome(path, SMALL, compiled=False)


def test_every_byte_of_a_head_missing_doubled_or_another_reads_the_same(tmp_path):
    line = logs.line(3)
    for at in range(line.index(b'"structured"')):
        changes = (b"", line[at : at + 1] * 2, b"x", b'"', b"\\", b"0", b"\x80")
        path = logs.write(tmp_path / "head.jsonl", [line[:at] + new + line[at + 1 :] for new in changes])
        assert outcome(path, SMALL, compiled=True) == outcome(path, SMALL, compiled=False), at


def test_writers_lines_changed_at_random_read_the_same(tmp_path):
    read_both(tmp_path, SEED, files=40)


@pytest.mark.proof
def test_writers_lines_changed_at_random_read_the_same_at_length(tmp_path):
    read_both(tmp_path, SEED + 1, files=3_000)
