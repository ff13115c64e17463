"""What the line readers share: bounded lines, exact numbers, and the door for what is malformed."""

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.model import Instrument, MarketEvent

TapeRow = tuple[int, int, MarketEvent]
"""`(ts_event, ts_init, event)`, nanoseconds UTC."""
OnBad = Callable[[bytes, str], object]
"""Gets the raw bytes of a malformed line and the reason; it may raise."""
LINE_BYTES_MAX = 1 << 20
NUMBER_LENGTH_MAX = 40
_CACHED = 65_536


def refuse(raw: bytes, reason: str) -> None:
    """Raise `InvalidInput`: what a reader does when nobody asked for its malformed lines."""
    raise InvalidInput(f"{reason}: {raw[:120]!r}")


def lines_of(path: Path, on_bad: OnBad) -> Iterator[bytes]:
    """Yield the lines of a plain, `.gz` or one-member `.zip` file without their ends; an over-long line is bad."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) != 1:
                raise InvalidInput(f"{path.name} must hold one member, found {len(names)}")
            with archive.open(names[0]) as member:
                yield from _bounded(io.BufferedReader(member), on_bad)  # type: ignore[arg-type]
    elif path.suffix == ".gz":
        with gzip.open(path, "rb") as stream:
            yield from _bounded(io.BufferedReader(stream), on_bad)
    else:
        with path.open("rb") as plain:
            yield from _bounded(plain, on_bad)


def _bounded(stream: io.BufferedReader, on_bad: OnBad) -> Iterator[bytes]:
    while line := stream.readline(LINE_BYTES_MAX):
        if len(line) == LINE_BYTES_MAX and not line.endswith(b"\n"):
            on_bad(line, f"a line must be shorter than {LINE_BYTES_MAX} bytes")
            while rest := stream.readline(LINE_BYTES_MAX):
                if rest.endswith(b"\n"):
                    break
            continue
        yield line.rstrip(b"\r\n")


def price_reader(instrument: Instrument, *, divisor: int = 1) -> Callable[[str], int]:
    """Return the exact parser of price text to ticks; texts repeat, so it remembers 65 536 of them."""

    @lru_cache(_CACHED)
    def parse(text: str) -> int:
        _check_length("price", text)
        if divisor == 1:
            return instrument.ticks(text)
        return instrument.ticks(_decimal("price", text) / divisor)

    return parse


def lots_reader(instrument: Instrument) -> Callable[[str], int]:
    """Return the parser of size text to whole lots.

    The part below one lot is cut off: others' sizes are information, and venues carry sums of floats and resting
    orders from the days of a finer lot.
    """

    @lru_cache(_CACHED)
    def parse(text: str) -> int:
        _check_length("size", text)
        value = _decimal("size", text)
        if value < 0:
            raise InvalidInput(f"size must be at least zero, was {text}")
        return int(value / instrument.lot)

    return parse


def _check_length(name: str, text: str) -> None:
    if len(text) > NUMBER_LENGTH_MAX:
        raise InvalidInput(f"{name} must have at most {NUMBER_LENGTH_MAX} digits, had {len(text)}")


def _decimal(name: str, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise InvalidInput(f"{name} must be a number, was {text!r}") from None
    if not value.is_finite():
        raise InvalidInput(f"{name} must be finite, was {text}")
    return value


def check_bar(open_: int, high: int, low: int, close: int) -> None:
    """Raise `InvalidInput` unless low <= open, close <= high."""
    if not (low <= open_ <= high and low <= close <= high):
        raise InvalidInput(f"a bar needs low <= open, close <= high, was o={open_} h={high} l={low} c={close} ticks")
