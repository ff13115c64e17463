"""Chunks become lines without loss; a full buffer holds the pump back; a failed pump goes on (DR-03, DR-04)."""

import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock, SystemClock
from tradeworthy.operations.dry_run.policy import PumpPolicy
from tradeworthy.operations.dry_run.pump import Chunk, LineBuffer, LineCutter, Pump


def cut(chunks, *, bytes_max=1_000):
    cutter = LineCutter("stdout", bytes_max=bytes_max)
    lines = [line for at, data in enumerate(chunks) for line in cutter.feed(Chunk("stdout", at, data))]
    return lines + cutter.end()


@given(st.lists(st.binary(max_size=12), max_size=20), st.lists(st.integers(1, 9), min_size=1, max_size=30))
def test_any_chunking_gives_the_same_lines(words, sizes):
    lines = [word.replace(b"\n", b"") for word in words]
    data = b"".join(line + b"\n" for line in lines)
    chunks, at = [], 0
    for size in sizes:
        chunks.append(data[at : at + size])
        at += size
    chunks.append(data[at:])
    assert [line.data for line in cut([one for one in chunks if one])] == lines


def test_a_line_is_cut_at_its_limit_and_tells_its_length():
    whole, just, longer = cut([b"a" * 10 + b"\n", b"b" * 5, b"b" * 5 + b"\n" + b"c" * 7, b"c" * 4], bytes_max=10)
    assert (whole.data, whole.truncated) == (b"a" * 10, False)
    assert (just.data, just.monotonic) == (b"b" * 10, 1)
    assert (longer.data, longer.original_bytes, longer.truncated) == (b"c" * 10, 11, True)


def test_a_last_line_without_an_end_is_kept_and_empty_lines_are_lines():
    assert [line.data for line in cut([b"\n\na", b"b"])] == [b"", b"", b"ab"]


def test_a_full_buffer_holds_the_pump_and_says_for_how_long():
    clock = EventClock()
    buffer = LineBuffer(clock, bytes_max=10)
    buffer.put(Chunk("stdout", 0, b"x" * 10))
    blocked = threading.Thread(target=buffer.put, args=(Chunk("stderr", 0, b"y"),), daemon=True)
    blocked.start()
    while not buffer.held_seconds() and blocked.is_alive():
        clock.advance_to(clock.now() + NANOS_PER_SECOND)
        time.sleep(0)
    assert buffer.held_seconds() > 0
    assert [one.data for one in buffer.take(0)] == [b"x" * 10]
    buffer.release(10)
    blocked.join(5)
    assert not blocked.is_alive()
    assert buffer.held_seconds() == 0
    assert [one.data for one in buffer.take(0)] == [b"y"]


def test_a_closed_buffer_holds_nobody():
    buffer = LineBuffer(EventClock(), bytes_max=1)
    buffer.put(Chunk("stdout", 0, b"xx"))
    buffer.close()
    buffer.put(Chunk("stdout", 0, b"yy"))
    assert len(buffer.take(0)) == 2


class Flaky:
    """A pipe that fails once in the middle."""

    def __init__(self, *parts):
        self.parts = list(parts)

    def read(self, count):
        part = self.parts.pop(0) if self.parts else b""
        if isinstance(part, OSError):
            raise part
        return part


def test_a_pump_that_fails_starts_again_and_is_told():
    told = []
    buffer = LineBuffer(SystemClock(), bytes_max=1_000)
    pump = Pump(
        "stdout", Flaky(b"a\n", OSError("torn"), b"b\n"), buffer, clock=SystemClock(), policy=PumpPolicy(),
        failed=lambda stream, problem: told.append((stream, str(problem))),
    )  # fmt: skip
    pump.start()
    pump.join(5)
    assert told == [("stdout", "torn")]
    assert b"".join(one.data for one in buffer.take(0)) == b"a\nb\n"


def test_a_pump_that_keeps_failing_gives_up():
    told = []
    pump = Pump(
        "stdout", Flaky(*[OSError("torn")] * 9), LineBuffer(SystemClock(), bytes_max=10), clock=SystemClock(),
        policy=PumpPolicy(restarts_max=3), failed=lambda stream, problem: told.append(stream),
    )  # fmt: skip
    pump.start()
    pump.join(5)
    assert len(told) == 4
