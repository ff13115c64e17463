"""Invariants and windows of whole runs, through the verbs."""

from itertools import pairwise

import pytest
from soak_runs import lines, played, resealed

from tradeworthy.app.research.regression import check_windows, open_recording
from tradeworthy.cli.main import call
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.verify import verify
from tradeworthy.kernel.severity import Severity
from tradeworthy.research.regression.windows import (
    Label,
    Window,
    WindowPolicy,
    choose,
    judge_windows,
    replay_windows,
)
from tradeworthy.trading.model import NOTHING


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return played(tmp_path_factory.mktemp("runs"), steps=9_000).folder


def test_a_sound_run_keeps_every_invariant(run, tmp_path, capsys):
    assert call(["regression", "check", str(run), "--out", str(tmp_path)]) == 0
    head = verify(run / "journal").head
    assert call(["regression", "check", str(run), "--out", str(tmp_path), "--head", head]) == 0
    assert (tmp_path / "regression.json").read_bytes() in [p.read_bytes() for p in (tmp_path / "reports").iterdir()]
    assert head in (tmp_path / "regression.md").read_text()


def test_a_journal_that_is_not_the_pinned_one_fails(run, tmp_path):
    assert call(["regression", "check", str(run), "--out", str(tmp_path), "--head", "0" * 64]) == 2


def test_a_removed_expiry_exits_2_and_names_the_event(run, tmp_path, capsys):
    victim = next(line for line in lines(run) if line["kind"] == "intent.approved" and line["seq"] > 200)

    def change(line):
        if line["seq"] == victim["seq"]:
            line["payload"]["intent"]["expires_at"] = 0
        return line

    damaged = resealed(run, tmp_path / "damaged", change)
    assert verify(damaged / "journal").ok
    assert call(["regression", "check", str(damaged)]) == 2
    told = capsys.readouterr().out
    assert victim["event_id"] in told
    assert f"seq {victim['seq']}" in told


def test_a_changed_line_breaks_the_chain(run, tmp_path, capsys):
    copy = resealed(run, tmp_path / "copy", lambda line: line)
    path = next((copy / "journal").iterdir())
    path.write_bytes(path.read_bytes().replace(b'"reason":"join"', b'"reason":"jOin"', 1))
    assert call(["regression", "check", str(copy)]) == 2
    assert "chain.valid" in capsys.readouterr().out


def test_an_instance_told_not_to_trade_may_send_nothing(run, tmp_path):
    assert call(["regression", "check", str(run), "--out", str(tmp_path), "--no-trade", "quoter"]) == 2
    assert call(["regression", "check", str(run), "--out", str(tmp_path), "--no-trade", "other"]) == 0


def test_no_journal_cannot_be_judged(tmp_path):
    assert call(["regression", "check", str(tmp_path)]) == 3
    assert call(["regression", "windows", str(tmp_path)]) == 3


def test_the_windows_of_a_run_replay_equal(run, tmp_path, capsys):
    assert call(["regression", "windows", str(run), "--out", str(tmp_path)]) == 0
    assert (tmp_path / "replay-windows.json").exists()


def test_a_window_is_chosen_for_every_label_and_none_overlaps(run):
    chosen = choose(read(run / "journal"), WindowPolicy())
    assert [window.label for window in chosen] == list(Label)
    assert {window.size for window in chosen} == {500, 1_000, 2_000}
    spans = sorted((window.start, window.stop) for window in chosen)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_two_windows_with_the_same_data_exit_2(run, tmp_path, capsys):
    words = ["--window", "calm:0:500", "--window", "trend:0:500"]
    assert call(["regression", "windows", str(run), "--out", str(tmp_path), *words]) == 2
    assert "windows.same_data" in capsys.readouterr().out


@pytest.mark.parametrize(("start", "code"), [(450, False), (449, True)])
def test_overlap_is_capped_at_a_tenth_of_the_smaller_window(run, start, code):
    report = check_windows(run, windows=("calm:0:500", f"trend:{start}:{start + 500}"))
    assert any(check.code == "windows.overlap" for check in report.checks) is code


def test_a_missing_label_is_unknown_and_exits_3(run, tmp_path):
    words = ["--window", "calm:0:500", "--window", "shock:600:1100"]
    assert call(["regression", "windows", str(run), "--out", str(tmp_path), *words]) == 3


@pytest.mark.parametrize("word", ["calm", "calm:1", "storm:0:10", "calm:9:9", "calm:-1:9", "calm:a:b"])
def test_a_window_in_another_form_cannot_be_judged(run, word):
    assert call(["regression", "windows", str(run), "--window", word]) == 3


@pytest.mark.parametrize(("label", "equal"), [(Label.RESTART, False), (Label.CALM, True)])
def test_a_desk_that_knows_how_often_it_was_built_fails_where_a_restart_lies_inside(run, label, equal):
    recording = open_recording(run)
    built = []

    def build():
        built.append(1)
        desk = recording.build()
        step = desk.step
        desk.step = lambda event: NOTHING if len(built) > 2 and event.seq % 2 else step(event)
        return desk

    results = replay_windows((Window(label, 1_000, 2_000),), lambda: read(recording.directory), build, WindowPolicy())
    digest = next(check for check in judge_windows(results, WindowPolicy()) if check.code == "windows.digest")
    assert (digest.severity is Severity.OK) is equal
