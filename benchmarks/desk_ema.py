"""Time the whole desk on an EMA cross (10/20) that flips with market orders, bar by bar.

Every bar, report, verdict, order and fill is journaled (512 events a batch, synced to disk), every intent passes all
controls, every fill is booked by double entry. Rows are built before the clock starts, as the peers' are.

With `--peer` NautilusTrader plays the same 100,000 bars (`--peer-bars-max 1000000`: the million too, once), in
turns with the desk; `peers/nautilus_ema.py` says what differs.

Run: `PYTHONPATH=src python benchmarks/desk_ema.py [--peer] [--json FILE] [--size small] [--profile]`.
"""

import cProfile
import pstats
import random
import resource
import sys
from decimal import Decimal
from pathlib import Path

from measure import PeerRun, Report, arguments, folder, seconds
from one_desk import Play, build_desk

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.trading.allocation import Role
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.environment import Row
from tradeworthy.trading.model import Bar, FeeRates, Instrument, InstrumentKind
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.simulation.venue import Matching
from tradeworthy.trading.strategies.ema_trend import EmaTrend, EmaTrendPolicy

AIM = 300_000
PEER_BARS_MAX = 100_000
"""The peer slows with the number of orders; a million bars take it minutes, so they are asked for and run once."""
BATCH = 512
MINUTE = 60 * NANOS_PER_SECOND
START = 18_262 * NANOS_PER_DAY  # 2020-01-01
PAIR = Instrument(
    "EURUSD", "SIM", InstrumentKind.LINEAR_PERP, Decimal("0.00001"), Decimal(1_000), "EUR", "USD",
    FeeRates(Decimal(0), Decimal("0.00002")), max_order_lots=1_000,
)  # fmt: skip
POLICY = RiskPolicy(
    quoting=("ema",), throttle_quoting=1_000, messages_per_second=100, messages_per_minute=600,
    venue_messages={"SIM": 1_000}, repeated_executions=1_000,
)  # fmt: skip


def bars(count: int, seed: int = 7) -> list[Row]:
    """Return a seeded random walk of one-minute bars, as rows of one tape."""
    draw = random.Random(seed)
    price = 110_000
    rows = []
    for number in range(1, count + 1):
        opened = price
        price = max(50_000, min(200_000, price + draw.randint(-20, 20)))
        bar = Bar(PAIR.instrument_id, MINUTE, opened, max(opened, price) + 3, min(opened, price) - 3, price)
        ts = START + number * MINUTE
        rows.append(Row("tape.walk", number, ts, ts, bar))
    return rows


def ema_desk() -> Desk:
    """Return a desk of one EMA cross that flips."""
    policy = EmaTrendPolicy(fast=10, slow=20, bar_interval_ns=MINUTE, exit="flip", lots=10)
    return build_desk(PAIR, EmaTrend("ema", PAIR, policy), name="ema_trend", role=Role.DIRECTIONAL, policy=POLICY)


def run_of(place: Path, rows: list[Row]) -> Play:
    """Return a new desk with its journal in `place`, ready to play `rows`."""
    return Play(place, rows, ema_desk(), PAIR, matching=Matching.BARS, latency_ns=NANOS_PER_SECOND)


def main() -> int:
    """Print the figures of each size; with `--profile` the costliest functions of one run."""
    options = arguments(__doc__ or "", rounds=3, peer=False, profile=True, numbers={"--peer-bars-max": PEER_BARS_MAX})
    small = options.size == "small"
    report = Report("desk_ema", options)
    nautilus = report.peer("nautilus", "nautilus_ema.py")
    for count in (2_000,) if small else (100_000,) if options.profile else (100_000, 1_000_000):
        rows = bars(count)
        runs, fills, events, digests = [], 0, 0, set()
        theirs: list[PeerRun] = []
        for _ in range(1 if options.profile or small else options.rounds):
            with folder(options.folder) as place:
                run = run_of(place, rows)
                if options.profile:
                    profiler = cProfile.Profile()
                    profiler.runcall(run.play)
                    pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
                    return 0
                runs.append(seconds(run.play))
                fills, events = run.desk.seats[0].fills, run.journal.last_seq
                digests.add(run.environment.digest.hexdigest())
            wanted = count <= options.peer_bars_max and (count <= PEER_BARS_MAX or not theirs)
            if nautilus is not None and wanted:
                theirs.append(nautilus("--bars", count, "--runs", 1))
        if len(digests) != 1 or fills == 0:
            raise SystemExit(f"expected one outcome digest and some fills, found {digests} and {fills}")
        name = f"desk_ema {count:,} bars"
        report.rate(name, count, "bars", runs, aim=AIM)
        if theirs:
            peer = theirs[0].peer
            report.rate(name, count, "bars", [one.seconds for one in theirs], peer=peer)
            report.ratio(name, peer, runs[: len(theirs)], [one.seconds for one in theirs])
            report.note(f"{peer}: {theirs[0].orders:,} orders")
        report.note(
            f"{fills:,} fills, {events:,} journaled events, digest {digests.pop()[:12]}, guard "
            f"{run.desk.guard.level.name.lower()}, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:,} MB"
        )
    report.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
