"""The spool: durable, bounded, whole lines, in order, at least once; through torn tails, bad disks and SIGKILL."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telemetry_bench import START

from tradeworthy.kernel import redaction
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.kernel.journal.files import OsFiles
from tradeworthy.kernel.telemetry import Message, Spool, SpoolFull, SpoolPolicy, SpoolUnwritable, message_of
from tradeworthy.kernel.telemetry.message import line_of

TOPIC = "telemetry.runtime.tasks"
ROOT = Path(__file__).resolve().parents[3]
LINE = len(line_of(message_of(TOPIC, {"n": 1000}, event_id="test:1000", source="test", ts=START)))


def message(number, payload=None):
    return message_of(TOPIC, payload or {"n": number}, event_id=f"test:{number}", source="test", ts=START)


def opened(folder, files=None, clock=None, **policy):
    return Spool(folder, clock or EventClock(START), policy=SpoolPolicy(**policy), files=files)


def numbers(batch):
    return [one.read(dict)["n"] for one in batch.messages]


def all_of(spool, step=1_000):
    """Take everything off the spool."""
    found = []
    while (batch := spool.peek(step)).lines:
        found += numbers(batch)
        spool.acknowledge(batch)
    return found


def segments(folder):
    return sorted(folder.glob("0*.jsonl"))


class BadDisk(OsFiles):
    """Fail the named call so many times; a failing write leaves half of its bytes."""

    def __init__(self, call, times=1):
        self.call, self.left = call, times

    def _fails(self, call):
        if call == self.call and self.left:
            self.left -= 1
            return True
        return False

    def create(self, path):
        if self._fails("create"):
            path.touch()
            raise OSError(28, "no space left on device")
        return super().create(path)

    def write(self, handle, data):
        if self._fails("write"):
            os.write(handle, data[: len(data) // 2])
            raise OSError(28, "no space left on device")
        super().write(handle, data)

    def sync(self, handle):
        if self._fails("sync"):
            raise OSError(5, "input/output error")
        super().sync(handle)

    def reopen(self, path, size):
        if self._fails("reopen") or self.call == "write and reopen":
            raise OSError(30, "read-only file system")
        return super().reopen(path, size)


def test_events_come_back_in_order_and_stay_until_they_are_acknowledged(tmp_path):
    spool = opened(tmp_path)
    for number in range(5):
        spool.append(message(number))
    assert numbers(spool.peek(3)) == [0, 1, 2]
    batch = spool.peek(3)
    assert numbers(batch) == [0, 1, 2]
    spool.acknowledge(batch)
    assert numbers(spool.peek(9)) == [3, 4]
    spool.acknowledge(batch)  # again: nothing happens
    assert spool.backlog == 2
    assert all_of(spool) == [3, 4]
    assert spool.backlog == 0


def test_another_opening_goes_on_where_the_last_one_stood(tmp_path):
    spool = opened(tmp_path, segment_bytes=3 * LINE)
    for number in range(10):
        spool.append(message(number))
    spool.acknowledge(spool.peek(4))
    spool.close()
    again = opened(tmp_path, segment_bytes=3 * LINE)
    assert again.backlog == 6
    again.append(message(10))
    assert all_of(again, 2) == [4, 5, 6, 7, 8, 9, 10]
    assert segments(tmp_path) == []
    again.append(message(11))
    again.close()
    assert all_of(opened(tmp_path)) == [11]


def test_segments_that_were_read_are_removed_and_a_number_is_never_used_again(tmp_path):
    spool = opened(tmp_path, segment_bytes=LINE)
    for number in range(4):
        spool.append(message(number))
    assert [path.stem[-1] for path in segments(tmp_path)] == ["1", "2", "3", "4"]
    spool.acknowledge(spool.peek(2))
    assert [path.stem[-1] for path in segments(tmp_path)] == ["3", "4"]
    all_of(spool)
    spool.close()
    later = opened(tmp_path, segment_bytes=LINE)
    later.append(message(9))
    assert [path.stem[-1] for path in segments(tmp_path)] == ["5"]


def test_the_bound_is_kept_to_the_byte_and_room_comes_back(tmp_path):
    line = len(line_of(message(1)))
    spool = opened(tmp_path, bound_bytes=3 * line, segment_bytes=line)
    for number in range(3):
        spool.append(message(number))
    assert spool.facts().bytes == 3 * line
    with pytest.raises(SpoolFull, match=TOPIC):
        spool.append(message(3))
    assert spool.backlog == 3
    spool.acknowledge(spool.peek(1))
    spool.append(message(4))
    assert all_of(spool) == [1, 2, 4]


def test_the_default_bound_is_256_mebibytes():
    assert SpoolPolicy().bound_bytes == 256 * 1024 * 1024
    with pytest.raises(ValueError, match="segment_bytes"):
        SpoolPolicy(segment_bytes=0)
    with pytest.raises(ValueError, match="segment_bytes"):
        SpoolPolicy(bound_bytes=10, segment_bytes=11)


@pytest.mark.parametrize("torn", [b"{", b'{"event_id":"test:9","to', b"\x00" * 50, b"x" * 3_000_000])
def test_a_torn_tail_is_cut_off_and_all_before_it_kept(tmp_path, torn):
    spool = opened(tmp_path)
    spool.append(message(1))
    spool.append(message(2))
    spool.close()
    with segments(tmp_path)[0].open("ab") as file:
        file.write(torn)
    again = opened(tmp_path)
    assert segments(tmp_path)[0].read_bytes() == line_of(message(1)) + line_of(message(2))
    again.append(message(3))
    assert all_of(again) == [1, 2, 3]
    assert again.facts().malformed == 0


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_cut_at_any_byte_what_is_left_of_whole_lines_comes_back(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("spool")
    spool = opened(folder)
    for number in range(4):
        spool.append(message(number))
    spool.close()
    path = segments(folder)[0]
    whole = path.read_bytes()
    size = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:size])
    again = opened(folder)
    assert all_of(again) == list(range(whole[:size].count(b"\n")))
    again.close()


def test_a_line_that_is_no_message_goes_to_quarantine_once_and_the_rest_comes(tmp_path):
    spool = opened(tmp_path)
    for number in range(3):
        spool.append(message(number))
    spool.close()
    path = segments(tmp_path)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = b"broken" + lines[1][6:]
    path.write_bytes(b"".join(lines))
    again = opened(tmp_path)
    assert numbers(again.peek(9)) == numbers(again.peek(9)) == [0, 2]
    assert again.facts().malformed == 1
    assert len((tmp_path / "quarantine.jsonl").read_bytes().splitlines()) == 1
    all_of(again)
    assert again.backlog == 0


@pytest.mark.parametrize(
    "position", [b"", b"{}", b"nonsense", b'{"segment":1,"offset":5}', b'{"segment":1,"offset":99999}']
)
def test_a_position_that_cannot_be_right_repeats_rather_than_loses(tmp_path, position):
    spool = opened(tmp_path)
    for number in range(3):
        spool.append(message(number))
    spool.close()
    (tmp_path / "position.json").write_bytes(position)
    assert all_of(opened(tmp_path)) == [0, 1, 2]


@pytest.mark.parametrize("call", ["create", "write", "sync"])
def test_a_failing_disk_is_an_error_with_the_topic_and_the_spool_goes_on(tmp_path, call):
    spool = opened(tmp_path, files=BadDisk(call))
    with pytest.raises(SpoolUnwritable, match=TOPIC):
        spool.append(message(0))
    assert spool.backlog == 0
    spool.append(message(1))
    spool.append(message(2))
    spool.close()
    assert all_of(opened(tmp_path)) == [1, 2]


def test_a_half_written_line_that_cannot_be_cut_hurts_no_other(tmp_path):
    class Worse(BadDisk):
        def write(self, handle, data):
            if self.left and self.fails_next:
                self.left -= 1
                os.write(handle, data[: len(data) // 2])
                raise OSError(28, "no space left on device")
            OsFiles.write(self, handle, data)

    disk = Worse("write and reopen")
    disk.fails_next = False
    spool = opened(tmp_path, files=disk)
    spool.append(message(0))
    disk.fails_next = True
    with pytest.raises(SpoolUnwritable):
        spool.append(message(1))
    disk.fails_next = False
    spool.append(message(2))
    assert numbers(spool.peek(9)) == [0, 2]
    spool.close()
    assert all_of(opened(tmp_path)) == [0, 2]


def test_an_acknowledgement_that_cannot_be_kept_leaves_the_batch(tmp_path):
    spool = opened(tmp_path)
    spool.append(message(0))
    (tmp_path / "position.json.part").mkdir()
    batch = spool.peek(9)
    with pytest.raises(OSError):
        spool.acknowledge(batch)
    assert (numbers(spool.peek(9)), spool.backlog) == ([0], 1)


def test_a_second_process_is_refused_the_folder(tmp_path):
    spool = opened(tmp_path)
    with pytest.raises(HaltTrading, match="only writer"):
        opened(tmp_path)
    spool.close()
    opened(tmp_path).close()


def test_a_closed_spool_refuses_and_may_be_closed_again(tmp_path):
    spool = opened(tmp_path)
    spool.append(message(0))
    spool.close()
    spool.close()
    with pytest.raises(SpoolUnwritable, match="is closed"):
        spool.append(message(1))
    assert all_of(opened(tmp_path)) == [0]


def test_backlog_and_age_are_facts(tmp_path):
    clock = EventClock(START)
    spool = opened(tmp_path, clock=clock)
    assert (spool.facts().backlog_events, spool.facts().backlog_age_seconds) == (0, 0.0)
    spool.append(message(0))
    clock.sleep(90 * NANOS_PER_SECOND)
    spool.append(message(1))
    facts = spool.facts()
    assert (facts.backlog_events, facts.backlog_age_seconds) == (2, 90.0)
    assert facts.bound_bytes == 256 << 20
    all_of(spool)
    assert spool.facts().backlog_age_seconds == 0.0
    assert spool.facts().bytes == 0


def test_a_secret_is_never_spooled_though_the_message_holds_it(tmp_path, monkeypatch):
    monkeypatch.setattr(redaction, "_known", {})
    redaction.register("canary-secret-4711")
    raw = Message("test:1", TOPIC, START, "test", message(1).payload.__class__(b'{"n":1,"key":"canary-secret-4711"}'))
    spool = opened(tmp_path)
    spool.append(raw)
    assert all(b"canary" not in path.read_bytes() for path in tmp_path.iterdir())
    assert numbers(spool.peek(1)) == [1]


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.sampled_from(["append", "append", "append", "take", "peek", "reopen"]), max_size=40))
def test_any_mix_of_steps_keeps_every_event_once_and_in_order(tmp_path_factory, steps):
    folder, put, got = tmp_path_factory.mktemp("spool"), 0, []
    spool = opened(folder, segment_bytes=2 * LINE)
    for step in steps:
        if step == "append":
            spool.append(message(put))
            put += 1
        elif step == "take":
            batch = spool.peek(3)
            got += numbers(batch)
            spool.acknowledge(batch)
        elif step == "peek":
            spool.peek(2)
        else:
            spool.close()
            spool = opened(folder, segment_bytes=2 * LINE)
        assert spool.backlog == put - len(got)
    assert got + all_of(spool) == list(range(put))
    spool.close()


def killed(folder, after):
    """Run the writer, kill it when it said that `after` events are kept; returns the last number it said."""
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "spool_writer.py"), str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    said = 0
    for line in child.stdout:
        said = int(line)
        if said == after:
            child.send_signal(signal.SIGKILL)
    child.wait()
    assert child.returncode == -signal.SIGKILL
    return said


def survives(folder, after):
    said = killed(folder, after)
    spool = opened(folder, segment_bytes=2_000)
    found = all_of(spool)
    spool.close()
    assert found[:said] == list(range(1, said + 1))  # nothing that was said to be kept is missing, the order is kept
    assert len(found) <= said + 1  # one more may be whole on the disk before it was said


@pytest.mark.parametrize("after", [1, 57])
def test_a_killed_process_loses_nothing_that_it_was_told_is_kept(tmp_path, after):
    survives(tmp_path, after)


@pytest.mark.proof
def test_processes_killed_at_random_moments_lose_nothing(tmp_path):
    random = Random(20)
    for turn in range(100):
        survives(tmp_path / str(turn), random.randint(1, 200))
