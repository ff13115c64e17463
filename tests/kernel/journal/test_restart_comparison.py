"""After a kill that lost something, the comparison names it in every mode."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.journal import Journal, JournalPolicy, LocalSigner, read_raw
from tradeworthy.kernel.journal.compare import VALID_NANOS, CannotJudge, await_service, compare
from tradeworthy.kernel.journal.files import writer_lives

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
SECOND = NANOS_PER_SECOND


@pytest.fixture
def place(tmp_path, quote_event):
    """A journal with a checkpoint at 100 of its 110 events, and the checkpoint's second place."""
    policy = JournalPolicy(
        batch_events_max=10, commit_interval_ns=None, checkpoint_events=100, checkpoint_copies=(str(tmp_path / "copy"),)
    )
    journal = Journal.open(tmp_path / "j", clock=EventClock(1), policy=policy, signer=LocalSigner(KEY))
    journal.append_many([quote_event(n) for n in range(1, 111)])
    journal._signer = None  # a kill signs nothing on its way out
    journal.close()
    return tmp_path / "j", tmp_path / "copy"


def cut_before(directory, seq):
    [segment] = directory.glob("journal-*.jsonl")
    data = segment.read_bytes()
    segment.write_bytes(data[: data.rindex(b'{"seq":%d,' % seq)])


def judged(directory, checkpoint, **odd):
    odd = {"public_key": PUBLIC, "stopped_at": 0, "serving_at": SECOND, "now": SECOND} | odd
    return compare(directory, checkpoint, **odd)


def test_nothing_lost_is_a_pass_that_is_valid_for_twenty_minutes(place):
    directory, copy = place
    ids = [f"feed:{n}" for n in range(1, 111)]
    result = judged(directory, copy, acknowledged=ids)
    assert (result.failures, result.exit_code, result.first_bad_seq) == ((), 0, None)
    assert result.valid_until == SECOND + VALID_NANOS == 1_201 * SECOND


@pytest.mark.parametrize("mode", ["file", "folder", "second place", "unsigned"])
def test_ten_signed_events_lost_fail_in_every_mode(place, mode):
    directory, copy = place
    cut_before(directory, 91)
    newest = max(directory.glob("checkpoint-*"))
    where = {"file": newest, "folder": directory, "second place": copy, "unsigned": newest}[mode]
    result = judged(directory, where, public_key=None if mode == "unsigned" else PUBLIC)
    assert (result.exit_code, result.first_bad_seq) == (2, 91)
    assert "100 events were signed, 90 are sealed" in result.failures[0]


def test_ten_acknowledged_events_lost_after_the_checkpoint_are_named(place):
    directory, copy = place
    cut_before(directory, 101)
    assert judged(directory, copy).exit_code == 0, "the checkpoint alone cannot know of them"
    result = judged(directory, copy, acknowledged=[f"feed:{n}" for n in range(90, 111)])
    assert result.exit_code == 2
    assert result.failures == tuple(f"journal: the acknowledged event feed:{n} is missing" for n in range(101, 111))


def test_a_journal_sealed_again_without_ten_events_fails(place, tmp_path, opened):
    directory, copy = place
    events = [line for line in read_raw(directory) if not 51 <= int(line[7 : line.index(b",")]) <= 60]
    shutil.rmtree(directory)
    forged = opened(directory, batch_events_max=10)
    from tradeworthy.kernel.journal import decode_event

    forged.append_many([decode_event(line) for line in events])
    forged.close()
    result = judged(directory, copy)
    assert (result.exit_code, result.first_bad_seq) == (2, 51)


def test_a_journal_that_is_gone_fails_and_a_missing_checkpoint_cannot_be_judged(place, tmp_path):
    directory, copy = place
    (tmp_path / "empty").mkdir()
    assert judged(tmp_path / "empty", copy).failures == ("journal: 100 events were signed, no segment is left",)
    with pytest.raises(CannotJudge, match="found neither"):
        judged(directory, tmp_path / "empty")
    with pytest.raises(CannotJudge, match="no signature fits"):
        judged(directory, copy, public_key=bytes(range(32)))


