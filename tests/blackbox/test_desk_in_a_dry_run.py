"""Our desk as the command of a dry run: diary against journal, digests, environment, release, bundle (DR-30, EV-14)."""

import json
import sys

import msgspec
import pytest
from desk_process import document, environment

from tradeworthy.app.alerts.desk import AlertDesk
from tradeworthy.app.evidence.observed_desks import DeskJournals
from tradeworthy.app.identity import account_here
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.operations.dry_run.artefacts import decode_summary
from tradeworthy.operations.dry_run.desk_facts import STARTS_NAME

HOUR = 3_600.0


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    """One dry run of a small paper desk that ends by itself."""
    folder = tmp_path_factory.mktemp("observed")
    desk = document(folder, rows=600)
    words = [
        "final-dry-run-orchestrator", "--output-root", str(folder), "--run-name", "a", "--duration-hours",
        f"{60 / HOUR:.9f}", "--required-duration-hours", f"{0.1 / HOUR:.9f}", "--minimum-uptime-ratio", "0",
        "--stderr-plain-severity", "warn", "--allow-warnings", "--heartbeat-interval-seconds", "0.2",
        *[word for name in ("PYTHONPATH",) for word in ("--env", f"{name}={environment()[name]}")],
        "--", sys.executable, "-m", "tradeworthy", "run", str(desk), "--runs", str(folder / "desks"),
    ]  # fmt: skip
    code = call(words)
    return folder / "a", code


def summary_in(folder):
    return decode_summary((folder / "summary.json").read_bytes())


def judged_again(folder):
    """Judge the run as one whose harness died before its verdict: its last word on progress is gone."""
    (folder / "progress.json").unlink()
    call(["final-dry-run-orchestrator", "--recover", str(folder)])
    return summary_in(folder)


def failures(summary):
    return [one.entry_id for one in summary.summary.diary.issues if str(one.severity) == "fail"]


def test_the_diary_is_compared_with_the_journal_and_the_run_has_the_desk_s_own_digests(observed):
    folder, code = observed
    summary = summary_in(folder)
    assert code == 1, [(one.code, one.message) for one in summary.incidents]
    desk = summary.summary.metadata.desk
    assert failures(summary) == []
    assert desk.decisions == summary.summary.diary.total_entries > 0
    assert (desk.environment, desk.evidence_environment, desk.live_feed) == ("paper", "paper", False)
    own = json.loads(next((folder.parent / "desks").glob("*/manifest.json")).read_bytes())
    hashes = summary.summary.metadata.hashes
    assert (hashes.code, hashes.config) == (own["code_hash"], own["config_hash"])
    assert len({hashes.code, hashes.config, hashes.limits, hashes.models, None}) == 5
    manifest = json.loads((folder / "bundle" / "manifest.json").read_bytes())
    assert manifest["environment"] == "paper"
    assert manifest["hashes"]["limits"] == hashes.limits
    assert manifest["journal_head"]["seq"] >= desk.last_decision_seq
    kinds = {one["kind"] for one in manifest["entries"]}
    assert {"configuration", "journal_head", "sbom", "modules"} <= kinds
    path = AlertDesk(folder.parent / "desks", "small", clock=SystemClock())
    assert ("alert_canary" in kinds) == any(one.purpose == "canary" for one in path.latencies())
    assert kinds.isdisjoint({"drill", "flatness"}), "nobody tripped this desk"
    assert manifest["operator"] == manifest["desk"] == account_here()
    assert desk.market_first_ns < desk.market_last_ns
    assert not desk.paper_on_live_feed(started=desk.market_first_ns, ended=desk.market_last_ns)


def test_a_diary_line_deleted_fails_and_so_does_one_added(observed):
    folder, _ = observed
    diary = folder / "decision_diary.jsonl"
    whole = diary.read_bytes().splitlines(keepends=True)
    for changed, expected in ((whole[:1] + whole[2:], ["journal/count"]),
                              (whole[:-1], ["journal/count", "journal/last_seq"]),
                              ([*whole, whole[-1]], ["journal/count"]), (whole, [])):  # fmt: skip
        diary.write_bytes(b"".join(changed))
        assert failures(judged_again(folder)) == expected


@pytest.mark.parametrize("changed", [None, "code", "configuration", "limits", "models"])
def test_a_release_is_what_ran_or_the_run_fails_and_names_what_differs(observed, changed):
    folder, _ = observed
    hashes = summary_in(folder).summary.metadata.hashes
    state = json.loads((folder / "run_state.json").read_bytes())
    release = {"code": hashes.code, "config": hashes.config, "limits": hashes.limits, "models": hashes.models}
    name = {"configuration": "config"}.get(changed, changed)
    if name is not None:
        release[name] = "0" * 64
    state["settings"]["release"] = release
    (folder / "run_state.json").write_bytes(msgspec.json.encode(state))
    told = [one.message for one in judged_again(folder).incidents if one.code == "release.hash"]
    assert len(told) == (0 if name is None else 1)
    assert all(f"the release: {name}: expected {'0' * 64}" in one for one in told)
    state["settings"]["release"] = None
    (folder / "run_state.json").write_bytes(msgspec.json.encode(state))


def test_a_damaged_journal_or_one_of_another_run_is_not_believed(observed, tmp_path):
    folder, _ = observed
    starts = (folder / "logs" / STARTS_NAME).read_bytes()
    (tmp_path / STARTS_NAME).write_bytes(starts)
    facts, _ = DeskJournals().read(tmp_path)
    assert facts.decisions > 0
    (tmp_path / STARTS_NAME).write_bytes(starts * 2)
    twice, _ = DeskJournals().read(tmp_path)
    assert (twice.decisions, twice.last_decision_seq) == (2 * facts.decisions, facts.last_decision_seq)
    assert len(twice.journals) == 2
    start = json.loads(starts)
    (tmp_path / STARTS_NAME).write_text(json.dumps(start | {"run_id": "other"}))
    with pytest.raises(InvalidInput, match="expected the journal of run other"):
        DeskJournals().read(tmp_path)
    copy = tmp_path / "copy" / "journal"
    copy.mkdir(parents=True)
    for path in (folder.parent / "desks").glob("*/journal/journal-*"):
        data = path.read_bytes()
        (copy / path.name).write_bytes(data.replace(b'"intent.', b'"intenT.', 1))
    (tmp_path / STARTS_NAME).write_text(json.dumps(start | {"folder": str(tmp_path / "copy")}))
    with pytest.raises(InvalidInput, match="damaged at seq"):
        DeskJournals().read(tmp_path)
    (tmp_path / STARTS_NAME).write_text("{}\n")
    with pytest.raises(InvalidInput, match="starts of a desk"):
        DeskJournals().read(tmp_path)
    assert DeskJournals().read(tmp_path / "nowhere") is None
