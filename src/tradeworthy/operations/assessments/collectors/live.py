"""Facts out of the running process: supervisor, bus, health, machine; pure functions of what those tell."""

from collections.abc import Iterable, Sequence

from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.supervision.resources import (
    Forecast,
    ResourcePolicy,
    ResourceSample,
    growth_per_second,
    settled_of,
)
from tradeworthy.kernel.supervision.snapshot import AbandonedTask, EndedTask, TaskSnapshot
from tradeworthy.kernel.telemetry.bus_health import BusFacts
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.values import Observation
from tradeworthy.operations.assessments.runtime_health import REQUIRED
from tradeworthy.operations.health.report import HealthReport

SAMPLES_MIN = 6
CPU_WINDOW_NS = 300 * NANOS_PER_SECOND
DAY_SECONDS = 86_400.0


def task_facts(
    living: Iterable[TaskSnapshot], ended: Iterable[EndedTask], abandoned: Iterable[AbandonedTask], tell: Teller
) -> list[Observation]:
    """Return the facts of `task_supervision`: living tasks by name, what failed for good, what ignores its end."""
    found: list[Observation] = []
    known: dict[str, None] = {}
    for one in living:
        known[one.name] = None
        if one.hang_timeout_seconds is None:  # it waits for work and may be silent: its state is what can be known
            found.append(tell("tracked_state", one.state.value, one.name))
            continue
        window = one.restart_window
        used = None if window is None or window.restarts == 0 else window.used / window.restarts
        found += [
            tell("state", one.state.value, one.name), tell("owned", bool(one.name and one.owner), one.name),
            tell("heartbeat_age", one.heartbeat_age_seconds, one.name, why="it never beat"),
            tell("hang_timeout", one.hang_timeout_seconds, one.name),
            tell("restarts_used", 0.0 if window is not None and used is None else used, one.name, why="no budget"),
        ]  # fmt: skip
    for over in ended:
        if over.name not in known:
            known[over.name] = None
            found.append(tell("tracked_state", over.state.value, over.name))
    return found + [tell("tracked_state", one.state.value, f"{one.name}/abandoned") for one in abandoned]


def bus_facts(facts: BusFacts, at: int, tell: Teller) -> list[Observation]:
    """Return the facts of `event_bus_health`. `at` is when they were read, nanoseconds UTC."""
    age = facts.last_published_age_seconds
    last = None if age is None else at - round(age * NANOS_PER_SECOND)
    return [
        tell("expected", facts.expected), tell("running", facts.running), tell("depth", facts.depth),
        tell("dropped", facts.dropped), tell("handler_errors", facts.handler_errors),
        tell("subscribers", facts.subscribers), tell("last_published", last, why="nothing was ever published"),
    ]  # fmt: skip


def health_facts(report: HealthReport, tell: Teller) -> list[Observation]:
    """Return the facts of `runtime_health`: the status of each check that applies."""
    applies = [one for one in report.checks if one.status is not None]
    absent = {one.name for one in report.checks if one.status is None}
    expected = tuple(one for one in REQUIRED if one not in absent)
    return [
        *(tell("status", one.status.name, one.name) for one in applies if one.status is not None),
        tell("expected_checks", expected),
        tell("judged_checks", tuple(one.name for one in applies if one.name in expected)),
    ]  # fmt: skip


def resource_facts(
    samples: Sequence[ResourceSample], forecasts: Iterable[Forecast], policy: ResourcePolicy, tell: Teller
) -> list[Observation]:
    """Return the facts of `resources` from samples, oldest first; `policy` says what the process may use."""
    few = f"{len(samples)} samples, {SAMPLES_MIN} are needed"
    last = samples[-1] if samples else None
    since = 0 if last is None else last.at_ns - CPU_WINDOW_NS
    recent = [s.cpu_share for s in samples if s.at_ns >= since and s.cpu_share is not None]
    used = None if last is None else _share(last.rss_bytes, policy.rss_bytes_max)
    disk = None if last is None else _share(last.disk_used_bytes, last.disk_bytes)
    settled = settled_of(samples, policy.warm_up_s)
    points = [(s.at_ns / NANOS_PER_SECOND, float(s.rss_bytes)) for s in settled if s.rss_bytes is not None]
    growth = None
    if len(points) >= SAMPLES_MIN and points[0][1] > 0:
        growth = growth_per_second(points) * DAY_SECONDS / points[0][1]
    return [
        tell("cpu", min(recent) if len(recent) >= SAMPLES_MIN else None, why=few),
        tell("memory", used, why="the process cannot see its memory"),
        tell("disk", disk, why="the disk cannot be read"),
        tell("memory_growth", growth, why=f"{len(points)} samples after the warm-up, {SAMPLES_MIN} are needed"),
        tell("loop_lag", None if last is None else last.lag_ns / NANOS_PER_MILLI, why=few),
        *(tell("forecast", one.severity.name, one.name) for one in forecasts),
    ]  # fmt: skip


def _share(used: int | None, whole: int | None) -> float | None:
    return None if used is None or not whole else used / whole