@pytest.mark.parametrize(
    ("serving_at", "now", "down", "found"),
    [(180 * SECOND, 200 * SECOND, (), []), (180 * SECOND + 1, 200 * SECOND, (), ["service: back within 180 s"]),
     (None, 10 * SECOND, (), ["service: back within 180 s"]),
     (SECOND, SECOND, ("venue", "bus"), ["component: venue is not back", "component: bus is not back"])],
)  # fmt: skip
def test_what_is_not_back_in_time_is_named(place, serving_at, now, down, found):
    directory, copy = place
    result = judged(directory, copy, serving_at=serving_at, now=now, down=down)
    assert len(result.failures) == len(found)
    assert all(text.startswith(start) for text, start in zip(result.failures, found, strict=True))


@pytest.mark.parametrize(("back_at", "expected"), [(0, 0), (7, 10), (180, 180), (181, 185), (186, None)])
def test_the_service_is_asked_each_five_seconds_up_to_the_limit(back_at, expected):
    clock = EventClock(0)
    asked = []

    def serving():
        asked.append(clock.now() // SECOND)
        return clock.now() >= back_at * SECOND

    found = await_service(serving, clock, stopped_at=0)
    assert found == (None if expected is None else expected * SECOND)
    assert asked == list(range(0, len(asked) * 5, 5))


def test_a_writer_is_seen_while_it_holds_the_lock(tmp_path, opened):
    assert not writer_lives(tmp_path)
    journal = opened(tmp_path)
    assert writer_lives(tmp_path)
    journal.close()
    assert not writer_lives(tmp_path)


DESK = """
import sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Journal, JournalPolicy, LocalSigner
from tradeworthy.trading.model import Intent, Side
policy = JournalPolicy(batch_events_max=10, commit_interval_ns=None, checkpoint_events=100)
signer = LocalSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
journal = Journal.open(Path(sys.argv[1]), clock=SystemClock(), policy=policy, signer=signer)
for n in range(1, 1_000_000):
    intent = Intent(f"i{n}", "o", "s", "r", f"d{n}", "A", Side.BUY, 1, 10**18)
    journal.accept(event_of(intent, source="desk", key=n, source_seq=n, ts_event=10**18 + n, ts_init=10**18 + n))
    if n % 10 == 0:
        journal.commit()
        print(n, flush=True)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A journal whose writer was killed, and the number of intents it had acknowledged."""
    directory = tmp_path_factory.mktemp("killed") / "j"
    child = subprocess.Popen(
        [sys.executable, "-c", DESK, str(directory)], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": "src"}
    )
    assert child.stdout is not None
    for _ in range(25):
        acknowledged = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().split()
    child.wait()
    return directory, max([acknowledged, *map(int, rest)])


def lose(directory, last, mode):
    """Take ten intents away: as a crash, as a cut at a seal, out of the middle, or sealed again by a forger."""
    from tradeworthy.kernel.journal import decode_event

    [segment] = directory.glob("journal-*.jsonl")
    if mode == "torn":
        cut_before(directory, last - 9)
    elif mode == "middle":
        lines = segment.read_bytes().splitlines(keepends=True)
        gone = tuple(b'{"seq":%d,' % seq for seq in range(101, 111))
        segment.write_bytes(b"".join(line for line in lines if not line.startswith(gone)))
    else:
        kept = range(1, last - 9) if mode == "sealed shorter" else [*range(1, 101), *range(111, last + 1)]
        lines = list(read_raw(directory))
        segment.unlink()
        journal = Journal.open(directory, clock=EventClock(1), policy=JournalPolicy(commit_interval_ns=None))
        journal.append_many([decode_event(lines[seq - 1]) for seq in kept])
        journal.close()


@pytest.mark.parametrize("mode", ["torn", "middle", "sealed shorter", "sealed again"])
@pytest.mark.parametrize("evidence", ["acknowledged", "both"])
def test_a_kill_that_lost_ten_intents_fails_in_every_mode(killed, tmp_path, mode, evidence):
    directory, last = killed
    place = shutil.copytree(directory, tmp_path / "j")
    signed = shutil.copytree(directory, tmp_path / "signed") if evidence == "both" else tmp_path / "nothing"
    signed.mkdir(exist_ok=True)
    ids = [f"desk:{n}" for n in range(1, last + 1)]
    assert judged(place, signed, acknowledged=ids, public_key=PUBLIC).failures == ()
    lose(place, last, mode)
    result = judged(place, signed, acknowledged=ids)
    assert result.exit_code == 2
    named = [text for text in result.failures if text.startswith("journal: the acknowledged event desk:")]
    assert len(named) >= 10
