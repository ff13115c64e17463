"""Counters of a rolling hour, and the memory of event ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.telemetry import Deduplicator, RollingCount

MINUTE = 60 * NANOS_PER_SECOND


def test_what_was_counted_leaves_the_window_after_an_hour_and_stays_in_the_total():
    count = RollingCount()
    count.add(0, 5)
    assert count.within(60 * MINUTE - 1) == 5
    assert count.within(61 * MINUTE - 1) == 5
    assert count.within(61 * MINUTE) == 0
    assert count.total == 5


@given(st.lists(st.tuples(st.integers(0, 90 * 60), st.integers(1, 9)), max_size=60), st.integers(0, 90 * 60))
def test_the_window_holds_all_of_the_last_hour_and_nothing_older_than_61_minutes(steps, wait):
    count, now, entries = RollingCount(), 0, []
    for seconds, n in steps:
        now += seconds * NANOS_PER_SECOND
        count.add(now, n)
        entries.append((now, n))
    now += wait * NANOS_PER_SECOND
    at_least = sum(n for at, n in entries if now - at < 60 * MINUTE)
    at_most = sum(n for at, n in entries if now - at < 61 * MINUTE)
    assert at_least <= count.within(now) <= at_most
    assert count.total == sum(n for _, n in entries)
    assert len(count._slices) <= 62


def test_ids_are_known_until_newer_ones_crowd_them_out():
    memory = Deduplicator(2)
    assert not memory.knows("a")
    memory.remember("a")
    memory.remember("b")
    memory.remember("a")  # the newest again
    memory.remember("c")
    assert [memory.knows(one) for one in "abc"] == [True, False, True]


def test_a_memory_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Deduplicator(0)
