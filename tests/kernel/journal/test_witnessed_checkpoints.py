"""What a checkpoint proves: who signed it, whose clock was compared, and where its copies lie."""

import base64
import os
import subprocess
import sys
from contextlib import contextmanager

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock, SystemClock
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.journal import Journal, JournalPolicy, LocalSigner, WitnessSigner
from tradeworthy.kernel.journal.checkpoint import Statement, envelope_of
from tradeworthy.kernel.journal.verify import CannotJudge, read_checkpoint, verify

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()


@contextmanager
def _witness(place):
    (place / "key").write_text(bytes(range(32)).hex())
    address = place / "s"
    command = [sys.executable, "-m", "tradeworthy.kernel.journal.witness", str(place / "key"), str(address)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": "src"})
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == b"ready\n"
        yield address
    finally:
        child.kill()
        child.wait()


class _Ahead(SystemClock):
    """A desk clock that is 90 s ahead."""

    def now(self):
        return super().now() + 90 * NANOS_PER_SECOND


def _signed(place, signer, quote_event, clock=None, **policy):
    journal = Journal.open(
        place, clock=clock or SystemClock(), policy=JournalPolicy(commit_interval_ns=None, **policy), signer=signer
    )
    journal.append_many([quote_event(n) for n in range(1, 11)])
    journal.close()
    return journal


def test_the_witness_measures_how_far_the_desks_clock_is_off(tmp_path, quote_event):
    with _witness(tmp_path) as address:
        for name, clock, offset in (("right", SystemClock(), 0), ("ahead", _Ahead(), 90 * NANOS_PER_SECOND)):
            journal = _signed(tmp_path / name, WitnessSigner(address, clock), quote_event, clock)
            assert journal.checkpoint_problem == ""
            [path] = (tmp_path / name).glob("checkpoint-*")
            said = read_checkpoint(path, PUBLIC)
            assert said["provenance"] == "measured"
            assert abs(said["clock_offset_ns"] - offset) <= said["clock_error_ns"] + 1_000_000
            assert 0 < said["clock_error_ns"] <= 50_000_000


def test_an_offset_nobody_can_measure_is_unknown_and_not_zero(tmp_path, quote_event):
    with _witness(tmp_path) as address:
        _signed(tmp_path / "j", WitnessSigner(address), quote_event)
    [path] = (tmp_path / "j").glob("checkpoint-*")
    said = read_checkpoint(path, PUBLIC)
    assert (said["provenance"], said["clock_offset_ns"], said["clock_error_ns"]) == ("measured", None, None)
    _signed(tmp_path / "local", LocalSigner(KEY), quote_event)
    [path] = (tmp_path / "local").glob("checkpoint-*")
    assert read_checkpoint(path, PUBLIC)["clock_offset_ns"] is None


def test_a_slow_answer_says_nothing_about_the_clock():
    import io

    from tradeworthy.kernel.journal.witness import ROUND_TRIP_NANOS_MAX, _clock_offset

    class Stream(io.BytesIO):
        """Answer after `taken` nanoseconds."""

        def __init__(self, clock, taken):
            super().__init__()
            self.clock, self.taken = clock, taken

        def readline(self, _size=-1):
            self.clock.sleep(self.taken)
            return b'{"now":1000000500}\n'

    clock = EventClock(NANOS_PER_SECOND)
    assert _clock_offset(Stream(clock, 800), clock) == (100, 400)
    clock = EventClock(NANOS_PER_SECOND)
    assert _clock_offset(Stream(clock, ROUND_TRIP_NANOS_MAX), clock)[0] is not None
    clock = EventClock(NANOS_PER_SECOND)
    assert _clock_offset(Stream(clock, ROUND_TRIP_NANOS_MAX + 1), clock) == (None, None)


def test_a_key_inside_the_desk_only_attests_and_another_key_is_not_the_witness(tmp_path, quote_event):
    _signed(tmp_path, LocalSigner(KEY), quote_event)
    [path] = tmp_path.glob("checkpoint-*")
    assert read_checkpoint(path, PUBLIC)["provenance"] == "attested"
    lie = Statement(
        head="0" * 64, count=10, since=0, lines=b"", day="2026-01-01", day_root="", clock_offset_ns=0, ts=1,
        provenance="measured",
    )  # fmt: skip
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    path.write_bytes(envelope_of(lie, other, provenance="measured"))
    with pytest.raises(CannotJudge, match="no signature fits"):
        verify(tmp_path, checkpoint=tmp_path, public_key=PUBLIC)


def test_a_statement_that_asks_for_measured_is_signed_attested_by_the_local_key():
    statement = Statement(
        head="0" * 64, count=1, since=0, lines=b"", day="d", day_root="", clock_offset_ns=None, ts=1,
        provenance="measured",
    )  # fmt: skip
    payload = base64.b64decode(msgspec.json.decode(LocalSigner(KEY).sign(statement))["payload"])
    assert msgspec.json.decode(payload)["provenance"] == "attested"


def test_without_a_witness_the_problem_is_told_and_the_desk_appends_on(tmp_path, quote_event):
    journal = _signed(tmp_path / "j", WitnessSigner(tmp_path / "nobody"), quote_event)
    assert "FileNotFoundError" in journal.checkpoint_problem
    assert journal.durable_seq == 10
    assert not list((tmp_path / "j").glob("checkpoint-*"))


def test_a_witness_that_hangs_up_gives_no_checkpoint(tmp_path):
    import socket
    import threading

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen(1)

        def hang_up():
            connection, _ = listener.accept()
            connection.recv(10_000)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        statement = Statement(
            head="0" * 64, count=1, since=0, lines=b"", day="d", day_root="", clock_offset_ns=None, ts=1
        )
        with pytest.raises((InvalidInput, ConnectionError)):
            WitnessSigner(tmp_path / "s").sign(statement)
        thread.join()


@pytest.mark.parametrize(("events", "expected"), [(99, 0), (100, 1), (350, 3)])
def test_a_checkpoint_each_so_many_events_lies_in_every_place(tmp_path, quote_event, events, expected):
    places = (str(tmp_path / "second"), str(tmp_path / "third"))
    policy = JournalPolicy(
        commit_interval_ns=None, batch_events_max=50, checkpoint_events=100, checkpoint_copies=places
    )
    journal = Journal.open(tmp_path / "j", clock=EventClock(1), policy=policy, signer=LocalSigner(KEY))
    journal.append_many([quote_event(n) for n in range(1, events + 1)])
    names = sorted(path.name for path in (tmp_path / "j").glob("checkpoint-*"))
    assert len(names) == expected
    for place in places:
        for name in names:
            assert (tmp_path / place / name).read_bytes() == (tmp_path / "j" / name).read_bytes()
    journal.close()
    assert verify(tmp_path / "j", checkpoint=tmp_path / "second", public_key=PUBLIC).ok


def test_a_checkpoint_follows_after_sixty_seconds_and_at_a_segments_end(tmp_path, quote_event):
    clock = EventClock(1)
    journal = Journal.open(
        tmp_path, clock=clock, policy=JournalPolicy(commit_interval_ns=None), signer=LocalSigner(KEY)
    )

    def count():
        return len(list(tmp_path.glob("checkpoint-*")))

    journal.append(quote_event(1))
    clock.sleep(60 * NANOS_PER_SECOND - 1)
    journal.commit()
    assert count() == 0
    journal.append(quote_event(2))
    clock.sleep(1)
    journal.commit()
    assert count() == 1
    journal.append(quote_event(3))
    journal.append(quote_event(4, ts=quote_event(4).ts_init + 86_400 * NANOS_PER_SECOND))
    assert count() == 2
    journal.close()
    assert count() == 3
