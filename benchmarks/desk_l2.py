"""Time the whole desk on recorded depth, quotes and trades of a perpetual, quoting at the touch on each event.

Tape: BTCUSDT USD-M of TRADEWORTHY_DATA or ../shared/data; rows are parsed before the clock starts. Every event is
journaled (512 a batch, synced to disk). Message limits stay in force (600 a minute is the widest that a policy may
allow), so part of the wishes is refused, and each refusal is a journaled verdict.

With `--peer` NautilusTrader and hftbacktest play the same tape, in turns with the desk; `peers/nautilus_l2.py` and
`peers/hftbacktest_l2.py` say what differs.

Run: `PYTHONPATH=src python benchmarks/desk_l2.py [--peer] [--json FILE] [--size small] [--profile]`.
"""

import cProfile
import os
import pstats
import sys
from itertools import islice
from pathlib import Path

from measure import PeerRun, Report, arguments, folder, seconds
from one_desk import Play, build_desk

from tradeworthy.adapters.tapes.open import TapeSpec, open_tape
from tradeworthy.kernel.clock import NANOS_PER_MILLI
from tradeworthy.trading.allocation import Role
from tradeworthy.trading.environment import Row
from tradeworthy.trading.execution.execution import ExecutionPolicy
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.simulation.venue import Matching
from tradeworthy.trading.strategies.touch_quoter import TouchQuoter, TouchQuoterPolicy

AIM = 320_000
SMALL_MESSAGES = 2_000
TAPE = "crypto_l2/binance_usdm/btcusdt_20240808.gz"
PERP = shipped()["BTCUSDT.BINANCE_USDM"]
POLICY = RiskPolicy(
    base_currency="USDT", quoting=("touch",), throttle_quoting=100_000, messages_per_second=100,
    messages_per_minute=600, venue_messages={PERP.venue: 1_000}, repeated_executions=100_000,
)  # fmt: skip
EXECUTION = ExecutionPolicy(cancels_minute=100_000)


def tape() -> Path:
    """Return where the recorded tape lies, present or not."""
    root = os.environ.get("TRADEWORTHY_DATA") or Path(__file__).resolve().parents[1] / "../shared/data"
    return Path(root) / TAPE


def rows(path: Path, most: int | None) -> list[Row]:
    """Return the tape's messages as numbered rows."""
    events = islice(open_tape(TapeSpec("binance", path, PERP)), most)
    return [Row("tape.btcusdt", number, ts, init, fact) for number, (ts, init, fact) in enumerate(events, 1)]


def run_of(place: Path, market: list[Row]) -> Play:
    """Return a new desk of one touch quoter with its journal in `place`, ready to play `market`."""
    quoter = TouchQuoter("touch", PERP, TouchQuoterPolicy(lots=10, inventory_lots_max=1_000))
    desk = build_desk(PERP, quoter, name="touch_quoter", role=Role.MAKER, policy=POLICY, execution=EXECUTION)
    return Play(place, market, desk, PERP, matching=Matching.L1, latency_ns=5 * NANOS_PER_MILLI)


def main() -> int:
    """Print the figures; without the tape say so and pass."""
    options = arguments(__doc__ or "", rounds=3, peer=False, profile=True)
    small = options.size == "small"
    path = tape()
    if not path.is_file():
        print(f"desk_l2: skipped, the tape {TAPE} is absent; set TRADEWORTHY_DATA")
        return 0
    report = Report("desk_l2", options)
    found = [report.peer("nautilus", "nautilus_l2.py"), report.peer("hftbacktest", "hftbacktest_l2.py")]
    peers = [peer for peer in found if peer is not None]
    most = SMALL_MESSAGES if small else None
    market = rows(path, most)
    runs: list[float] = []
    theirs: list[list[PeerRun]] = [[] for _ in peers]
    digests = set()
    for _ in range(1 if options.profile or small else options.rounds):
        with folder(options.folder) as place:
            run = run_of(place, market)
            if options.profile:
                profiler = cProfile.Profile()
                profiler.runcall(run.play)
                pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
                return 0
            runs.append(seconds(run.play))
            digests.add(run.environment.digest.hexdigest())
        for peer, played in zip(peers, theirs, strict=True):
            played.append(peer(path, *(() if most is None else ("--messages", most))))
    seat = run.desk.seats[0]
    if len(digests) != 1 or seat.orders == 0:
        raise SystemExit(f"expected one outcome digest and some orders, found {digests} and {seat.orders}")
    name = f"desk_l2 {len(market):,} messages"
    report.rate(name, len(market), "events", runs, aim=AIM)
    for played in theirs:
        first, each = played[0], [one.seconds / one.count for one in played]
        report.rate(name, 1, "events", each, peer=first.peer)
        report.ratio(name, first.peer, [one / len(market) for one in runs], each)
        report.note(f"{first.peer}: {first.count:,} messages, {first.orders:,} orders, {first.fills:,} fills")
    report.note(
        f"{seat.decisions:,} decisions, {seat.orders:,} orders, {seat.fills:,} fills, {run.journal.last_seq:,} "
        f"journaled events, digest {digests.pop()[:12]}, guard {run.desk.guard.level.name.lower()}"
    )
    report.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
