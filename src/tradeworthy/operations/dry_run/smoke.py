"""The smoke run (DR-48, DR-49): the simulated runtime under the full chain, limits scaled to its tick."""

import msgspec

from tradeworthy.operations.dry_run.model import Status
from tradeworthy.operations.dry_run.policy import (
    SECONDS_PER_HOUR,
    SECONDS_PER_MINUTE,
    FreshnessPolicy,
    GapPolicy,
    HarnessPolicy,
    ResourcePolicy,
)
from tradeworthy.operations.dry_run.preflight import RunPaths
from tradeworthy.operations.dry_run.simulation import Fault, SimulationPolicy

VIRTUAL_START = 1_767_571_200 * 1_000_000_000
"""A virtual run begins on Monday, 5 January 2026, 00:00 UTC: the same inputs give the same bytes."""
VIRTUAL_TICK_SECONDS = 10.0
VIRTUAL_CHECKPOINT_SECONDS = 300.0
VIRTUAL_EVIDENCE_SECONDS = 60.0
VIRTUAL_PROGRESS_SECONDS = 300.0
OUTLIVES_SECONDS = 3_600.0
"""The runtime would go on for so long after the target; it is the harness that ends the run."""


class SmokePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a smoke run is; durations in seconds."""

    duration_seconds: float = 60.0
    tick_seconds: float = 2.0
    progress_seconds: float = 5.0
    uptime_ratio_min: float = 0.95
    allow_warnings: bool = False
    shutdown_grace_seconds: float = 10.0
    seed: int = 0
    faults: tuple[Fault, ...] = ()


def harness_policy(smoke: SmokePolicy, *, virtual: bool) -> HarnessPolicy:
    """Return the harness's policy: warn at 3 ticks or 3 s, fail at 6, poll at 1, grace of 2."""
    tick = smoke.tick_seconds
    warn, fail = max(3 * tick, 3.0) / SECONDS_PER_MINUTE, max(6 * tick, 6.0) / SECONDS_PER_MINUTE
    if virtual:
        spacing = VIRTUAL_EVIDENCE_SECONDS / SECONDS_PER_MINUTE
        fresh = FreshnessPolicy(warn_minutes=warn + spacing, fail_minutes=fail + 2 * spacing)
    else:
        fresh = FreshnessPolicy(warn_minutes=warn, fail_minutes=fail)
    poll, grace = max(tick, 1.0), max(2 * tick, 2.0)
    if virtual:
        poll, grace = VIRTUAL_EVIDENCE_SECONDS, max(grace, VIRTUAL_EVIDENCE_SECONDS)
    return HarnessPolicy(
        duration_hours=smoke.duration_seconds / SECONDS_PER_HOUR, uptime_ratio_min=smoke.uptime_ratio_min,
        heartbeat_interval_seconds=tick, gaps=GapPolicy(warn_minutes=warn, fail_minutes=fail),
        live_gap_alert_minutes=warn, live_gap_alert_severity=Status.WARN, diary_freshness=fresh,
        performance_freshness=fresh, evidence_check_interval_minutes=poll / SECONDS_PER_MINUTE,
        evidence_initial_grace_minutes=grace / SECONDS_PER_MINUTE, allow_warnings=smoke.allow_warnings,
        progress_interval_minutes=smoke.progress_seconds / SECONDS_PER_MINUTE,
        shutdown_grace_seconds=smoke.shutdown_grace_seconds,
        checkpoint_seconds=VIRTUAL_CHECKPOINT_SECONDS if virtual else 1.0,
        resources=ResourcePolicy(sample_interval_minutes=max(tick, 1.0) / SECONDS_PER_MINUTE)
        if not virtual else ResourcePolicy(),
    )  # fmt: skip


def simulation_policy(smoke: SmokePolicy, paths: RunPaths, *, label: str, virtual: bool) -> SimulationPolicy:
    """Return what the runtime under the smoke run does."""
    return SimulationPolicy(
        duration_seconds=smoke.duration_seconds + OUTLIVES_SECONDS, tick_seconds=smoke.tick_seconds,
        diary=paths.diary, performance=paths.performance, label=label, faults=smoke.faults, seed=smoke.seed,
        durable=not virtual, evidence_seconds=VIRTUAL_EVIDENCE_SECONDS if virtual else 0.0,
    )  # fmt: skip


def command_of(smoke: SmokePolicy, *, program: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words that run the simulated runtime in a process of its own."""
    faults = tuple(
        word for one in smoke.faults
        for word in ("--fault", one.kind + ("" if one.value is None else f"={one.value:g}") + f"@{one.at_seconds:g}")
    )  # fmt: skip
    return (
        *program, "simulated-runtime", "--duration-seconds", f"{smoke.duration_seconds + OUTLIVES_SECONDS:g}",
        "--tick-interval", f"{smoke.tick_seconds:g}", "--seed", str(smoke.seed), *faults,
    )  # fmt: skip
