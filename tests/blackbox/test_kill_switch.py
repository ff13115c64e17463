"""`tradeworthy kill`, before and during a run."""

import signal
import time

from desk_process import command, document, ended, events_of, folder_of, journaled, kinds_of, only_run, started


def kill(runs, *words, desk="small"):
    return command("kill", desk, "--reason", "drill", "--runs", runs, *words)


OWN_END = "shutdown.shutdown"
"""The pause that each supervised desk sets when it ends."""


def set_in(events):
    """Return the changes by which the guard came to hold a reason."""
    return [event for event in events if event.kind == "guard.changed" and event.payload.set]


def test_a_desk_killed_before_its_start_sends_nothing_and_again_nothing_after_a_restart(tmp_path):
    config, runs = document(tmp_path, rows=600), tmp_path / "runs"
    assert kill(runs).returncode == 0
    for _ in range(2):
        done = command("run", config, "--runs", runs)
        assert done.returncode == 0, done.stderr
        assert "guard stopped" in done.stdout
        kinds = kinds_of(folder_of(done))
        assert kinds.count("market.quote") == 600
        assert "command.submit" not in kinds
        assert command("replay", folder_of(done)).returncode == 0


def test_a_desk_that_nobody_killed_sends_orders(tmp_path):
    done = command("run", document(tmp_path, rows=600), "--runs", tmp_path / "runs")
    assert "command.submit" in kinds_of(folder_of(done))
    assert "guard paused" in done.stdout
    assert [one.payload.reason for one in set_in(events_of(folder_of(done)))] == [OWN_END]


def test_a_kill_during_a_run_cancels_and_lets_nothing_more_out(tmp_path):
    config, runs = document(tmp_path, desk="speed = 100000"), tmp_path / "runs"
    process = started("run", config, "--runs", runs)
    journaled(runs, process, 50_000)
    assert kill(runs).returncode == 0
    time.sleep(1.5)
    assert ended(process, signal.SIGTERM) == 0
    events = events_of(only_run(runs))
    kinds = [event.kind for event in events]
    at = kinds.index("operator.kill")
    assert "command.submit" in kinds[:at]
    assert "command.submit" not in kinds[at:]
    assert "market.quote" in kinds[at:]
    (changed,) = [one for one in set_in(events[at:]) if one.causation_id == events[at].event_id]
    assert "drill" in changed.payload.evidence
    assert command("replay", only_run(runs)).returncode == 0
    again = command("run", document(tmp_path, rows=300), "--runs", runs)
    assert "guard stopped" in again.stdout
    assert "command.submit" not in kinds_of(folder_of(again))


def test_a_kill_of_an_unknown_scope_stops_the_whole_desk(tmp_path):
    config, runs = document(tmp_path, rows=300), tmp_path / "runs"
    assert kill(runs, "--scope", "strateyg:touch").returncode == 0
    done = command("run", config, "--runs", runs)
    assert "command.submit" not in kinds_of(folder_of(done))


def test_a_kill_of_one_strategy_stops_that_one(tmp_path):
    config, runs = document(tmp_path, rows=300), tmp_path / "runs"
    assert kill(runs, "--scope", "strategy:touch").returncode == 0
    assert "command.submit" not in kinds_of(folder_of(command("run", config, "--runs", runs)))
    assert kill(runs, "--scope", "strategy:another", desk="two").returncode == 0
    done = command("run", document(tmp_path, name="two", rows=300), "--runs", runs)
    assert "command.submit" in kinds_of(folder_of(done))


def test_a_torn_guard_record_means_stopped_and_can_still_be_killed(tmp_path):
    config, runs = document(tmp_path, rows=300), tmp_path / "runs"
    assert kill(runs).returncode == 0
    record = runs / "state" / "small" / "guard.bin"
    record.write_bytes(record.read_bytes()[:-7])
    done = command("run", config, "--runs", runs)
    assert done.returncode == 0, done.stderr
    assert "guard stopped" in done.stdout
    assert "command.submit" not in kinds_of(folder_of(done))
    record.write_bytes(b"rubbish")
    assert kill(runs, "--scope", "strategy:touch").returncode == 0
    assert "guard stopped" in command("run", config, "--runs", runs).stdout


def test_a_kill_needs_a_reason(tmp_path):
    done = command("kill", "small", "--reason", " ", "--runs", tmp_path)
    assert (done.returncode, "--reason" in done.stderr) == (3, True)
    assert not (tmp_path / "state").exists()
