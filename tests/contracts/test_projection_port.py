"""Tables that are views of journals, under one contract: in SQLite, and in PostgreSQL where a server can be had."""

import os
import pwd
import shutil
import subprocess
import time

import pytest

from tradeworthy.adapters.projection_tables import TABLES, PostgresProjections, SqliteProjections, projections_at
from tradeworthy.kernel.errors import UsageError

ROLE = "postgres"
SNAPSHOTS, INGEST = TABLES["assessment_snapshots"], TABLES["ingest_runs"]


def snapshot(n, status=0):
    return (f"id{n}", "roi", status, n, n + 1, "paper", "h", 0, "{}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start a server of this test alone, over a socket in its own folder."""
    if shutil.which("initdb") is None or shutil.which("postgres") is None:
        pytest.skip("no PostgreSQL server on this machine: initdb and postgres are not on the path")
    place = tmp_path_factory.mktemp("postgres")
    who = {}
    if os.getuid() == 0:  # the server refuses to run as root
        try:
            user = pwd.getpwnam(ROLE)
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        for folder in (place, *place.parents):
            if folder.stat().st_mode & 0o001 == 0:
                folder.chmod(folder.stat().st_mode | 0o011)
        os.chown(place, user.pw_uid, user.pw_gid)
        who = {"user": user.pw_uid, "group": user.pw_gid}
    data = place / "data"
    subprocess.run(["initdb", "-D", str(data), "-U", ROLE, "-A", "trust"], check=True, capture_output=True,
                   cwd=place, **who)  # fmt: skip
    words = ["postgres", "-D", str(data), "-k", str(place), "-c", "listen_addresses="]
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=place, **who)
    url = f"postgresql://{ROLE}@/postgres?host={place}"
    driver = pytest.importorskip("psycopg", reason="the postgres extra is not installed")
    for _ in range(200):
        try:
            driver.connect(url).close()
            break
        except driver.OperationalError:
            time.sleep(0.05)
    yield url
    running.terminate()
    running.wait(timeout=30)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, tmp_path):
    if request.param == "sqlite":
        return lambda: SqliteProjections(tmp_path / "tables.sqlite")
    url = request.getfixturevalue("server")
    made = PostgresProjections(url)
    for table in TABLES.values():
        with made._opened() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {table.name}")
    return lambda: PostgresProjections(url)


def test_the_same_rows_twice_are_there_once(store):
    rows = [snapshot(n) for n in range(5)]
    assert store().put(SNAPSHOTS, rows) == 5
    assert store().put(SNAPSHOTS, rows) == 5
    assert store().put(SNAPSHOTS, ()) == 5


def test_after_a_restart_the_newest_come_first(store):
    store().put(SNAPSHOTS, [snapshot(n) for n in (2, 5, 1, 4)])
    assert [row[3] for row in store().newest(SNAPSHOTS, 3)] == [5, 4, 2]
    assert store().newest(INGEST, 3) == ()


def test_a_row_that_is_put_again_is_the_newer_one(store):
    store().put(SNAPSHOTS, [snapshot(1, status=0)])
    assert store().put(SNAPSHOTS, [snapshot(1, status=3)]) == 1
    assert store().newest(SNAPSHOTS, 1)[0][2] == 3


def test_nanoseconds_missing_values_and_words_come_back_as_they_were(store):
    at = 1_750_000_000_123_456_789
    row = ("r", 1, "tape", "intraday_trades", "OK", 7, None, 0.25, at, "EUR'USD; --", '{"a":"\u00e4"}')
    store().put(INGEST, [row])
    assert store().newest(INGEST, 1) == (row,)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_takes_and_gives_rows(store, table):
    one = TABLES[table]
    row = tuple({"TEXT": "a", "BIGINT": 1, "DOUBLE PRECISION": 1.5}[kind] for _, kind in one.columns)
    assert store().put(one, [row]) == 1
    assert store().newest(one, 1) == (row,)


def test_keys_are_told_once_each_and_a_table_without_its_key_tells_them_twice(store):
    store().put(SNAPSHOTS, [snapshot(1), snapshot(2), snapshot(1, status=3)])
    assert sorted(store().keys(SNAPSHOTS)) == [("id1",), ("id2",)]
    assert store().keys(INGEST) == []
    with store()._opened() as cursor:
        cursor.execute("DROP TABLE assessment_snapshots")
        cursor.execute("CREATE TABLE assessment_snapshots (id TEXT, assessment TEXT, generated_at BIGINT)")
        cursor.execute("INSERT INTO assessment_snapshots (id) VALUES ('a'), ('a')")
    assert store().keys(SNAPSHOTS) == [("a",), ("a",)]


def test_a_target_names_its_store(tmp_path):
    assert isinstance(projections_at(f"sqlite:{tmp_path / 'a'}"), SqliteProjections)
    for target in ("sqlite:", "mysql://a", "a.sqlite"):
        with pytest.raises(UsageError, match="sqlite:FILE"):
            projections_at(target)
    with pytest.raises(UsageError, match="cannot write"):
        SqliteProjections(tmp_path / "no" / "a").put(SNAPSHOTS, ())
