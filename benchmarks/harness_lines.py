"""How many lines a second the dry run's harness keeps without loss, and what it costs at a hundred a second.

Prints both figures with their targets: at least 50,000 lines/s, at most 2 % of one core at 100 lines/s.
"""

import os
import resource
import sys
import tempfile
from pathlib import Path

from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.operations.dry_run.command import ChildCommand
from tradeworthy.operations.dry_run.harness import Harness
from tradeworthy.operations.dry_run.observation import Observation
from tradeworthy.operations.dry_run.policy import SECONDS_PER_HOUR, HarnessPolicy, ResourcePolicy
from tradeworthy.operations.dry_run.preflight import RunPaths
from tradeworthy.operations.dry_run.settings import RunSettings

LINES = 1_000_000
STEADY_SECONDS = 20.0
TARGET_LINES_A_SECOND = 50_000
TARGET_CPU_PERCENT = 2.0
BYTES_PER_KIB = 1_024
FLOOD = """
import sys
line = '{"timestamp":"2026-01-05T00:00:00.000000Z","level":"info","event":"order_accepted","client_order_id":"tw-%07d"}'
write = sys.stdout.write
for n in range(%d):
    write(line %% n + chr(10))
"""
STEADY = """
import time
for n in range(10**9):
    print('{"level":"info","event":"heartbeat","seq":%d,"note":"an ordinary line of the desk"}' % n, flush=True)
    time.sleep(0.01)
"""


def observed(program: str, folder: Path, *, seconds: float) -> Observation:
    """Run a program under the harness until it ends or `seconds` are over."""
    policy = HarnessPolicy(
        duration_hours=seconds / SECONDS_PER_HOUR, required_duration_hours=1e-9, diary_required=False,
        performance_required=False, resources=ResourcePolicy(enabled=False),
    )  # fmt: skip
    paths = RunPaths(
        log_dir=folder / "logs", progress=folder / "progress.json", run_state=folder / "run_state.json",
        incidents=folder / "incidents.jsonl",
    )  # fmt: skip
    command = (sys.executable, "-c", program)
    clock = SystemClock()
    settings = RunSettings(run_id="bench", name="bench", command=command, policy=policy, paths=paths)
    harness = Harness(
        settings,
        lambda failed: ChildCommand(
            command, dict(os.environ), folder, clock=clock, policy=policy.pumps, pump_failed=failed
        ),
        clock=clock, say=lambda line: None,
    )  # fmt: skip
    return harness.run()


def main() -> None:
    """Measure and print."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as scratch:
        started = clock.monotonic()
        seen = observed(FLOOD.replace("range(%d)", f"range({LINES})").replace("%%", "%"), Path(scratch), seconds=600)
        elapsed = (clock.monotonic() - started) / NANOS_PER_SECOND
    kept = seen.metadata.log_total_lines
    print(f"lines kept          {kept:,} of {LINES:,}")
    print(f"lines a second      {kept / elapsed:,.0f}  (target {TARGET_LINES_A_SECOND:,})")
    before = resource.getrusage(resource.RUSAGE_SELF)
    with tempfile.TemporaryDirectory() as scratch:
        seen = observed(STEADY, Path(scratch), seconds=STEADY_SECONDS)
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"steady lines        {seen.metadata.log_total_lines:,} in {seen.run_seconds:.0f} s")
    print(f"CPU of one core     {100 * spent / seen.run_seconds:.2f} %  (target {TARGET_CPU_PERCENT:g} %)")
    print(f"peak resident set   {after.ru_maxrss / BYTES_PER_KIB:.0f} MiB")


if __name__ == "__main__":
    main()
