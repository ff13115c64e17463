"""Market events as typed columns, one table a kind; needs the `data` extra (polars)."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tradeworthy.adapters.tapes.lines import TapeRow
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.model import Bar, DepthDiff, DepthSnapshot, Level, MarketEvent, Quote, Side, Trade

if TYPE_CHECKING:
    import polars as pl

_INT, _BOOL, _TEXT, _LEVELS = "Int64", "Boolean", "String", "levels"
_STAMPS = (("ts_event", _INT), ("ts_init", _INT), ("instrument", _TEXT))
COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "quote": (*_STAMPS, ("bid", _INT), ("ask", _INT), ("bid_lots", _INT), ("ask_lots", _INT)),
    "trade": (*_STAMPS, ("price", _INT), ("lots", _INT), ("aggressor", _INT), ("trade_id", _TEXT)),
    "bar": (*_STAMPS, ("interval_ns", _INT), ("open", _INT), ("high", _INT), ("low", _INT), ("close", _INT),
            ("volume", _INT), ("filled", _BOOL)),
    "depth_diff": (*_STAMPS, ("first_id", _INT), ("last_id", _INT), ("prev_id", _INT), ("bids", _LEVELS),
                   ("asks", _LEVELS)),
    "depth_snapshot": (*_STAMPS, ("last_id", _INT), ("bids", _LEVELS), ("asks", _LEVELS)),
}
"""Prices in ticks, sizes in lots, levels as lists of `[price, lots]`; names are the facts' own."""

_KIND_OF: dict[type, str] = {
    Quote: "quote", Trade: "trade", Bar: "bar", DepthDiff: "depth_diff", DepthSnapshot: "depth_snapshot"
}
_LAST_OF = {
    ("ts_event", "ts_init", "instrument", *(name for name, _ in columns[3:])): kind for kind, columns in COLUMNS.items()
}


def kind_of(event: MarketEvent) -> str:
    """Return the table that holds `event`; raises `InvalidInput` for an event no table holds."""
    try:
        return _KIND_OF[type(event)]
    except KeyError:
        raise InvalidInput(f"a table holds {', '.join(COLUMNS)}, was {type(event).__name__}") from None


def frame_of(kind: str, rows: Sequence[TapeRow]) -> "pl.DataFrame":
    """Return the rows of one kind as a table."""
    import polars as pl

    levels = pl.List(pl.List(pl.Int64))
    dtypes: dict[str, Any] = {
        name: levels if dtype is _LEVELS else getattr(pl, dtype) for name, dtype in COLUMNS[kind]
    }
    fields = [name for name, _ in COLUMNS[kind][2:]]
    data = [[at, seen_at, *(_plain(getattr(event, name)) for name in fields)] for at, seen_at, event in rows]
    return pl.DataFrame(data, schema=dtypes, orient="row")


def rows_of(frame: "pl.DataFrame") -> Iterator[TapeRow]:
    """Yield the rows of a table that `frame_of` made; raises `InvalidInput` for other columns."""
    kind = _LAST_OF.get(tuple(frame.columns))
    if kind is None:
        raise InvalidInput(f"columns must be those of {', '.join(COLUMNS)}, were {', '.join(frame.columns)}")
    make = _MAKERS[kind]
    for ts_event, ts_init, *values in frame.iter_rows():
        yield ts_event, ts_init, make(*values)


def _plain(value: Any) -> Any:
    return [list(level) for level in value] if isinstance(value, tuple) else value


def _levels(pairs: list[list[int]]) -> tuple[Level, ...]:
    return tuple((price, lots) for price, lots in pairs)


def _trade(instrument: str, price: int, lots: int, aggressor: int | None, trade_id: str) -> Trade:
    return Trade(instrument, price, lots, None if aggressor is None else Side(aggressor), trade_id)


def _diff(
    instrument: str, first: int, last: int, prev: int | None, bids: list[list[int]], asks: list[list[int]]
) -> DepthDiff:
    return DepthDiff(instrument, first, last, prev, _levels(bids), _levels(asks))


def _snapshot(instrument: str, last: int, bids: list[list[int]], asks: list[list[int]]) -> DepthSnapshot:
    return DepthSnapshot(instrument, last, _levels(bids), _levels(asks))


_MAKERS: dict[str, Callable[..., MarketEvent]] = {
    "quote": Quote, "trade": _trade, "bar": Bar, "depth_diff": _diff, "depth_snapshot": _snapshot
}
