"""Play a recorded session's commands through a simulated venue on the same tape, beside what really came back."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.research.calibration.sides import SideFigures, SideRecord
from tradeworthy.trading.environment import VenuePort
from tradeworthy.trading.market_data.top import MarketState
from tradeworthy.trading.model import (
    AmendOrder,
    Bar,
    CancelOrder,
    DepthDiff,
    DepthSnapshot,
    ExecReport,
    Funding,
    Instrument,
    Mark,
    QueryOrder,
    Quote,
    Status,
    SubmitOrder,
    Trade,
)

MARKET = (Quote, Trade, DepthDiff, DepthSnapshot, Bar, Funding, Mark, Status)
COMMANDS = (CancelOrder, AmendOrder, QueryOrder)
PERIOD_NS = 300 * NANOS_PER_SECOND


class ShadowSample(msgspec.Struct, frozen=True):
    """Both sides at `ts`, cumulative since the start."""

    ts: int
    live: SideFigures
    simulated: SideFigures


class Shadow:
    """Fold a journal: its market events and commands also go to `venue`, whose reports make the other side.

    venue   a simulated venue of the same instruments; it sees nothing of the live side's reports
    """

    def __init__(
        self, instruments: Mapping[str, Instrument], venue: VenuePort, *, period_ns: int = PERIOD_NS
    ) -> None:
        self._venue = venue
        self._markets = {name: MarketState(name) for name in instruments}
        self._period = period_ns
        self._due = 0
        self._now = 0
        self.live, self.simulated = SideRecord(instruments), SideRecord(instruments)

    def run(self, events: Iterable[Event]) -> Iterator[ShadowSample]:
        """Yield a sample at the end of each period and one at the end."""
        for event in events:
            now = event.ts_init
            if not self._due:
                self._due = now - now % self._period + self._period
            while now >= self._due:
                self._advance(self._due)
                yield self.sample(self._due)
                self._due += self._period
            self._take(event, now)
        if self._now:
            due = self._venue.next_due()
            while due is not None and due - self._now < self._period:
                self._advance(due + 1)
                due = self._venue.next_due()
            yield self.sample(self._now)

    def sample(self, ts: int) -> ShadowSample:
        """Return both sides at `ts`; an order is silent after a whole period without an answer."""
        return ShadowSample(
            ts, self.live.figures(ts, silent_ns=self._period), self.simulated.figures(ts, silent_ns=self._period)
        )

    def _take(self, event: Event, now: int) -> None:
        fact = event.payload
        self._now = max(self._now, now)
        if isinstance(fact, MARKET):
            self._advance(now)
            market = self._markets.get(fact.instrument)
            self._venue.on_market(fact, now)
            if market is not None:
                market.apply(fact, event.ts_event)
                if market.mid2 is not None:
                    self.live.mark(fact.instrument, market.mid2)
                    self.simulated.mark(fact.instrument, market.mid2)
        elif isinstance(fact, SubmitOrder):
            self.live.submitted(fact, now)
            self.simulated.submitted(fact, now)
            self._venue.send(fact, now)
        elif isinstance(fact, COMMANDS):
            self._venue.send(fact, now)
        elif isinstance(fact, ExecReport):
            self.live.reported(fact, now)

    def _advance(self, until: int) -> None:
        """Let the simulated venue answer everything that is due before `until`."""
        due = self._venue.next_due()
        while due is not None and due < until:
            for at, report in self._venue.advance(due):
                self.simulated.reported(report, at)
            due = self._venue.next_due()
