"""What is under way between desk and venue: commands that have not arrived, reports that are not delivered (SV-05)."""

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush

from tradeworthy.trading.model import AmendOrder, Command, ExecReport, SubmitOrder
from tradeworthy.trading.simulation.latency import LatencyModel

NEVER = 2**63 - 1
Arrival = tuple[int, int, int, Command]
"""`(arrives at, number, sent at, command)`."""


class Wire:
    """Delay commands and reports by the latency model; a cancel never arrives before its own submit.

    arrivals, reports  heaps by time, then by number
    copy               hears each report when it is made, before its delay: the venue's drop copy
    """

    __slots__ = ("_delays", "_reported", "_sent", "_submit_due", "arrivals", "copy", "reports")

    def __init__(self, latency: LatencyModel, seed: int) -> None:
        self._delays = latency.delays(seed)
        self._submit_due: dict[str, int] = {}
        self._sent = 0
        self._reported = 0
        self.arrivals: list[Arrival] = []
        self.reports: list[tuple[int, int, ExecReport]] = []
        self.copy: Callable[[ExecReport, int], None] | None = None

    def send(self, command: Command, ts: int) -> int:
        """Take a command sent at `ts` and return when it arrives, at least a nanosecond later."""
        delays = self._delays
        if isinstance(command, SubmitOrder):
            arrival = ts + max(1, delays.submit())
            self._submit_due[command.client_order_id] = arrival
        else:
            arrival = ts + max(1, delays.amend() if isinstance(command, AmendOrder) else delays.cancel())
            if self._submit_due:
                arrival = max(arrival, self._submit_due.get(command.client_order_id, arrival))
        self._sent += 1
        heappush(self.arrivals, (arrival, self._sent, ts, command))
        return arrival

    def next_arrival(self) -> int:
        """Return when the next command arrives, `NEVER` without one."""
        return self.arrivals[0][0] if self.arrivals else NEVER

    def arrive(self) -> Arrival:
        """Take the next command off the wire."""
        arrival = heappop(self.arrivals)
        command = arrival[3]
        if isinstance(command, SubmitOrder) and self._submit_due.get(command.client_order_id) == arrival[0]:
            del self._submit_due[command.client_order_id]
        return arrival

    def submits(self) -> list[SubmitOrder]:
        """Return the orders that have not arrived, in the order of their arrival."""
        return [one[3] for one in sorted(self.arrivals, key=_place) if isinstance(one[3], SubmitOrder)]

    def drop(self, commands: Sequence[Command]) -> None:
        """Take commands off the wire before they arrive."""
        gone = {id(one) for one in commands}
        self.arrivals[:] = [one for one in self.arrivals if id(one[3]) not in gone]
        heapify(self.arrivals)
        for one in commands:
            if isinstance(one, SubmitOrder):
                self._submit_due.pop(one.client_order_id, None)

    def report(self, report: ExecReport, ts: int) -> None:
        """Send a report made at `ts` on its way."""
        if self.copy is not None:
            self.copy(report, ts)
        self._reported += 1
        heappush(self.reports, (ts + self._delays.report(), self._reported, report))


def _place(arrival: Arrival) -> tuple[int, int]:
    return arrival[0], arrival[1]
