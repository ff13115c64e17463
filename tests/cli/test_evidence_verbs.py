"""The verbs of evidence, waiver, certificate and witness, through the command line as people call it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bundle_maker import RUN_ID, write_run

from tradeworthy.cli.main import call
from tradeworthy.kernel.dsse import key_id_of
from tradeworthy.kernel.journal import read
from tradeworthy.operations.dry_run.model import RunClass, Status
from tradeworthy.operations.evidence.certificate import EvidenceItem
from tradeworthy.operations.evidence.certificate_store import nanos_of_stamp, sealed_item
from tradeworthy.operations.evidence.requirements import STANDARD

FROM, TO = ("--valid-from", "2026-01-01T00:00:00Z"), ("--valid-to", "2036-01-01T00:00:00Z")


@pytest.fixture
def keys(tmp_path):
    """Return a folder with a trust file and a key for each role."""
    folder = tmp_path / "keys"
    folder.mkdir()
    for holder, role in (("builder", "builder"), ("keeper", "log"), ("watcher", "witness"), ("risk", "risk"),
                         ("ops", "operations")):  # fmt: skip
        assert call(["evidence", "key", str(folder / holder)]) == 0
        words = ["--key", f"{folder / holder}.pub", "--holder", holder, "--role", role, *FROM, *TO]
        assert call(["evidence", "trust", "add", str(folder / "trust.json"), *words]) == 0
    return folder


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run", run_class=RunClass.REHEARSAL, relaxed=False)


def test_build_sign_verify_show_from_the_command_line(keys, run, capsys):
    trust = str(keys / "trust.json")
    at = ["--at", "2026-03-05T00:00:00Z"]
    assert call(["evidence", "build", str(run), "--trust", trust]) == 0
    assert call(["evidence", "verify", str(run / "bundle"), *at]) == 2
    sign = ["evidence", "sign", str(run / "bundle"), "--trust", trust, "--role", "builder", "--key"]
    assert call([*sign, str(keys / "risk")]) == 3
    assert call([*sign, str(keys / "builder")]) == 0
    assert call([*sign, str(keys / "builder")]) == 3
    now = ["--at", "2036-01-01T00:00:00Z"]
    assert call(["evidence", "verify", str(run / "bundle"), "--key", trust, *now, "--json"]) == 2
    told = capsys.readouterr().out
    assert {one["code"] for one in json.loads(told[told.index("{") :])["findings"]} == {"entry.expired"}
    assert call(["evidence", "verify", str(run / "bundle.html"), "--key", trust, *now]) == 2
    assert call(["evidence", "show", str(run / "bundle")]) == 0
    assert "summary.json" in capsys.readouterr().out


def test_words_that_cannot_be_judged_leave_with_three(keys, run, tmp_path):
    trust = str(keys / "trust.json")
    assert call(["evidence", "verify", str(tmp_path / "nothing"), "--key", trust]) == 3
    assert call(["evidence", "verify", str(run), "--key", str(tmp_path / "no_trust.json")]) == 3
    assert call(["evidence", "verify", str(run), "--at", "tomorrow"]) == 3
    assert call(["evidence", "build", str(tmp_path)]) == 3
    assert call(["evidence", "build", str(run), "--environment", "moon"]) == 3
    assert call(["evidence", "build", str(run), "--key", str(tmp_path / "no_key")]) == 3
    assert not (tmp_path / "no_key").exists()


def test_the_log_from_the_command_line(keys, run, tmp_path, capsys):
    log, second, bundle = str(tmp_path / "log"), str(tmp_path / "second"), str(run / "bundle")
    assert call(["evidence", "build", str(run)]) == 0
    assert call(["evidence", "log", "append", log, bundle, "--key", str(keys / "keeper")]) == 0
    assert call(["evidence", "log", "prove", log, bundle]) == 0
    assert call(["evidence", "log", "anchor", log, second]) == 0
    words = ["evidence", "log", "verify", log, "--key", str(keys / "trust.json"), "--second", second]
    assert call(words) == 0
    (tmp_path / "log" / "bundles.jsonl").write_text("0" * 64 + "\n")
    assert call(words) == 2
    assert "log.forked" in capsys.readouterr().out


def test_a_revoked_key_from_the_command_line(keys, capsys):
    trust = str(keys / "trust.json")
    public = bytes.fromhex((keys / "builder.pub").read_text())
    assert call(["evidence", "trust", "revoke", trust, key_id_of(public), "--at", "2026-06-01T00:00:00Z"]) == 0
    assert '"revoked_at":"2026-06-01T00:00:00Z"' in Path(trust).read_text()
    assert call(["evidence", "trust", "revoke", trust, "0" * 16]) == 3


def test_waivers_from_the_command_line(keys, tmp_path, capsys):
    folder, trust = str(tmp_path / "waivers"), str(keys / "trust.json")
    words = ["waiver", "issue", folder, "--waiver-id", "w-1", "--scope", RUN_ID, "--reason", "known", "--owner", "ops",
             "--author", "writer", "--trust", trust]  # fmt: skip
    both = ["--key", str(keys / "risk"), "--key", str(keys / "ops")]
    assert call([*words, "--finding-code", "relaxation.warnings", "--key", str(keys / "risk")]) == 2
    assert call([*words, "--finding-code", "venue.unknown_state", *both]) == 2
    assert call([*words, "--finding-code", "relaxation.warnings", *both, "--days", "8"]) == 2
    assert call([*words, "--finding-code", "relaxation.warnings", *both]) == 0
    assert call(["waiver", "list", folder, "--trust", trust]) == 1
    assert call(["waiver", "revoke", folder, "w-1", "--trust", trust, "--by", "ops", "--reason", "fixed"]) == 0
    assert call(["waiver", "list", folder, "--trust", trust]) == 0
    assert "waiver.revoked" in capsys.readouterr().out
    told = [event.kind.removeprefix("evidence.waiver") for event in read(tmp_path / "waivers" / "journal")]
    assert told == ["_refused", "_refused", "_refused", "", "_revoked"]


def test_the_certificate_from_the_command_line(keys, tmp_path, capsys):
    from tradeworthy.kernel.journal.witness import load_key

    store, trust, key = tmp_path / "store", str(keys / "trust.json"), load_key(keys / "watcher")
    (store / "items").mkdir(parents=True)
    hashes = {"code": "a", "config": "b", "limits": "c", "models": "d"}
    context = {"release": "r1", "tier": "pilot", "environment": "paper", "hashes": hashes}
    (store / "context.json").write_text(json.dumps(context))
    at = nanos_of_stamp("2026-03-04T00:00:00Z")
    for one in STANDARD.requirements:
        item = EvidenceItem(
            requirement=one.id, evidence_id="0" * 64, status=Status.PASS, provenance="measured", environment="paper",
            collected_at=at, recorded_at=at, hashes=hashes,
        )
        (store / "items" / f"{one.id}.dsse.json").write_bytes(sealed_item(item, key))
    words = [str(store), "--trust", trust]
    assert call(["certificate", "show", *words, "--at", "2026-03-04T00:00:09Z"]) == 0
    assert "clock_offset" in capsys.readouterr().out
    assert call(["certificate", "show", *words, "--at", "2026-03-04T00:00:10Z"]) == 2
    capsys.readouterr()
    assert call(["certificate", "show", *words, "--at", "2026-03-04T00:00:05Z", "--json"]) == 0
    kept = tmp_path / "kept.json"
    kept.write_text(capsys.readouterr().out)
    again = ["certificate", "verify", str(kept), "--store", str(store), "--trust", trust]
    assert call(again) == 0
    kept.write_text(kept.read_text().replace('"GO"', '"NO-GO"', 1))
    assert call(again) == 2
    capsys.readouterr()
    assert call(["certificate", "history", *words, "--at", "2026-03-05T00:00:00Z"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["2026-03-04T00:00:00Z", "GO"], ["2026-03-04T00:00:10Z", "NO-GO"]
    ]  # fmt: skip
    (store / "items" / "sbom.dsse.json").unlink()
    assert call(["certificate", "show", *words, "--at", "2026-03-04T00:00:05Z"]) == 2


def test_the_witness_as_a_process_of_its_own(keys, tmp_path, capsys):
    out = tmp_path / "witness.jsonl"
    command = [sys.executable, "-m", "tradeworthy", "witness", "run", "--target", "http://127.0.0.1:1/health", "--key",
               str(keys / "watcher"), "--out", str(out), "--run-id", "run-1", "--interval", "0.2"]  # fmt: skip
    watcher = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": "src"})
    while not out.exists():
        assert watcher.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(20) == 0
    words = ["witness", "verify", str(out), "--key", str(keys / "trust.json")]
    assert call([*words, "--run-id", "run-1"]) == 0
    assert "uptime  0.000%" in capsys.readouterr().out
    assert call([*words, "--run-id", "run-2"]) == 2
    assert call(["witness", "verify", str(tmp_path / "none"), "--key", str(keys / "trust.json")]) == 3
