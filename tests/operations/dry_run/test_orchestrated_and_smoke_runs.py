"""One folder a run, the smoke chain, and switches that contradict each other (section 2, DR-48, DR-49)."""

import errno
import hashlib
import json
import signal
import sys

import pytest
from dry_run_fixture import CHILD, HOUR

from tradeworthy.app.identity import code_hash
from tradeworthy.cli import dry_run_session
from tradeworthy.cli.main import call
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.artefacts import decode_summary
from tradeworthy.operations.dry_run.one_harness import alone_in
from tradeworthy.operations.dry_run.packet import verify_packet
from tradeworthy.operations.dry_run.policy import SECONDS_PER_MINUTE
from tradeworthy.operations.dry_run.smoke import SmokePolicy, harness_policy

FILES = {
    "summary.json", "summary.md", "progress.json", "run_state.json", "incidents.jsonl", "review.md", "review.json",
    "wrap_up.json", "wrap_up.md", "backlog.json", "packet", "packet.tar.gz", "logs", "progress_timeline",
    "bundle", "bundle.html", "telemetry.jsonl",
}  # fmt: skip


def orchestrated(root, *switches, name="a", seconds=2.0):
    return call([
        "final-dry-run-orchestrator", "--output-root", str(root), "--run-name", name, "--duration-hours",
        f"{seconds / HOUR:.9f}", "--heartbeat-interval-seconds", "1", *switches, "--", sys.executable, CHILD,
    ])  # fmt: skip


def test_an_orchestrated_run_leaves_one_folder_with_everything(tmp_path, capfd):
    code = orchestrated(tmp_path, "--skip-diary-evidence", "--skip-performance-evidence", "--attendee", "Ada")
    assert code == 0
    assert {one.name for one in (tmp_path / "a").iterdir()} == FILES
    summary = decode_summary((tmp_path / "a" / "summary.json").read_bytes())
    assert summary.review.attendees == ("Ada",)
    assert summary.review.run_label == "a"
    manifest = (tmp_path / "a" / "bundle" / "manifest.json").read_bytes()
    assert summary.evidence.bundle_id == hashlib.sha256(manifest).hexdigest()
    assert verify_packet(tmp_path / "a" / "packet") == ()
    packet = json.loads((tmp_path / "a" / "packet" / "manifest.json").read_bytes())
    inside = decode_summary((tmp_path / "a" / "packet" / "dry_run_summary.json").read_bytes())
    assert packet["bundle_id"] == inside.evidence.bundle_id == summary.evidence.bundle_id
    out = capfd.readouterr().out
    assert out.index("relaxed") < out.index("status")
    assert "exit code    0" in out
    assert orchestrated(tmp_path, "--skip-diary-evidence", "--skip-performance-evidence") == 3


def test_a_run_without_all_parts_is_told_to_have_no_bundle_and_leaves_with_a_warning(tmp_path, capfd):
    code = orchestrated(
        tmp_path, "--skip-diary-evidence", "--skip-performance-evidence", "--no-review", "--no-packet", "--no-wrap-up",
        "--no-progress-timeline",
    )  # fmt: skip
    assert code == 1
    told = capfd.readouterr()
    assert "no evidence bundle was built" in told.err
    assert "needs review, wrap_up" in told.err
    assert "exit code    1" in told.out
    left = {one.name for one in (tmp_path / "a").iterdir()}
    assert left == {"summary.json", "summary.md", "progress.json", "run_state.json", "incidents.jsonl", "backlog.json",
                    "telemetry.jsonl", "logs"}  # fmt: skip


def test_required_evidence_that_never_comes_fails(tmp_path):
    assert orchestrated(tmp_path) == 2
    summary = decode_summary((tmp_path / "a" / "summary.json").read_bytes())
    assert str(summary.summary.diary.status) == "unknown"


