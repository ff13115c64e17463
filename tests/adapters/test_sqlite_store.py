"""The operational store: projecting twice changes nothing, an old row never beats a new one (AC-03, AC-05)."""

from decimal import Decimal

import msgspec
import pytest

from tradeworthy.adapters.sqlite_store import SqliteStore
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import event_of
from tradeworthy.trading.ledger.day import DayRolled
from tradeworthy.trading.ledger.projection import TABLES, ProjectionPolicy, Row, project, rows_of
from tradeworthy.trading.ledger.snapshot import AccountingSnapshot
from tradeworthy.trading.model import FillBooked, Liquidity, OrderChanged, OrderState, Side

D = Decimal
X = "BTCUSDT.SIM"


def events(*facts):
    for number, fact in enumerate(facts, 1):
        event = event_of(fact, source="t", key=number, ts_event=number, ts_init=number)
        yield msgspec.structs.replace(event, seq=number)


def booked(trade="t1", position=3, **changes):
    return FillBooked(trade, "o1", "mm", X, Side.BUY, 3, 100, Liquidity.MAKER, D("0.10"), None, "USDT", position,
                      D("99.5"), None)  # fmt: skip


def snapshot(ts=7):
    fields = dict.fromkeys(AccountingSnapshot.__struct_fields__, D("1.5"))
    return AccountingSnapshot(**{**fields, "instance": "mm", "venue": "SIM", "instrument": X, "ts": ts,
                                 "fee_source": "venue", "daily_loss": 0.1, "drawdown": None, "price_age_ns": 1,
                                 "equity_age_ns": None})  # fmt: skip


def changed(after):
    return OrderChanged("o1", "mm", X, OrderState.SUBMITTED, after, 0)


TAPE = (
    changed(OrderState.WORKING), booked(), snapshot(), DayRolled("mm", 9, 10, 11, 12, 1, D(1), D(0), D(2), 0),
    booked("t2", 6), changed(OrderState.FILLED), snapshot(8),
)  # fmt: skip
COUNTS = {"fills": 2, "accounting_snapshot": 2, "instance_daily": 1, "open_order_current": 1, "position_current": 1}


@pytest.fixture
def store(tmp_path):
    with SqliteStore(tmp_path / "books.db") as opened:
        yield opened


def counts(store):
    return {table: store.count(table) for table in TABLES}


def test_projecting_twice_gives_equal_counts_and_rows(store):
    assert project(events(*TAPE), store) == 9
    once = {table: store.rows(table) for table in TABLES}
    assert project(events(*TAPE), store) == 0
    store.upsert(row for event in events(*TAPE) for row in rows_of(event))
    assert counts(store) == COUNTS
    assert {table: store.rows(table) for table in TABLES} == once


def test_each_row_carries_its_seq_and_exact_money(store):
    project(events(*TAPE), store)
    (held,) = store.rows("position_current")
    assert (held["lots"], held["average"], held["seq"]) == (6, "99.5", 5)
    first, _ = store.rows("fills")
    assert (first["realized"], first["fee"], first["seq"]) == ("0.10", None, 2)
    (order,) = store.rows("open_order_current")
    assert (order["state"], order["open"], order["venue"], order["seq"]) == ("filled", 0, "SIM", 6)


def test_an_older_seq_never_overwrites_a_newer_one(store):
    def at(seq, lots):
        values = {"instance": "mm", "instrument": X, "lots": lots, "average": None}
        return Row("position_current", values, seq)

    store.upsert([at(9, 1)])
    store.upsert([at(8, 2)])
    assert store.rows("position_current")[0]["lots"] == 1
    store.upsert([at(9, 3)])
    assert store.rows("position_current")[0]["lots"] == 3
    assert store.seq() == 9


def test_a_store_that_was_cut_off_goes_on_where_it_stopped(tmp_path):
    path = tmp_path / "books.db"
    with SqliteStore(path) as half:
        project(list(events(*TAPE))[:3], half)
        assert half.seq() == 3
    with SqliteStore(path) as again:
        assert project(events(*TAPE), again, policy=ProjectionPolicy(batch=1)) == 5
        assert counts(again) == COUNTS


def test_a_failing_batch_leaves_nothing_behind(store):
    bad = Row("fills", {"fill_key": "x"}, 1)
    with pytest.raises(KeyError):
        store.upsert([*rows_of(next(events(snapshot()))), bad])
    assert counts(store)["accounting_snapshot"] == 0
    assert store.seq() == 0


def test_an_unknown_table_is_refused(store):
    with pytest.raises(InvalidInput, match="one of fills"):
        store.count("fills; DROP TABLE fills")


def test_keys_are_unique_and_no_column_twice():
    for table in TABLES.values():
        names = (*table.key, *table.columns)
        assert len(set(names)) == len(names)
