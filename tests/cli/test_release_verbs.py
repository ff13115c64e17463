"""`tradeworthy release fitness|preflight` and `gate controls`: each leaves with its report's code, and keeps it."""

from pathlib import Path

import pytest

from tradeworthy.app import identity
from tradeworthy.app.gates import producers
from tradeworthy.app.gates.control_scenes import SCENES
from tradeworthy.app.gates.disabled_controls import play_all
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.store import GateStore

CONFIG = Path(__file__).resolve().parents[2] / "config" / "paper.toml"


@pytest.fixture(autouse=True)
def one_release(monkeypatch):
    """Let every verb see the same code, whatever is written meanwhile."""
    monkeypatch.setattr(identity, "code_hash", lambda package=None: "c" * 64)


def kept(folder):
    return [(one.source, one.status, one.environment) for one in GateStore(folder, SystemClock()).read().checks]


def test_a_desk_without_records_is_unknown_and_says_so(tmp_path, capsys):
    gates = tmp_path / "gates"
    code = call(["release", "fitness", str(CONFIG), "--runs", str(tmp_path), "--gates", str(gates)])
    assert code == 3
    assert "no incidents are kept" in capsys.readouterr().out
    assert kept(gates) == [("upstream_fitness", Severity.UNKNOWN, "paper")]


def test_a_folder_without_a_release_is_no_candidate(tmp_path, capsys):
    assert call(["release", "preflight", str(tmp_path), str(CONFIG), "--gates", str(tmp_path / "gates")]) == 3
    assert "holds the package tradeworthy" in capsys.readouterr().err
    assert kept(tmp_path / "gates") == []


def test_disabled_controls_are_told_one_by_one_and_their_score_is_kept(tmp_path, monkeypatch, capsys):
    few = [one for one in SCENES if one.control in ("risk.min_order", "risk.guard")]
    monkeypatch.setattr(producers, "play_all", lambda: play_all(few))
    assert call(["gate", "controls", str(CONFIG), "--gates", str(tmp_path / "gates")]) == 0
    told = capsys.readouterr().out
    assert "risk.guard: removed: guard.opening_passed after 0 s" in told
    assert "100 %, 2 of 2" in told
    assert kept(tmp_path / "gates") == [("control_mutation", Severity.OK, "simulated")]
