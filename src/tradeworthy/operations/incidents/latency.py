"""How long an alert takes, measured on every one, and canaries that prove that the path lives (AR-14)."""

import math
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from tradeworthy.kernel.clock import NANOS_PER_MILLI
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.operations.incidents.policy import AlertPolicy

LEDGER_MAX = 4_096
"""Alerts whose times are kept."""
P99_SAMPLES_MIN = 100
"""A 99th percentile of fewer says nothing (FW-12)."""
NOTES_MAX = 1_024
"""Notices whose first receipt is awaited."""


@fact("alert.latency")
class AlertLatency(Fact, frozen=True):
    """The steps of one notice, in nanoseconds of the monotonic clock since the event was accepted.

    generated  the alert was made and journaled;  sent  it was handed to its channels;  received  first receipt
    """

    notice: str
    purpose: str
    generated_ns: int
    sent_ns: int
    received_ns: int
    at: int


@fact("alert.canary")
class CanaryLost(Fact, frozen=True):
    """So many canaries in a row did not come back; `missing` 0: one came back after that."""

    missing: int
    at: int


class Quantile(NamedTuple):
    """A 99th percentile by nearest rank, None where there are fewer than 100; the largest; how many. Milliseconds."""

    p99_ms: float | None
    max_ms: float | None
    n: int


class LatencyLedger:
    """Keep the steps of the last notices; the slow step shows."""

    def __init__(self) -> None:
        self.rows: deque[AlertLatency] = deque(maxlen=LEDGER_MAX)
        self._open: dict[str, tuple[str, int, int, int]] = {}

    def left(self, notice: str, purpose: str, accepted: int, generated: int, sent: int) -> None:
        """Note that a notice was handed to its channels; times are monotonic nanoseconds."""
        while len(self._open) >= NOTES_MAX:
            del self._open[next(iter(self._open))]
        self._open[notice] = (purpose, accepted, generated, sent)

    def received(self, notice: str, now: int, at: int) -> AlertLatency | None:
        """Note the first receipt that says `accepted`; returns the row, None for later ones."""
        found = self._open.pop(notice, None)
        if found is None:
            return None
        purpose, accepted, generated, sent = found
        row = AlertLatency(notice, purpose, generated - accepted, sent - accepted, now - accepted, at)
        self.rows.append(row)
        return row

    def generation(self) -> Quantile:
        """Event to alert."""
        return quantile(row.generated_ns for row in self.rows)

    def receipt(self) -> Quantile:
        """Event to first receipt."""
        return quantile(row.received_ns for row in self.rows)

    def severity(self, policy: AlertPolicy) -> Severity:
        """Judge event to alert: a p99 that reaches its limit warns, a maximum fails; nothing measured is unknown."""
        found = self.generation()
        if found.max_ms is None:
            return Severity.UNKNOWN
        if found.max_ms >= policy.generate_max_ms:
            return Severity.FAIL
        receipt = self.receipt().p99_ms
        slow = (found.p99_ms is not None and found.p99_ms >= policy.generate_p99_ms) or (
            receipt is not None and receipt >= policy.receipt_p99_ms
        )
        return Severity.WARN if slow else Severity.OK


def quantile(values_ns: Iterable[int]) -> Quantile:
    """Return p99, maximum and n of durations in nanoseconds."""
    found = sorted(values_ns)
    if not found:
        return Quantile(None, None, 0)
    n = len(found)
    p99 = found[math.ceil(0.99 * n) - 1] / NANOS_PER_MILLI if n >= P99_SAMPLES_MIN else None
    return Quantile(p99, found[-1] / NANOS_PER_MILLI, n)


class CanaryWatch:
    """Send a canary each period, and count those that did not come back; times are monotonic nanoseconds."""

    def __init__(self, policy: AlertPolicy, now: int) -> None:
        self._period, self._fail = nanos(policy.canary_period_s), policy.canary_missing_fail
        self._next = now
        self._since = now
        self._came: int | None = None
        self._waiting = False
        self.missing = 0
        self.number = 0

    @property
    def lost(self) -> bool:
        """Whether as many are missing as pause the desk."""
        return self.missing >= self._fail

    @property
    def next_at(self) -> int:
        """When the next one leaves."""
        return self._next

    def due(self, now: int) -> bool:
        """Tell whether a canary leaves now; one that has not come back by then is missing."""
        if now < self._next:
            return False
        if self._waiting:
            self.missing += 1
        self._waiting = True
        self._next = max(self._next + self._period, now)
        self.number += 1
        return True

    def came(self, now: int) -> bool:
        """Note that the canary came back; True where it ends a loss."""
        ended, self.missing = self.lost, 0
        self._waiting, self._came = False, now
        return ended

    def age(self, now: int) -> int:
        """Return how long ago one came back, since the start where none did."""
        return now - (self._since if self._came is None else self._came)
