"""Market data passes its door before marks and strategies: age, second source, stamps, health, quarantine."""

import pytest
from small_desk import ID, SECOND, START, Feed, Scripted, around, build, of, quotes, submits

from tradeworthy.kernel.clock import NANOS_PER_MILLI
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.environment import Row
from tradeworthy.trading.market_data.age import AgePolicy, StreamFresh, StreamStale
from tradeworthy.trading.market_data.false_tick import FalseTickPolicy, TickSuspect
from tradeworthy.trading.market_data.feed_clock import FeedClockJudged, FeedClockPolicy
from tradeworthy.trading.market_data.feed_health import Cadence, FeedHealthJudged
from tradeworthy.trading.market_data.quality import (
    ImposeQuarantine,
    QualityPolicy,
    QualityRequestRefused,
    ReleaseQuarantine,
    ReviewQuarantine,
    SourcePair,
)
from tradeworthy.trading.market_data.quarantine import DataKey, QuarantineChanged, QuarantinePolicy
from tradeworthy.trading.market_data.two_sources import SourcesDisagree, SourceSwitched
from tradeworthy.trading.model import (
    Abstained,
    CancelOrder,
    DepthDiff,
    GuardChanged,
    GuardLevel,
    Quote,
    Side,
    Timer,
    Trade,
)

FIRST, SECOND_FEED = "tape.test", "tape.other"
KEY = DataKey("market.quote", FIRST, ID)
PAIR = SourcePair(ID, FIRST, SECOND_FEED)
JUMP = QualityPolicy(quarantine=QuarantinePolicy())
BOTH = QualityPolicy(quarantine=QuarantinePolicy(), pairs=(PAIR,))


def feed_of(policy, answers=(), **odd):
    return Feed(build(Scripted(answers), quality=policy, **odd))


def reasons(outcome):
    return [(one.reason, one.scope, one.set) for one in of(outcome, GuardChanged)]


def other(feed, mid=100_000, seconds=1):
    """Give a quote of the second source."""
    return feed.give(Quote(ID, mid - 10, mid + 10, 1_000, 1_000), source=SECOND_FEED, ts=feed.ts + seconds * SECOND)


def quote_at(feed, mid, seconds=1):
    return feed.give(Quote(ID, mid - 10, mid + 10, 1_000, 1_000), ts=feed.ts + seconds * SECOND)


def tick(feed, seconds):
    """Let the clock fire `seconds` after the last event."""
    return feed.give(Timer("sample"), source="clock", ts=feed.ts + seconds * SECOND)


@pytest.mark.parametrize(("silence", "stale"), [(29, False), (30, True)])
def test_a_silent_stream_pauses_its_instrument_at_thirty_seconds(silence, stale):
    feed = feed_of(QualityPolicy(age=AgePolicy()))
    feed.quote()
    outcome = tick(feed, silence)
    assert bool(of(outcome, StreamStale)) is stale
    assert reasons(outcome) == ([("market_data.stale", f"instrument:{ID}", True)] if stale else [])


def test_the_pause_ends_five_seconds_after_the_stream_is_back():
    feed = feed_of(QualityPolicy(age=AgePolicy()))
    feed.quote()
    tick(feed, 31)
    told = [bool(of(feed.quote(), StreamFresh)) for _ in range(6)]
    assert told == [False] * 5 + [True]
    assert feed.desk.seats[0].guard is GuardLevel.RUNNING


def test_other_frames_keep_the_transport_fresh_and_ask_for_a_snapshot_of_the_quiet_book():
    feed = feed_of(QualityPolicy(age=AgePolicy()))
    feed.quote()
    told = []
    for number in range(40):
        outcome = feed.give(Trade(ID, 100_000, 1))
        assert of(outcome, StreamStale) == []
        told += [(number, one.act) for one in outcome.facts if one.kind == "market_data.snapshot_wanted"]
    assert told == [(29, "fetch_snapshot")]


def test_a_stream_without_a_policy_is_never_stale():
    feed = Feed(build(Scripted()))
    feed.quote()
    assert reasons(tick(feed, 3_600)) == []


@pytest.mark.parametrize(("gap", "pauses"), [(99, False), (100, True)])
def test_two_sources_ten_basis_points_apart_for_thirty_seconds_pause(gap, pauses):
    feed = feed_of(QualityPolicy(pairs=(PAIR,)))
    found = []
    for _ in range(20):
        found += reasons(quote_at(feed, 100_000))
        found += reasons(other(feed, 100_000 + gap))
    assert found == ([("market_data.disagree", f"instrument:{ID}", True)] if pauses else [])
    if pauses:
        assert reasons(other(feed, 100_000)) == [("market_data.disagree", f"instrument:{ID}", False)]


