"""What a desk held when an incident began and when it was over: orders, positions, money, configuration (IN-02)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from tradeworthy.kernel.facts import Event, Fact, fact
from tradeworthy.trading.control.forensic import SnapshotTaken
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.ledger.bookings import FeeBooked, FundingBooked
from tradeworthy.trading.ledger.day import EquitySampled
from tradeworthy.trading.model import NANOS, FillBooked, GuardChanged, GuardLevel, OrderChanged, SubmitOrder
from tradeworthy.trading.model.order import TERMINAL
from tradeworthy.trading.model.run import RunStarted
from tradeworthy.trading.restoring import DeskRestored

DESK = "desk"
NO_RUN = "no run of the desk was open"
ROWS_MAX = 200
"""Orders, and positions, of one ticket; the journal at its seq has all."""


class HeldOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order that lived: lots and ticks of its instrument; `price` None for a market order."""

    client_order_id: str
    instance: str
    instrument: str
    side: str
    lots: int
    cum_lots: int
    price: int | None
    state: str


class HeldLots(msgspec.Struct, frozen=True, kw_only=True):
    """One position that was open; `average` its price in quote currency, None where it is not known."""

    instance: str
    instrument: str
    lots: int
    average: Decimal | None


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger booked of one instrument since the run began, in its settlement currency.

    fees      paid, negative for rebates;  fees_open  fills whose fee the venue has not told
    funding   received, negative when paid
    """

    instrument: str
    fills: int = 0
    realized: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    fees_open: int = 0
    funding: Decimal = Decimal(0)


@fact("incident.circumstances")
class IncidentCircumstances(Fact, frozen=True, kw_only=True):
    """What the desk held when an incident reached `phase`; all of it is a fold of the desk's journal up to `seq`.

    at           nanoseconds UTC of the process;  desk_time  of the desk's last event, which on a tape is the tape's
    run, seq     folder of the run and the last event that counts;  last_event  names it;  why  why there is none
    run_id       of the run
    config_hash, code_hash  what ran;  snapshot  the newest forensic snapshot of the run
    equity       of the desk in its base currency, None where it was not sampled
    orders_more, positions_more  what the lists leave out
    """

    incident: str
    phase: str
    at: int
    run: str = ""
    seq: int = 0
    desk_time: int = 0
    last_event: str = ""
    why: str = ""
    run_id: str = ""
    environment: str = ""
    config_hash: str = ""
    code_hash: str = ""
    snapshot: str = ""
    guard: str = ""
    reasons: tuple[str, ...] = ()
    equity: Decimal | None = None
    orders: tuple[HeldOrder, ...] = ()
    positions: tuple[HeldLots, ...] = ()
    booked: tuple[Booked, ...] = ()
    orders_more: int = 0
    positions_more: int = 0

    @property
    def instances(self) -> tuple[str, ...]:
        """Which instances had orders or positions."""
        return tuple(sorted({*(one.instance for one in self.orders), *(one.instance for one in self.positions)}))


class SceneFold:
    """Take a desk's events in order; a new run begins anew, with what it took over from the one before."""

    def __init__(self) -> None:
        self._takes: dict[type[Fact], Callable[[Any], None]] = {
            RunStarted: self._started, DeskRestored: self._restored, SubmitOrder: self._submitted,
            OrderChanged: self._changed, FillBooked: self._filled, FeeBooked: self._fee, FundingBooked: self._funding,
            EquitySampled: self._sampled, GuardChanged: self._guard, SnapshotTaken: self._snapshot,
        }  # fmt: skip
        self.seq = self.now = 0
        self.equity: int | None = None
        self.guard = ""
        self._last_event = ""
        self._start: RunStarted | None = None
        self._begin()

    def on_event(self, event: Event, seq: int) -> None:
        """Take the next event, which the journal has at `seq`."""
        self.seq, self._last_event = seq, event.event_id
        self.now = max(self.now, event.ts_init)
        take = self._takes.get(event.payload.__class__)
        if take is not None:
            take(event.payload)

    def circumstances(
        self, incident: str, phase: str, at: int, *, run: str = "", why: str = NO_RUN
    ) -> IncidentCircumstances:
        """Return what the desk holds now; `run` is the folder of its journal, `why` told where no event came by."""
        if not self.seq:
            return IncidentCircumstances(incident=incident, phase=phase, at=at, why=why)
        orders = tuple(self._order(name) for name in sorted(self._orders))
        positions = tuple(
            HeldLots(instance=instance, instrument=instrument, lots=lots, average=average)
            for (instance, instrument), (lots, average) in sorted(self._positions.items())
        )
        start = self._start
        return IncidentCircumstances(
            incident=incident, phase=phase, at=at, run=run, seq=self.seq, desk_time=self.now,
            last_event=self._last_event, run_id="" if start is None else start.run_id,
            environment="" if start is None else start.environment,
            config_hash="" if start is None else start.config_hash,
            code_hash="" if start is None else start.code_hash, snapshot=self._forensic, guard=self.guard,
            reasons=tuple(f"{reason}@{scope}" for reason, scope in sorted(self._reasons)),
            equity=None if self.equity is None else Decimal(self.equity) / NANOS,
            orders=orders[:ROWS_MAX], positions=positions[:ROWS_MAX],
            booked=tuple(self.booked[name] for name in sorted(self.booked)),
            orders_more=max(0, len(orders) - ROWS_MAX), positions_more=max(0, len(positions) - ROWS_MAX),
        )  # fmt: skip

    def _begin(self) -> None:
        self._orders: dict[str, tuple[SubmitOrder, OrderChanged]] = {}
        self._asked: dict[str, SubmitOrder] = {}
        self._positions: dict[tuple[str, str], tuple[int, Decimal | None]] = {}
        self.booked: dict[str, Booked] = {}
        self._reasons: dict[tuple[str, str], None] = {}
        self._forensic = ""

    def _started(self, told: RunStarted) -> None:
        self._begin()
        held = msgspec.json.decode(told.guard, type=tuple[HeldReason, ...])
        self._reasons = {(f"{one.owner}.{one.code}", one.scope): None for one in held}
        level = max((one.level for one in held if one.scope == DESK), default=GuardLevel.RUNNING)
        self._start, self.equity, self.guard = told, None, level.name.lower()

    def _restored(self, told: DeskRestored) -> None:
        for one in told.positions:
            if one.lots:
                self._positions[one.instance, one.instrument] = one.lots, one.average
        self.equity = told.equity

    def _submitted(self, told: SubmitOrder) -> None:
        moved = self._orders.get(told.client_order_id)
        if moved is None:
            self._asked[told.client_order_id] = told
        else:
            self._orders[told.client_order_id] = told, moved[1]

    def _changed(self, told: OrderChanged) -> None:
        name = told.client_order_id
        if told.after in TERMINAL:
            self._orders.pop(name, None)
            self._asked.pop(name, None)
            return
        known = self._orders.get(name)
        asked = known[0] if known is not None else self._asked.pop(name, None)
        if asked is not None:
            self._orders[name] = asked, told

    def _order(self, name: str) -> HeldOrder:
        asked, moved = self._orders[name]
        return HeldOrder(
            client_order_id=name, instance=asked.instance, instrument=asked.instrument, side=asked.side.name,
            lots=asked.lots, cum_lots=moved.cum_lots, price=asked.price, state=moved.after.value,
        )  # fmt: skip

    def _filled(self, told: FillBooked) -> None:
        if told.position:
            self._positions[told.instance, told.instrument] = told.position, told.average
        else:
            self._positions.pop((told.instance, told.instrument), None)
        row = self._row(told.instrument)
        self.booked[told.instrument] = msgspec.structs.replace(
            row, fills=row.fills + 1, realized=row.realized + told.realized,
            fees=row.fees + (told.fee or Decimal(0)), fees_open=row.fees_open + (told.fee is None),
        )  # fmt: skip

    def _fee(self, told: FeeBooked) -> None:
        row = self._row(told.instrument)
        self.booked[told.instrument] = msgspec.structs.replace(
            row, fees=row.fees + told.fee, fees_open=max(0, row.fees_open - 1)
        )

    def _funding(self, told: FundingBooked) -> None:
        row = self._row(told.instrument)
        self.booked[told.instrument] = msgspec.structs.replace(row, funding=row.funding + told.amount)

    def _row(self, instrument: str) -> Booked:
        return self.booked.get(instrument) or Booked(instrument=instrument)

    def _sampled(self, told: EquitySampled) -> None:
        if told.instance == DESK:
            self.equity = told.equity

    def _guard(self, told: GuardChanged) -> None:
        self.guard = told.level.name.lower()
        if told.set:
            self._reasons[told.reason, told.scope] = None
        else:
            self._reasons.pop((told.reason, told.scope), None)

    def _snapshot(self, told: SnapshotTaken) -> None:
        self._forensic = told.snapshot
