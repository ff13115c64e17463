"""The last gate before the venue: it reads the halt flag before each send, whatever the desk believes (KS-02a)."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from heapq import heappop, heappush
from typing import Protocol

from tradeworthy.trading.control.halt import Halt, HaltPort, covering, venue_of
from tradeworthy.trading.environment import VenuePort
from tradeworthy.trading.model import BorrowCharged, Command, ExecReport, ReportType, SubmitOrder

HALTED = "control.halted"
"""Code of the report that answers an order which a halt kept here."""
Signed = Callable[[SubmitOrder, tuple[Halt, ...]], bool]
"""Tells whether a person signed a reducing order, knowing these halts (GRD-03)."""


class HeldVenue(VenuePort, Protocol):
    """A venue that also keeps what it held before, and charges for what it lends."""

    def restore(self, positions: Iterable[tuple[str, str, int, Decimal]]) -> None: ...
    def drain_charges(self) -> list[tuple[int, BorrowCharged]]: ...


class VenueEdge:
    """Any venue behind the halt flag (implements `HeldVenue`).

    While the flag is up, an order that a halt covers is answered by a reject report of this side, which the journal
    keeps as the input it is, so that a replay is equal. Cancels, amends that shrink and look-ups pass. A reducing
    order passes where `signed` says that a person wants it in spite of the halts.

    on_clear  called before the first send after a release: the venue may want a new session, also of a desk that
              slept through the whole halt
    """

    def __init__(
        self, venue: HeldVenue, flag: HaltPort, *, signed: Signed = lambda order, halts: False,
        on_clear: Callable[[], None] = lambda: None,
    ) -> None:
        self._venue, self._flag, self._signed, self._on_clear = venue, flag, signed, on_clear
        self._refused: list[tuple[int, int, ExecReport]] = []
        self._number = 0
        self._released = flag.released()
        self.on_market = venue.on_market
        self.restore = venue.restore
        self.drain_charges = venue.drain_charges

    @property
    def venue(self) -> HeldVenue:
        """The venue behind the edge."""
        return self._venue

    def send(self, command: Command, ts: int) -> None:
        """Pass a command on, or answer an order that is halted in the venue's place."""
        released = self._flag.released()
        if released != self._released:
            self._released = released
            self._on_clear()
        if self._flag.halted() and isinstance(command, SubmitOrder):
            halts = self._halts(command)
            if halts and not (command.reduce_only and self._signed(command, halts)):
                self._refuse(command, halts[0], ts)
                return
        self._venue.send(command, ts)

    def next_due(self) -> int | None:
        """Return the earliest time of anything pending here or at the venue."""
        due = self._venue.next_due()
        if self._refused and (due is None or self._refused[0][0] < due):
            return self._refused[0][0]
        return due

    def advance(self, ts: int) -> list[tuple[int, ExecReport]]:
        """Return the reports delivered until `ts`, by delivery."""
        delivered = self._venue.advance(ts)
        if not self._refused:
            return delivered
        own: list[tuple[int, ExecReport]] = []
        while self._refused and self._refused[0][0] <= ts:
            due, _, report = heappop(self._refused)
            own.append((due, report))
        return sorted([*delivered, *own], key=_delivery)

    def _halts(self, order: SubmitOrder) -> tuple[Halt, ...]:
        return covering(
            self._flag.halts(), instance=order.instance, instrument=order.instrument, venue=venue_of(order.instrument)
        )

    def _refuse(self, order: SubmitOrder, halt: Halt, ts: int) -> None:
        self._number += 1
        text = f"{halt.owner}.{halt.code} ({halt.scope}) since {halt.at}"
        report = ExecReport(
            ReportType.REJECTED, order.client_order_id, order.instrument, side=order.side, code=HALTED, text=text
        )
        heappush(self._refused, (ts + 1, self._number, report))


def _delivery(one: tuple[int, ExecReport]) -> int:
    return one[0]
