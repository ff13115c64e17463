"""A journal is verified while it grows: each look reads what is new, and says what the whole verification would."""

import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradeworthy.kernel.clock import NANOS_PER_DAY, EventClock
from tradeworthy.kernel.journal import Journal, JournalPolicy, LocalSigner, following
from tradeworthy.kernel.journal.following import ChainWatch
from tradeworthy.kernel.journal.verify import CannotJudge, verify


@pytest.fixture
def grown(tmp_path, quote_event):
    """A journal of two days with a checkpoint each 100 events, as bytes by file."""
    policy = JournalPolicy(batch_events_max=50, commit_interval_ns=None, checkpoint_events=100)
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    journal = Journal.open(tmp_path / "whole", clock=EventClock(1), policy=policy, signer=LocalSigner(key))
    for n in range(1, 1_001):
        journal.append_many([quote_event(n, ts=n + (n > 500) * NANOS_PER_DAY)])
    journal.close()
    return tmp_path / "whole"


def segments(directory):
    return sorted(directory.glob("journal-*.jsonl"))


def test_there_is_more_than_one_segment(grown):
    assert len(segments(grown)) == 2


def test_without_a_journal_nobody_can_judge(tmp_path):
    with pytest.raises(CannotJudge, match=r"journal-\*"):
        ChainWatch(tmp_path).look()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_a_journal_that_grows_is_intact_at_each_look_and_equal_to_the_whole(grown, tmp_path_factory, cuts):
    place = tmp_path_factory.mktemp("growing")
    watch, parts = ChainWatch(place), [(path.name, path.read_bytes()) for path in segments(grown)]
    total = sum(len(data) for _, data in parts)
    for cut in [*sorted(cuts), 1.0]:
        left = max(1, round(cut * total))
        for name, data in parts:
            if left > 0:
                (place / name).write_bytes(data[:left])
            left -= len(data)
        seen = watch.look()
        assert seen.ok
    assert seen == verify(grown)


def test_a_look_reads_nothing_twice(grown, tmp_path):
    place = tmp_path / "copy"
    shutil.copytree(grown, place)
    watch = ChainWatch(place)
    before = watch.look()
    for path in segments(place):
        path.write_bytes(b"\0" * path.stat().st_size)  # what was read already is not looked at again
    assert watch.look() == before


@pytest.mark.parametrize("at", [0.2, 0.6, 0.95])
def test_damage_in_what_is_new_is_found_where_the_whole_verification_finds_it(grown, tmp_path, at):
    place = tmp_path / "copy"
    place.mkdir()
    first, second = segments(grown)
    shutil.copy(first, place)
    watch = ChainWatch(place)
    assert watch.look().ok
    data = bytearray(second.read_bytes())
    data[round(at * len(data))] ^= 1
    (place / second.name).write_bytes(data)
    found, whole = watch.look(), verify(place)
    assert not found.ok
    assert found.first_bad_seq == whole.first_bad_seq
    (place / second.name).write_bytes(second.read_bytes())
    assert watch.look() == found  # it stays found


def test_a_tail_without_a_seal_before_another_segment_is_damage(grown, tmp_path):
    place = tmp_path / "copy"
    place.mkdir()
    first, second = segments(grown)
    data = first.read_bytes()
    (place / first.name).write_bytes(data[: data.rindex(b'{"seal"')])
    watch = ChainWatch(place)
    assert watch.look().ok
    shutil.copy(second, place)
    assert not watch.look().ok


def test_a_history_that_was_sealed_anew_is_told_by_its_checkpoint(grown, tmp_path, quote_event):
    place = tmp_path / "forged"
    policy = JournalPolicy(batch_events_max=50, commit_interval_ns=None)
    with_other_prices = Journal.open(place, clock=EventClock(1), policy=policy)
    with_other_prices.append_many([quote_event(n, bid=7) for n in range(1, 501)])
    with_other_prices.close()
    watch = ChainWatch(place)
    assert watch.look().ok
    for path in grown.glob("checkpoint-*.dsse.json"):
        shutil.copy(path, place)
    assert "not the signed one" in watch.look().problem


def test_a_segment_that_was_archived_meanwhile_is_no_damage(grown, tmp_path):
    place = tmp_path / "copy"
    place.mkdir()
    first, second = segments(grown)
    shutil.copy(first, place)
    watch = ChainWatch(place)
    assert watch.look().ok
    (place / first.name).unlink()
    shutil.copy(second, place)
    assert watch.look() == verify(grown)


def test_only_so_many_heads_are_remembered_and_the_newest_are(grown, monkeypatch):
    monkeypatch.setattr(following, "HEADS_KEPT", 8)
    watch = ChainWatch(grown)
    assert watch.look() == verify(grown)
    kept = list(watch._sealed)
    assert 4 <= len(kept) <= 8
    assert kept[-1] == 1_000
    assert len(watch._heads) == len(kept) * following.HEAD_BYTES
    assert watch._head_at(1_000) == verify(grown).head
    assert watch._head_at(999) is None
    assert watch._head_at(1) is None
