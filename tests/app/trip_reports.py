"""What many trips of a desk came to: each step's times, what failed, and what that says at 95 % confidence."""

import os
from pathlib import Path

from tradeworthy.app.identity import code_hash
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.report import write
from tradeworthy.operations.drills.kill_switch import KillDrillPolicy, proof_report
from tradeworthy.trading.control.certificate import LIMITS_NS

TRIPS = 299
CONFIDENCE = 0.95
PROOFS = "TRADEWORTHY_PROOFS"
"""The folder that keeps proofs as evidence; the test's own where none is named."""


def bound(trips, confidence=CONFIDENCE):
    """Return the highest failure rate that `trips` trips without a failure leave possible at this confidence."""
    return 1 - (1 - confidence) ** (1 / trips)


def report(trips, times, failures, told, folder=None, of="a desk in its own process", limits=LIMITS_NS):
    """Print each step's times, what failed, and the bound; keep them as evidence that lives seven days."""
    kept = os.environ.get(PROOFS) or folder
    if kept is not None:
        made = proof_report(
            trips, len(failures), times, told, at=SystemClock().now(), code_hash=code_hash(), policy=KillDrillPolicy(),
            of=of,
        )  # fmt: skip
        print(f"\nevidence {write(made, Path(kept)).evidence}")
    print(f"\n{trips} trips, {len(failures)} failures; with none, at most {bound(trips):.2%} fail at {CONFIDENCE:.0%}")
    print(", ".join(f"{what} {count}" for what, count in sorted(told.items())))
    for name, found in times.items():
        ordered = sorted(one / 1e6 for one in found if one is not None)
        p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        p50, limit = ordered[len(ordered) // 2], limits[name] / 1e6
        print(f"{name:<19} p50 {p50:8.1f} ms  p99 {p99:8.1f} ms  max {ordered[-1]:8.1f} ms  limit {limit:g} ms")
    for one in failures:
        print("failed", *one)
