"""Builders for journals of quotes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.facts import Event, event_of
from tradeworthy.kernel.journal import Journal, JournalPolicy
from tradeworthy.trading.model.market import Quote

START = 1_700_000_000 * NANOS_PER_SECOND


@pytest.fixture
def quote_event() -> Callable[..., Event]:
    def build(
        number: int, *, source: str = "feed", numbered: bool = True, bid: int = 100, ts: int | None = None
    ) -> Event:
        stamp = START + number if ts is None else ts
        return event_of(
            Quote(instrument="ABC.SIM", bid=bid, ask=bid + 1, bid_lots=number), source=source, key=number,
            source_seq=number if numbered else None, ts_event=stamp, ts_init=stamp,
        )  # fmt: skip

    return build


@pytest.fixture
def opened() -> Callable[..., Journal]:
    def build(directory: Path, **policy: object) -> Journal:
        policy.setdefault("commit_interval_ns", None)
        return Journal.open(directory, clock=EventClock(START), policy=JournalPolicy(**policy))  # type: ignore[arg-type]

    return build


@pytest.fixture
def filled(tmp_path, quote_event, opened) -> Callable[..., Path]:
    """Write `count` events in batches of `batch`."""

    def build(count: int = 1_000, batch: int = 50, name: str = "journal") -> Path:
        journal = opened(tmp_path / name, batch_events_max=batch)
        journal.append_many([quote_event(n, numbered=n % 2 == 0) for n in range(1, count + 1)])
        journal.close()
        return tmp_path / name

    return build
