"""A repeated event is found wherever its line stands, by reading one short piece of one file."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import JournalConflict, identity
from tradeworthy.kernel.journal.retention import plan, retain
from tradeworthy.trading.model.market import Quote


def _resent(journal, events):
    """Return the seq of each event, which must have been accepted before."""
    found = [journal.accept(event) for event in events]
    assert all(seq < 0 for seq in found)
    return [-seq for seq in found]


def _mixed(quote_event, count, rng):
    """Events of a busy numbered source, a rare one, one that numbers out of order, and ids without number."""
    late = list(range(1, count + 1))
    for start in range(0, count - 20, 20):
        part = late[start : start + 20]
        rng.shuffle(part)
        late[start : start + 20] = part
    events = []
    for n in range(1, count + 1):
        events.append(quote_event(n, source="busy"))
        if n % 97 == 0:
            events.append(quote_event(n // 97, source="rare"))
        events.append(quote_event(late[n - 1], source="late"))
        if n % 3 == 0:
            events.append(quote_event(n, source="free", numbered=False))
    return events


@pytest.mark.parametrize("batch", [1, 7, 50, 512])
def test_every_event_is_found_again_across_segments_before_and_after_a_restart(tmp_path, quote_event, opened, batch):
    rng = random.Random(3)
    events = _mixed(quote_event, 400, rng)
    journal = opened(tmp_path, segment_bytes_max=40_000, batch_events_max=batch)
    assert journal.append_many(events) == len(events)
    journal.commit()
    again = list(enumerate(events, 1))
    rng.shuffle(again)
    assert _resent(journal, [event for _, event in again]) == [seq for seq, _ in again]
    journal.close()
    journal = opened(tmp_path, batch_events_max=batch)
    assert _resent(journal, [event for _, event in again]) == [seq for seq, _ in again]
    journal.close()


def test_thinned_marks_find_everything_too(tmp_path, quote_event, opened, monkeypatch):
    monkeypatch.setattr(identity, "MARKS_MAX", 16)
    events = _mixed(quote_event, 1_500, random.Random(5))
    journal = opened(tmp_path, segment_bytes_max=200_000, batch_events_max=10)
    journal.append_many(events)
    journal.commit()
    index = journal._identity
    assert index._spacing >= 256
    assert len(index._seqs) <= 2 * 16 + len(index._segments)
    assert _resent(journal, events) == list(range(1, len(events) + 1))
    journal.close()


def test_a_lookup_reads_one_piece_however_long_the_journal_is(tmp_path, quote_event, opened, monkeypatch):
    journal = opened(tmp_path, batch_events_max=32)
    journal.append_many([quote_event(n, numbered=n % 2 == 0) for n in range(1, 20_001)])
    journal.commit()
    read = []
    whole = identity.Identity._piece

    def counted(self, at):
        piece = whole(self, at)
        read.append(len(piece))
        return piece

    monkeypatch.setattr(identity.Identity, "_piece", counted)
    for n in (1, 2, 9_999, 10_000, 19_998, 19_999):
        read.clear()
        assert journal.accept(quote_event(n, numbered=n % 2 == 0)) == -n
        assert sum(read) < 64 * 400
    journal.close()


def test_an_id_that_json_must_escape_is_found(tmp_path, opened):
    journal = opened(tmp_path)
    event = event_of(
        Quote(instrument="A", bid=1, ask=2), source="people", key='say "yes"\\\n', ts_event=10**18, ts_init=10**18
    )
    assert journal.accept(event) == 1
    journal.commit()
    assert journal.accept(event) == -1
    journal.close()


def test_an_id_named_inside_another_events_payload_is_not_taken_for_it(tmp_path, opened, quote_event):
    journal = opened(tmp_path)
    decoy = event_of(
        Quote(instrument='"event_id":"feed:5",', bid=1, ask=2), source="people", key=1, ts_event=10**18, ts_init=10**18
    )
    journal.append_many([decoy, quote_event(5)])
    journal.commit()
    assert journal.accept(quote_event(5)) == -2
    journal.close()


def test_numbers_above_the_signed_range_are_ordinary(tmp_path, opened, quote_event):
    def event(number):
        quote = Quote(instrument="A", bid=1, ask=2)
        return event_of(quote, source="v", key=number, source_seq=number, ts_event=10**18, ts_init=10**18)

    journal = opened(tmp_path, batch_events_max=10)
    journal.append_many([event((1 << 63) + n) for n in range(200)])
    journal.commit()
    assert journal.accept(event((1 << 63) + 7)) == -8
    journal.close()


def test_compressed_segments_are_searched(tmp_path, opened, quote_event):
    journal = opened(tmp_path, segment_bytes_max=30_000, batch_events_max=10)
    journal.append_many([quote_event(n) for n in range(1, 501)])
    journal.close()
    for _ in ("compress", "release"):
        retain(plan(tmp_path, now=91 * 86_400 * 10**9, modified=lambda _: 0), record=lambda fact: None)
    assert len(list(tmp_path.glob("journal-*.jsonl"))) == 1
    journal = opened(tmp_path)
    assert _resent(journal, [quote_event(n) for n in (1, 77, 500)]) == [1, 77, 500]
    with pytest.raises(JournalConflict):
        journal.accept(quote_event(77, bid=5))
    journal.close()


def test_a_stored_line_that_is_gone_halts(tmp_path, opened, quote_event):
    journal = opened(tmp_path)
    journal.append_many([quote_event(n) for n in range(1, 4)])
    journal.commit()
    [segment] = tmp_path.glob("journal-*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b"feed:2", b"feed:9"))
    with pytest.raises(HaltTrading, match="expected the stored line of 'feed:2', found none"):
        journal.accept(quote_event(2))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 60)), min_size=1, max_size=200), st.integers(1, 9))
def test_any_order_of_numbers_is_accepted_once_and_found(tmp_path_factory, sent, batch):
    from tradeworthy.kernel.clock import EventClock
    from tradeworthy.kernel.journal import Journal, JournalPolicy

    policy = JournalPolicy(batch_events_max=batch, commit_interval_ns=None, segment_bytes_max=5_000)
    journal = Journal.open(tmp_path_factory.mktemp("any") / "j", clock=EventClock(1), policy=policy)
    first: dict[tuple[str, int], int] = {}
    for source, number in sent:
        event = event_of(
            Quote(instrument="A", bid=number, ask=100), source=source, key=number, source_seq=number,
            ts_event=10**18, ts_init=10**18,
        )  # fmt: skip
        known = first.get((source, number))
        seq = journal.accept(event)
        assert seq == (journal.last_seq if known is None else -known)
        first.setdefault((source, number), abs(seq))
    journal.close()
