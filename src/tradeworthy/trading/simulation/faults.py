"""Faults around any venue (SV-16). Each has a window of time, leaves a fact when it acts, and is gone afterwards."""

from collections.abc import Iterable, Iterator
from enum import Enum
from heapq import heappop, heappush
from typing import Protocol

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.model import CancelOrder, Command, ExecReport, MarketEvent, ReportType, SubmitOrder

INJECTED_KEPT_MAX = 10_000


class Fault(Enum):
    """What goes wrong between desk and venue, or on the way of the market data (the last two)."""

    LOST_ACK = "lost_ack"
    LATE_ACK = "late_ack"
    DUPLICATE_FILL = "duplicate_fill"
    REORDERED_REPORTS = "reordered_reports"
    REJECT_BURST = "reject_burst"
    REFUSED_CANCEL = "refused_cancel"
    DISCONNECT = "disconnect"
    HALF_OPEN = "half_open"
    FILL_AFTER_CANCEL = "fill_after_cancel"
    STALE_FEED = "stale_feed"
    CLOCK_SKEW = "clock_skew"


FEED_FAULTS = frozenset({Fault.STALE_FEED, Fault.CLOCK_SKEW})


@fact("venue.fault_injected")
class FaultInjected(Fact, frozen=True):
    """A fault changed one message; `subject` is the client order id or instrument it concerned."""

    fault: str
    subject: str
    ts: int


class FaultWindow(msgspec.Struct, frozen=True):
    """One fault from `start` for `ttl_ns`; `delay_ns` is how late or skewed a touched message is."""

    fault: Fault
    start: int
    ttl_ns: int
    delay_ns: int = 1_000_000_000

    def active(self, ts: int) -> bool:
        """Tell whether the fault acts at `ts`; its end is outside."""
        return self.start <= ts < self.start + self.ttl_ns


class Venue(Protocol):
    """The port of a venue: commands in, reports out, market facts by."""

    def send(self, command: Command, ts: int) -> None: ...
    def next_due(self) -> int | None: ...
    def advance(self, ts: int) -> list[tuple[int, ExecReport]]: ...
    def on_market(self, fact: MarketEvent, ts: int) -> None: ...


class FaultyVenue:
    """A venue whose messages pass through one fault.

    Commands are touched by the time they are sent, reports by the time they would be delivered. DISCONNECT loses
    commands and holds reports until the window ends; HALF_OPEN loses both ways. FILL_AFTER_CANCEL delivers fills late,
    so that a cancel's answer overtakes them.
    """

    def __init__(self, venue: Venue, window: FaultWindow) -> None:
        if window.fault in FEED_FAULTS:
            raise InvalidInput(f"{window.fault.value} is a fault of the feed: use `faulty_feed`")
        self._venue, self._window = venue, window
        self._out: list[tuple[int, int, ExecReport]] = []
        self._number = 0
        self.injected: list[FaultInjected] = []

    def send(self, command: Command, ts: int) -> None:
        """Pass a command on, lose it, or answer it in the venue's place."""
        window = self._window
        if window.active(ts):
            fault, name = window.fault, command.client_order_id
            if fault in (Fault.DISCONNECT, Fault.HALF_OPEN):
                self._note(name, ts)
                return
            if fault is Fault.REJECT_BURST and isinstance(command, SubmitOrder):
                self._answer(ReportType.REJECTED, command, "venue.busy", ts)
                return
            if fault is Fault.REFUSED_CANCEL and isinstance(command, CancelOrder):
                self._answer(ReportType.CANCEL_REJECTED, command, "venue.cancel_refused", ts)
                return
        self._venue.send(command, ts)

    def next_due(self) -> int | None:
        """Return the earliest time of anything pending here or at the venue."""
        due = self._venue.next_due()
        if self._out and (due is None or self._out[0][0] < due):
            return self._out[0][0]
        return due

    def advance(self, ts: int) -> list[tuple[int, ExecReport]]:
        """Return what is delivered until `ts`, by delivery time."""
        for due, report in self._venue.advance(ts):
            if self._window.active(due):
                self._touch(report, due)
            else:
                self._push(report, due)
        delivered: list[tuple[int, ExecReport]] = []
        while self._out and self._out[0][0] <= ts:
            due, _, report = heappop(self._out)
            delivered.append((due, report))
        return delivered

    def on_market(self, fact: MarketEvent, ts: int) -> None:
        """Pass the market on; the venue itself is sound."""
        self._venue.on_market(fact, ts)

    def _touch(self, report: ExecReport, due: int) -> None:
        window, name = self._window, report.client_order_id
        late = due + window.delay_ns
        acked = report.type is ReportType.ACKNOWLEDGED
        match window.fault:
            case Fault.LOST_ACK if acked:
                self._note(name, due)
            case Fault.LATE_ACK if acked:
                self._note(name, due)
                self._push(report, late)
            case Fault.DUPLICATE_FILL if report.type is ReportType.FILL:
                self._note(name, due)
                self._push(report, due)
                self._push(report, due)
            case Fault.REORDERED_REPORTS:
                self._note(name, due)
                self._number += 1
                heappush(self._out, (window.start + window.ttl_ns, -self._number, report))  # last in, first out
            case Fault.DISCONNECT:
                self._note(name, due)
                self._push(report, window.start + window.ttl_ns)
            case Fault.HALF_OPEN:
                self._note(name, due)
            case Fault.FILL_AFTER_CANCEL if report.type is ReportType.FILL:
                self._push(report, late)
                self._note(name, due)
            case _:
                self._push(report, due)

    def _answer(self, type: ReportType, command: Command, code: str, ts: int) -> None:
        self._note(command.client_order_id, ts)
        self._push(ExecReport(type, command.client_order_id, command.instrument, code=code), ts + 1)

    def _push(self, report: ExecReport, due: int) -> None:
        self._number += 1
        heappush(self._out, (due, self._number, report))

    def _note(self, subject: str, ts: int) -> None:
        if len(self.injected) < INJECTED_KEPT_MAX:
            self.injected.append(FaultInjected(self._window.fault.value, subject, ts))


def faulty_feed(
    facts: Iterable[tuple[int, MarketEvent]], window: FaultWindow, injected: list[FaultInjected]
) -> Iterator[tuple[int, MarketEvent]]:
    """Yield `(ts_event, fact)` with a feed's fault: STALE_FEED drops what falls in the window, CLOCK_SKEW shifts its
    stamps by `delay_ns` (negative: the source's clock is behind). Each touched fact is noted in `injected`.
    """
    if window.fault not in FEED_FAULTS:
        raise InvalidInput(f"{window.fault.value} is a fault of the venue: use `FaultyVenue`")
    for ts, market_fact in facts:
        if not window.active(ts):
            yield ts, market_fact
            continue
        if len(injected) < INJECTED_KEPT_MAX:
            injected.append(FaultInjected(window.fault.value, market_fact.instrument, ts))
        if window.fault is Fault.CLOCK_SKEW:
            yield ts + window.delay_ns, market_fact