@pytest.mark.parametrize("switches", [
    ["--no-review", "--review-json", "x"], ["--no-packet", "--packet-dir", "x"], ["--no-packet", "--packet-skip-raw"],
    ["--packet-archive", "x"], ["--no-wrap-up", "--wrap-up-json", "x"], ["--run-name", "../x"],
    ["--wrap-up-duration-tolerance-minutes", "-1"], ["--objective", "risk"], ["--notes-file", "gone"],
    ["--resume", "x", "--recover", "y"], ["--resume", "gone"], ["--waiver", "x"], ["--witness", "https://w"],
])  # fmt: skip
def test_contradictions_and_missing_inputs_are_refused_before_the_spawn(tmp_path, monkeypatch, switches):
    monkeypatch.chdir(tmp_path)
    words = ["final-dry-run-orchestrator", "--output-root", "runs", *switches, "--", sys.executable, "-c", "1"]
    if "--packet-archive" in switches:
        words[0] = "final-dry-run"
        words[1:3] = ["--log-dir", "logs", "--no-diary-required", "--no-performance-required"]
    assert call(words) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_virtual_smoke_run_passes_with_every_artefact_and_repeats_itself(tmp_path):
    words = ["final-dry-run-smoke", "--virtual-hours", "1"]
    assert call([*words, "--output-dir", str(tmp_path / "a")]) == 0
    assert {one.name for one in (tmp_path / "a").iterdir()} == FILES | {
        "decision_diary.jsonl", "performance_metrics.json"
    }
    assert call([*words, "--output-dir", str(tmp_path / "b")]) == 0
    (log,) = (tmp_path / "a" / "logs").glob("*.jsonl")
    assert (tmp_path / "b" / "logs" / log.name).read_bytes() == log.read_bytes()
    assert call([*words, "--output-dir", str(tmp_path / "c"), "--repetitions", "2", "--fault", "error@600"]) == 2
    assert len(list((tmp_path / "c").iterdir())) == 2


def test_smoke_limits_are_scaled_to_the_tick_with_their_floors():
    slow = harness_policy(SmokePolicy(tick_seconds=2.0), virtual=False)
    assert slow.gaps.warn_minutes * SECONDS_PER_MINUTE == pytest.approx(6.0)
    assert slow.gaps.fail_minutes * SECONDS_PER_MINUTE == pytest.approx(12.0)
    assert slow.live_gap_alert_minutes == slow.gaps.warn_minutes == slow.diary_freshness.warn_minutes
    assert slow.evidence_check_interval_minutes * SECONDS_PER_MINUTE == pytest.approx(2.0)
    assert slow.evidence_initial_grace_minutes * SECONDS_PER_MINUTE == pytest.approx(4.0)
    quick = harness_policy(SmokePolicy(tick_seconds=0.1), virtual=False)
    assert quick.gaps.warn_minutes * SECONDS_PER_MINUTE == pytest.approx(3.0)
    assert quick.gaps.fail_minutes * SECONDS_PER_MINUTE == pytest.approx(6.0)
    assert quick.evidence_check_interval_minutes * SECONDS_PER_MINUTE == pytest.approx(1.0)
    assert quick.evidence_initial_grace_minutes * SECONDS_PER_MINUTE == pytest.approx(2.0)
    assert quick.contradictions() == []


