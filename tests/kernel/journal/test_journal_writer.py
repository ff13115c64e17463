"""Accept once, seal, acknowledge, recover, refuse."""

import errno
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from bisect import bisect_right
from decimal import Decimal
from pathlib import Path

import pytest

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import HaltTrading, InvalidInput
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Accepted, Duplicate, Journal, JournalConflict, JournalPolicy, fence, read
from tradeworthy.kernel.journal.files import OsFiles
from tradeworthy.kernel.journal.reader import read_batches
from tradeworthy.kernel.journal.verify import verify
from tradeworthy.trading.model.market import Funding

WRITER = """
import sys
from pathlib import Path
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Journal, JournalPolicy
from tradeworthy.trading.model.market import Quote
journal = Journal.open(Path(sys.argv[1]), clock=SystemClock(), policy=JournalPolicy(commit_interval_ns=None))
shown = journal.durable_seq
print(shown, flush=True)
for n in range(1, int(sys.argv[2])):
    seq = journal.accept(event_of(Quote(instrument="ABC.SIM", bid=n, ask=n + 1), source="feed", key=f"k{n}",
                                  ts_event=10**18 + n, ts_init=10**18 + n))
    if n % 7 == 0:
        durable = journal.commit()
        if durable != shown:
            shown = durable
            print(shown, flush=True)
journal.close()
"""


def test_events_come_back_as_they_were_accepted_and_carry_their_seq(tmp_path, opened, quote_event):
    journal = opened(tmp_path)
    events = [quote_event(n) for n in range(1, 8)]
    assert [journal.accept(event) for event in events] == [1, 2, 3, 4, 5, 6, 7]
    assert (journal.last_seq, journal.durable_seq) == (7, 0)
    assert journal.commit() == 7
    assert list(read(tmp_path)) == events
    assert [event.seq for event in read(tmp_path, start=3, stop=6)] == [3, 4, 5]
    journal.close()


@pytest.mark.parametrize("numbered", [True, False])
def test_the_same_event_is_accepted_once_pending_sealed_and_after_reopening(tmp_path, opened, quote_event, numbered):
    journal = opened(tmp_path)
    assert journal.append(quote_event(5, numbered=numbered)) == Accepted(1)
    assert journal.append(quote_event(5, numbered=numbered)) == Duplicate(1)
    journal.commit()
    assert journal.append(quote_event(5, numbered=numbered)) == Duplicate(1)
    journal.close()
    journal = opened(tmp_path)
    assert journal.append(quote_event(5, numbered=numbered)) == Duplicate(1)
    with pytest.raises(JournalConflict, match="other bytes"):
        journal.append(quote_event(5, numbered=numbered, bid=7))
    journal.close()
    assert verify(tmp_path).events == 1


def test_a_late_number_fills_its_gap_once(tmp_path, opened, quote_event):
    journal = opened(tmp_path)
    assert [journal.accept(quote_event(n)) for n in (3, 7, 5, 5, 1, 4, 3, 1)] == [1, 2, 3, -3, 4, 5, -1, -4]
    journal.close()
    journal = opened(tmp_path)
    assert [journal.accept(quote_event(n)) for n in (5, 6, 2, 8, 7)] == [-3, 6, 7, 8, -2]
    journal.close()


def test_a_repeat_far_behind_is_found_across_marks_and_segments(tmp_path, opened, quote_event):
    journal = opened(tmp_path, segment_bytes_max=200_000)
    journal.append_many([quote_event(n) for n in range(1, 10_001)])
    assert [journal.accept(quote_event(n)) for n in (1, 4_097, 9_999, 10_001)] == [-1, -4_097, -9_999, 10_001]
    journal.close()
    assert len(list(tmp_path.glob("journal-*.jsonl"))) > 5
    assert verify(tmp_path).events == 10_001


class WatchedSyncs(OsFiles):
    """Files whose syncs can be held back and awaited."""

    def __init__(self) -> None:
        self.free, self.done = threading.Event(), threading.Semaphore(0)
        self.free.set()

    def sync(self, handle: int) -> None:
        assert self.free.wait(10)
        super().sync(handle)
        self.done.release()


def test_a_batch_commits_at_its_size_or_age(tmp_path, quote_event):
    clock, files = EventClock(1), WatchedSyncs()
    policy = JournalPolicy(batch_events_max=3, commit_interval_ns=5_000_000)
    journal = Journal.open(tmp_path, clock=clock, policy=policy, files=files)
    for n in (1, 2, 3):
        journal.accept(quote_event(n))
    assert files.done.acquire(timeout=10)
    journal.accept(quote_event(4))
    clock.sleep(4_999_999)
    journal.accept(quote_event(5))
    assert not files.done.acquire(timeout=0.05)
    journal.commit()
    assert files.done.acquire(timeout=10)
    journal.accept(quote_event(6))
    clock.sleep(5_000_000)
    journal.accept(quote_event(7))
    assert files.done.acquire(timeout=10)
    journal.close()
    assert [body.count(b"\n") for body in read_batches(tmp_path)] == [3, 2, 2]


