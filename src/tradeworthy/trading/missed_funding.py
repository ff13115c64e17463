"""Rows of a tape with the funding times that no rate came for between them, each of unknown size (SV-12)."""

from collections.abc import Iterable, Iterator

from tradeworthy.trading.environment import Row
from tradeworthy.trading.model import Funding, Instrument
from tradeworthy.trading.simulation.funding_watch import FundingWatch

SOURCE = "funding"
"""Who tells that a rate did not come."""


def with_missed(rows: Iterable[Row], instruments: Iterable[Instrument], grace_ns: int) -> Iterator[Row]:
    """Yield the rows; before the first that arrives `grace_ns` after a funding time without a rate, tell the miss.

    A missed time keeps its own stamp as `ts_event` and arrives when the grace is over.
    """
    watch: FundingWatch | None = None
    number = 0
    for row in rows:
        if watch is None:
            watch = FundingWatch(instruments, row.ts_init, grace_ns=grace_ns)
        due = watch.next_due()
        if due is not None and row.ts_init >= due:
            for ts, missed in watch.advance(row.ts_init):
                number += 1
                yield Row(SOURCE, number, ts, ts + grace_ns, missed)
        if type(row.fact) is Funding:
            watch.on_funding(row.fact, row.ts_init)
        yield row
