"""The store of a desk's books under one contract: embedded, and in PostgreSQL where a server can be had (AC-05)."""


import pytest
from postgres_server import serving
from test_sqlite_store import COUNTS, TAPE, booked, counts, events, snapshot

from tradeworthy.adapters.postgres_store import SCHEMA, PostgresStore, shown
from tradeworthy.adapters.sqlite_store import SqliteStore
from tradeworthy.kernel.errors import InvalidInput, RetryLater
from tradeworthy.trading.ledger.projection import TABLES, Row, project, rows_of


@pytest.fixture(scope="module")
def server():
    with serving() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, tmp_path):
    if request.param == "sqlite":
        made = SqliteStore(tmp_path / "books.db")
    else:
        made = PostgresStore(request.getfixturevalue("server"))
        made._db.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
        made.close()
        made = PostgresStore(request.getfixturevalue("server"))
    yield made
    made.close()


def test_the_same_journal_twice_changes_nothing(store):
    assert project(events(*TAPE), store) == 9
    once = {table: store.rows(table) for table in TABLES}
    assert project(events(*TAPE), store) == 0
    store.upsert(row for event in events(*TAPE) for row in rows_of(event))
    assert counts(store) == COUNTS
    assert {table: store.rows(table) for table in TABLES} == once


def test_money_is_exact_and_missing_is_missing(store):
    project(events(*TAPE), store)
    first, _ = store.rows("fills")
    assert (first["realized"], first["fee"], first["lots"], first["side"]) == ("0.10", None, 3, 1)
    one, _ = store.rows("accounting_snapshot")
    assert (one["daily_loss"], one["drawdown"], one["price_age_ns"], one["equity"]) == (0.1, None, 1, "1.5")


def test_both_stores_give_the_same_rows(tmp_path, server):
    with SqliteStore(tmp_path / "a.db") as embedded, PostgresStore(server) as service:
        service._db.execute(f"TRUNCATE {', '.join(f'{SCHEMA}.{one}' for one in (*TABLES, 'projected'))}")
        for one in (embedded, service):
            project(events(*TAPE), one)
        assert {table: embedded.rows(table) for table in TABLES} == {table: service.rows(table) for table in TABLES}
        assert embedded.seq() == service.seq() == 7


def test_an_older_seq_never_overwrites_a_newer_one(store):
    def at(seq, lots):
        return Row("position_current", {"instance": "mm", "instrument": "X", "lots": lots, "average": None}, seq)

    for seq, lots in ((9, 1), (8, 2)):
        store.upsert([at(seq, lots)])
    assert store.rows("position_current")[0]["lots"] == 1
    store.upsert([at(9, 3)])
    assert (store.rows("position_current")[0]["lots"], store.seq()) == (3, 9)


def test_a_failing_batch_leaves_nothing_behind(store):
    bad = Row("fills", {"fill_key": "x"}, 1)
    with pytest.raises(KeyError):
        store.upsert([*rows_of(next(events(snapshot()))), bad])
    assert (store.count("accounting_snapshot"), store.seq(), store.upsert([])) == (0, 0, 0)
    with pytest.raises(InvalidInput, match="one of fills"):
        store.count("moon")


def test_a_row_that_the_server_refuses_leaves_nothing_of_its_batch(server):
    with PostgresStore(server) as one:
        one._db.execute(f"TRUNCATE {', '.join(f'{SCHEMA}.{name}' for name in (*TABLES, 'projected'))}")
        good, *_ = rows_of(next(events(booked())))
        torn = {"instance": "a", "instrument": "b", "lots": "x", "average": None}
        with pytest.raises(RetryLater, match="cannot write the store"):
            one.upsert([good, Row("position_current", torn, 2)])
        assert (one.count("fills"), one.seq()) == (0, 0)


def test_a_server_that_is_away_is_told_without_its_password(tmp_path):
    url = f"postgresql://u:hunter2-canary@/books?host={tmp_path}"
    with pytest.raises(RetryLater) as problem:
        PostgresStore(url)
    assert "hunter2" not in str(problem.value)
    assert "hunter2" not in shown(url)
