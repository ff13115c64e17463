"""Run the production chain over the simulated runtime on an injected clock."""

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.operations.dry_run.audit.judges import AuditJudges
from tradeworthy.operations.dry_run.chain import Chain
from tradeworthy.operations.dry_run.policy import FreshnessPolicy, HarnessPolicy, ResourcePolicy
from tradeworthy.operations.dry_run.run_folder import RunFolder
from tradeworthy.operations.dry_run.settings import RunSettings
from tradeworthy.operations.dry_run.simulation import SimulationPolicy, fault_of
from tradeworthy.operations.dry_run.smoke import VIRTUAL_START
from tradeworthy.operations.dry_run.virtual import VirtualCommand

LIMITS = FreshnessPolicy(warn_minutes=2.0, fail_minutes=4.0)
POLICY = {
    "duration_hours": 0.5, "uptime_ratio_min": 0.95, "checkpoint_seconds": 60.0, "live_gap_alert_minutes": 2.0,
    "diary_freshness": LIMITS, "performance_freshness": LIMITS, "evidence_initial_grace_minutes": 1.0,
    "evidence_check_interval_minutes": 0.5,
    "resources": ResourcePolicy(memory_mb_max=300.0, cpu_percent_max=90.0, sample_interval_minutes=0.5),
}  # fmt: skip


class SteppedClock(EventClock):
    """A clock whose wall is stepped by an hour at a moment; its monotonic side is untouched."""

    def __init__(self, start, *, step_seconds, at_seconds):
        super().__init__(start)
        self._step = step_seconds * NANOS_PER_SECOND
        self._at = start + at_seconds * NANOS_PER_SECOND

    def now(self):
        moment = super().now()
        return moment + self._step if moment >= self._at else moment

    def monotonic(self):
        return super().now()


def settings_in(folder, *, odd=(), **paths):
    places = RunFolder(folder)
    given = {"timeline": None, "diary": places.diary, "performance": places.performance} | paths
    return RunSettings(
        run_id="virtual", name="final_dry_run_virtual", command=("simulated",),
        policy=HarnessPolicy(**(POLICY | dict(odd))), paths=places.paths(**given),
    )  # fmt: skip


def played(folder, *faults, clock=None, odd=(), judges=None, settings=None, carried=None, seed=0, **more):
    """Return (the chain's result, what was said) of one virtual run."""
    settings = settings or settings_in(folder, odd=odd)
    clock = clock or EventClock(VIRTUAL_START)
    policy = SimulationPolicy(
        duration_seconds=more.get("lasts", 36_000.0), tick_seconds=more.get("tick", 10.0), diary=settings.paths.diary,
        performance=settings.paths.performance, faults=tuple(fault_of(one) for one in faults), durable=False, seed=seed,
    )  # fmt: skip
    said = []
    chain = Chain(
        settings, judges or AuditJudges(), clock=clock, say=said.append, summary_path=folder / "summary.json",
        witness=more.get("witness"), publisher=more.get("publisher"),
    )
    return chain.run(lambda failed: VirtualCommand(policy, clock), carried=carried), said


def codes(result):
    return list(dict.fromkeys(one.code for one in result.summary.incidents))
