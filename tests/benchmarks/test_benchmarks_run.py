"""Each benchmark runs to its end at a tiny size, its peer beside it or loudly absent; no timing is judged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ORACLE = ROOT / ".oracles" / "nautilus" / "bin" / "python"


def run_small(name: str, place: Path, *words: str, bench: Path = ROOT / "benchmarks") -> tuple[str, dict[str, object]]:
    """Return what a benchmark printed and its section of the JSON file."""
    scratch = place / "scratch"
    scratch.mkdir()
    done = subprocess.run(
        [sys.executable, str(bench / f"{name}.py"), "--size", "small", "--folder", str(scratch),
         "--json", str(place / "bench.json"), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if "skipped" in done.stdout:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stderr
    assert not list(scratch.iterdir())
    sections = json.loads((place / "bench.json").read_text())
    [section] = [section for key, section in sections.items() if key.startswith(name)]
    assert section["figures"]
    assert all(figure["value"] > 0 for figure in section["figures"] if figure["unit"] != "ns")
    return done.stdout, section


def ratios(section: dict[str, object]) -> set[str]:
    return {figure["peer"] for figure in section["figures"] if figure["unit"] == "x"}


def has_nautilus_or_says_so(out: str, section: dict[str, object]) -> None:
    if ORACLE.exists():
        assert any(peer.startswith("NautilusTrader") for peer in ratios(section))
    else:
        assert "PEER ABSENT" in out
        assert section["absent"]


def test_ema_desk_reports_fills_and_one_digest_beside_its_peer(tmp_path: Path) -> None:
    out, section = run_small("desk_ema", tmp_path, "--peer")
    assert "bars/s" in out
    assert "digest" in out
    assert "guard running" in out
    has_nautilus_or_says_so(out, section)


def test_depth_desk_quotes_on_the_recorded_tape_beside_its_peer(tmp_path: Path) -> None:
    out, section = run_small("desk_l2", tmp_path, "--peer")
    assert "orders" in out
    assert "guard running" in out
    has_nautilus_or_says_so(out, section)
    assert len(ratios(section)) + len(section["absent"]) == 2


def test_review_is_timed_beside_the_peers_risk_engine(tmp_path: Path) -> None:
    out, section = run_small("pretrade_review", tmp_path)
    assert "review_fifty p99" in out
    has_nautilus_or_says_so(out, section)


def test_replay_compares_every_outcome_and_reading_with_the_format_s_limit(tmp_path: Path) -> None:
    out, section = run_small("verified_replay", tmp_path)
    assert "outcomes equal" in out
    assert ratios(section) == {"msgspec line by line"}


def test_append_is_timed_beside_a_bare_file_and_sqlite(tmp_path: Path) -> None:
    out, section = run_small("journal_append", tmp_path)
    for each in (1, 100, 512):
        assert f"append, {each} a durable commit against" in out
    assert ratios(section) == {"raw file", "SQLite WAL FULL"}
    assert "one durable append, p99" in out


def test_population_finds_what_a_plain_kernel_finds(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    out, section = run_small("population", tmp_path)
    assert "the same of both" in out
    assert ratios(section) == {"plain parallel numba"}


def test_harness_keeps_every_line(tmp_path: Path) -> None:
    out, _ = run_small("harness_lines", tmp_path)
    assert "5,000 of 5,000 lines kept" in out


def test_a_cycle_of_assessments_is_timed_at_three_lengths_of_the_journal(tmp_path: Path) -> None:
    out, section = run_small("assessment_cycle", tmp_path)
    assert out.count("one cycle of") == out.count("p99 of the slowest check") == out.count("memory at") == 3
    assert not section["absent"]


def test_library_and_shipped_file_find_the_same_in_a_bundle(tmp_path: Path) -> None:
    out, section = run_small("bundle_verify", tmp_path)
    assert "both find ['trust.absent']" in out
    assert ratios(section) == {"sha256sum"}


def test_a_peer_that_is_not_installed_is_said_loudly_and_ours_stands_alone(tmp_path: Path) -> None:
    copied = tmp_path / "elsewhere" / "benchmarks"  # beside it lies no .oracles
    copied.mkdir(parents=True)
    for name in ("measure.py", "pretrade_review.py"):
        (copied / name).write_bytes((ROOT / "benchmarks" / name).read_bytes())
    out, section = run_small("pretrade_review", tmp_path, bench=copied)
    assert "!!! PEER ABSENT: nautilus_risk.py: .oracles/nautilus/bin/python is missing" in out
    assert section["absent"] == ["nautilus_risk.py"]
    assert ratios(section) == set()


def test_a_section_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    kept = {"machine": "m", "desk": "compiled", "load": 0.0, "size": "full", "figures": [], "notes": [], "absent": []}
    old = {**kept, "notes": ["old"]}
    (tmp_path / "bench.json").write_text(json.dumps({"other compiled": kept, "pretrade_review": old}))
    run_small("pretrade_review", tmp_path, "--no-peer")
    sections = json.loads((tmp_path / "bench.json").read_text())
    assert sections["other compiled"] == kept
    assert sections["pretrade_review"]["notes"] != ["old"]
