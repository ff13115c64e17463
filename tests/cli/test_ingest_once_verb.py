"""`tradeworthy ingest-once`: one cycle with its start and end, and every exit code."""

import gzip

import pytest

pytest.importorskip("duckdb", reason="the data extra is not installed")
pytest.importorskip("polars", reason="the data extra is not installed")

import duckdb

from tradeworthy.cli.main import call
from tradeworthy.kernel.journal import read

PAPER = """
schema = "desk@1"
[desk]
name = "small"
environment = "paper"
[[tapes]]
name = "eurusd_hourly"
format = "demo"
instrument = "EURUSD.DEMO"
[[instances]]
id = "touch"
strategy = "touch_quoter"
instrument = "EURUSD.DEMO"
role = "maker"
policy = { lots = 2000 }
"""
HEADER = "time,open,high,low,close,volume\n"


def line(minute):
    return f"2024-01-01T{minute // 60:02}:{minute % 60:02}:00,1.10,1.12,1.09,1.11,5\n"


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


class Desk:
    """A document with sources, and the verb on it."""

    def __init__(self, folder):
        self.folder, self.store = folder, folder / "d" / "tier0.duckdb"

    def source(self, name, text, *, instrument="EURUSD.DEMO"):
        path = self.folder / f"{name}.csv"
        path.write_text(HEADER + text)
        return (f'[[runtime.ingest.sources]]\nname = "{name}"\nformat = "csv_bars"\ninstrument = "{instrument}"\n'
                f'path = "{path}"\ninterval_seconds = 60\n')  # fmt: skip

    def write(self, *sections):
        path = self.folder / "small.toml"
        path.write_text(PAPER + "\n".join(sections))
        return path

    def ingest(self, path, *words):
        return call(["ingest-once", str(path), "--runs", str(self.folder / "runs"), "--duckdb-path", str(self.store),
                     *words])  # fmt: skip

    def rows(self):
        with duckdb.connect(str(self.store), read_only=True) as connection:
            return connection.execute("select count(*) from market_data_bars").fetchone()[0]

    def lives(self):
        folders = sorted((self.folder / "runs" / "state" / "small" / "runtime").iterdir())
        return [list(read(folder / "journal")) for folder in folders]


def test_run_twice_the_second_adds_no_row(desk, capsys):
    path = desk.write(desk.source("a", "".join(line(number) for number in range(20))))
    assert desk.ingest(path) == 0
    assert desk.rows() == 20
    assert desk.ingest(path) == 0
    assert desk.rows() == 20
    assert "0 rows added, 20 were there" in capsys.readouterr().out
    kinds = [[event.kind for event in life if event.kind.startswith(("ingest", "runtime"))] for life in desk.lives()]
    assert kinds[0] == kinds[1]
    assert kinds[0].count("ingest.cycle") == 1
    assert kinds[0][-1] == "runtime.stopped"


def test_a_file_that_is_still_recorded_adds_its_new_rows(desk):
    text = "".join(line(number) for number in range(20))
    path = desk.write(desk.source("a", text))
    assert desk.ingest(path) == 0
    (desk.folder / "a.csv").write_text(HEADER + text + line(20))
    assert desk.ingest(path) == 0
    assert desk.rows() == 21


def test_a_malformed_line_warns_and_lies_in_quarantine(desk, capsys):
    text = "".join(line(number) for number in range(200)) + "not,a,bar\n"
    path = desk.write(desk.source("a", text))
    assert desk.ingest(path) == 1
    assert "1 refused" in capsys.readouterr().out
    assert len(list(desk.store.parent.rglob("quarantine.jsonl"))) == 1
    assert desk.rows() == 200


def test_a_file_that_is_not_there_fails_and_the_others_are_taken_in(desk, capsys):
    path = desk.write(desk.source("a", line(1)), desk.source("b", line(1)))
    (desk.folder / "a.csv").unlink()
    assert desk.ingest(path) == 2
    assert "FAIL" in capsys.readouterr().out
    assert desk.rows() == 1


def test_a_source_without_a_row_is_not_judged(desk):
    assert desk.ingest(desk.write(desk.source("a", ""))) == 3


@pytest.mark.parametrize("words", [[], ["--skip-ingest"]])
def test_no_workload_warns(desk, words, capsys):
    path = desk.write(*([desk.source("a", line(1))] if words else []))
    assert desk.ingest(path, *words) == 1
    assert "nothing was taken in" in capsys.readouterr().out
    assert not desk.store.exists()
    (life,) = desk.lives()
    assert [event.payload.name for event in life if event.kind == "runtime.workload_skipped"] == ["skip-ingest"]


def test_symbols_choose_what_is_taken_in_also_of_what_nobody_trades(desk):
    path = desk.write(desk.source("a", line(1)), desk.source("b", line(2), instrument="BTCUSDT.BINANCE_SPOT"))
    assert desk.ingest(path, "--symbols", "BTCUSDT") == 0
    assert desk.rows() == 1
    assert desk.ingest(path, "--symbols", "EURUSD,BTCUSDT") == 0
    assert desk.rows() == 2
    assert desk.ingest(path, "--symbols", "XAUUSD") == 1


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ("[runtime.ingest]\nevery = 5\n", "every"), ("[runtime.ingest]\ninterval_seconds = 5\n", "interval_seconds"),
        ('[[runtime.ingest.sources]]\nname = "a"\nformat = "moon"\ninstrument = "EURUSD.DEMO"\n', "format"),
    ],
)  # fmt: skip
def test_a_wrong_section_is_a_usage_error_that_names_it(desk, section, named, capsys):
    assert desk.ingest(desk.write(section)) == 3
    assert named in capsys.readouterr().err
    assert not (desk.folder / "runs").exists()


def test_faults_are_for_a_desk(desk):
    assert desk.ingest(desk.write(desk.source("a", line(1))), "--fault", "embedded_ingest:crash") == 3


def test_a_store_that_is_no_database_fails_and_stays(desk, monkeypatch):
    monkeypatch.setenv("RUNTIME_EMBEDDED_INGEST_MAX_RESTARTS", "0")
    desk.store.parent.mkdir()
    desk.store.write_bytes(gzip.compress(b"x" * 10_000) * 100)
    before = desk.store.read_bytes()
    assert desk.ingest(desk.write(desk.source("a", line(1)))) == 2
    assert desk.store.read_bytes() == before
