"""Depth and numbers of sources: what breaks is counted where it lies, and what may give way is no loss."""

import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal.records import FeedConflated, LossAcknowledged
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.collectors.books import BookFold
from tradeworthy.operations.assessments.collectors.logs import LogFold
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.mutation import AT, judged
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.trading.market_data.depth import BookGap
from tradeworthy.trading.model import Quote
from tradeworthy.trading.model.market import DepthDiff

TELL = Teller("test", AT, environment="backtest")
SECOND = NANOS_PER_SECOND
LEVELS = tuple((price, 1) for price in range(1, 4))


def codes(name, facts):
    one = registry().get(name)
    snapshot = judged(one, tuple(facts), one.policy)
    return {found.code.partition(".")[2]: found.severity for found in snapshot.findings}, snapshot.status


def give(fold, at_s, *facts):
    for number, fact in enumerate(facts):
        ts = AT + round(at_s * SECOND)
        fold.on_event(event_of(fact, source="tape", key=f"{at_s}:{number}", ts_event=ts, ts_init=ts))


def diff(number, levels=LEVELS):
    return DepthDiff("A", number, number, number - 1, levels, ())


def books(*given, **made):
    found = BookFold({}, **made)
    for at, facts in given:
        give(found, at, *facts)
    return found


def test_depth_in_order_is_sound_and_a_desk_without_it_has_no_stream():
    assert codes("book_quality", books((-1, [diff(1), Quote("A", 1, 2)])).facts(TELL)) == ({}, Severity.OK)
    assert codes("book_quality", books((-1, [Quote("A", 1, 2)])).facts(TELL)) == ({}, Severity.OK)
    assert codes("book_quality", books(expected=True).facts(TELL))[0] == {"no_depth": Severity.FAIL}


def test_a_hole_and_a_crossed_book_are_counted_for_an_hour():
    broken = [diff(1), Quote("A", 1, 2), BookGap("A", "sequence", 1, 9), BookGap("A", "crossed", 9, 9)]
    found, _ = codes("book_quality", books((-1, broken)).facts(TELL))
    assert found == {"gaps": Severity.WARN, "crossed": Severity.FAIL}
    later = books((-3_700, broken), (-1, [diff(2), Quote("A", 1, 2)]))
    assert codes("book_quality", later.facts(TELL))[0] == {}


def test_silence_a_share_too_large_and_heavy_events_are_found():
    silent = books((-200, [diff(1), Quote("A", 1, 2)]), (0, [Quote("A", 1, 2)]))
    assert codes("book_quality", silent.facts(TELL))[0] == {"silent": Severity.FAIL}
    alone = books((-1, [diff(number) for number in range(20)] + [Quote("A", 1, 2)]))
    assert codes("book_quality", alone.facts(TELL))[0] == {"share": Severity.WARN}
    heavy = diff(1, tuple((price, 1_000_000) for price in range(1_000)))
    found, _ = codes("book_quality", books((-1, [heavy, Quote("A", 1, 2)])).facts(TELL))
    assert found == {"event_bytes": Severity.WARN}


def test_what_gave_way_to_newer_depth_is_told():
    thin = books((-1, [diff(1), Quote("A", 1, 2), FeedConflated(DepthDiff.kind, "A", 99)]))
    assert codes("book_quality", thin.facts(TELL))[0] == {"thinned": Severity.WARN}


@pytest.fixture
def log(tmp_path):
    return LogFold(tmp_path, "desk", {}, followed=False)


def numbers(log, source, *given):
    for number in given:
        event = event_of(Quote("A", 1, 2), source=source, key=number, ts_event=AT, ts_init=AT, source_seq=number)
        log.on_event(event, log.last_seq + 1)


def test_one_lost_event_of_the_desk_fails_and_market_data_may_lose_four(log):
    numbers(log, "desk", 1, 2, 3)
    numbers(log, "tape", 1, 6)
    assert codes("source_compare", log.source_facts({"tape"}, TELL)) == ({"market_lost": Severity.WARN}, Severity.WARN)
    numbers(log, "tape", 8)
    assert codes("source_compare", log.source_facts({"tape"}, TELL))[0] == {"market_lost": Severity.FAIL}
    numbers(log, "desk", 5)
    assert codes("source_compare", log.source_facts({"tape"}, TELL))[0]["cut_event"] is Severity.FAIL
    numbers(log, "desk", 4)
    assert "cut_event" not in codes("source_compare", log.source_facts({"tape"}, TELL))[0]


def test_what_gave_way_and_what_two_people_acknowledged_is_no_loss(log):
    numbers(log, "tape", 1, 12)
    numbers(log, "venue", 1, 4)
    acknowledged = LossAcknowledged("venue", 2, 3, "b", ("c", "d"))
    for number, fact in enumerate((FeedConflated("market.quote", "A", 10), acknowledged)):
        log.on_event(event_of(fact, source="desk", key=number, ts_event=AT, ts_init=AT), log.last_seq + 1)
    assert codes("source_compare", log.source_facts({"tape"}, TELL)) == ({}, Severity.OK)


def test_without_any_numbered_source_nothing_is_shown(log):
    assert codes("source_compare", log.source_facts((), TELL))[0] == {"no_numbers": Severity.FAIL}
