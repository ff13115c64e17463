"""A guardian on a clock that stands where the test puts it, and the facts that tests show it."""

from decimal import Decimal

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.facts import event_of
from tradeworthy.operations.paper_run.guardian import Guardian
from tradeworthy.operations.paper_run.policy import PaperRunPolicy
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.model import GuardLevel, Intent, RunStarted, Side, SubmitOrder
from tradeworthy.trading.model.order import (
    ApprovedIntent,
    ExecReport,
    FillBooked,
    Liquidity,
    OrderType,
    ReportType,
    TimeInForce,
)
from tradeworthy.trading.model.state import GuardChanged

SECOND = NANOS_PER_SECOND
HOUR = 3_600 * SECOND
START = 1_704_153_600 * SECOND
EURUSD = "EURUSD.DEMO"
MB = 1_000_000
STARTED = RunStarted("run-1", "paper", "{}", "c" * 64, "d" * 64, ())
NOTHING_ASKED = {"minimum_runtime_hours": 0.0}


class Watched:
    """One guardian with everything it touches."""

    def __init__(self, *, started=True, memory=None, backups=(), invariants=None, **policy):
        self.clock = EventClock(START)
        self.stops, self.reports = [], []
        self.rss = memory
        self.seq = 0
        self.guardian = Guardian(
            PaperRunPolicy(**{**NOTHING_ASKED, **policy}), clock=self.clock, instruments=shipped(),
            stop=self.stops.append, write=self.reports.append, memory=lambda: self.rss, backups=backups,
            invariants=invariants,
        )  # fmt: skip
        if started:
            self.show(STARTED, source="run")

    @property
    def status(self):
        return self.guardian.status.value

    def show(self, fact, *, source="desk", ts=None):
        self.seq += 1
        ts = self.clock.now() if ts is None else ts
        self.guardian.observe(event_of(fact, source=source, key=self.seq, ts_event=ts, ts_init=ts), self.seq)

    def decide(self, seconds, name="1"):
        """Show an input and, after so long, the decision it led to."""
        self.show(ExecReport(ReportType.ACKNOWLEDGED, f"unknown-{name}", EURUSD), source="venue")
        self.clock.sleep(round(seconds * SECOND))
        self.show(ApprovedIntent(intent(name), "p", 1))

    def order(self, name="1"):
        self.show(ApprovedIntent(intent(name), "p", 1))
        self.show(submit(name))

    def wait(self, seconds):
        self.clock.sleep(round(seconds * SECOND))
        self.guardian.sample()

    def finish(self, reason="completed"):
        return self.guardian.finish(reason)


def intent(name="1"):
    return Intent(f"i-{name}", "strategy", "quoter", "test", f"d-{name}", EURUSD, Side.BUY, 1_000, START + HOUR)


def submit(name="1", intent_id=None):
    return SubmitOrder(
        f"o-{name}", intent_id or f"i-{name}", "quoter", EURUSD, Side.BUY, 1_000, OrderType.MARKET, TimeInForce.GTC
    )


def fill(name="1", *, lots=1_000, position=1_000, side=Side.BUY, price=110_000, fee=Decimal("0.5")):
    return FillBooked(
        f"t-{name}", f"o-{name}", "quoter", EURUSD, side, lots, price, Liquidity.TAKER, Decimal(0), fee, "USD",
        position, Decimal(price), None,
    )  # fmt: skip


def guard(reason, level=GuardLevel.STOPPED, *, set_=True, after=None):
    reached = after if after is not None else level if set_ else GuardLevel.RUNNING
    return GuardChanged(reason, "desk", set_, level, reached, "seen")
