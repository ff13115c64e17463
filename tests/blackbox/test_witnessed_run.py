"""A paper run with a witness in a process of its own: its checkpoints are measured, and verified by the public key."""

import time

from desk_process import command, document, folder_of, started

from tradeworthy.kernel.journal.verify import read_checkpoint


def test_a_witnessed_run_has_measured_checkpoints_with_the_desks_clock_offset(tmp_path):
    key, socket = tmp_path / "key", tmp_path / "s"
    witness = started("journal", "witness", key, socket)
    try:
        while not socket.exists():
            assert witness.poll() is None, witness.stderr.read()
            time.sleep(0.01)
        config = document(tmp_path, rows=1_500, rest=f'[journal]\nwitness = "{socket}"')
        done = command("run", config, "--runs", tmp_path / "runs")
        assert done.returncode == 0, done.stderr
    finally:
        witness.kill()
        witness.communicate()
    folder = folder_of(done)
    assert key.stat().st_mode & 0o777 == 0o600
    public = tmp_path / "key.pub"
    told = command("journal", "verify", folder, "--key", public)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "measured, signature checked; clock offset " in told.stdout
    assert "unknown" not in told.stdout
    newest = max((folder / "journal").glob("checkpoint-*"))
    said = read_checkpoint(newest, bytes.fromhex(public.read_text()))
    assert abs(said["clock_offset_ns"]) < 10**9
    copies = tmp_path / "runs" / "state" / "small" / "checkpoints" / folder.name
    assert command("journal", "verify", folder, "--key", public, "--checkpoint", copies).returncode == 0


def test_a_witness_without_a_usable_key_does_not_start(tmp_path):
    (tmp_path / "key").write_text("nonsense")
    done = command("journal", "witness", tmp_path / "key", tmp_path / "s")
    assert done.returncode == 3
    assert "expected a key of 64 hex digits" in done.stderr.replace("\n", " ")
