"""One cycle of ingest: idempotent, with quarantine, and no source keeps another from it."""

import msgspec
import pytest
from held_market import NOW, SECOND, Feed, HeldMarket, X, quote, quotes
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import RetryLater
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Journal, read
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.ingest.cycle import CHECK_ROWS, CycleEnded, run_cycle
from tradeworthy.operations.ingest.policy import IngestPolicy
from tradeworthy.operations.ingest.quality import judge
from tradeworthy.trading.model import Bar, Mark, Trade


def cycle(store, *feeds, folder, number=1, policy=None, **odd):
    return run_cycle(
        feeds, store, policy=policy or IngestPolicy(), clock=EventClock(NOW), run_id="r", number=number,
        quarantine=folder, **odd,
    )  # fmt: skip


def test_the_second_cycle_adds_no_row_and_does_not_read_the_feed_again(tmp_path):
    store, feed = HeldMarket(), Feed("a", quotes(10))
    first = cycle(store, feed, folder=tmp_path)
    second = cycle(store, feed, folder=tmp_path, number=2)
    assert (first.inserted, first.unchanged, first.severity) == (10, 0, Severity.OK)
    assert (second.inserted, second.unchanged, second.severity) == (0, 10, Severity.OK)
    assert second.sources[0].reused
    assert feed.read == 1


def test_a_feed_that_grew_adds_what_is_new_alone(tmp_path):
    store = HeldMarket()
    cycle(store, Feed("a", quotes(10)), folder=tmp_path)
    grown = cycle(store, Feed("a", quotes(13)), folder=tmp_path)
    assert (grown.inserted, grown.unchanged) == (3, 10)
    assert not grown.sources[0].reused


def test_two_equal_trades_of_one_moment_stay_two(tmp_path):
    store, trade = HeldMarket(), (NOW - 5, NOW, Trade(X, 100, 1))
    found = cycle(store, Feed("a", [trade, trade]), folder=tmp_path)
    assert found.inserted == 2
    again = cycle(store, Feed("a", [trade, trade], digest="another"), folder=tmp_path)
    assert (again.inserted, again.unchanged) == (0, 2)


def test_ages_and_counts_of_each_source_are_told(tmp_path):
    found = cycle(HeldMarket(), Feed("a", [quote(NOW - 7)]), Feed("b", [quote(NOW - 3)]), folder=tmp_path)
    assert [(one.source, one.fetched, one.newest, one.age_ns) for one in found.sources] == [
        ("a", 1, NOW - 7, 7), ("b", 1, NOW - 3, 3)
    ]  # fmt: skip
    assert found.store == "memory"


def test_a_malformed_line_is_kept_once_and_the_rest_goes_on(tmp_path):
    store = HeldMarket()
    first = cycle(store, Feed("a", quotes(200), bad=[b"broken,line"]), folder=tmp_path)
    assert (first.inserted, first.rejected, first.severity) == (200, 1, Severity.WARN)
    grown = cycle(store, Feed("a", quotes(201), bad=[b"broken,line"]), folder=tmp_path)
    assert grown.rejected == 1
    lines = (tmp_path / "source=a" / "quarantine.jsonl").read_bytes().splitlines()
    assert len(lines) == 1
    kept = msgspec.json.decode(lines[0])
    assert (kept["source"], kept["reason"], kept["ts"]) == ("a", "a line must have 5 fields", NOW)


def test_a_line_of_the_quarantine_that_a_crash_cut_off_is_kept_again(tmp_path):
    (tmp_path / "source=a").mkdir()
    (tmp_path / "source=a" / "quarantine.jsonl").write_bytes(b'{"source":"a","sha\n')
    cycle(HeldMarket(), Feed("a", quotes(200), bad=[b"broken"]), folder=tmp_path)
    assert len((tmp_path / "source=a" / "quarantine.jsonl").read_bytes().splitlines()) == 2


@pytest.mark.parametrize(
    ("rows", "rejected", "future", "expected"),
    [
        (100, 0, 0, Severity.OK), (199, 1, 0, Severity.WARN), (100, 1, 0, Severity.WARN), (99, 1, 0, Severity.FAIL),
        (10, 0, 1, Severity.FAIL), (0, 0, 0, Severity.UNKNOWN), (0, 1, 0, Severity.FAIL),
    ],
)  # fmt: skip
def test_a_source_is_judged_by_its_share_of_refused_rows(rows, rejected, future, expected):
    assert judge(rows=rows, rejected=rejected, future=future, fail_pct=1.0) is expected