def test_the_second_source_moves_neither_mark_nor_strategy_nor_venue():
    desk = build(Scripted(), quality=QualityPolicy(pairs=(PAIR,)))
    feed = Feed(desk)
    quote_at(feed, 100_000)
    seen = len(desk.seats[0].strategy.seen)
    other(feed, 100_050)
    assert desk.markets[ID].mid2 == 200_000
    assert len(desk.seats[0].strategy.seen) == seen
    environment, _ = around(build(Scripted()), unseen=frozenset({SECOND_FEED}))
    environment.run([Row(name, 1, START, START, Quote(ID, 1, 2)) for name in (FIRST, SECOND_FEED)])
    assert len(environment._venue.markets) == 1


@pytest.mark.parametrize(("jump", "state"), [(115_000, None), (115_001, "quarantined")])
def test_a_jump_above_fifteen_percent_is_quarantined_and_its_strategies_abstain_at_once(jump, state):
    feed = feed_of(JUMP, [quotes(Side.BUY)])
    (order,) = submits(quote_at(feed, 100_000))
    feed.acknowledge(order)
    outcome = quote_at(feed, jump)
    after = [one.after.value for one in of(outcome, QuarantineChanged)]
    if state is None:
        assert after == ["suspect"]
        return
    assert after == [state]
    assert [one.code for one in of(outcome, Abstained)] == ["input_quarantined"]
    assert [one.client_order_id for one in of(outcome, CancelOrder)] == [order.client_order_id]
    assert feed.desk.markets[ID].mid2 == 200_000
    feed.desk.seats[0].strategy.answers.append(quotes(Side.BUY))
    assert submits(quote_at(feed, jump)) == []


def test_with_a_backup_the_desk_reads_it_and_no_later_order_rests_on_the_quarantined_source():
    feed = feed_of(BOTH)
    quote_at(feed, 100_000)
    other(feed)
    outcome = quote_at(feed, 120_000)
    assert [one.source for one in of(outcome, SourceSwitched)] == [SECOND_FEED]
    feed.desk.seats[0].strategy.answers.append(quotes(Side.BUY))
    assert submits(quote_at(feed, 120_000)) == []
    (order,) = submits(other(feed))
    intent = feed.desk.execution.orders.get(order.client_order_id).intent
    assert intent.decision_id.startswith(f"script@{SECOND_FEED}:")


def test_release_takes_review_the_named_replacement_and_two_people():
    feed = feed_of(JUMP, [])
    quote_at(feed, 100_000)
    quote_at(feed, 120_000)

    def ask(request):
        return feed.give(request, source="operator")

    assert of(ask(ReleaseQuarantine(KEY, "abc", ("ann", "bob"))), QualityRequestRefused)
    assert of(ask(ReviewQuarantine(KEY, "abc", "ann")), QuarantineChanged)
    assert of(ask(ReleaseQuarantine(KEY, "abc", ("ann", "ann"))), QualityRequestRefused)
    assert of(ask(ReleaseQuarantine(KEY, "abd", ("ann", "bob"))), QualityRequestRefused)
    assert of(ask(ReleaseQuarantine(KEY, "abc", ("ann", "bob"))), QuarantineChanged)
    feed.desk.seats[0].strategy.answers.append(quotes(Side.BUY))
    assert len(submits(quote_at(feed, 100_000))) == 1


def test_a_person_may_quarantine_and_a_desk_without_quarantine_says_so():
    feed = feed_of(JUMP)
    quote_at(feed, 100_000)
    outcome = feed.give(ImposeQuarantine(KEY, "doubt", "ann"), source="operator")
    assert [one.by for one in of(outcome, QuarantineChanged)] == [("ann",)]
    feed = feed_of(QualityPolicy(age=AgePolicy()))
    assert of(feed.give(ImposeQuarantine(KEY, "doubt", "ann"), source="operator"), QualityRequestRefused)


