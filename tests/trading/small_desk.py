"""A whole desk around one scripted strategy: tick 0.1, lot 0.001, prices near 100 000 ticks, capital 1 000 000 USD."""

from decimal import Decimal

from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.facts import event_of
from tradeworthy.trading.allocation import AllocationPolicy, DrawdownTiers, Role, StaticSplit, TierPolicy
from tradeworthy.trading.carrying import CarryMonitors
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.environment import Environment, Row, Timers
from tradeworthy.trading.execution.execution import Execution, ExecutionPolicy
from tradeworthy.trading.instance_watch import InstanceWatch
from tradeworthy.trading.ledger.bookings import FlowKind
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.market_data.calendar import AlwaysOpen
from tradeworthy.trading.market_data.quality import MarketQuality
from tradeworthy.trading.model import (
    Abstain,
    ExecReport,
    FeeRates,
    Instrument,
    InstrumentKind,
    Liquidity,
    PositionTarget,
    Quote,
    QuoteTarget,
    Refresh,
    ReportType,
    Side,
    SubmitOrder,
    Targets,
)
from tradeworthy.trading.risk.carry import FundingCost, Margin
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.monitors import DeskLosses, InstanceLosses, RepeatedExecution, SelfFailure
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.risk.review import Reviewer
from tradeworthy.trading.risk.runaway import Runaway
from tradeworthy.trading.simulation.latency import Latency
from tradeworthy.trading.simulation.venue import Matching, SimulatedVenue
from tradeworthy.trading.unwinding import UnwindPolicy

ID = "BTCUSD.SIM"
START = 1_700_000_000 * 10**9
SECOND = 10**9
QUIET = Abstain("quiet")
AT_ONCE = Refresh(interval_ns=0, age_min_ns=0, level_gap_ns=0, keep_ticks=0)


def perpetual():
    return Instrument(
        symbol="BTCUSD", venue="SIM", kind=InstrumentKind.LINEAR_PERP, tick=Decimal("0.1"), lot=Decimal("0.001"),
        base="BTC", quote="USD", fees=FeeRates(Decimal(0), Decimal("0.001")), max_order_lots=10_000,
    )  # fmt: skip


class Scripted:
    """Give the next answer of a list at each quote, then stay quiet."""

    def __init__(self, answers=(), instance="script", decides_on=(Quote,)):
        self.instance, self.instrument_id = instance, ID
        self.observes, self.decides_on = (), decides_on
        self.answers = list(answers)
        self.seen = []

    def observe(self, view):
        raise AssertionError("nothing is observed")

    def decide(self, view):
        self.seen.append((view.now, view.position, view.guard, view.top.usable))
        return self.answers.pop(0) if self.answers else QUIET


def build(
    *strategies, quoting=("script",), unwind=None, quality=None, false_tick=None, books=None, rollover_hour=0,
    instrument=None, intake=None,
    measured=lambda stage, function: function, **limits,
):
    """Return a desk of `strategies`; those in `quoting` need no stop."""
    instruments = {ID: instrument or perpetual()}
    policy = RiskPolicy(quoting=quoting, **limits)
    context = RiskContext(instruments.values(), policy)
    ledger = Ledger(instruments, "USD")
    ledger.flow("capital", "USD", Decimal(1_000_000), FlowKind.DEPOSIT)
    split = StaticSplit(AllocationPolicy(), {one.instance: Role.DIRECTIONAL for one in strategies})
    watch = InstanceWatch(
        [(one.instance, ID) for one in strategies], losses=InstanceLosses(policy), tiers=DrawdownTiers(TierPolicy()),
        split=split, marks=ledger.marks, context=context,
    )  # fmt: skip
    return Desk(
        instruments=instruments, strategies=[(type(one).__name__, one) for one in strategies], context=context,
        reviewer=Reviewer(policy, tuple(instruments.values()), context), losses=DeskLosses(policy, context),
        repeated=RepeatedExecution(policy), execution=Execution(context.reservations, ExecutionPolicy()), ledger=ledger,
        guard=Guard(), split=split, watch=watch, failure=SelfFailure(policy), currency="USD",
        unwind=UnwindPolicy() if unwind is None else unwind,
        quality=None if quality is None else MarketQuality(quality, lambda name: AlwaysOpen()), false_tick=false_tick,
        books=books, rollover_hour=rollover_hour, carry=CarryMonitors(Margin(policy), FundingCost(policy)),
        runaway=Runaway(policy), intake=intake, measured=measured,
    )  # fmt: skip


