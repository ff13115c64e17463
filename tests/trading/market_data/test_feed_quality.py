from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.market_data.age import AgeAct, StreamAge, StreamFresh, StreamStale
from tradeworthy.trading.market_data.feed_clock import FeedClock, FeedClockPolicy
from tradeworthy.trading.market_data.feed_health import AGE_MAX_NS, Cadence, FeedHealth
from tradeworthy.trading.market_data.quarantine import DataKey, DataState, Quarantine
from tradeworthy.trading.market_data.reconnect import Reconnect, StreamCut, StreamRestored
from tradeworthy.trading.market_data.two_sources import SourcesAgree, SourcesDisagree, TwoSources

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


def clock_after(offset_ns: int, correction_ns: int = 0):
    clock = FeedClock("x", FeedClockPolicy(correction_ns=correction_ns))
    for i in range(100):
        clock.observe(1_000 * SECOND + i * SECOND // 4, 1_000 * SECOND + i * SECOND // 4 + offset_ns)
    return clock.judge(1_026 * SECOND)


@pytest.mark.parametrize(
    ("offset_ms", "severity"),
    [(0, Severity.OK), (499, Severity.OK), (500, Severity.WARN), (999, Severity.WARN), (1_000, Severity.FAIL),
     (-1, Severity.FAIL), (-1_270, Severity.FAIL)],
)
def test_feed_clock_is_judged_by_the_median_offset(offset_ms, severity):
    judged = clock_after(offset_ms * 1_000_000)
    assert (judged.severity, judged.offset_ns) == (severity, offset_ms * 1_000_000)


def test_recorded_correction_makes_a_late_clock_ok_and_is_told():
    judged = clock_after(-1_270_000_000, 1_280_000_000)
    assert (judged.severity, judged.offset_ns, judged.correction_ns) == (Severity.OK, 10_000_000, 1_280_000_000)


def test_feed_clock_without_samples_is_unknown_and_forgets_after_its_window():
    clock = FeedClock("x")
    assert clock.judge(SECOND).severity is Severity.UNKNOWN
    clock.observe(2 * SECOND, SECOND)
    assert clock.judge(SECOND).future_stamps == 1
    clock.observe(70 * SECOND, 70 * SECOND)
    judged = clock.judge(70 * SECOND)
    assert (judged.severity, judged.future_stamps) == (Severity.OK, 0)


def test_silent_transport_is_stale_at_its_limit_and_fresh_five_seconds_after_resync():
    age = StreamAge("x", 0)
    assert age.check(30 * SECOND - 1)[1] == ()
    assert age.check(30 * SECOND) == (AgeAct.RESYNC, (StreamStale("x", "transport", 30 * SECOND),))
    assert age.check(31 * SECOND) == (AgeAct.RESYNC, ()), "told once"
    age.on_resync(40 * SECOND)
    assert age.check(45 * SECOND - 1) == (AgeAct.NONE, ())
    assert not age.quoting_allowed(41 * SECOND)
    assert age.check(45 * SECOND) == (AgeAct.NONE, (StreamFresh("x"),))


def test_static_book_with_heartbeats_is_fine_and_asked_again_each_thirty_seconds():
    age, fetched = StreamAge("x", 0), []
    for second in range(1, 100):
        age.on_frame(second * SECOND)
        act, facts = age.check(second * SECOND)
        assert facts == ()
        if act is AgeAct.FETCH_SNAPSHOT:
            fetched.append(second)
            assert age.on_snapshot(True, second * SECOND) == ()
    assert fetched == [30, 60, 90]


def test_heartbeats_with_lost_diffs_are_stale():
    age = StreamAge("x", 0)
    age.on_diff(SECOND)
    age.on_frame(31 * SECOND)
    assert age.check(31 * SECOND)[0] is AgeAct.FETCH_SNAPSHOT
    assert age.on_snapshot(False, 32 * SECOND) == (StreamStale("x", "book", 31 * SECOND),)
    age.on_frame(33 * SECOND)
    assert age.check(33 * SECOND) == (AgeAct.RESYNC, ())


@pytest.mark.parametrize(("age_ns", "allowed"), [(5 * SECOND - 1, True), (5 * SECOND, False)])
def test_quoting_needs_young_data(age_ns, allowed):
    age = StreamAge("x", 0)
    age.on_diff(SECOND)
    age.on_frame(SECOND + age_ns)
    assert age.quoting_allowed(SECOND + age_ns) is allowed


@pytest.mark.parametrize("cadence", list(Cadence))
def test_feed_is_stale_at_its_limit_within_a_session_only(cadence):
    limit = AGE_MAX_NS[cadence]
    health = FeedHealth("x", cadence)
    assert health.judge(5, None).severity is Severity.UNKNOWN
    health.on_message(10)
    assert health.judge(10 + limit - 1, 0).severity is Severity.OK
    assert health.judge(10 + limit, 0).severity is Severity.FAIL
    assert health.judge(10 + limit + 1, 0).stale_spells == 1
    assert health.judge(10 + 9 * limit, None).severity is Severity.OK
    assert health.judge(10 + 9 * limit, 10 + 8 * limit + 1).severity is Severity.OK, "the session has just begun"
    assert health.judge(9, None).severity is Severity.FAIL, "a message from the future"


def test_feed_that_never_spoke_fails_after_its_limit():
    health = FeedHealth("x", Cadence.INTRADAY)
    assert health.judge(15 * MINUTE - 1, 0).severity is Severity.UNKNOWN
    judged = health.judge(15 * MINUTE, 0)
    assert (judged.severity, judged.age_ns, judged.messages) == (Severity.FAIL, None, 0)


def test_twelve_basis_points_for_thirty_seconds_disagree_once():
    sources = TwoSources("x", "a", "b")
    sources.on_mid("a", 200_000, 0)
    assert sources.on_mid("b", 200_240, SECOND) == ()
    assert sources.advance(31 * SECOND - 1) == ()
    assert sources.advance(31 * SECOND) == (SourcesDisagree("x", 200_000, 200_240, SECOND),)
    assert sources.advance(40 * SECOND) == ()
    assert sources.on_mid("b", 200_199, 41 * SECOND) == (SourcesAgree("x"),)
    assert sources.switch("b", "policy").source == sources.active == "b"
    with pytest.raises(ValueError, match="one of a, b"):
        sources.on_mid("c", 1, 0)


def test_disagreement_that_ends_early_is_forgotten():
    sources = TwoSources("x", "a", "b")
    for source, mid2, second in (("a", 200_000, 0), ("b", 200_200, 0), ("b", 200_000, 20), ("b", 200_200, 25)):
        assert sources.on_mid(source, mid2, second * SECOND) == ()
    assert sources.advance(54 * SECOND) == ()
    assert len(sources.advance(55 * SECOND)) == 1


def test_silent_source_is_not_compared():
    sources = TwoSources("x", "a", "b")
    sources.on_mid("a", 200_000, 0)
    assert sources.on_mid("b", 200_000, 10 * SECOND) == ()
    for second in range(61, 120):
        assert sources.on_mid("b", 210_000, second * SECOND) == ()
    assert not sources.suspect


KEY, BACKUP = DataKey("quotes", "primary", "X"), DataKey("quotes", "backup", "X")


@pytest.mark.parametrize(
    ("price", "state"), [(107, DataState.LIVE), (108, DataState.SUSPECT), (115, DataState.SUSPECT),
                         (116, DataState.QUARANTINED), (84, DataState.QUARANTINED)],
)
def test_jump_is_quarantined_above_fifteen_percent(price, state):
    quarantine = Quarantine()
    quarantine.observe(KEY, 100)
    quarantine.observe(KEY, price)
    assert quarantine.state(KEY) is state
    assert quarantine.available(KEY) is (state is not DataState.QUARANTINED)
    assert quarantine.available(BACKUP)
    assert quarantine.available(BACKUP, KEY) is quarantine.available(KEY)


def test_release_takes_two_people_and_the_replacement_they_saw():
    quarantine = Quarantine()
    quarantine.impose(KEY, "odd", "ann")
    with pytest.raises(InvalidInput, match="quarantined data cannot become live"):
        quarantine.release(KEY, "h", ("ann", "bob"))
    quarantine.review(KEY, "h", "ann")
    assert not quarantine.available(KEY)
    for replacement, by in (("h", ("ann", "ann")), ("other", ("ann", "bob")), ("h", ("ann", ""))):
        with pytest.raises(InvalidInput):
            quarantine.release(KEY, replacement, by)
    released = quarantine.release(KEY, "h", ("ann", "bob"))
    assert (released.after, released.by, released.replacement) == (DataState.LIVE, ("ann", "bob"), "h")
    assert quarantine.observe(KEY, 500) == (), "the replacement sets the new reference"


def test_suspect_returns_to_live_when_the_price_agrees():
    quarantine = Quarantine()
    for price in (100, 110):
        quarantine.observe(KEY, price)
    (back,) = quarantine.observe(KEY, 111)
    assert (back.before, back.after) == (DataState.SUSPECT, DataState.LIVE)


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_backoff_stays_within_one_and_sixty_seconds_and_repeats_with_its_seed(seed, attempts):
    first, second = (Reconnect("x", Random(seed)) for _ in range(2))
    delays = [first.next_delay() for _ in range(attempts)]
    assert all(SECOND <= delay <= 60 * SECOND for delay in delays)
    assert delays == [second.next_delay() for _ in range(attempts)]
    assert all(delay >= 30 * SECOND for delay in delays[6:])


def test_five_cuts_are_five_reconnects():
    plan = Reconnect("x", Random(1))
    for cut in range(5):
        assert plan.on_cut("closed", cut * MINUTE) == (StreamCut("x", "closed"),)
        assert plan.on_cut("closed", cut * MINUTE) == ()
        plan.next_delay()
        assert plan.on_restored(cut * MINUTE + SECOND) == (StreamRestored("x", 1, SECOND, cut + 1),)
    assert plan.on_restored(9 * MINUTE) == ()
    assert (plan.reconnects, plan.down) == (5, False)
