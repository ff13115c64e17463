"""Observed uptime: what beats cover, and nothing else (DR-07, DR-08)."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.dry_run.uptime import Uptime, UptimeWindows

SECOND = NANOS_PER_SECOND
HOUR = 3_600 * SECOND


def windows(*beats, until, silence=30 * SECOND):
    """Return the seconds that beats at these seconds cover in a run of `until` seconds."""
    seen = UptimeWindows(started=0, silence_ns=silence)
    for beat in beats:
        seen.beat(beat * SECOND)
    seen.end(until * SECOND)
    return seen.up_seconds(until * SECOND)


def test_a_beat_covers_up_to_three_intervals_and_not_a_nanosecond_more():
    assert windows(0, 30, until=30) == 30
    seen = UptimeWindows(started=0, silence_ns=30 * SECOND)
    seen.beat(0)
    seen.beat(30 * SECOND + 1)
    seen.end(30 * SECOND + 1)
    assert seen.up_seconds(30 * SECOND + 1) == 0


def test_head_and_tail_are_silences_too():
    assert windows(31, 40, until=40) == 9
    assert windows(10, 20, until=51) == 20
    assert windows(10, 20, until=50) == 50


def test_no_beat_at_all_is_nothing_and_no_run_time_is_not_computable():
    assert windows(until=100) == 0
    uptime = Uptime(started=0, silence_ns=30 * SECOND)
    assert uptime.read(0).ratio is None
    assert uptime.read(10 * SECOND).ratio == 0
    assert uptime.read(10 * SECOND).source == "none"


def test_fifty_nine_silent_minutes_an_hour_score_below_five_percent():
    uptime = Uptime(started=0, silence_ns=30 * SECOND)
    for hour in range(24):
        for beat in range(7):
            uptime.heartbeat(hour * 7 + beat + 1, hour * HOUR + beat * 10 * SECOND)
    uptime.end(24 * HOUR)
    assert uptime.read(24 * HOUR).ratio < 0.05


def test_an_outage_of_ten_hours_in_a_day_stays_down():
    uptime = Uptime(started=0, silence_ns=30 * SECOND)
    moments = [at for at in range(0, 86_400, 10) if not 8 * 3_600 <= at < 18 * 3_600]
    for seq, at in enumerate(moments, 1):
        uptime.heartbeat(seq, at * SECOND)
    uptime.end(86_400 * SECOND)
    reading = uptime.read(86_400 * SECOND)
    assert uptime.run_seconds(86_400 * SECOND) == 86_400
    assert abs(reading.ratio - 14 / 24) < 0.001


def test_a_sequence_that_does_not_grow_is_no_beat_and_lines_stand_in_only_without_beats():
    uptime = Uptime(started=0, silence_ns=30 * SECOND)
    uptime.line(SECOND)
    assert uptime.read(2 * SECOND).source == "lines"
    assert uptime.heartbeat(1, 2 * SECOND)
    assert not uptime.heartbeat(1, 12 * SECOND)
    for at in range(2, 100):
        uptime.line(at * SECOND)
    uptime.end(100 * SECOND)
    reading = uptime.read(100 * SECOND)
    assert (reading.source, reading.beats, reading.up_seconds) == ("heartbeat", 1, 2.0)


def test_beats_that_arrived_before_the_end_count_although_they_are_told_after_it():
    prompt, late = (UptimeWindows(started=0, silence_ns=30 * SECOND) for _ in range(2))
    for at in range(0, 100, 10):
        prompt.beat(at * SECOND)
    prompt.end(100 * SECOND)
    late.beat(0)
    late.end(100 * SECOND)
    for at in range(10, 200, 10):
        late.beat(at * SECOND)
    assert late.up_seconds(200 * SECOND) == prompt.up_seconds(100 * SECOND) == 100
    assert late.last == 100 * SECOND


def test_boots_add_up_and_the_outage_between_them_is_down():
    uptime = Uptime(started=0, silence_ns=30 * SECOND, carried_up_seconds=100.0, carried_run_seconds=100.0)
    for seq in range(10):
        uptime.heartbeat(seq, seq * 10 * SECOND)
    uptime.end(100 * SECOND)
    reading = uptime.read(100 * SECOND, outage_seconds=50.0)
    assert uptime.run_seconds(100 * SECOND) == 200
    assert reading.ratio == 200 / 250


@given(st.lists(st.integers(0, 2_000), max_size=60), st.integers(2_000, 4_000))
def test_uptime_is_the_sum_of_short_silences_between_sorted_moments(moments, until):
    moments = sorted(set(moments))
    edges = [0, *moments, until]
    expected = sum(b - a for a, b in itertools.pairwise(edges) if b - a <= 30) if moments else 0
    assert windows(*moments, until=until) == expected
