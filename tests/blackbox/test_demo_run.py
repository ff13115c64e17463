"""What a newcomer does first."""

import json

import pytest
from desk_process import command, digest_of, folder_of


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return command("demo", "--runs", tmp_path_factory.mktemp("demo"))


def test_the_demo_ends_well_and_leaves_its_folder(demo):
    assert demo.returncode == 0, demo.stderr
    folder = folder_of(demo)
    names = {one.name for one in folder.iterdir()}
    assert names >= {"journal", "report.html", "report.md", "summary.json", "blotter.csv", "configuration.json"}
    assert list((folder / "journal").glob("journal-*.jsonl"))
    assert all((folder / name).stat().st_size for name in names - {"journal"})


def test_the_demo_trades_with_all_three_strategies(demo):
    summary = json.loads((folder_of(demo) / "summary.json").read_text())
    assert summary
    blotter = (folder_of(demo) / "blotter.csv").read_text()
    for instance in ("trend", "reversion", "maker"):
        assert f"{instance} " in demo.stdout
        assert f",{instance}," in blotter


def test_the_demo_replays_to_the_last_outcome(demo):
    again = command("replay", folder_of(demo))
    assert again.returncode == 0, again.stdout + again.stderr
    assert "100.00% equal" in again.stdout
    assert digest_of(again) == digest_of(demo)


def test_the_demos_journal_is_sound(demo):
    done = command("journal", "verify", folder_of(demo))
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("sound: ")


def test_the_report_names_what_is_not_real(demo):
    report = (folder_of(demo) / "report.md").read_text()
    assert "derived" in report
    assert "caveat: " in demo.stdout
