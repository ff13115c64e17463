"""A flooded inbox loses no order, keeps the newest of each instrument, and does not grow."""

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.inbox import Inbox, InboxPolicy, LossClass, loss_class
from tradeworthy.kernel.journal.integrity import ExpectedSource, integrity
from tradeworthy.kernel.journal.records import FeedConflated
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.model import CancelOrder, Quote, Trade


def quote(number, name="A", source="feed"):
    fact = Quote(instrument=name, bid=number, ask=number + 1)
    return event_of(fact, source=source, key=number, source_seq=number, ts_event=10**18, ts_init=10**18)


def order(number):
    fact = CancelOrder(f"tw-{number}", "A", "test")
    return event_of(fact, source="orders", key=number, source_seq=number, ts_event=10**18, ts_init=10**18)


def drained(inbox):
    out = []
    while (event := inbox.take()) is not None:
        out.append(event)
    return out


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("market.quote", "conflatable"), ("market.trade", "conflatable"), ("venue.report", "zero_loss"),
     ("intent.proposed", "zero_loss"), ("guard.changed", "zero_loss"), ("market", "zero_loss"),
     ("nobody.knows", "zero_loss")],
)  # fmt: skip
def test_each_kind_has_a_class_and_the_unknown_may_not_be_lost(kind, expected):
    assert loss_class(kind) is LossClass(expected)


def test_with_room_everything_comes_out_in_order():
    inbox = Inbox(InboxPolicy(4))
    sent = [quote(1), quote(2), order(1), quote(3)]
    for event in sent:
        inbox.put(event)
    assert drained(inbox) == sent
    assert inbox.conflated() == ()
    assert inbox.take() is None


def test_a_full_inbox_gives_up_the_older_of_the_same_instrument_and_counts():
    inbox = Inbox(InboxPolicy(3))
    for event in (quote(1, "A"), quote(2, "B"), order(1), quote(3, "A"), quote(4, "A"), order(2)):
        if event.kind == "command.cancel" and event.source_seq == 2:
            with pytest.raises(HaltTrading, match="none of which may be lost"):
                inbox.put(event)
        else:
            inbox.put(event)
    assert [event.event_id for event in drained(inbox)] == ["feed:2", "orders:1", "feed:4"]
    assert inbox.conflated() == (FeedConflated("market.quote", "A", 2),)
    assert inbox.conflated() == ()
    assert inbox.conflated_total == 2


def test_an_order_takes_the_place_of_replaced_market_data():
    inbox = Inbox(InboxPolicy(3))
    for event in (quote(1, "A"), quote(2, "A"), quote(3, "B"), order(1)):
        inbox.put(event)
    assert [event.event_id for event in drained(inbox)] == ["feed:2", "feed:3", "orders:1"]


def test_a_full_inbox_of_orders_halts_and_market_data_is_only_counted():
    inbox = Inbox(InboxPolicy(2))
    inbox.put(order(1))
    inbox.put(order(2))
    inbox.put(quote(1))
    with pytest.raises(HaltTrading, match=r"expected room for command\.cancel orders:3, found 2 events waiting"):
        inbox.put(order(3))
    assert [event.event_id for event in drained(inbox)] == ["orders:1", "orders:2"]
    assert inbox.conflated_total == 1


def test_kinds_of_one_instrument_are_conflated_apart():
    inbox = Inbox(InboxPolicy(2))
    trade = event_of(Trade("A", 1, 1, None), source="feed", key="t", ts_event=1, ts_init=1)
    for event in (quote(1), trade, quote(2)):
        inbox.put(event)
    assert [event.event_id for event in drained(inbox)] == ["feed:t", "feed:2"]


def test_a_flood_loses_no_order_and_memory_stays_flat(tmp_path, opened):
    inbox, journal = Inbox(InboxPolicy(1_000)), opened(tmp_path)
    rng, sent, quotes = random.Random(2), 0, 0
    sizes = []
    tracemalloc.start()
    for turn in range(30_000):
        quotes += 1
        inbox.put(quote(quotes, f"I{rng.randrange(50)}"))
        if turn % 50 == 0:
            sent += 1
            inbox.put(order(sent))
            journal.accept(inbox.take())  # a desk that is far too slow
        if turn in (10_000, 29_999):
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert len(inbox) == 1_000
    for event in drained(inbox):
        journal.accept(event)
    counts = inbox.conflated()
    for number, fact in enumerate(counts, 1):
        journal.accept(event_of(fact, source="inbox", key=number, source_seq=number, ts_event=10**18, ts_init=10**18))
    journal.close()
    stored = list(read(tmp_path))
    assert [event.source_seq for event in stored if event.source == "orders"] == list(range(1, sent + 1))
    kept = sum(event.source == "feed" for event in stored)
    assert kept + sum(fact.count for fact in counts) == quotes
    newest = {event.payload.instrument: event for event in stored if event.source == "feed"}
    assert max(event.source_seq for event in newest.values()) == quotes
    assert sizes[1] < sizes[0] * 1.5
    manifest = {"feed": ExpectedSource(zero_loss=False), "orders": ExpectedSource(), "inbox": ExpectedSource()}
    report = integrity(stored, manifest, now=10**18)
    assert (report.severity, report.conflated) == (Severity.WARN, quotes - kept)


@given(st.lists(st.tuples(st.sampled_from("AB-T"), st.booleans()), max_size=80), st.integers(1, 6))
def test_no_zero_loss_event_is_lost_the_newest_stays_and_the_cap_holds(acts, capacity):
    inbox, out, accepted, last = Inbox(InboxPolicy(capacity)), [], [], {}
    for number, (what, take) in enumerate(acts, 1):
        event = order(number) if what in "-T" else quote(number, what)
        try:
            inbox.put(event)
        except HaltTrading:
            assert event.kind == "command.cancel"
        else:
            if event.kind == "command.cancel":
                accepted.append(event)
            last[what] = event
        assert len(inbox) <= capacity
        if take and (taken := inbox.take()) is not None:
            out.append(taken)
    out += drained(inbox)
    assert [event for event in out if event.kind == "command.cancel"] == accepted
    quotes = sum(what in "AB" for what, _ in acts)
    assert sum(event.kind == "market.quote" for event in out) + inbox.conflated_total == quotes
    assert [event.source_seq for event in out] == sorted(event.source_seq for event in out)


def test_a_capacity_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1, was 0"):
        InboxPolicy(0)