def quotes(*sides, lots=10, bid=99_990, ask=100_010):
    """Return the wish for one post-only order a side."""
    prices = {Side.BUY: bid, Side.SELL: ask}
    return Targets(quotes=tuple(QuoteTarget(ID, s, 0, prices[s], lots, "test") for s in sides), refresh=AT_ONCE)


def target(lots, stop=None):
    return Targets(positions=(PositionTarget(ID, lots, "test", stop),))


class Feed:
    """Step a desk by hand; each event one second after the last unless `ts` says otherwise."""

    def __init__(self, desk):
        self.desk, self.ts, self.number = desk, START, 0

    def give(self, fact, *, source="tape.test", ts=None):
        self.ts = self.ts + SECOND if ts is None else ts
        self.number += 1
        return self.desk.step(event_of(fact, source=source, key=self.number, ts_event=self.ts, ts_init=self.ts))

    def quote(self, bid=99_990, ask=100_010):
        return self.give(Quote(ID, bid, ask, 1_000, 1_000))

    def report(self, kind, order, **fields):
        return self.give(ExecReport(kind, order.client_order_id, ID, venue_order_id="v1", **fields), source="venue")

    def acknowledge(self, order):
        return self.report(ReportType.ACKNOWLEDGED, order, leaves_lots=order.lots)

    def fill(self, order, price=100_000, fee="0"):
        return self.report(
            ReportType.FILL, order, trade_id=f"t{self.number}", side=order.side, lots=order.lots, price=price,
            cum_lots=order.lots, leaves_lots=0, liquidity=Liquidity.TAKER, fee=Decimal(fee), fee_currency="USD",
        )  # fmt: skip


def submits(outcome):
    return [one for one in outcome.commands if type(one) is SubmitOrder]


def of(outcome, kind):
    return [one for one in outcome.facts if type(one) is kind]


class MemoryJournal:
    """Accept an event id once, as the journal does."""

    def __init__(self):
        self.events, self._seqs = [], {}

    def accept(self, event):
        if event.event_id in self._seqs:
            return -self._seqs[event.event_id]
        self.events.append(event)
        self._seqs[event.event_id] = len(self.events)
        return len(self.events)

    def commit(self):
        return None


class SilentVenue:
    """Keep what it was told and answer nothing."""

    def __init__(self):
        self.markets, self.sent = [], []

    def send(self, command, ts):
        self.sent.append(command)

    def next_due(self):
        return None

    def advance(self, ts):
        return []

    def on_market(self, fact, ts):
        self.markets.append((fact, ts))


def simulated(latency_ns=0):
    return SimulatedVenue((perpetual(),), latency=Latency.every(latency_ns), matching=Matching.L1, seed=1)


def around(desk, venue=None, timers=(), **odd):
    """Return an environment at full speed with a journal in memory."""
    journal = MemoryJournal()
    environment = Environment(
        desk, journal, SilentVenue() if venue is None else venue, Timers(timers), durable_commands=True,
        clock=odd.pop("clock", None) or EventClock(), **odd,
    )  # fmt: skip
    return environment, journal


def row(number, ts, fact=None, *, ts_event=None):
    fact = fact or Quote(ID, 99_990, 100_010, 1_000, 1_000)
    return Row("tape.test", number, ts if ts_event is None else ts_event, ts, fact)


def flat_rows_of(*stamps):
    """Return one flat quote a stamp."""
    return [row(number, ts) for number, ts in enumerate(stamps, 1)]
