"""Every shipped document runs, replays equal and leaves a journal that verifies."""

import os
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("polars", reason="the data extra is not installed")
from tradeworthy.app import config
from tradeworthy.app.config import Document
from tradeworthy.app.runs.runner import RunResult, RunSession, replay_run
from tradeworthy.cli.main import call

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("TRADEWORTHY_DATA") or ROOT.parent / "shared" / "data")
SHARED = "$TRADEWORTHY_DATA/"
DOCUMENTS = sorted(path.stem for path in (ROOT / "config").glob("*.toml"))
ROWS = 4_000
FILLED = {
    "btcusdt_l2": {"quoter"},
    "crypto_minutes": {"trend"},
    "eurusd_ticks": {"quoter"},
    "synthetic": {"quoter"},
    "paper": {"maker", "trend", "reversion"},
}
"""Instances that fill within the first rows."""


def short(name: str) -> Document:
    path = ROOT / "config" / f"{name}.toml"
    if SHARED in path.read_text() and not DATA.is_dir():
        pytest.skip(f"no market data at {DATA}; set TRADEWORTHY_DATA")
    document = config.load(path, environ={"TRADEWORTHY_DATA": str(DATA)})
    tapes = []
    for tape in document.tapes:
        if tape.path.startswith(SHARED) and not list(DATA.glob(tape.path.removeprefix(SHARED))):
            pytest.skip(f"no market data at {tape.location}; set TRADEWORTHY_DATA")
        tapes.append(msgspec.structs.replace(tape, rows_max=ROWS))
    at_once = msgspec.structs.replace(document.desk, speed=0.0)
    return msgspec.structs.replace(document, desk=at_once, tapes=tuple(tapes))


def played(name: str, root: Path) -> RunResult:
    return RunSession(short(name), root=root).play()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_shipped_configuration_runs_replays_equal_and_verifies(name: str, tmp_path: Path):
    result = played(name, tmp_path)
    assert result.reason == "completed"
    assert {line.instance for line in result.lines if line.fills} >= FILLED[name]
    replayed = replay_run(result.folder)
    assert replayed.ok
    assert replayed.equal == replayed.outcomes > 0
    assert replayed.digest == result.digest
    assert call(["journal", "verify", str(result.folder)]) in (0, 1)


def test_same_document_gives_the_same_digest_twice(tmp_path: Path):
    assert played("synthetic", tmp_path / "a").digest == played("synthetic", tmp_path / "b").digest


def test_another_seed_of_a_made_market_gives_another_digest_and_run(tmp_path: Path):
    document = short("synthetic")
    other = msgspec.structs.replace(document, tapes=(msgspec.structs.replace(document.tapes[0], seed=12),))
    first, second = (RunSession(one, root=tmp_path) for one in (document, other))
    assert first.run_id != second.run_id
    assert first.play().digest != second.play().digest


def test_made_market_is_called_synthetic_wherever_its_result_shows(tmp_path: Path):
    result = played("synthetic", tmp_path)
    assert any("synthetic" in caveat for caveat in result.caveats)
    assert "SYNTHETIC" in (result.folder / "report.html").read_text()
    assert "SYNTHETIC" in (result.folder / "report.md").read_text()


def test_demo_says_derived_and_its_table_fits_eighty_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("COLUMNS", "80")
    assert call(["demo", "--runs", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {
        line.split()[0]: line
        for line in lines
        if line and line.split()[0] in {"instance", "trend", "reversion", "maker"}
    }
    assert set(rows) == {"instance", "trend", "reversion", "maker"}
    assert all(len(line) <= 80 and "…" not in line for line in rows.values())
    fills = int(rows["maker"].split()[4].replace(",", ""))
    assert 200 < fills < 5_000
    report = next(tmp_path.glob("demo-*")) / "report.html"
    assert "DERIVED" in report.read_text()
    assert "SYNTHETIC" not in report.read_text()
