"""A stopped desk comes back by two people, a snapshot and time alone, running or not (KS-07, KS-09, APR-01, GRD-05)."""

import json
import signal
import time

import pytest
from desk_process import command, document, ended, events_of, folder_of, journaled, kinds_of, only_run, started

PEOPLE = ("ann", "bob", "carol")
AT_ONCE = "[control.people]\ncool_off_seconds = 0\n"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Make a key for each person, and the trust file that names them; the keys by name, and the file."""
    folder = tmp_path_factory.mktemp("keys")
    for number, name in enumerate(PEOPLE):
        assert command("evidence", "key", folder / name).returncode == 0
        role = ("risk", "operations", "compliance")[number]
        done = command(
            "evidence", "trust", "add", folder / "trust.json", "--key", folder / f"{name}.pub", "--holder", name,
            "--role", role, "--valid-from", "2020-01-01T00:00:00Z", "--valid-to", "2040-01-01T00:00:00Z",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    return folder


def trusting(runs, keys):
    state = runs / "state" / "small"
    state.mkdir(parents=True, exist_ok=True)
    (state / "trust.json").write_bytes((keys / "trust.json").read_bytes())


def kill(runs):
    assert command("kill", "small", "--reason", "drill", "--no-wait", "--runs", runs).returncode == 0


def shown(runs):
    done = command("guard", "small", "--json", "--runs", runs)
    return done.returncode, json.loads(done.stdout)


def resume(runs, keys, *names, **odd):
    words = {"incident": "INC-1", "snapshot": shown(runs)[1]["snapshot"]["snapshot"], "reason": "fixed"} | odd
    flags = [part for name, value in words.items() for part in (f"--{name}", value)]
    signers = [part for name in names for part in ("--key", keys / name)]
    return command("resume", "small", "--runs", runs, *flags, *signers)


def test_a_desk_at_rest_is_rearmed_by_two_people_who_cite_the_snapshot_and_trades_again(tmp_path, keys):
    config, runs = document(tmp_path, rows=300, rest=AT_ONCE), tmp_path / "runs"
    trusting(runs, keys)
    kill(runs)
    for _ in range(2):
        done = command("run", config, "--runs", runs)
        assert "guard stopped" in done.stdout
        assert "command.submit" not in kinds_of(folder_of(done))
    code, state = shown(runs)
    assert (code, state["state"], state["running"]) == (2, "stopped", False)
    assert state["snapshot"]["reconciliation"] == "clean"
    refusals = {
        "two distinct": resume(runs, keys, "ann"), "another person": resume(runs, keys, "ann", "ann"),
        "snapshot must be": resume(runs, keys, "ann", "bob", snapshot="0" * 64),
        "reason must be written": resume(runs, keys, "ann", "bob", reason=" "),
        "causing change": resume(runs, keys, "ann", "bob", **{"author-of-change": "Bob"}),
    }
    for word, refused in refusals.items():
        assert refused.returncode == 2, refused.stdout + refused.stderr
        assert word in refused.stdout or word == "two distinct"
    assert shown(runs)[0] == 2
    done = resume(runs, keys, "ann", "bob")
    assert done.returncode == 0, done.stdout + done.stderr
    assert shown(runs)[1]["state"] == "running"
    again = command("run", document(tmp_path, rows=600, rest=AT_ONCE), "--runs", runs)
    assert "guard stopped" not in again.stdout
    assert "command.submit" in kinds_of(folder_of(again))
    assert command("replay", folder_of(again)).returncode == 0


def test_fifteen_minutes_must_pass_and_a_resume_without_a_pack_ends_no_stop(tmp_path, keys):
    config, runs = document(tmp_path, rows=300), tmp_path / "runs"
    trusting(runs, keys)
    kill(runs)
    command("run", config, "--runs", runs)
    early = resume(runs, keys, "ann", "bob")
    assert (early.returncode, "cool-off" in early.stdout) == (2, True)
    plain = command("resume", "small", "--runs", runs)
    assert (plain.returncode, "is stopped" in plain.stdout) == (2, True)
    assert "guard stopped" in command("run", config, "--runs", runs).stdout


def test_a_pack_goes_from_hand_to_hand_and_is_used_once(tmp_path, keys):
    config, runs, pack = document(tmp_path, rows=300, rest=AT_ONCE), tmp_path / "runs", tmp_path / "pack.json"
    trusting(runs, keys)
    kill(runs)
    command("run", config, "--runs", runs)
    assert resume(runs, keys, write=pack).returncode == 0
    assert command("approve", pack, "--runs", runs).returncode == 1
    assert command("approve", pack, "--key", keys / "ann", "--role", "risk", "--runs", runs).returncode == 3
    assert command("approve", pack, "--key", keys / "ann", "--runs", runs).returncode == 1
    assert command("resume", "small", "--pack", pack, "--runs", runs).returncode == 2
    assert command("approve", pack, "--key", keys / "ann", "--runs", runs).returncode == 2
    assert command("approve", pack, "--key", keys / "bob", "--runs", runs).returncode == 0
    assert command("resume", "small", "--pack", pack, "--runs", runs).returncode == 0
    kill(runs)
    command("run", config, "--runs", runs)
    replayed = command("resume", "small", "--pack", pack, "--runs", runs)
    assert (replayed.returncode, "used already" in replayed.stdout) == (2, True)
    control = runs / "state" / "small" / "control"
    control.mkdir(exist_ok=True)
    (control / "again.json").write_bytes(pack.read_bytes())
    done = command("run", document(tmp_path, rows=600, rest=AT_ONCE), "--runs", runs)
    assert "guard stopped" in done.stdout
    assert "approval.refused" in kinds_of(folder_of(done))


def test_a_running_desk_is_rearmed_and_goes_on_and_its_journal_replays(tmp_path, keys):
    config, runs = document(tmp_path, desk="speed = 2000", rest=AT_ONCE), tmp_path / "runs"
    trusting(runs, keys)
    process = started("run", config, "--runs", runs)
    journaled(runs, process, 20_000)
    kill(runs)
    wait_for(lambda: shown(runs)[1]["snapshot"] is not None)
    assert shown(runs)[1]["running"]
    single = resume(runs, keys, "ann")
    assert single.returncode == 2
    done = resume(runs, keys, "ann", "carol")
    assert done.returncode == 0, done.stdout + done.stderr
    assert shown(runs)[1]["state"] == "running"
    assert ended(process, signal.SIGTERM) in (0, 1)
    run = only_run(runs)
    kinds = kinds_of(run)
    assert kinds.index("operator.kill") < kinds.index("forensic.snapshot") < kinds.index("operator.rearmed")
    (rearmed,) = [event.payload for event in events_of(run) if event.kind == "operator.rearmed"]
    assert rearmed.request.people == ("ann", "carol")
    assert command("replay", run).returncode == 0


def test_a_stop_survives_kill_nine_and_the_snapshot_can_be_checked(tmp_path, keys):
    config, runs = document(tmp_path, desk="speed = 2000"), tmp_path / "runs"
    process = started("run", config, "--runs", runs)
    journaled(runs, process, 20_000)
    kill(runs)
    wait_for(lambda: shown(runs)[1]["snapshot"] is not None)
    ended(process, signal.SIGKILL)
    again = command("run", document(tmp_path, rows=300), "--runs", runs)
    assert "guard stopped" in again.stdout
    assert "command.submit" not in kinds_of(folder_of(again))
    name = shown(runs)[1]["snapshot"]["snapshot"]
    assert command("guard", "snapshot", runs / "state" / "small" / "forensics" / name).returncode == 0
    part = runs / "state" / "small" / "forensics" / name / "orders.json"
    part.write_bytes(part.read_bytes() + b" ")
    assert command("guard", "snapshot", part.parent).returncode == 2


def test_owners_are_listed_and_an_unknown_desk_is_no_state():
    done = command("guard", "owners")
    assert done.returncode == 0
    assert "alert_path" in done.stdout
    assert command("guard", "nobody").returncode == 3


def wait_for(holds):
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)