@pytest.mark.parametrize(
    ("offset_ms", "severity", "pauses"),
    [(499, Severity.OK, False), (500, Severity.WARN, False), (1_000, Severity.FAIL, True), (-1, Severity.FAIL, True),
     (-1_270, Severity.FAIL, True)],
)  # fmt: skip
def test_stamps_off_by_a_second_or_from_the_future_pause(offset_ms, severity, pauses):
    feed = feed_of(QualityPolicy(clocks={FIRST: FeedClockPolicy()}))
    found, told = [], []
    for number in range(25):
        ts = START + number * SECOND
        stamped = ts - offset_ms * NANOS_PER_MILLI
        outcome = feed.desk.step(event_of(Quote(ID, 99_990, 100_010), source=FIRST, key=number, ts_event=stamped,
                                          ts_init=ts))  # fmt: skip
        told += [one.severity for one in of(outcome, FeedClockJudged)]
        found += reasons(outcome)
    assert told == [Severity.UNKNOWN, severity]
    assert found == ([("market_data.clock", f"instrument:{ID}", True)] if pauses else [])


def test_a_recorded_correction_makes_the_late_feed_whole():
    feed = feed_of(QualityPolicy(clocks={FIRST: FeedClockPolicy(correction_ns=1_300 * NANOS_PER_MILLI)}))
    told = []
    for number in range(25):
        ts = START + number * SECOND
        event = event_of(Quote(ID, 99_990, 100_010), source=FIRST, key=number, ts_event=ts + 1_270 * NANOS_PER_MILLI,
                         ts_init=ts)  # fmt: skip
        told += [one.severity for one in of(feed.desk.step(event), FeedClockJudged)]
    assert told[-1] is Severity.OK


@pytest.mark.parametrize(("minutes", "pauses"), [(14, False), (16, True)])
def test_other_traffic_is_no_evidence_for_a_silent_feed(minutes, pauses):
    feed = feed_of(QualityPolicy(cadences={FIRST: Cadence.INTRADAY}))
    quote_at(feed, 100_000)
    found, told = [], []
    for _ in range(minutes * 6):
        outcome = other(feed, seconds=10)
        found += reasons(outcome)
        told += of(outcome, FeedHealthJudged)
    assert found == ([("market_data.health", f"instrument:{ID}", True)] if pauses else [])
    assert 12 <= len(told) <= 18  # once a minute


def test_a_false_tick_is_recorded_and_neither_marks_nor_signals():
    feed = Feed(build(Scripted(), false_tick=FalseTickPolicy()))
    for number in range(25):
        quote_at(feed, 100_000 + number % 3)
    seen, mid2 = len(feed.desk.seats[0].strategy.seen), feed.desk.markets[ID].mid2
    outcome = quote_at(feed, 110_000)
    assert len(of(outcome, TickSuspect)) == 1
    assert (len(feed.desk.seats[0].strategy.seen), feed.desk.markets[ID].mid2) == (seen, mid2)
    quote_at(feed, 110_000)
    assert of(quote_at(feed, 110_000), TickSuspect) == []
    assert feed.desk.markets[ID].mid2 == 220_000


def test_a_gap_in_the_depth_is_told_and_still_reaches_the_strategies():
    feed = Feed(build(Scripted(decides_on=(DepthDiff,))))
    feed.give(DepthDiff(ID, 1, 2, 0, ((99_990, 5),), ((100_010, 5),)))
    assert feed.desk.seats[0].strategy.seen


def test_a_second_source_that_agrees_accepts_a_true_jump():
    feed = feed_of(QualityPolicy(pairs=(PAIR,)), false_tick=FalseTickPolicy())
    for number in range(25):
        quote_at(feed, 100_000 + number % 3)
    assert of(quote_at(feed, 110_000), TickSuspect)
    other(feed, 110_000)
    assert of(quote_at(feed, 110_001), TickSuspect) == []


def test_disagreement_tells_both_mids():
    feed = feed_of(QualityPolicy(pairs=(PAIR,)))
    told = []
    for _ in range(20):
        told += of(quote_at(feed, 100_000), SourcesDisagree) + of(other(feed, 100_120), SourcesDisagree)
    assert [(one.primary_mid2, one.backup_mid2) for one in told] == [(200_000, 200_240)]


def test_risk_knows_that_an_instruments_data_is_quarantined_and_when_it_is_not():
    feed = feed_of(QualityPolicy(quarantine=QuarantinePolicy()))
    book = feed.desk.context.books[ID]
    feed.desk.context.set_provenance(ID, "measured")
    quote_at(feed, 100_000)
    quote_at(feed, 120_000)
    assert (book.quarantined, book.provenance) == (True, "measured")
    (key,) = feed.desk._door._quality._bad[(FIRST, ID)]
    feed.give(ReviewQuarantine(key, "a" * 64, "ann"), source="operator")
    feed.give(ReleaseQuarantine(key, "a" * 64, ("ann", "bob")), source="operator")
    assert (book.quarantined, book.provenance) == (False, "measured")
