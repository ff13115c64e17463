"""The rows of a run folder: `bars`, `fills` and `nav`, one JSON line each, typed both ways (BT-01)."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

import msgspec

from tradeworthy.kernel.errors import UsageError

BARS, FILLS, NAV = "bars.jsonl", "fills.jsonl", "nav.jsonl"


class BarRow(msgspec.Struct, frozen=True):
    """One candle of an instrument; `ts` is its close in nanoseconds UTC, prices in quote currency.

    derived   made of mids, by the minute; False for a bar of the tape
    state     strategy state by instance, as JSON
    """

    instrument: str
    ts: int
    interval_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    derived: bool
    state: msgspec.Raw


class FillRow(msgspec.Struct, frozen=True):
    """One booked fill; amounts in base currency, None where not known; a bust or correction has lots of 0 or below."""

    number: int
    ts: int
    instance: str
    instrument: str
    client_order_id: str
    trade_id: str
    side: str
    quantity: Decimal
    price: Decimal
    liquidity: str
    fee: Decimal | None
    realized: Decimal
    position: Decimal
    mid: Decimal | None
    level: int | None
    regime: str | None


class NavRow(msgspec.Struct, frozen=True):
    """The account at the end of a minute; sources are cumulative and sum to equity less capital."""

    ts: int
    equity: Decimal
    captured: Decimal
    inventory: Decimal
    fees: Decimal
    funding: Decimal
    drawdown: float


class RowSink(Protocol):
    """Takes rows as the run makes them."""

    def bar(self, row: BarRow) -> None: ...
    def fill(self, row: FillRow) -> None: ...
    def nav(self, row: NavRow) -> None: ...


class LineSink:
    """Write each row as one canonical JSON line to its file."""

    __slots__ = ("_bars", "_encode", "_fills", "_nav")

    def __init__(self, bars: BinaryIO, fills: BinaryIO, nav: BinaryIO) -> None:
        self._bars, self._fills, self._nav = bars, fills, nav
        self._encode = msgspec.json.Encoder(order="sorted").encode

    def bar(self, row: BarRow) -> None:
        """Write one candle."""
        self._bars.write(self._encode(row) + b"\n")

    def fill(self, row: FillRow) -> None:
        """Write one fill."""
        self._fills.write(self._encode(row) + b"\n")

    def nav(self, row: NavRow) -> None:
        """Write one minute of the account."""
        self._nav.write(self._encode(row) + b"\n")


R = TypeVar("R", BarRow, FillRow, NavRow)


def read_rows(path: Path, kind: type[R]) -> Iterator[R]:
    """Yield the rows of a file; raises `UsageError` where it is missing or a line is none of `kind`."""
    decode = msgspec.json.Decoder(kind).decode
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield decode(line)
                except msgspec.MsgspecError as problem:
                    raise UsageError(f"{path}, line {number}: {problem}") from None
    except OSError as problem:
        raise UsageError(f"expected the run's rows at {path}: {problem.strerror}") from None