def test_a_batch_counts_as_durable_only_after_its_sync(tmp_path, quote_event):
    files = WatchedSyncs()
    policy = JournalPolicy(batch_events_max=2, commit_interval_ns=None)
    journal = Journal.open(tmp_path, clock=EventClock(1), policy=policy, files=files)
    files.free.clear()
    for n in (1, 2, 3):
        journal.accept(quote_event(n))
    assert (journal.last_seq, journal.durable_seq) == (3, 0)
    files.free.set()
    assert journal.commit() == journal.durable_seq == 3
    journal.close()


def test_midnight_and_size_begin_linked_segments(tmp_path, opened, quote_event):
    midnight = 19_676 * NANOS_PER_DAY
    journal = opened(tmp_path)
    journal.accept(quote_event(1, ts=midnight - NANOS_PER_SECOND // 10))
    journal.accept(quote_event(2, ts=midnight + NANOS_PER_SECOND // 10))
    journal.close()
    assert [path.name[-8:] for path in sorted(tmp_path.glob("journal-*"))] == ["01.jsonl", "02.jsonl"]
    assert verify(tmp_path) == (True, 2, journal.head, None, "")


def test_a_second_writer_is_refused_and_a_fenced_one_cannot_commit(tmp_path, opened, quote_event):
    first = opened(tmp_path)
    with pytest.raises(HaltTrading, match="only writer"):
        opened(tmp_path)
    first.accept(quote_event(1))
    first.commit()
    first.accept(quote_event(2))
    token = fence(tmp_path)
    second_lock_token = first.writer_token
    with pytest.raises(HaltTrading, match="took over"):
        first.commit()
    second = opened(tmp_path)
    assert second.writer_token > token > second_lock_token
    assert second.durable_seq == 1
    with pytest.raises(HaltTrading, match="dead"):
        first.accept(quote_event(3))
    second.close()


class FailingFiles(OsFiles):
    """Fail one call from the `after`-th time on."""

    def __init__(self, call: str, code: int, after: int) -> None:
        self.call, self.code, self.left, self.tries = call, code, after, 0

    def _maybe(self, call: str) -> None:
        if call == self.call:
            self.left -= 1
            if self.left < 0:
                self.tries += 1
                raise OSError(self.code, os.strerror(self.code))

    def write(self, handle: int, data: bytes) -> None:
        self._maybe("write")
        super().write(handle, data)

    def sync(self, handle: int) -> None:
        self._maybe("sync")
        super().sync(handle)


@pytest.mark.parametrize(("call", "code"), [("sync", errno.EIO), ("write", errno.ENOSPC), ("write", errno.EIO)])
def test_a_failed_write_or_sync_halts_and_the_handle_is_never_tried_again(tmp_path, quote_event, opened, call, code):
    files = FailingFiles(call, code, after=2)
    policy = JournalPolicy(batch_events_max=10, commit_interval_ns=None)
    journal = Journal.open(tmp_path, clock=EventClock(1), policy=policy, files=files)
    with pytest.raises(HaltTrading, match="durable to seq 20"):
        journal.append_many([quote_event(n) for n in range(1, 41)])
    for act in (journal.commit, lambda: journal.accept(quote_event(50))):
        with pytest.raises(HaltTrading, match="dead"):
            act()
    journal.close()
    assert files.tries == 1
    again = opened(tmp_path)
    assert again.durable_seq >= 20
    assert [event.seq for event in read(tmp_path, stop=21)] == list(range(1, 21))
    again.close()


@pytest.mark.parametrize("limit", [300_000, pytest.param(8 << 20, marks=pytest.mark.proof)])
def test_a_full_disk_halts_with_every_acknowledged_event(tmp_path, limit):
    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    child = subprocess.run(
        [sys.executable, "-c", WRITER, str(tmp_path), "1000000"], capture_output=True, text=True, preexec_fn=small_disk,
        env=os.environ | {"PYTHONPATH": "src"}, check=False,
    )  # fmt: skip
    assert "HaltTrading" in child.stderr
    acknowledged = int(child.stdout.split()[-1])
    assert acknowledged > 500
    journal = Journal.open(tmp_path, clock=EventClock(1))
    assert journal.durable_seq >= acknowledged
    assert journal.torn is not None
    journal.close()
    assert verify(tmp_path).ok


def _kill_while_appending(directory: Path, lines: int) -> tuple[int, int]:
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(directory), "100000000"], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": "src"},
    )  # fmt: skip
    assert child.stdout is not None
    acknowledged = 0
    for _ in range(lines):
        acknowledged = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().split("\n")[:-1]
    child.wait()
    return max([acknowledged, *map(int, rest)]), acknowledged


def _killed_journal_is_whole(directory: Path, rounds: int) -> int:
    acknowledged = 0
    for turn in range(rounds):
        acknowledged, _ = _kill_while_appending(directory, 5 + turn * 13 % 90)
        journal = Journal.open(directory, clock=EventClock(1))
        assert journal.durable_seq >= acknowledged
        journal.close()
        bids = [event.payload.bid for event in read(directory)]  # type: ignore[attr-defined]
        assert bids == list(range(1, len(bids) + 1))
        if len(bids) > 1_500:  # each start sends everything again, and each repeat is looked up
            shutil.rmtree(directory)
    return acknowledged


def test_a_killed_writer_loses_nothing_acknowledged_and_repeats_nothing(tmp_path):
    assert _killed_journal_is_whole(tmp_path / "j", 5) > 0


@pytest.mark.proof
def test_two_hundred_kills_lose_nothing_acknowledged(tmp_path):
    _killed_journal_is_whole(tmp_path / "j", 200)
    print("\nkills: 200, acknowledged events lost: 0, repeated: 0")


def _cut_everywhere(source: Path, place: Path, opened, step: int) -> int:
    [segment] = source.glob("journal-*.jsonl")
    data = segment.read_bytes()
    sealed, cuts = {0: 0}, 0
    offset = count = 0
    for line in data.splitlines(keepends=True):
        offset += len(line)
        if line.startswith(b'{"seal"'):
            sealed[offset] = count
        elif line.startswith(b'{"seq"'):
            count += 1
    ends = sorted(sealed)
    place.mkdir()
    path = place / segment.name
    for cut in range(0, len(data) + 1, step):
        path.write_bytes(data[:cut])
        journal = opened(place)
        end = ends[bisect_right(ends, cut) - 1]
        assert journal.durable_seq == sealed[end]
        journal.close()
        assert (path.read_bytes() if end else b"") == data[:end]
        assert path.exists() == (end > 0)
        torn = [one.read_bytes() for one in place.glob("torn-*.bin")]
        assert torn == ([data[end:cut]] if cut > end else [])
        for one in place.glob("torn-*.bin"):
            one.unlink()
        cuts += 1
    return cuts


def test_a_file_cut_anywhere_keeps_every_sealed_batch(tmp_path, filled, opened):
    assert _cut_everywhere(filled(60, 7), tmp_path / "cut", opened, step=211) > 80


@pytest.mark.proof
def test_a_thousand_event_file_cut_at_every_byte_keeps_every_sealed_batch(tmp_path, filled, opened):
    cuts = _cut_everywhere(filled(1_000, 50), tmp_path / "cut", opened, step=1)
    print(f"\ncuts: {cuts}, sealed events lost: 0")


def test_a_seal_that_misses_only_its_line_end_is_a_torn_tail(filled, opened):
    directory = filled(20, 10)
    [segment] = directory.glob("journal-*.jsonl")
    with segment.open("r+b") as file:
        file.truncate(segment.stat().st_size - 1)
    assert opened(directory).durable_seq == 10


def test_writing_goes_on_after_a_torn_tail(filled, opened, quote_event):
    directory = filled(100, 10)
    [segment] = directory.glob("journal-*.jsonl")
    with segment.open("r+b") as file:
        file.truncate(segment.stat().st_size - 5)
    journal = opened(directory)
    assert journal.torn is not None
    assert (journal.torn.after, (directory / journal.torn.file).stat().st_size) == (90, journal.torn.size)
    journal.append_many([quote_event(n) for n in range(1_000, 1_020)])
    journal.close()
    assert verify(directory).events == 110


def test_damage_before_the_last_seal_refuses_to_start(filled, opened):
    directory = filled(100, 10)
    [segment] = directory.glob("journal-*.jsonl")
    data = bytearray(segment.read_bytes())
    data[data.index(b'"bid_lots":42') + 12] ^= 1
    segment.write_bytes(data)
    with pytest.raises(HaltTrading, match="damaged before its last seal, at seq 42"):
        opened(directory)


@pytest.mark.parametrize("rate", [Decimal("NaN"), Decimal("Infinity")])
def test_a_number_that_is_not_finite_is_refused_before_it_has_a_seq(tmp_path, opened, rate):
    journal = opened(tmp_path)
    event = event_of(Funding(instrument="ABC.SIM", rate=rate), source="feed", key=1, ts_event=1, ts_init=1)
    with pytest.raises(InvalidInput, match="must be finite"):
        journal.accept(event)
    assert (journal.last_seq, math.isfinite(journal.durable_seq)) == (0, True)
    journal.close()
