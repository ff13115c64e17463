"""Fold a desk's journal into facts of its trades: fills on both sides, whose orders, what is held; bounded."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from decimal import Decimal

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.facts import Event
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.values import Observation
from tradeworthy.trading.control.repair import LedgerRepair
from tradeworthy.trading.ledger.day import DayLine, EquitySampled
from tradeworthy.trading.minute import DeskMinute
from tradeworthy.trading.model import Instrument
from tradeworthy.trading.model.order import ApprovedIntent, ExecReport, FillBooked, ReportType, SubmitOrder
from tradeworthy.trading.restoring import DeskRestored

FILLS_KEPT, FILLS_KEPT_NS = 50_000, 7 * NANOS_PER_DAY
"""A day of fills is compared; older ones are known for as long as a venue may tell them again."""
ORDERS_KEPT = 1_000
INTENTS_KEPT = 2_000
"""An order leaves in the same outcome as its approval."""
HOLDING_MIN = Decimal(100)
"""Quote currency; an instance with less exposure holds nothing (AS-115)."""
MINOR_UNIT = Decimal("0.01")
DESK = "desk"
Told = tuple[int, int, int, Decimal | None]
"""When, lots, price in ticks, fee."""
Key = tuple[str, str]


class _Window:
    """How many fills of one side arrived in the last 24 hours; old ones go when somebody looks."""

    def __init__(self) -> None:
        self.arrived: OrderedDict[Key, int] = OrderedDict()

    def count(self, since: int) -> int:
        while self.arrived and next(iter(self.arrived.values())) < since:
            self.arrived.popitem(last=False)
        return len(self.arrived)


class TradesFold:
    """Take a desk's events in order; each call of a `..._facts` tells what they came to.

    instruments  of the run's document
    """

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = dict(instruments)
        self._venue: OrderedDict[tuple[str, str], Told] = OrderedDict()
        self._booked: OrderedDict[tuple[str, str], Told] = OrderedDict()
        self._recent = _Window(), _Window()
        self._unbooked: dict[Key, None] = {}
        self._unreported: dict[Key, None] = {}
        self._differing: OrderedDict[Key, int] = OrderedDict()
        self._restated: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._intents: OrderedDict[str, str] = OrderedDict()
        self._orders: deque[bool] = deque(maxlen=ORDERS_KEPT)
        self._sent: dict[str, int] = {}
        self._minutes: dict[str, DeskMinute] = {}
        self._held: dict[str, tuple[str, int]] = {}
        self._opened: tuple[int, int] | None = None
        self._equity: int | None = None
        self._day: DayLine | None = None
        self.now = 0

    def on_event(self, event: Event) -> None:
        """Take the next event; the cost does not depend on how many came before."""
        ts = self.now = max(self.now, event.ts_init)
        match event.payload:
            case ExecReport() as report if report.trade_id is not None:
                self._reported(report, ts)
            case DeskRestored(orders=orders):
                for order in orders:  # the venue tells their fills again, which an earlier run booked
                    self._restated.update(
                        dict.fromkeys((order.intent.instrument, trade_id) for trade_id, _, _ in order.trades)
                    )
            case LedgerRepair() as repair:  # people told it in the venue's stead
                self._restated[repair.instrument, repair.trade_id] = None
            case FillBooked() as fill:
                key = fill.instrument, fill.trade_id
                if key not in self._restated:
                    self._take(self._booked, self._venue, key, (ts, fill.lots, fill.price, fill.fee))
                self._held[fill.instance] = fill.instrument, fill.position
            case ApprovedIntent(intent=intent):
                self._intents[intent.intent_id] = intent.instance
                if len(self._intents) > INTENTS_KEPT:
                    self._intents.popitem(last=False)
            case SubmitOrder() as order:
                self._orders.append(self._intents.get(order.intent_id) == order.instance)
                self._sent[order.instance] = self._sent.get(order.instance, 0) + 1
            case DeskMinute() as row:
                self._minutes[row.instance] = row
            case DayLine(instance="desk") as line:
                self._day = line
            case EquitySampled(instance="desk", equity=int(equity)):
                day = ts // NANOS_PER_DAY
                if self._opened is None or self._opened[0] != day:
                    self._opened = day, self._equity or equity
                self._equity = equity

    def sent_by(self, instances: Iterable[str]) -> int:
        """Return how many orders these instances sent."""
        return sum(self._sent.get(one, 0) for one in instances)

    def fill_facts(self, tell: Teller) -> list[Observation]:
        """Return the facts of `fill_parity`: the venue's reports against the ledger's bookings of 24 hours."""
        since = self.now - NANOS_PER_DAY
        venue, booked = (one.count(since) for one in self._recent)
        missing = sum(self._venue[key][0] >= since for key in self._unbooked)
        phantom = sum(self._booked[key][0] >= since for key in self._unreported)
        while self._differing and next(iter(self._differing.values())) < since:
            self._differing.popitem(last=False)
        both = [(self._venue[key], self._booked[key]) for key in self._differing]
        ticks = [abs(a[2] - b[2]) for a, b in both]
        shares = [abs(a[2] - b[2]) / abs(a[2]) for a, b in both if a[2]]
        fees = [(a[3], b[3]) for a, b in both if a[3] is not None and b[3] is not None]
        return [
            tell("venue_fills", venue), tell("booked_fills", booked), tell("missing", missing),
            tell("phantom", phantom), tell("quantity_differs", sum(a[1] != b[1] for a, b in both)),
            tell("price_difference_ticks", max(ticks, default=0)),
            tell("price_difference", max(shares, default=0.0)),
            tell("fee_differs", sum(abs(a - b) >= MINOR_UNIT for a, b in fees)),
        ]  # fmt: skip

    def attribution_facts(self, tell: Teller) -> list[Observation]:
        """Return the facts of `attribution_coverage`: the newest orders, and those with an approved intent."""
        return [tell("orders", len(self._orders)), tell("attributed", sum(self._orders))]

    def portfolio_facts(self, tell: Teller) -> list[Observation]:
        """Return the facts of `portfolio_risk` by the newest minute row of each instance."""
        found, why = [], "no minute row was told; set desk.minute_seconds"
        exposures: dict[str, Decimal] = {}
        unknown = "" if self._minutes else why
        for name, row in sorted(self._minutes.items()):
            exposure = self._exposure(name, row)
            if exposure is None:
                unknown = f"{name} holds something and has no price"
            else:
                exposures[name] = exposure
            found += [
                tell("daily_loss", row.loss, name, why="the day's equity is not known"),
                tell("exposure", None if exposure is None else float(exposure), name, why="no price"),
            ]  # fmt: skip
        quotes = {self._instruments[held].quote for held, _ in self._held.values() if held in self._instruments}
        if len(quotes) > 1:
            unknown = f"positions are in {len(quotes)} currencies, which nobody converts here"
        known = not unknown
        gross = sum((abs(one) for one in exposures.values()), Decimal(0))
        net = abs(sum(exposures.values(), Decimal(0)))
        holding = [abs(one) for one in exposures.values() if abs(one) >= HOLDING_MIN]
        last = max((row.ts for row in self._minutes.values()), default=None)
        return [
            *found, tell("desk_loss", self._desk_loss(), why="no equity of the desk was told"),
            tell("gross_exposure", float(gross) if known else None, why=unknown),
            tell("net_exposure", float(net) if known else None, why=unknown),
            tell("instances_holding", len(holding) if known else None, why=unknown),
            tell("largest_share", (float(max(holding) / gross) if holding else 0.0) if known else None, why=unknown),
            tell("last_row", last, why=why),
        ]  # fmt: skip

    def _reported(self, report: ExecReport, ts: int) -> None:
        key = report.instrument, str(report.trade_id)
        if report.type is ReportType.FILL:
            if key not in self._restated:
                self._take(self._venue, self._booked, key, (ts, report.lots, report.price, report.fee))
        elif report.type in (ReportType.BUST, ReportType.CORRECTION):
            self._restated[key] = None
            if len(self._restated) > FILLS_KEPT:
                self._restated.popitem(last=False)
            for side in (self._venue, self._booked):
                side.pop(key, None)
            self._forget(key)

    def _take(self, side: OrderedDict[Key, Told], other: OrderedDict[Key, Told], key: Key, told: Told) -> None:
        """Keep the first word on a fill, and compare it with the other side's; a repeated report says nothing new."""
        if key in side:
            return
        side[key] = told
        ours = side is self._booked
        alone, answered = (self._unreported, self._unbooked) if ours else (self._unbooked, self._unreported)
        self._recent[ours].arrived[key] = told[0]
        met = other.get(key)
        if met is None:
            alone[key] = None
        else:
            answered.pop(key, None)
            if met[1:] != told[1:]:
                self._differing[key] = met[0] if ours else told[0]
        while len(side) > FILLS_KEPT or next(iter(side.values()))[0] < self.now - FILLS_KEPT_NS:
            oldest, _ = side.popitem(last=False)
            other.pop(oldest, None)
            self._forget(oldest)

    def _forget(self, key: Key) -> None:
        for known in (self._recent[0].arrived, self._recent[1].arrived, self._unbooked, self._unreported,
                      self._differing):  # fmt: skip
            known.pop(key, None)

    def _exposure(self, instance: str, row: DeskMinute) -> Decimal | None:
        """Return the signed value of what an instance holds, in quote currency; None without a price."""
        if row.position == 0:
            return Decimal(0)
        held = self._instruments.get(self._held.get(instance, ("", 0))[0])
        if row.mid is None:
            return None
        return row.position * row.mid * (Decimal(1) if held is None else held.multiplier)

    def _desk_loss(self) -> float | None:
        if self._opened is not None and self._equity is not None and self._opened[1] > 0:
            return (self._opened[1] - self._equity) / self._opened[1]
        return None if self._day is None else self._day.loss

