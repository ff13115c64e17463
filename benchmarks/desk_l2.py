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
from decimal import Decimal
from itertools import islice
from pathlib import Path

from measure import PeerRun, Report, arguments, folder, seconds

from tradeworthy.adapters.tapes.open import TapeSpec, open_tape
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.journal import Journal, JournalPolicy
from tradeworthy.trading.allocation import AllocationPolicy, DrawdownTiers, Role, StaticSplit, TierPolicy
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.environment import Environment, Row, Timers
from tradeworthy.trading.execution.execution import Execution, ExecutionPolicy
from tradeworthy.trading.instance_watch import InstanceWatch
from tradeworthy.trading.ledger.bookings import FlowKind
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.monitors import DeskLosses, InstanceLosses, RepeatedExecution, SelfFailure
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.risk.review import Reviewer
from tradeworthy.trading.simulation.latency import Latency
from tradeworthy.trading.simulation.venue import Matching, SimulatedVenue
from tradeworthy.trading.strategies.touch_quoter import TouchQuoter, TouchQuoterPolicy
from tradeworthy.trading.unwinding import UnwindPolicy

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


def build_desk() -> Desk:
    """Wire one quoter with every control and a ledger of ten million."""
    instruments = {PERP.instrument_id: PERP}
    context = RiskContext(instruments.values(), POLICY)
    ledger = Ledger(instruments, "USDT")
    ledger.flow("capital", "USDT", Decimal(10_000_000), FlowKind.DEPOSIT)
    quoter = TouchQuoter("touch", PERP, TouchQuoterPolicy(lots=10, inventory_lots_max=1_000))
    split = StaticSplit(AllocationPolicy(), {"touch": Role.MAKER})
    watch = InstanceWatch(
        [("touch", PERP.instrument_id)], losses=InstanceLosses(POLICY), tiers=DrawdownTiers(TierPolicy()), split=split,
        marks=ledger.marks, context=context,
    )  # fmt: skip
    return Desk(
        instruments=instruments, strategies=[("touch_quoter", quoter)], context=context,
        reviewer=Reviewer(POLICY, (PERP,), context), losses=DeskLosses(POLICY, context),
        repeated=RepeatedExecution(POLICY), execution=Execution(context.reservations, EXECUTION), ledger=ledger,
        guard=Guard(()), split=split, watch=watch, failure=SelfFailure(POLICY), currency="USDT",
        unwind=UnwindPolicy(),
    )  # fmt: skip


class Run:
    """One desk, venue and journal, ready to play; `play` is what is timed."""

    def __init__(self, place: Path, tape_rows: list[Row]) -> None:
        self.desk = build_desk()
        self.journal = Journal.open(
            place, clock=EventClock(), policy=JournalPolicy(batch_events_max=512, commit_interval_ns=None)
        )
        venue = SimulatedVenue((PERP,), matching=Matching.L1, latency=Latency.every(5 * NANOS_PER_MILLI))
        self.environment = Environment(
            self.desk, self.journal, venue, Timers([]), durable_commands=False, clock=EventClock()
        )
        self._rows = tape_rows

    def play(self) -> None:
        """Run to the last message and make the journal durable."""
        self.environment.run(self._rows)
        self.environment.settle(NANOS_PER_SECOND)
        self.journal.close()


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
            run = Run(place, market)
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