@pytest.mark.parametrize(("switch", "value"), [
    ("--duration-seconds", "0"), ("--tick-interval", "-1"), ("--progress-interval", "nan"), ("--minimum-uptime", "95"),
])  # fmt: skip
def test_a_smoke_run_refuses_a_number_by_the_switch_that_was_typed(tmp_path, monkeypatch, capfd, switch, value):
    monkeypatch.chdir(tmp_path)
    assert call(["final-dry-run-smoke", switch, value]) == 3
    assert f"{switch} must be" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_has_its_verdict_is_not_recovered_over(tmp_path, capfd):
    folder = tmp_path / "a"
    assert call(["final-dry-run-smoke", "--virtual-hours", "0.1", "--output-dir", str(folder)]) == 0
    before = {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    capfd.readouterr()
    assert call(["final-dry-run-orchestrator", "--recover", str(folder)]) == 3
    assert "nothing was changed" in " ".join(capfd.readouterr().err.split())
    assert {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()} == before
    (folder / "packet.tar.gz").unlink()  # the harness died while it wrote what goes after the verdict
    assert call(["final-dry-run-orchestrator", "--recover", str(folder)]) in (1, 2)
    (told,) = decode_summary((folder / "summary.json").read_bytes()).incidents
    assert (told.code, told.message) == (
        "harness.cut_off", "the harness was cut off while it judged the run; every line is there"
    )
    assert (folder / "packet.tar.gz").exists()


@pytest.mark.parametrize("verb", ["--resume", "--recover"])
def test_a_folder_in_which_a_harness_is_at_work_is_left_to_it(tmp_path, capfd, verb):
    folder = tmp_path / "a"
    assert call(["final-dry-run-smoke", "--virtual-hours", "0.1", "--output-dir", str(folder)]) == 0
    path = folder / "run_state.json"
    state = json.loads(path.read_bytes())
    path.write_text(json.dumps(state | {"complete": False, "hashes": state["hashes"] | {"code": code_hash()}}))
    before = {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    capfd.readouterr()
    with alone_in(folder):
        assert call(["final-dry-run-orchestrator", verb, str(folder)]) == 3
    assert "another harness at work" in " ".join(capfd.readouterr().err.split())
    assert {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()} == before


@pytest.mark.parametrize(("times", "code"), [(1, 0), (2, 130)])
def test_a_signal_while_artefacts_are_written_waits_for_them_and_a_second_does_not(
    tmp_path, monkeypatch, capfd, times, code
):  # fmt: skip
    pack = dry_run_session.build

    def pressed(*all_, **more):
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        return pack(*all_, **more)

    monkeypatch.setattr(dry_run_session, "build", pressed)
    try:
        left = call(["final-dry-run-smoke", "--virtual-hours", "0.1", "--output-dir", str(tmp_path / "a")])
    except SystemExit as ended:
        left = ended.code
    assert left == code
    assert "its artefacts are being written" in capfd.readouterr().err
    assert (tmp_path / "a" / "packet.tar.gz").exists() is (times == 1)


def test_a_disk_that_fills_up_fails_the_run_and_says_what_to_do(tmp_path, monkeypatch, capfd):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tradeworthy.operations.dry_run.chain.write_artefact", full)
    assert orchestrated(tmp_path, "--skip-diary-evidence", "--skip-performance-evidence", seconds=1.0) == 2
    told = " ".join(capfd.readouterr().err.split())
    assert "No space left on device" in told
    assert "--recover" in told


def test_a_hold_of_a_folder_ends_and_leaves_nothing(tmp_path):
    for _ in range(2):
        with alone_in(tmp_path / "a"), pytest.raises(UsageError, match="another harness"), alone_in(tmp_path / "a"):
            raise AssertionError
    assert list((tmp_path / "a").iterdir()) == []


def test_a_release_that_did_not_run_fails_by_each_part_and_goes_into_the_bundle(tmp_path):
    manifest = tmp_path / "release.json"
    digests = dict.fromkeys(("code", "configuration", "limits", "models"), "0" * 64)
    document = {"schema": "release.manifest@1", "release": "2026-01", "author": "alma", "digests": digests}
    manifest.write_text(json.dumps(document))
    code = orchestrated(
        tmp_path, "--skip-diary-evidence", "--skip-performance-evidence", "--release", str(manifest)
    )
    summary = decode_summary((tmp_path / "a" / "summary.json").read_bytes())
    assert code == 2
    told = [one.message for one in summary.incidents if one.code == "release.hash"]
    assert len(told) == 4
    assert "limits: expected 0000" in told[2]
    assert "found nothing known" in told[2]
    bundle = json.loads((tmp_path / "a" / "bundle" / "manifest.json").read_bytes())
    assert "release_manifest" in {one["kind"] for one in bundle["entries"]}
    assert bundle["author"] == "alma"
    assert bundle["environment"] == "simulated"
    for broken in ({**document, "schema": "other"}, {**document, "digests": {"code": "0"}}):
        manifest.write_text(json.dumps(broken))
        assert orchestrated(tmp_path, "--skip-diary-evidence", "--skip-performance-evidence", "--release",
                            str(manifest), name="b") == 3  # fmt: skip
    assert orchestrated(tmp_path, "--release", str(tmp_path / "gone"), name="b") == 3
