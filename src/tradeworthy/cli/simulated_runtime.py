"""`tradeworthy simulated-runtime`: a runtime with heartbeats, a diary and a performance file, and faults on request."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.settings import DIARY_PATH, LABEL, PERFORMANCE_PATH
from tradeworthy.operations.dry_run.simulated_process import SimulatedProcess
from tradeworthy.operations.dry_run.simulation import SimulationPolicy, fault_of


def simulated_runtime(
    *, duration_seconds: float = 60.0, tick_interval: float = 2.0, diary: Path | None = None,
    performance: Path | None = None, sharpe: float = 1.2, seed: int = 0,
    fault: Annotated[tuple[str, ...], Parameter(negative="")] = (),
) -> int:  # fmt: skip
    """Beat like a desk until told to stop; for rehearsing the final dry run.

    Parameters
    ----------
    duration_seconds
        How long to run; SIGINT and SIGTERM end it earlier with exit code 0.
    tick_interval
        Seconds between heartbeats.
    diary
        Decision diary to append to; FINAL_DRY_RUN_DIARY_PATH when not given.
    performance
        Performance file to rewrite; FINAL_DRY_RUN_PERFORMANCE_PATH when not given.
    sharpe
        The Sharpe ratio to report.
    seed
        Of the jitter between heartbeats.
    fault
        KIND[=VALUE]@SECONDS, e.g. silent=10@20; may be given several times.
    """
    if not (duration_seconds > 0 and tick_interval > 0):
        raise UsageError(
            f"--duration-seconds and --tick-interval must be above 0, were {duration_seconds:g} and {tick_interval:g}"
        )
    policy = SimulationPolicy(
        duration_seconds=duration_seconds, tick_seconds=tick_interval, sharpe_ratio=sharpe, seed=seed,
        diary=diary or _path(DIARY_PATH), performance=performance or _path(PERFORMANCE_PATH),
        label=os.environ.get(LABEL, "simulated"), faults=tuple(fault_of(word) for word in fault),
    )  # fmt: skip
    return SimulatedProcess(policy, SystemClock()).run()


def _path(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None
