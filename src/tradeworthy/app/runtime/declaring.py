"""What one desk's process runs, and what it does not: every workload with its rhythm, every skip with its reason."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import TYPE_CHECKING

import msgspec

from tradeworthy.adapters.workload_state_sqlite import StateRow, WorkloadStateFile
from tradeworthy.app.runtime import time_integrity
from tradeworthy.app.runtime.feeding import Feeder, Sources
from tradeworthy.app.runtime.policy import DriftMonitorPolicy
from tradeworthy.app.runtime.reflecting import STATE, policy_in_force, reflecting_of
from tradeworthy.app.runtime.state_writes import StateWrites
from tradeworthy.app.runtime.workload import Workload
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.dry_run.clock_offset import read_clock_offset
from tradeworthy.trading.control.drift import ConfigDrift

if TYPE_CHECKING:
    from tradeworthy.app.runtime.desk_process import Address, DeskProcess

DRIFT_PREFIX, REFLECTION_ENABLED = "RUNTIME_DRIFT_MONITOR_", "RIM_RUNTIME_ENABLED"
DRIFT, LAST_LOOK = "drift_monitor", "last_look"
"""How the drift monitor is known in the store of states."""


def workloads_of(process: "DeskProcess", address: "Address | None") -> list[Workload]:
    """Return the workloads of a process, those of its observers and of its address among them."""
    found = process.ingesting.workloads()
    if process.trading is not None:
        found.append(Workload(
            "trading_loop", "trading_loop", f"the desk {process.document.desk.name}", process.trading.work,
            {"environment": process.document.desk.environment, "idle_beat_s": process.policy.idle_beat_s},
            tuple(one.id for one in process.document.instances if one.enabled),
        ))  # fmt: skip
    if process.link is not None:
        beat = process.policy.watch.beat_interval_s
        found.append(Workload("watchdog", "watchdog", "beats to the process that watches", process.link.beats,
                              interval_s=beat))  # fmt: skip
    integrity = time_integrity.of_environment(process.policy.time_integrity, process.environ)
    if integrity.enabled:
        process.clock_watch = time_integrity.TimeIntegrity(
            process.clock, process.door.hold_of("clock"), integrity, offset=clock_offset, tell=process.life.tell
        )
        found.append(Workload("time_integrity", "time_integrity", "wall clock against monotonic clock",
                              process.clock_watch.checks, interval_s=integrity.interval_seconds))  # fmt: skip
    drift = drift_policy(process)
    if drift.enabled and process.trading is not None:
        watch = process.trading.drift_watch(drift.interval_seconds, drift_keeper(process))
        found.append(Workload("drift_monitor", "drift_monitor", "what runs against what was approved", watch,
                              interval_s=drift.interval_seconds))  # fmt: skip
    if process.trading is not None:
        judging = process.policy.judging
        sweeps = process.trading.sweeps(judging.sweep_s, first_s=judging.first_sweep_s)
        found.append(Workload("reconciliation", "reconciliation", "desk against venue", sweeps,
                              interval_s=judging.sweep_s))  # fmt: skip
    found += process.judging.workloads()
    reflection = policy_in_force(process.policy.reflection, process.environ)
    if reflection.enabled and process.trading is not None:
        found.append(Workload(
            "reflection", "reflection", "what the desk's own decisions suggest to people; nothing is applied",
            reflecting_of(process, reflection).work, interval_s=reflection.interval_seconds,
        ))  # fmt: skip
    found.append(Workload(
        "resources", "resources", "memory, processor, descriptors, threads, disk",
        lambda pulse: process.resources.samples(process.on_sample, pulse),
        interval_s=process.policy.resources.interval_s,
    ))  # fmt: skip
    feeder = Feeder(
        Sources(
            process.application, process.trading, process.meter, process.clock_watch, process.resources, process.link,
            process.publishing, process.observation, process.flag, read_clock_offset().seconds is not None,
            process.ingesting,
        ),
        process.board, process.metrics, lambda: process.summary(running=True), process.bulletin,
        process.judging.show,
    )  # fmt: skip
    found.append(Workload("runtime_board", "runtime_board", "facts for health, metrics and summary", feeder.feed,
                          interval_s=1.0))  # fmt: skip
    found.append(process.alerting.workload())
    found += [one.workload for one in process.observers if one.workload is not None]
    server = None if address is None else address(process)
    if server is not None:
        found.append(server)
    return found


def skips_of(process: "DeskProcess") -> dict[str, str]:
    """Say what does not run and why (APP-10, APP-13)."""
    found: dict[str, str] = {}
    if process.trading is None:
        found["trading_loop"] = "--no-trading"
    if not policy_in_force(process.policy.reflection, process.environ).enabled:
        found["reflection"] = f"off; {REFLECTION_ENABLED} turns it on"
    elif process.trading is None:
        found["reflection"] = "--no-trading"
    return found


def drift_policy(process: "DeskProcess") -> DriftMonitorPolicy:
    """Return how often what runs is compared with what was approved, the environment's keys on top."""
    named = {"ENABLED": "enabled", "INTERVAL_SECONDS": "interval_seconds"}
    return time_integrity.with_variables(process.policy.drift_monitor, process.environ, DRIFT_PREFIX, named)


def drift_keeper(process: "DeskProcess") -> Callable[[tuple[ConfigDrift, ...]], Awaitable[object]]:
    """Return what remembers each look of the drift monitor; a store that is down costs a log line (APP-13)."""
    writes = StateWrites(
        WorkloadStateFile(process.state / STATE).put, Random(process.document.desk.seed), process.life.tell
    )

    def keep(found: tuple[ConfigDrift, ...]) -> Awaitable[object]:
        now = process.clock.now()
        body = msgspec.json.encode({"run": process.life.run_id, "drifted": found}).decode()
        return writes.write(StateRow(DRIFT, LAST_LOOK, now, body))

    return keep


def clock_offset() -> int | None:
    """Return the wall clock's offset in nanoseconds, as the machine's time service knows it; None where none does."""
    seconds = read_clock_offset().seconds
    return None if seconds is None else round(seconds * NANOS_PER_SECOND)