@pytest.mark.parametrize(
    "bad",
    [
        quote(NOW - 5, 101, 99), quote(NOW - 5, 0, 99), (NOW - 5, NOW, Trade(X, 0, 1)),
        (NOW - 5, NOW, Trade(X, 5, -1)), (NOW - 5, NOW, Bar(X, 60, 5, 4, 1, 3)),
        (NOW - 5, NOW, Bar(X, 60, 5, 6, 0, 5)),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_is_refused_with_its_reason(tmp_path, bad):
    store = HeldMarket()
    found = cycle(store, Feed("a", [*quotes(200), bad]), folder=tmp_path)
    assert (found.inserted, found.rejected, found.severity) == (200, 1, Severity.WARN)
    assert b"dq.schema" in (tmp_path / "source=a" / "quarantine.jsonl").read_bytes()


def test_a_row_from_the_future_fails_the_source_until_its_time_has_come(tmp_path):
    store, edge = HeldMarket(), quote(NOW + SECOND)
    late = Feed("a", [edge, quote(NOW + SECOND + 1)])
    found = cycle(store, late, folder=tmp_path)
    assert (found.inserted, found.rejected, found.severity) == (1, 1, Severity.FAIL)
    again = run_cycle((late,), store, policy=IngestPolicy(), clock=EventClock(NOW + SECOND), run_id="r", number=2,
                      quarantine=tmp_path)  # fmt: skip
    assert (again.inserted, again.unchanged, again.severity) == (1, 1, Severity.OK)


def test_a_feed_that_is_not_there_fails_alone(tmp_path):
    found = cycle(HeldMarket(), Feed("a", [], absent="found none"), Feed("b", quotes(3)), folder=tmp_path)
    assert [(one.source, one.severity, one.problem) for one in found.sources] == [
        ("a", Severity.FAIL, "found none"), ("b", Severity.OK, "")
    ]  # fmt: skip
    assert (found.severity, found.inserted) == (Severity.FAIL, 3)


def test_a_feed_that_contradicts_what_is_held_fails_and_changes_nothing(tmp_path):
    store = HeldMarket()
    cycle(store, Feed("a", [quote(NOW - 5)]), folder=tmp_path)
    other = cycle(store, Feed("a", [quote(NOW - 5, 98), quote(NOW - 4)], digest="x"), folder=tmp_path)
    assert other.severity is Severity.FAIL
    assert "must equal" in other.sources[0].problem
    assert store.count("quote") == 1


def test_a_feed_without_a_row_is_not_judged_as_good(tmp_path):
    found = cycle(HeldMarket(), Feed("a", []), folder=tmp_path)
    assert (found.severity, found.sources[0].newest, found.sources[0].age_ns) == (Severity.UNKNOWN, None, None)


def test_rows_without_a_table_are_counted_and_left_out(tmp_path):
    mark = (NOW - 5, NOW, Mark(X, 100))
    found = cycle(HeldMarket(), Feed("a", [mark, quote(NOW - 4)]), folder=tmp_path)
    assert (found.sources[0].left_out, found.inserted, found.severity) == (1, 1, Severity.OK)


def test_a_store_that_is_busy_ends_the_cycle_so_that_it_is_tried_again(tmp_path):
    class Busy(HeldMarket):
        def take(self, source, rows, conclude):
            raise RetryLater("locked")

    with pytest.raises(RetryLater, match="locked"):
        cycle(Busy(), Feed("a", quotes(1)), folder=tmp_path)


def test_a_process_that_ends_leaves_no_half_source(tmp_path):
    store, looks = HeldMarket(), []

    def keep_on():
        looks.append(1)
        return len(looks) < 3

    with pytest.raises(CycleEnded):
        cycle(store, Feed("a", quotes(2 * CHECK_ROWS)), folder=tmp_path, keep_on=keep_on)
    assert (store.count("quote"), store.seals) == (0, {})


def test_a_journal_takes_the_fact_and_gives_it_back(tmp_path):
    found = cycle(HeldMarket(), Feed("a", quotes(3)), folder=tmp_path)
    journal = Journal.open(tmp_path / "j", clock=EventClock(NOW))
    journal.accept(event_of(found, source="runtime", key=1, ts_event=1, ts_init=1))
    journal.close()
    (event,) = read(tmp_path / "j")
    assert (event.kind, event.payload) == ("ingest.cycle", found)


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(0, 30))
def test_any_two_readings_of_a_growing_feed_hold_each_row_once(tmp_path_factory, moments, cut):
    """The invariant: what is held equals the feed, however it was cut into cycles."""
    store, rows = HeldMarket(), [quote(NOW - 10 + at) for at in sorted(moments)]
    folder = tmp_path_factory.mktemp("q")
    for count, part in ((1, rows[:cut]), (2, rows)):
        cycle(store, Feed("a", part, digest=f"{count}"), folder=folder, number=count)
    assert store.count("quote") == len(rows)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"interval_seconds": 59.9}, "at least 60"), ({"interval_seconds": -1}, "at least 60"),
        ({"future_seconds": -1}, "future_seconds"), ({"rejected_fail_pct": 0}, "rejected_fail_pct"),
        ({"sources": [{"name": "a/b", "format": "demo", "instrument": X}]}, "letters"),
        ({"sources": [{"name": "a", "format": "demo", "instrument": X}] * 2}, "more than once"),
        ({"sources": [{"name": "a", "format": "demo", "instrument": X, "kind": "x"}]}, "unknown field"),
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_is_refused(raw, told):
    with pytest.raises(msgspec.ValidationError, match=told):
        msgspec.convert(raw, IngestPolicy)


@pytest.mark.parametrize("seconds", [0, 60, 3600])
def test_an_interval_of_a_minute_or_more_or_once_is_taken(seconds):
    assert msgspec.convert({"interval_seconds": seconds}, IngestPolicy, strict=False).interval_seconds == seconds
