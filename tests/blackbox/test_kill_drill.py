"""The weekly trip of a desk: as real as any, kept as evidence; a dry run exists in a drill only (KS-01, KS-10)."""

import json

import msgspec
import pytest
from desk_process import command, document
from halt_scene import FAST, DeskProcess, ServedVenue

from tradeworthy.app.halting.kill_drill import MARK
from tradeworthy.operations.drills.kill_switch import DRILLS, TRIP, reports_in


@pytest.fixture
def venue(tmp_path):
    one = ServedVenue(tmp_path)
    yield one
    one.end()


@pytest.fixture
def desk(tmp_path, venue):
    one = DeskProcess(tmp_path, venue, msgspec.structs.replace(FAST, hang_after_s=30.0))
    yield one
    one.end()


def kill(root, *words):
    return command("kill", "small", "--reason", "weekly", "--runs", root, *words)


def test_a_drill_trips_really_and_leaves_evidence_for_seven_days(tmp_path, desk, venue):
    done = kill(tmp_path, "--drill", "--dry-run")
    assert (done.returncode, "nothing was tripped" in done.stdout) == (0, True), done.stdout
    assert not desk.halts()
    assert command("drill", "status", "small", "--runs", tmp_path).returncode == 3
    done = kill(tmp_path, "--drill")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not venue.view().open_orders
    (halt,) = desk.halts()
    assert halt.evidence == f"{MARK}weekly"
    (kept,) = reports_in(tmp_path / "state" / "small" / DRILLS)
    assert (kept["name"], kept["severity"], kept["figures"]["desk"]) == (TRIP, "OK", "small")
    assert set(kept["figures"]["steps_ns"]) == {
        "no_new_order", "cancels_dispatched", "venue_acknowledged", "no_open_orders"
    }  # fmt: skip
    told = command("drill", "status", "small", "--runs", tmp_path)
    assert told.returncode == 3  # the trip counts, a proof of this release is not there
    assert f"{TRIP}  OK" in told.stdout
    assert kept["evidence"] in told.stdout


def test_a_kill_outside_of_a_drill_has_no_dry_run(tmp_path):
    done = kill(tmp_path, "--dry-run")
    assert (done.returncode, "inside of --drill only" in " ".join(done.stderr.split())) == (3, True)
    assert not (tmp_path / "state").exists()


def test_a_drill_that_nobody_could_certify_is_unknown(tmp_path):
    done = kill(tmp_path, "--drill")
    assert (done.returncode, "no certificate" in done.stdout) == (3, True)
    assert kill(tmp_path, "--drill", "--dry-run").returncode == 2


def test_the_summary_shows_what_the_drills_say(tmp_path):
    done = command("summary", document(tmp_path), "--runs", tmp_path / "runs", "--json")
    shown = json.loads(done.stdout)["kill_drills"]
    assert [one["code"] for one in shown["checks"]] == ["kill-drill", "kill-proof"]
    assert shown["evidence"] == {}
