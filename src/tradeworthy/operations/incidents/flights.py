"""Notices on their way: which channels still owe a receipt, and which notices reached nobody (AR-08)."""

from typing import NamedTuple

from tradeworthy.operations.incidents.model import AlertSeverity, Notice, Outcome, Purpose, Receipt

FLIGHTS_MAX = 4_096
"""Notices whose receipts are awaited; the oldest gives way."""


class Landed(NamedTuple):
    """A receipt changed what is known: every channel answered, and none of them accepted."""

    nobody: bool
    severity: AlertSeverity
    purpose: Purpose


class _Flight:
    __slots__ = ("accepted", "pending", "severity")

    def __init__(self) -> None:
        self.pending: set[str] = set()
        self.accepted = False
        self.severity = AlertSeverity.INFO


class Flights:
    """Follow each notice to its last receipt."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight] = {}
        self.generated = self.sent = self.undelivered = self.nobody = 0

    def left(self, notice: Notice, channel: str) -> None:
        """Note that a notice was handed to a channel."""
        flight = self._flights.get(notice.id)
        if flight is None:
            while len(self._flights) >= FLIGHTS_MAX:
                del self._flights[next(iter(self._flights))]
            flight = self._flights[notice.id] = _Flight()
        flight.pending.add(channel)
        flight.severity = max(flight.severity, notice.severity)

    def landed(self, receipt: Receipt) -> Landed:
        """Take one receipt."""
        accepted = receipt.outcome is Outcome.ACCEPTED
        self.sent += accepted
        self.undelivered += not accepted
        flight = self._flights.get(receipt.notice)
        if flight is None:
            return Landed(False, receipt.severity, receipt.purpose)
        flight.pending.discard(receipt.channel)
        flight.accepted |= accepted
        if flight.pending:
            return Landed(False, flight.severity, receipt.purpose)
        del self._flights[receipt.notice]
        self.nobody += not flight.accepted
        return Landed(not flight.accepted, flight.severity, receipt.purpose)
