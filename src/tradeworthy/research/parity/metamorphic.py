"""Relations that need no oracle (T7): what a changed market and tape must change in the fills, and nothing else."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from tradeworthy.research.parity.compare import Comparison, compare, nothing_explains
from tradeworthy.research.parity.play import FillRow, Venue, play
from tradeworthy.research.parity.streams import Stream, merged, mirrored, renamed, scaled, split
from tradeworthy.research.parity.tape import Line
from tradeworthy.trading.model import DepthSnapshot, Instrument, Quote

SCALE = 10
OTHER_SIDE = {"buy": "sell", "sell": "buy"}


class MakeVenue(Protocol):
    """Return a fresh venue for one instrument of the ladder and `others`."""

    def __call__(self, latency_ns: int, *others: Instrument) -> Venue: ...


def compare_all(
    name: str, stream: Stream, tape: Sequence[Line], instrument: Instrument, venue: MakeVenue
) -> list[Comparison]:
    """Return the four relations, each against the plain run."""
    plain = play(tape, stream, venue(0), instrument)
    about = 2 * _first_bid(stream)
    mirror = play(
        [_mirrored_line(line, about, instrument) for line in tape], mirrored(stream, about=about), venue(0), instrument
    )
    large = play([_scaled_line(line) for line in tape], scaled(stream, by=SCALE), venue(0), instrument)
    other = msgspec.structs.replace(instrument, symbol="UNRELATED")
    crowd = merged(stream, renamed(mirrored(stream, about=about), other.instrument_id))
    added = play(tape, crowd, venue(0, other), instrument)
    middle = stream[len(stream) // 2][0]
    carried = venue(0)
    parts: list[FillRow] = []
    for half, market in zip(_halves(tape, middle), split(stream, middle), strict=True):
        parts += play(half, market, carried, instrument)
    return [
        _same(f"{name} mirrored", plain, mirror, lambda row: _mirrored_row(row, instrument.price(about)), fees=False),
        _same(f"{name} scaled by ten", plain, large, _scaled_row),
        _same(f"{name} with an unrelated instrument", plain, added, lambda row: row),
        _same(f"{name} in two sessions, state carried", plain, parts, lambda row: row),
    ]


def _same(
    name: str, plain: list[FillRow], changed: list[FillRow], expect: Callable[[FillRow], FillRow], *, fees: bool = True
) -> Comparison:
    """Compare `changed` with what `expect` makes of each plain fill; a mirrored price has another fee."""
    expected = [expect(row) for row in plain]
    if not fees:
        expected = [msgspec.structs.replace(row, fee=Decimal(0)) for row in expected]
        changed = [msgspec.structs.replace(row, fee=Decimal(0)) for row in changed]
    return compare(name, "own, plain run", changed, expected, nothing_explains)


def _first_bid(stream: Stream) -> int:
    first = stream[0][1]
    match first:
        case Quote():
            return first.bid
        case DepthSnapshot():
            return first.bids[0][0]
        case _:
            raise TypeError(f"a canonical stream begins with a quote or a snapshot, found {type(first).__name__}")


def _halves(tape: Sequence[Line], ts: int) -> tuple[list[Line], list[Line]]:
    return [line for line in tape if line.t < ts], [line for line in tape if line.t >= ts]


def _mirrored_line(line: Line, about: int, instrument: Instrument) -> Line:
    if line.side is None:
        return line
    price = None if line.px is None else str(instrument.price(about) - Decimal(line.px))
    return msgspec.structs.replace(line, side=OTHER_SIDE[line.side], px=price)


def _scaled_line(line: Line) -> Line:
    return line if line.px is None else msgspec.structs.replace(line, px=str(Decimal(line.px) * SCALE))


def _mirrored_row(row: FillRow, about: Decimal) -> FillRow:
    return msgspec.structs.replace(row, side=OTHER_SIDE[row.side], price=about - row.price)


def _scaled_row(row: FillRow) -> FillRow:
    return msgspec.structs.replace(row, price=row.price * SCALE, fee=row.fee * SCALE)
