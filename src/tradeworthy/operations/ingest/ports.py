"""What ingest needs of others: where rows come from, and a store that takes each of them once."""

from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.model import MarketEvent

MarketRow = tuple[int, int, MarketEvent]
"""`(ts_event, ts_init, event)`, nanoseconds UTC."""
OnBad = Callable[[bytes, str], None]
"""Takes the bytes of a malformed line and the reason."""


class Source(Protocol):
    """One recorded feed. Both methods raise `UsageError` where it is not there."""

    @property
    def name(self) -> str: ...
    @property
    def instrument(self) -> str: ...
    def digest(self) -> str:
        """Return what changes with the bytes of the feed."""
        ...

    def rows(self, on_bad: OnBad) -> Iterator[MarketRow]: ...


class Counted(msgspec.Struct, frozen=True):
    """What a store did with the rows of one source: new ones, and those that it had as they are."""

    inserted: int = 0
    unchanged: int = 0


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset that was taken in whole; the same bytes need not be read again.

    digest    of the feed's bytes;  rows  it has, without the `rejected` ones;  newest  event time, None without rows
    severity  it was judged by;  run_id  that took it in;  at  when, nanoseconds UTC
    """

    source: str
    instrument: str
    digest: str
    rows: int
    rejected: int
    newest: int | None
    severity: Severity
    run_id: str
    at: int


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One source of one cycle, for the store's table of ingest runs (DB-66)."""

    run_id: str
    number: int
    source: str
    instrument: str
    digest: str
    severity: Severity
    fetched: int
    inserted: int
    unchanged: int
    rejected: int
    age_ns: int | None
    took_ns: int
    at: int


class Conclusion(msgspec.Struct, frozen=True):
    """What stands beside the rows of a source in one transaction: the run's row, and the seal where it was whole."""

    run: RunRow
    seal: Sealed | None


class MarketStore(Protocol):
    """Keeps market data; a row is known by source, instrument, kind, event time, and its place among equal ones."""

    @property
    def place(self) -> str:
        """Return where it lies, fit to be shown."""
        ...

    def sealed(self, source: str, digest: str) -> Sealed | None: ...

    def take(self, source: str, rows: Iterator[MarketRow], conclude: Callable[[Counted], Conclusion]) -> Counted:
        """Keep rows, their run's row and their seal together or not at all.

        Raises `InvalidInput` for rows that contradict those it holds, `RetryLater` where it cannot be written now.
        """
        ...

    def close(self) -> None: ...
