"""The books as rows of the operational store: pure rows, one upsert key each, each with its journal seq (AC-05)."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.trading.ledger.day import DayLine, DayRolled
from tradeworthy.trading.ledger.snapshot import AccountingSnapshot
from tradeworthy.trading.model.order import TERMINAL, FillBooked, OrderChanged

Value = str | int | float | None


class Table(msgspec.Struct, frozen=True):
    """A table's key and other columns; every table has `seq` besides. Money and prices are exact text."""

    key: tuple[str, ...]
    columns: tuple[str, ...]


TABLES: Mapping[str, Table] = {
    "fills": Table(
        ("fill_key", "ts"),
        ("instance", "instrument", "client_order_id", "trade_id", "side", "lots", "price", "liquidity", "realized",
         "fee", "fee_currency", "position", "average", "mid"),
    ),
    "accounting_snapshot": Table(
        ("instance", "ts"), tuple(n for n in AccountingSnapshot.__struct_fields__ if n not in ("instance", "ts"))
    ),
    "instance_daily": Table(
        ("instance", "variant", "day"),
        ("equity_open", "equity", "notional", "fills", "cancels", "fees", "funding", "realized"),
    ),
    "open_order_current": Table(
        ("instance", "venue", "client_order_id"), ("instrument", "state", "cum_lots", "code", "open")
    ),
    "position_current": Table(("instance", "instrument"), ("lots", "average")),
}  # fmt: skip


class Row(msgspec.Struct, frozen=True):
    """One row to upsert: `values` holds key and columns; `seq` is the event it rests on."""

    table: str
    values: dict[str, Value]
    seq: int


class ProjectionStore(Protocol):
    """Where rows are kept. A row of an older seq never overwrites a newer one; the same rows twice change nothing."""

    def upsert(self, rows: Iterable[Row]) -> int:
        """Write rows in one transaction and return how many were given."""
        ...

    def count(self, table: str) -> int: ...

    def seq(self) -> int:
        """Return the last journal seq that was projected, 0 for an empty store."""
        ...


def rows_of(event: Event, *, variant: str = "live") -> tuple[Row, ...]:
    """Return the rows that one event writes, none for most. `variant` parts paper from live in the daily table."""
    fact, seq, ts = event.payload, event.seq, event.ts_init
    match fact:
        case FillBooked():
            key: dict[str, Value] = {"fill_key": f"{fact.client_order_id}:{fact.trade_id}", "ts": ts}
            return (
                _row("fills", {**key, **_plain(fact)}, seq),
                _row("position_current", {"instance": fact.instance, "instrument": fact.instrument,
                                          "lots": fact.position, "average": _plain(fact)["average"]}, seq),
            )  # fmt: skip
        case AccountingSnapshot():
            return (_row("accounting_snapshot", _plain(fact), seq),)
        case DayRolled() | DayLine():
            plain = _plain(fact)
            if isinstance(fact, DayRolled):
                plain["equity"] = plain["equity_close"]
            return (_row("instance_daily", {**plain, "variant": variant, "day": fact.day or 0}, seq),)
        case OrderChanged():
            venue = fact.instrument.rpartition(".")[2]
            still_open = int(fact.after not in TERMINAL)
            values = {**_plain(fact), "venue": venue, "state": fact.after.value, "open": still_open}
            return (_row("open_order_current", values, seq),)
    return ()


class ProjectionPolicy(msgspec.Struct, frozen=True):
    """A run's books are projected each `period_ns` or on a wanted event; `batch` rows a transaction."""

    period_ns: int = 300 * NANOS_PER_SECOND
    batch: int = 1_000


EACH_FIVE_MINUTES = ProjectionPolicy()


def project(
    events: Iterable[Event], store: ProjectionStore, *, policy: ProjectionPolicy = EACH_FIVE_MINUTES,
    variant: str = "live",
) -> int:
    """Upsert what `events` write behind the store's own seq, in batches; return the rows written."""
    done, written, waiting = store.seq(), 0, list[Row]()
    for event in events:
        if event.seq <= done:
            continue
        waiting += rows_of(event, variant=variant)
        if len(waiting) >= policy.batch:
            written += store.upsert(waiting)
            waiting = []
    return written + (store.upsert(waiting) if waiting else 0)


def _row(table: str, values: dict[str, Value], seq: int) -> Row:
    shape = TABLES[table]
    return Row(table, {name: values[name] for name in (*shape.key, *shape.columns)}, seq)


def _plain(fact: msgspec.Struct) -> dict[str, Value]:
    """Return the fact's fields as the store keeps them: Decimal as text, enums by value."""
    plain: dict[str, Value] = msgspec.to_builtins(fact)
    return plain
