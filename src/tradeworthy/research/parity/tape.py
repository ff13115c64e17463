"""Intent tapes and golden files: what was asked of every engine, and what an oracle answered."""

import gzip
import hashlib
from decimal import Decimal
from pathlib import Path

import msgspec

from tradeworthy.kernel.errors import UsageError
from tradeworthy.trading.model import FeeRates, Instrument, InstrumentKind

EURUSD = Instrument(
    symbol="EURUSD", venue="OANDA", kind=InstrumentKind.FX, tick=Decimal("0.00001"), lot=Decimal(1), base="EUR",
    quote="USD", fees=FeeRates(maker=Decimal("0.00001"), taker=Decimal("0.00002")), max_order_lots=10**9,
)
BTCUSDT = Instrument(
    symbol="BTCUSDT", venue="BINANCE_USDM", kind=InstrumentKind.LINEAR_PERP, tick=Decimal("0.1"), lot=Decimal("0.001"),
    base="BTC", quote="USDT", fees=FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0005")), max_order_lots=10**9,
)


class Line(msgspec.Struct, frozen=True):
    """One intent; `t` in nanoseconds, numbers as exact text; a cancel names only its order."""

    t: int
    cid: str
    action: str
    side: str | None = None
    type: str | None = None
    px: str | None = None
    qty: str | None = None


class Golden(msgspec.Struct, frozen=True):
    """One oracle's answer to one tape.

    fills    rows of text as the oracle's script wrote them, see `tools/oracles`
    account  final balances as text
    """

    rung: str
    oracle: str
    tape: str
    tape_sha256: str
    data: str
    data_sha256: str
    account: dict[str, str]
    fills: list[list[str | int]]


def read_tape(path: Path) -> list[Line]:
    """Return the lines of a tape in time order; raises `UsageError` when it is missing."""
    return [msgspec.json.decode(line, type=Line) for line in _bytes(path).splitlines()]


def read_golden(path: Path, *, tapes: Path) -> Golden:
    """Return an oracle's answer; raises `UsageError` when it answers another tape than the one in `tapes`."""
    golden = msgspec.json.decode(gzip.decompress(_bytes(path)), type=Golden)
    found = hashlib.sha256(_bytes(tapes / f"{golden.tape}.jsonl")).hexdigest()
    if found != golden.tape_sha256:
        raise UsageError(f"{path.name} answers tape {golden.tape_sha256[:12]}, found {found[:12]}: run `make oracles`")
    return golden


def _bytes(path: Path) -> bytes:
    if not path.exists():
        raise UsageError(f"expected {path.name} in {path.parent}, found none")
    return path.read_bytes()
