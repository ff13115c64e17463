"""The desk that the benchmarks play: one strategy, every control, a ledger of ten million, a journal and a venue."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.journal import Journal, JournalPolicy
from tradeworthy.trading.allocation import AllocationPolicy, DrawdownTiers, Role, StaticSplit, TierPolicy
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.environment import Environment, Row, Timers
from tradeworthy.trading.execution.execution import Execution, ExecutionPolicy
from tradeworthy.trading.instance_watch import InstanceWatch
from tradeworthy.trading.ledger.bookings import FlowKind
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.model import Instrument
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.monitors import DeskLosses, InstanceLosses, RepeatedExecution, SelfFailure
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.risk.review import Reviewer
from tradeworthy.trading.simulation.latency import Latency
from tradeworthy.trading.simulation.venue import Matching, SimulatedVenue
from tradeworthy.trading.unwinding import UnwindPolicy

BATCH = 512
CAPITAL = Decimal(10_000_000)


def build_desk(
    instrument: Instrument, strategy: Any, *, name: str, role: Role, policy: RiskPolicy,
    execution: ExecutionPolicy | None = None,
) -> Desk:  # fmt: skip
    """Wire one strategy with every control and a static budget."""
    instruments = {instrument.instrument_id: instrument}
    context = RiskContext(instruments.values(), policy)
    ledger = Ledger(instruments, instrument.quote)
    ledger.flow("capital", instrument.quote, CAPITAL, FlowKind.DEPOSIT)
    split = StaticSplit(AllocationPolicy(), {strategy.instance: role})
    watch = InstanceWatch(
        [(strategy.instance, instrument.instrument_id)], losses=InstanceLosses(policy),
        tiers=DrawdownTiers(TierPolicy()), split=split, marks=ledger.marks, context=context,
    )  # fmt: skip
    return Desk(
        instruments=instruments, strategies=[(name, strategy)], context=context,
        reviewer=Reviewer(policy, (instrument,), context), losses=DeskLosses(policy, context),
        repeated=RepeatedExecution(policy),
        execution=Execution(context.reservations, ExecutionPolicy() if execution is None else execution),
        ledger=ledger, guard=Guard(()), split=split, watch=watch, failure=SelfFailure(policy),
        currency=instrument.quote, unwind=UnwindPolicy(),
    )  # fmt: skip


class Play:
    """One desk, venue and journal, ready to play; `play` is what is timed."""

    def __init__(
        self, place: Path, rows: list[Row], desk: Desk, instrument: Instrument, *, matching: Matching, latency_ns: int
    ) -> None:
        self.desk = desk
        self.journal = Journal.open(
            place, clock=EventClock(), policy=JournalPolicy(batch_events_max=BATCH, commit_interval_ns=None)
        )
        venue = SimulatedVenue((instrument,), matching=matching, latency=Latency.every(latency_ns))
        self.environment = Environment(
            desk, self.journal, venue, Timers([]), durable_commands=False, clock=EventClock()
        )
        self._rows = rows

    def play(self) -> None:
        """Run to the last row and make the journal durable."""
        self.environment.run(self._rows)
        self.environment.settle(NANOS_PER_SECOND * 5)
        self.journal.close()
