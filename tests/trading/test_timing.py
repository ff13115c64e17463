"""Durations of the loop by stage: a slow stage is named, too few samples are unknown."""

import pytest
from small_desk import ID, SECOND, START, Scripted, around, build, quotes, row

from tradeworthy.kernel.clock import NANOS_PER_MILLI, EventClock
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.model import Quote, Side
from tradeworthy.trading.replay import replay
from tradeworthy.trading.timing import STEP, DeskTiming, StageTimes, TimingPolicy

LIMIT = 100 * NANOS_PER_MILLI


def told(durations, **policy):
    """Return the one stage told after these steps of a period."""
    clock = EventClock()
    times = StageTimes(clock, TimingPolicy(**policy))
    for one in durations:
        times.add(STEP, one)
    clock.sleep(60 * SECOND - 1)
    assert times.due() is None
    clock.sleep(1)
    (stage,) = times.due().stages
    return stage


@pytest.mark.parametrize(
    ("slow", "nanos", "severity"),
    [(1, LIMIT, Severity.OK), (2, LIMIT - 1, Severity.OK), (2, LIMIT, Severity.WARN), (3, 2 * LIMIT, Severity.WARN)],
)
def test_a_p99_that_reaches_its_limit_is_a_warning(slow, nanos, severity):
    stage = told([1_000] * (200 - slow - 1) + [nanos] * (slow + 1))
    assert (stage.severity, stage.samples, stage.p50_ns) == (severity, 200, 1_000)


@pytest.mark.parametrize(("samples", "known"), [(99, False), (100, True)])
def test_fewer_than_a_hundred_samples_tell_the_maximum_and_unknown(samples, known):
    stage = told([5] * (samples - 1) + [2 * LIMIT])
    assert (stage.p99_ns is not None) is known
    assert stage.max_ns == 2 * LIMIT
    assert (stage.severity is Severity.UNKNOWN) is not known


def test_memory_is_bounded_and_every_sample_is_counted():
    stage = told(range(10_000), kept=500)
    assert (stage.samples, stage.max_ns) == (10_000, 9_999)


def test_a_period_without_samples_tells_nothing():
    clock = EventClock()
    times = StageTimes(clock, TimingPolicy())
    clock.sleep(600 * SECOND)
    assert times.due() is None


class Slow(Scripted):
    """A strategy that takes a fifth of a second to decide, on the clock it is given."""

    def __init__(self, clock):
        super().__init__([quotes(Side.BUY)])
        self._clock = clock

    def decide(self, view):
        self._clock.sleep(200 * NANOS_PER_MILLI)
        return super().decide(view)


def test_a_slow_strategy_is_named_and_the_replay_does_not_mind():
    clock = EventClock()
    times = StageTimes(clock, TimingPolicy(period_ns=15 * SECOND))
    desk = build(Slow(clock), measured=times.timed)
    environment, journal = around(desk, clock=clock, times=times, timers=[("minute", 60 * SECOND)])
    environment.run([row(n, START + n * SECOND, Quote(ID, 99_990, 100_010, 10, 10)) for n in range(1, 200)])
    found = [one.payload for one in journal.events if type(one.payload) is DeskTiming]
    assert len(found) == 1
    named = {one.stage for one in found[0].stages if one.severity is Severity.WARN}
    assert named == {"decide:script", "step"}
    result = replay(journal.events, build(Slow(EventClock())))
    assert result.ok
    assert result.digest == environment.digest.hexdigest()


def test_a_desk_that_nobody_measures_tells_no_times():
    environment, journal = around(build(Scripted()), timers=[("minute", 60 * SECOND)])
    environment.run([row(n, START + n * SECOND) for n in range(1, 130)])
    assert not [one for one in journal.events if type(one.payload) is DeskTiming]
