"""Loop lag and resources at their edges, and forecasts before the fact (WD-08)."""

import asyncio
from functools import partial
from itertools import pairwise

import pytest

from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision.resources import (
    Machine,
    ResourceLedger,
    ResourcePolicy,
    Usage,
    growth_per_second,
    lag_severity,
)

GIB = 1 << 30


class Filling:
    """A machine whose disk fills by so much a sample."""

    def __init__(self, per_sample, used=0, total=100 * GIB):
        self.per_sample, self.used, self.total = per_sample, used, total
        self.cpu_s = 0.0

    def read(self):
        self.used += self.per_sample
        self.cpu_s += 2.5
        return Usage(1 * GIB, self.cpu_s, 20, 1_024, 4, self.used, self.total)


def ledger_after(samples, machine, **policy):
    clock = EventClock()
    ledger = ResourceLedger(clock, machine, ResourcePolicy(**policy))
    for _ in range(samples):
        clock.sleep(10 * NANOS_PER_SECOND)
        ledger.sample()
    return ledger


def disk(ledger):
    return next(one for one in ledger.forecasts() if one.name == "disk")


@pytest.mark.parametrize(
    ("lag_ms", "severity"), [(0, Severity.OK), (99, Severity.OK), (100, Severity.WARN), (1_999, Severity.WARN),
                             (2_000, Severity.FAIL)],
)  # fmt: skip
def test_loop_lag_is_judged_at_its_edges(lag_ms, severity):
    assert lag_severity(lag_ms * NANOS_PER_MILLI, ResourcePolicy()) is severity


def test_the_worst_lag_since_the_last_sample_counts_once():
    ledger = ledger_after(1, Filling(0))
    assert ledger.lag_severity() is Severity.OK
    for lag in (5, 150, 20):
        ledger.lag(lag * NANOS_PER_MILLI)
    assert ledger.sample().lag_ns == 150 * NANOS_PER_MILLI
    assert ledger.lag_severity() is Severity.WARN
    assert ledger.sample().lag_ns == 0


@pytest.mark.parametrize(
    ("hours", "severity"),
    [(1.9, Severity.FAIL), (2.1, Severity.WARN), (23.9, Severity.WARN), (24.1, Severity.OK)],
)
def test_a_disk_that_will_be_full_is_told_before_it_is(hours, severity):
    per_sample = GIB // 100
    left = round(hours * 360) * per_sample
    ledger = ledger_after(10, Filling(per_sample, used=100 * GIB - left - 10 * per_sample))
    found = disk(ledger)
    assert found.severity is severity
    assert found.hours == pytest.approx(hours, abs=0.01)
    assert f"disk full in {found.hours:.1f} h" in found.text
    assert found.observed < found.limit


def test_a_full_disk_fails_and_one_that_does_not_grow_is_fine():
    assert disk(ledger_after(10, Filling(0, used=100 * GIB))).severity is Severity.FAIL
    still = disk(ledger_after(10, Filling(0, used=99 * GIB)))
    assert (still.severity, still.hours) == (Severity.OK, None)
    assert disk(ledger_after(10, Filling(-1, used=99 * GIB))).severity is Severity.OK


def test_too_few_samples_and_unknown_limits_are_unknown():
    assert disk(ledger_after(5, Filling(1))).severity is Severity.UNKNOWN
    assert disk(ledger_after(6, Filling(1))).severity is not Severity.UNKNOWN
    assert disk(ledger_after(9, Filling(1, total=None))).severity is Severity.UNKNOWN
    assert ResourceLedger(EventClock(), Filling(0)).lag_severity() is Severity.UNKNOWN


def test_the_window_forgets():
    machine = Filling(GIB, used=0)
    ledger = ledger_after(20, machine, window_samples=10)
    machine.per_sample = 0
    for _ in range(10):
        ledger._clock.sleep(10 * NANOS_PER_SECOND)
        ledger.sample()
    assert disk(ledger).hours is None


def test_processor_time_is_a_share_of_one_core_and_unknown_at_first():
    clock = EventClock()
    ledger = ResourceLedger(clock, Filling(0), clock_offset=lambda: -3)
    first = ledger.sample()
    clock.sleep(10 * NANOS_PER_SECOND)
    second = ledger.sample()
    assert (first.cpu_share, second.cpu_share, second.clock_offset_ns) == (None, 0.25, -3)


def test_this_machine_tells_what_it_has(tmp_path):
    usage = Machine(tmp_path).read()
    assert usage.rss_bytes > 1_000_000
    assert 0 < usage.descriptors < usage.descriptors_max
    assert 0 < usage.disk_used_bytes < usage.disk_bytes
    assert usage.threads >= 1
    assert Machine(tmp_path / "absent").read().disk_bytes is None


def test_a_supervised_task_samples_each_ten_seconds_and_journals_them(bench):
    ledger = ResourceLedger(bench.clock, Filling(0))
    kept = []

    async def main():
        task = bench.supervisor.create(partial(ledger.samples, kept.append), owner="resources")
        await asyncio.sleep(60)
        task.cancel()
        await task.wait()

    bench.run(main())
    assert [round(two.at_ns - one.at_ns, -6) for one, two in pairwise(kept)] == [10_000_000_000] * (len(kept) - 1)
    assert len(kept) >= 6
    assert disk(ledger).severity is Severity.OK


def test_growth_of_one_moment_is_none():
    assert growth_per_second([(1.0, 5.0), (1.0, 9.0)]) == 0.0
    assert growth_per_second([(0.0, 1.0), (2.0, 5.0)]) == 2.0


def test_a_window_that_cannot_judge_is_refused():
    with pytest.raises(ValueError, match="samples_min"):
        ResourcePolicy(samples_min=1)
