"""The process tree against its limits: peaks, episodes, forecasts, what cannot be measured (DR-11)."""

import os
import sys
from pathlib import Path

import msgspec
import pytest

from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.model import ResourceSample, Status, stamp
from tradeworthy.operations.dry_run.policy import ResourcePolicy
from tradeworthy.operations.dry_run.resources import ProcessTree, ResourceMonitor

SAMPLE = ResourceSample(at=stamp(0), cpu_percent=10.0, memory_mb=100.0, memory_percent=1.0, disk_free_mb=1e6)


def judged(samples, **policy):
    """Return the last judgement a metric, and the monitor."""
    said = {}
    monitor = ResourceMonitor(
        ResourcePolicy(**policy), lambda metric, severity, *rest: said.__setitem__(metric, severity)
    )
    for at, sample in samples:
        monitor.take(sample, seconds=at)
    return said, monitor


def of(**odd):
    return msgspec.structs.replace(SAMPLE, **odd)


@pytest.mark.parametrize(("memory", "severity"), [(199.9, Severity.OK), (200.0, Severity.FAIL)])
def test_a_reached_limit_is_breached(memory, severity):
    said, _ = judged([(0, of(memory_mb=memory))], memory_mb_max=200.0)
    assert said["memory_mb"] is severity


def test_a_violation_may_be_a_warning_and_recovers():
    said, monitor = judged([(0, of(cpu_percent=150.0))], cpu_percent_max=100.0, violation_severity=Status.WARN)
    assert said["cpu_percent"] is Severity.WARN
    said, monitor = judged([(0, of(cpu_percent=150.0)), (60, SAMPLE)], cpu_percent_max=100.0)
    assert said["cpu_percent"] is Severity.OK
    assert monitor.report().peak_cpu_percent == 150.0


def test_what_cannot_be_measured_is_unknown_but_for_the_first_cpu_sample():
    said, _ = judged([(0, of(cpu_percent=None))], cpu_percent_max=100.0)
    assert "cpu_percent" not in said
    said, _ = judged([(0, of(cpu_percent=None)), (60, of(cpu_percent=None))], cpu_percent_max=100.0)
    assert said["cpu_percent"] is Severity.UNKNOWN


@pytest.mark.parametrize(("mb_an_hour", "severity"), [
    (1_000 / 25, Severity.OK), (1_000 / 20, Severity.WARN), (1_000 / 1.5, Severity.FAIL),
])  # fmt: skip
def test_exhaustion_is_forecast(mb_an_hour, severity):
    minutes = range(31)
    samples = [(60.0 * m, of(memory_mb=1_000.0 + mb_an_hour * (m - 30) / 60)) for m in minutes]
    said, _ = judged(samples, memory_mb_max=2_000.0)
    assert said["forecast.memory"] is severity
    shrinking = [(60.0 * m, of(disk_free_mb=1_000.0 - mb_an_hour * (m - 30) / 60)) for m in minutes]
    said, _ = judged(shrinking)
    assert said["forecast.disk"] is severity


def test_a_short_history_makes_no_forecast():
    said, _ = judged([(float(s), of(disk_free_mb=1_000.0 - 10 * s)) for s in range(60)])
    assert said == {}


def test_the_tree_of_this_process_can_be_measured():
    clock = SystemClock()
    tree = ProcessTree(os.getpid(), Path(sys.prefix), clock.monotonic)
    first, second = tree.sample(now=0), tree.sample(now=1)
    assert first.cpu_percent is None
    assert second.cpu_percent >= 0
    assert second.memory_mb > 10
    assert second.processes >= 1
    assert second.descriptors > 0
