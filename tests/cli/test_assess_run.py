"""`tradeworthy assess --all --run FOLDER`: one verdict, two pages, a bundle; the same at every run of a position."""

import json
import re
import subprocess
import sys

import pytest

from tradeworthy.app import config
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import EventClock
from tradeworthy.operations.assessments.framework.registry import registry

DOCUMENT = {
    "schema": "desk@1", "desk": {"name": "paged", "environment": "paper", "minute_seconds": 60, "capital": "1000000"},
    "tapes": [{
        "name": "made", "format": "synthetic", "instrument": "EURUSD.DEMO", "label": "synthetic", "kind": "quotes",
        "seed": 11, "walk": {"ts": 1_704_153_600_000_000_000, "start": 110_000, "steps": 900},
    }],
    "instances": [{
        "id": "quoter", "strategy": "touch_quoter", "instrument": "EURUSD.DEMO", "role": "maker",
        "policy": {"lots": 2_000, "inventory_lots_max": 20_000, "interval_ns": 10_000_000_000},
    }],
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    document = config.parse(DOCUMENT, origin="test")
    return RunSession(document, root=tmp_path_factory.mktemp("runs"), clock=EventClock()).play().folder


def judged(run, tmp_path, *words):
    path = tmp_path / "told"
    code = call(["assess", "--run", str(run), "--output", str(path), *words])
    return code, path.read_text()


def test_the_page_tells_the_verdict_first_and_needs_nothing_else(run, tmp_path):
    code, text = judged(run, tmp_path, "--all", "--format", "html")
    assert code == 2
    assert text.index('class="verdict') < text.index("What is not in order") < text.index("Nobody brought facts")
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text)
    assert "script" not in text.lower().replace("-src", "")
    assert "default-src 'none'" in text
    assert text.count("<svg") > 5  # how each stood while the run went on
    for one in registry():
        assert one.name in text


def test_markdown_holds_each_finding_with_observed_limit_and_runbook(run, tmp_path):
    code, text = judged(run, tmp_path, "--all", "--format", "md")
    assert code == 2
    assert text.startswith("# Desk paged: FAIL")
    assert "| rule | status | observed | limit | why | what to do | runbook |" in text
    assert "runbooks/" in text


def test_a_fact_cannot_write_into_the_page(run, tmp_path):
    facts = {"facts": {"event_bus_health": [{
        "name": "<script>alert(1)</script>", "value": 1, "ts_observed": 1, "provenance": "measured", "source": "x",
        "environment": "file",
    }]}}  # fmt: skip
    path, page = tmp_path / "facts.json", tmp_path / "page.html"
    path.write_text(json.dumps(facts))
    call(["assess", "event_bus_health", "--facts", str(path), "--now", "1", "--format", "html", "--output", str(page)])
    assert "<script>" not in page.read_text()
    assert "&lt;script&gt;" in page.read_text()


def test_a_position_gives_the_same_snapshots_again_and_they_replay(run, tmp_path, capsys):
    words = ("risk_policy", "fill_parity", "data_feed", "accounting_integrity", "--at", "700", "--format", "json")
    first, second = json.loads(judged(run, tmp_path, *words)[1]), json.loads(judged(run, tmp_path, *words)[1])
    assert [one["id"] for one in first] == [one["id"] for one in second]
    later = json.loads(judged(run, tmp_path, *words[:4], "--at", "900", "--format", "json")[1])
    assert {one["id"] for one in later}.isdisjoint(one["id"] for one in first)
    journal = tmp_path / "journal"
    judged(run, tmp_path, *words, "--journal", str(journal))
    capsys.readouterr()
    assert call(["assess", "replay", first[0]["id"], "--journal", str(journal)]) == 0


def test_a_bundle_verifies_with_the_verifier_that_it_holds_and_a_changed_byte_does_not(run, tmp_path, capsys):
    bundle, keys, trust = tmp_path / "bundle", tmp_path / "builder.key", tmp_path / "trust.json"
    assert call(["assess", "--all", "--run", str(run), "--bundle", str(bundle)]) == 2
    assert call(["evidence", "key", str(keys)]) == 0
    assert call([
        "evidence", "trust", "add", str(trust), "--key", f"{keys}.pub", "--holder", "builder", "--role", "builder",
        "--valid-from", "2020-01-01T00:00:00Z", "--valid-to", "2090-01-01T00:00:00Z",
    ]) == 0  # fmt: skip
    assert call(["evidence", "sign", str(bundle), "--role", "builder", "--key", str(keys), "--trust", str(trust)]) == 0
    assert (bundle.parent / "bundle.html").is_file()
    assert alone(bundle, trust) == 0
    capsys.readouterr()
    held = json.loads((bundle / "manifest.json").read_text())
    assert (held["run_class"], held["status"]) == ("assessment", "fail")
    kinds = {one["kind"] for one in held["entries"]}
    assert kinds >= {"assessment", "assessments_page", "configuration", "journal_head", "verifier"}
    one = next(entry for entry in held["entries"] if entry["path"] == "assessments/fill_parity.json")
    stored = bundle / "objects" / one["sha256"]
    assert call(["assess", "verify", str(stored)]) == 0
    stored.write_bytes(stored.read_bytes().replace(b'"status":0', b'"status":1', 1))
    assert alone(bundle, trust) == 2


def alone(bundle, trust):
    done = subprocess.run(
        [sys.executable, "-I", str(bundle / "verify_bundle.py"), str(bundle), "--key", str(trust)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode


def test_a_bundle_without_a_run_is_refused(tmp_path):
    assert call(["assess", "event_bus_health", "--bundle", str(tmp_path / "b")]) == 3


def test_the_registry_is_printed_whole(capsys):
    assert call(["assess", "--list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in told] == [one.name for one in registry()]
    assert call(["assess", "--list"]) == 0
    assert "fill_parity" in capsys.readouterr().out


def test_the_order_of_a_set_changes_no_id(run, tmp_path):
    """FW-16: the same facts give the same bytes whatever the hash seed of the process."""
    ids = []
    for seed in ("1", "2"):
        path = tmp_path / f"{seed}.json"
        subprocess.run(
            [sys.executable, "-m", "tradeworthy", "assess", "risk_policy", "data_feed", "--run", str(run),
             "--at", "700", "--format", "json", "--output", str(path)],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}, timeout=60, check=False,
        )  # fmt: skip
        ids.append([one["id"] for one in json.loads(path.read_text())])
    assert ids[0] == ids[1]
