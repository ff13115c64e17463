"""Measure the journal: accept, durable append (100 events a commit), and typed reading. Prints events a second."""

import tempfile
from itertools import islice
from pathlib import Path

from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.facts import Event, event_of
from tradeworthy.kernel.journal import Journal, JournalPolicy, read
from tradeworthy.kernel.journal.verify import verify
from tradeworthy.trading.model.market import Quote

EVENTS = 200_000
START = 1_700_000_000 * NANOS_PER_SECOND


def quotes(count: int) -> list[Event]:
    """Return `count` numbered quotes of about 330 bytes each."""
    return [
        event_of(
            Quote("BTCUSDT.BINANCE", bid=6_500_000 + n % 100, ask=6_500_001 + n % 100, bid_lots=5, ask_lots=7),
            source="binance.spot", key=n, source_seq=n, ts_event=START + n, ts_init=START + n,
        )
        for n in range(1, count + 1)
    ]  # fmt: skip


def main() -> None:
    """Print one line a figure."""
    clock = SystemClock()
    for batch in (100, 512):
        events = quotes(EVENTS)
        with tempfile.TemporaryDirectory() as place:
            journal = Journal.open(Path(place), clock=clock, policy=JournalPolicy(commit_interval_ns=None))
            accepting = 0
            begin = clock.monotonic()
            source = iter(events)
            while part := list(islice(source, batch - 1)):
                before = clock.monotonic()
                for event in part:
                    journal.accept(event)
                accepting += clock.monotonic() - before
                journal.commit()
            took = clock.monotonic() - begin
            journal.close()
            print(f"append, {batch - 1} a durable commit: {EVENTS * NANOS_PER_SECOND / took:,.0f} events/s")
            print(f"accept alone: {accepting / EVENTS:,.0f} ns an event")
            begin = clock.monotonic()
            count = sum(1 for _ in read(Path(place)))
            print(f"read, typed: {count * NANOS_PER_SECOND / (clock.monotonic() - begin):,.0f} events/s")
            begin = clock.monotonic()
            result = verify(place)
            took = clock.monotonic() - begin
            if not result.ok or result.events != EVENTS:
                raise SystemExit(f"expected {EVENTS} intact events, found {result}")
            print(f"verify: {EVENTS * NANOS_PER_SECOND / took:,.0f} events/s")


if __name__ == "__main__":
    main()
