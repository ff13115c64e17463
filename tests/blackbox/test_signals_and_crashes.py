"""A desk that is ended from outside: orderly by SIGTERM, at any moment by SIGKILL."""

import random
import signal
import time

import pytest
from desk_process import command, document, ended, events_of, journaled, only_life, only_run, started, told

from tradeworthy.trading.model import RunEnded


def killed_at_random(place, seed):
    """Kill a paper run at a random moment after its first fill; return its folder."""
    config = document(place, rows=8_000)
    process = started("run", config, "--runs", place / "runs")
    journaled(place / "runs", process, kind="venue.report")
    time.sleep(random.Random(seed).uniform(0.0, 1.5))
    assert ended(process, signal.SIGKILL) == -signal.SIGKILL
    return only_run(place / "runs")


def require_whole(folder):
    again = command("replay", folder)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "100.00% equal" in again.stdout
    assert "the run has no end" in again.stdout
    assert command("journal", "recover", folder).returncode in (0, 1)  # 1: the kill cut a write in two
    done = command("journal", "verify", folder)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_run_replays_equal_and_verifies(tmp_path, seed):
    require_whole(killed_at_random(tmp_path, seed))


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(100, 130))
def test_thirty_killed_runs_replay_equal_and_verify(tmp_path, seed):
    require_whole(killed_at_random(tmp_path, seed))


def test_no_command_left_a_killed_desk_before_it_was_on_disk(tmp_path):
    events = events_of(killed_at_random(tmp_path, 7))
    sent = {event.payload.client_order_id for event in events if event.kind == "command.submit"}
    heard = {event.payload.client_order_id for event in events if event.kind == "venue.report"}
    assert heard
    assert heard <= sent


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_orderly_and_says_why(tmp_path, number):
    config = document(tmp_path, desk="speed = 100000")
    process = started("run", config, "--runs", tmp_path / "runs")
    journaled(tmp_path / "runs", process, 20_000)
    asked = time.monotonic()
    assert ended(process, number) == 0
    assert time.monotonic() - asked < 10
    folder = only_run(tmp_path / "runs")
    last = events_of(folder)[-1].payload
    assert isinstance(last, RunEnded)
    assert last.reason == "signal"
    (stopping,) = told(only_life(tmp_path / "runs"), "runtime.stopping")
    assert (stopping.reason, stopping.detail) == ("signal", number.name)
    assert (folder / "report.html").exists()
    again = command("replay", folder)
    assert (again.returncode, "100.00% equal" in again.stdout) == (0, True)


def test_a_signal_is_heard_while_the_next_row_is_hours_away(tmp_path):
    config = document(tmp_path, desk="speed = 1", rest="")
    process = started("run", config, "--runs", tmp_path / "runs", "--set", "journal.batch_events=1")
    journaled(tmp_path / "runs", process)
    asked = time.monotonic()
    assert ended(process, signal.SIGTERM) == 0
    assert time.monotonic() - asked < 5
