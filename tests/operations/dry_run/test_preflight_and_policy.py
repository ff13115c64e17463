"""Nothing is spawned unless everything may be (DR-01); every contradiction is named."""

import os
import sys

import msgspec
import pytest

from tradeworthy.operations.dry_run.plan import config_digest, harness_paths, run_id_of
from tradeworthy.operations.dry_run.policy import FreshnessPolicy, GapPolicy, HarnessPolicy, PumpPolicy
from tradeworthy.operations.dry_run.preflight import bytes_needed, metadata_of, pairs_of, reasons_against

LOOSE = HarnessPolicy(diary_required=False, performance_required=False)
COMMAND = (sys.executable, "-c", "pass")


def paths(folder, **odd):
    return harness_paths(folder, 0, progress=None, timeline=None, diary=odd.get("diary"),
                         performance=odd.get("performance"))  # fmt: skip


def reasons(folder, policy=LOOSE, command=COMMAND, **odd):
    return reasons_against(policy, paths(folder, **odd), command, dict(os.environ), free_bytes=odd.get("free", 10**12),
                           resumed=odd.get("resumed", False))  # fmt: skip


def test_a_run_that_may_start_has_no_reason_against_it_and_leaves_no_trace(tmp_path):
    assert reasons(tmp_path / "new" / "logs") == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_files_is_refused_unless_resumed(tmp_path):
    (tmp_path / "x").touch()
    assert "holds files" in reasons(tmp_path)[0]
    assert reasons(tmp_path, resumed=True) == []
    assert "found a file" in reasons(tmp_path / "x")[0]
    assert "found none" in reasons(tmp_path / "gone", resumed=True)[0]


def test_free_space_is_a_day_s_need_times_days_plus_ten_percent(tmp_path):
    assert bytes_needed(LOOSE) == pytest.approx(3 * 1.5e9 * 1.1)
    packed = msgspec.structs.replace(LOOSE, pumps=PumpPolicy(compress=True))
    assert bytes_needed(packed) == pytest.approx(3 * 0.3e9 * 1.1)
    need = int(bytes_needed(LOOSE))
    assert reasons(tmp_path / "a", free=need + 1) == []
    assert "free" in reasons(tmp_path / "a", free=need - 1)[0]


def test_evidence_must_be_named_and_a_sharpe_floor_implies_performance(tmp_path):
    assert len(reasons(tmp_path / "a", HarnessPolicy())) == 2
    floor = msgspec.structs.replace(LOOSE, sharpe_ratio_min=0.5)
    assert "--performance" in reasons(tmp_path / "a", floor)[0]
    judged = msgspec.structs.replace(LOOSE, diary_freshness=FreshnessPolicy(warn_minutes=1.0))
    assert "--diary-stale" in reasons(tmp_path / "a", judged)[0]


@pytest.mark.parametrize("odd", [
    {"duration_hours": 0.0}, {"duration_hours": float("nan")}, {"duration_hours": -1.0},
    {"required_duration_hours": 0.0}, {"required_duration_hours": 73.0}, {"uptime_ratio_min": 1.01},
    {"uptime_ratio_min": -0.01}, {"uptime_ratio_min": float("nan")}, {"heartbeat_interval_seconds": 0.0},
    {"gaps": GapPolicy(warn_minutes=10.0, fail_minutes=9.0)}, {"live_gap_alert_minutes": 0.0},
    {"sharpe_ratio_min": -0.1}, {"shutdown_grace_seconds": -1.0}, {"progress_interval_minutes": float("inf")},
    {"diary_freshness": FreshnessPolicy(warn_minutes=5.0, fail_minutes=4.0)},
    {"pumps": PumpPolicy(line_kib_max=0)}, {"pumps": PumpPolicy(rotate_hours=0.0)},
])  # fmt: skip
def test_each_contradiction_is_named_alone(odd):
    assert len(msgspec.structs.replace(HarnessPolicy(), **odd).contradictions()) == 1


def test_the_defaults_are_the_documented_ones():
    policy = HarnessPolicy()
    assert policy.contradictions() == []
    assert (policy.target_seconds, policy.required_seconds) == (72 * 3_600, 72 * 3_600)
    assert policy.silence_seconds == 30
    assert policy.evidence_check_seconds == 60
    fresh = msgspec.structs.replace(policy, diary_freshness=FreshnessPolicy(warn_minutes=4.0, fail_minutes=8.0))
    assert fresh.evidence_check_seconds == 60
    assert policy.relaxations() == ()
    assert [one.switch for one in LOOSE.relaxations()] == ["--no-diary-required", "--no-performance-required"]


@pytest.mark.parametrize("word", ["novalue", "=x", " =x", "command=x", "heartbeat=1", "a=\0"])
def test_bad_and_reserved_metadata_is_refused(word):
    with pytest.raises(ValueError, match="--metadata"):
        metadata_of((word,))


def test_pairs_keep_equal_signs_and_empty_values():
    assert pairs_of(("a=b=c", "d="), switch="--env") == {"a": "b=c", "d": ""}


def test_a_command_that_does_not_resolve_is_refused(tmp_path):
    assert "not on the path" in reasons(tmp_path / "a", command=("no-such-command",))[0]
    assert "found none" in reasons(tmp_path / "a", command=())[0]
    (tmp_path / "notes.txt").write_text("not a program")
    assert "no file that may be executed" in reasons(tmp_path / "a", command=(str(tmp_path / "notes.txt"),))[0]


def test_ids_and_digests_follow_their_inputs(tmp_path):
    one, two = tmp_path / "a.toml", tmp_path / "b.toml"
    one.write_text("x = 1")
    two.write_text("x = 1")
    assert config_digest(("run", str(one))) != config_digest(("run", str(two)))
    before = config_digest(("run", f"--config={one}"))
    assert before == config_digest(("run", str(one)))
    one.write_text("x = 2")
    assert config_digest(("run", str(one))) != before
    assert config_digest(("run", "--fast")) is None
    assert run_id_of(0, COMMAND, tmp_path) != run_id_of(0, COMMAND, tmp_path / "b")
