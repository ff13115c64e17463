"""How many lines a second the dry run's harness keeps without loss, and what it costs at a hundred a second.

Prints both figures with their targets: at least 50,000 lines/s, at most 2 % of one core at 100 lines/s. There is
no peer.

Run: `PYTHONPATH=src python benchmarks/harness_lines.py [--json FILE] [--size small]`.
"""

import os
import resource
import sys
from pathlib import Path

from measure import Report, arguments, folder, seconds

from tradeworthy.kernel.clock import SystemClock
from tradeworthy.operations.dry_run.command import ChildCommand
from tradeworthy.operations.dry_run.harness import Harness
from tradeworthy.operations.dry_run.observation import Observation
from tradeworthy.operations.dry_run.policy import SECONDS_PER_HOUR, HarnessPolicy, ResourcePolicy
from tradeworthy.operations.dry_run.preflight import RunPaths
from tradeworthy.operations.dry_run.settings import RunSettings

LINES, SMALL_LINES = 1_000_000, 5_000
STEADY_SECONDS, SMALL_STEADY_SECONDS = 20.0, 0.5
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


def observed(program: str, place: Path, *, duration: float) -> Observation:
    """Run a program under the harness until it ends or `duration` seconds are over."""
    policy = HarnessPolicy(
        duration_hours=duration / SECONDS_PER_HOUR, required_duration_hours=1e-9, diary_required=False,
        performance_required=False, resources=ResourcePolicy(enabled=False),
    )  # fmt: skip
    paths = RunPaths(
        log_dir=place / "logs", progress=place / "progress.json", run_state=place / "run_state.json",
        incidents=place / "incidents.jsonl",
    )  # fmt: skip
    command = (sys.executable, "-c", program)
    clock = SystemClock()
    settings = RunSettings(run_id="bench", name="bench", command=command, policy=policy, paths=paths)
    harness = Harness(
        settings,
        lambda failed: ChildCommand(
            command, dict(os.environ), place, clock=clock, policy=policy.pumps, pump_failed=failed
        ),
        clock=clock, say=lambda line: None,
    )  # fmt: skip
    return harness.run()


def main() -> int:
    """Measure and print."""
    options = arguments(__doc__ or "", rounds=1)
    small = options.size == "small"
    lines, steady = (SMALL_LINES, SMALL_STEADY_SECONDS) if small else (LINES, STEADY_SECONDS)
    report = Report("harness_lines", options)
    flood = FLOOD.replace("range(%d)", f"range({lines})").replace("%%", "%")
    runs, found = [], list[Observation]()
    for _ in range(options.rounds):
        with folder(options.folder) as place:
            runs.append(seconds(lambda: found.append(observed(flood, place, duration=600))))
        kept = found[-1].metadata.log_total_lines
        report.note(f"{kept:,} of {lines:,} lines kept")
    report.rate("lines kept", kept, "lines", runs, aim=TARGET_LINES_A_SECOND)
    before = resource.getrusage(resource.RUSAGE_SELF)
    with folder(options.folder) as place:
        seen = observed(STEADY, place, duration=steady)
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    percent = 100 * spent / seen.run_seconds
    report.note(f"{seen.metadata.log_total_lines:,} steady lines in {seen.run_seconds:.0f} s: {percent:.2f} % of one "
                f"core (target {TARGET_CPU_PERCENT:g} %), {after.ru_maxrss / BYTES_PER_KIB:.0f} MiB resident at most")
    report.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
