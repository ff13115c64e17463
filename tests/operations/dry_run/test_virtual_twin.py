"""A true run and its virtual twin, of the same seed and time, come to the same verdict by the same counts (DR-49)."""

from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.operations.dry_run.artefacts import decode_summary
from tradeworthy.operations.dry_run.audit.judges import AuditJudges
from tradeworthy.operations.dry_run.audit.policy import AuditPolicy
from tradeworthy.operations.dry_run.audit.scan import scan
from tradeworthy.operations.dry_run.chain import Chain
from tradeworthy.operations.dry_run.run_folder import RunFolder
from tradeworthy.operations.dry_run.settings import RunSettings
from tradeworthy.operations.dry_run.simulation import JITTER_RATIO, fault_of
from tradeworthy.operations.dry_run.smoke import (
    VIRTUAL_START,
    SmokePolicy,
    command_of,
    harness_policy,
    simulation_policy,
)
from tradeworthy.operations.dry_run.virtual import VirtualCommand

LATEST = 2_000_000_000_000_000_000
TICK_SECONDS = 2.0


def true_run(folder, *, seconds, uptime, fault=()):
    """Run the simulated runtime as a process of its own, in real time; return (exit code, summary)."""
    faults = [word for one in fault for word in ("--fault", one)]
    code = call([
        "final-dry-run-smoke", "--output-dir", str(folder), "--duration-seconds", f"{seconds:g}", "--tick-interval",
        f"{TICK_SECONDS:g}", "--minimum-uptime", f"{uptime:g}", *faults,
    ])  # fmt: skip
    return code, decode_summary((folder / "summary.json").read_bytes())


def virtual_twin(folder, *, seconds, uptime, fault=()):
    """Play the same policies, the same seed and the same faults on an injected clock; return (exit code, summary)."""
    smoke = SmokePolicy(
        duration_seconds=seconds, tick_seconds=TICK_SECONDS, uptime_ratio_min=uptime,
        faults=tuple(fault_of(one) for one in fault),
    )
    places = RunFolder(folder)
    paths = places.paths(timeline=None, diary=places.diary, performance=places.performance)
    settings = RunSettings(
        run_id="twin", name="final_dry_run_twin", command=command_of(smoke, program=("simulated",)),
        policy=harness_policy(smoke, virtual=False), paths=paths,
    )  # fmt: skip
    clock = EventClock(VIRTUAL_START)
    simulation = simulation_policy(smoke, paths, label="smoke", virtual=False)
    simulation = msgspec.structs.replace(simulation, durable=False)  # file times follow the injected clock
    chain = Chain(settings, AuditJudges(), clock=clock, say=lambda line: None, summary_path=None)
    result = chain.run(lambda failed: VirtualCommand(simulation, clock))
    return result.exit_code, result.summary


def verdicts(summary):
    """Return every verdict of a run: of the whole, its sections, its sign-off and its incidents."""
    body = summary.summary
    return {
        "status": summary.status, "class": summary.run_class, "logs": body.logs.status, "diary": body.diary.status,
        "performance": body.performance.status, "sign-off": summary.sign_off.status,
        "findings": [(one.code, one.severity) for one in summary.sign_off.findings],
        "incidents": [(one.code, one.severity) for one in summary.incidents],
        "uptime source": body.logs.uptime_source, "exit": body.metadata.exit_code,
    }  # fmt: skip


def lost_ticks(summary):
    """Return how many ticks the machine of a true run left out: before the first beat, and where one came too late."""
    paths = [Path(one) for one in summary.summary.metadata.structured_log_paths]
    beats = sorted(scan(paths, AuditPolicy(), now=LATEST).beats[::2])
    start = summary.summary.metadata.started_at.timestamp() * NANOS_PER_SECOND
    tick = TICK_SECONDS * NANOS_PER_SECOND
    least = (1 - JITTER_RATIO) * tick
    return (beats[0] - start) / least + sum(max(0, round((b - a) / tick) - 1) for a, b in pairwise(beats))


def require_twins(tmp_path, **run):
    code, true = true_run(tmp_path / "true", **run)
    twin_code, twin = virtual_twin(tmp_path / "twin", **run)
    assert verdicts(true) == verdicts(twin)
    assert code == twin_code
    lost = lost_ticks(true)
    for name, count in (
        ("beats", lambda one: one.summary.metadata.heartbeat.beats), ("records", lambda one: one.summary.logs.records),
        ("diary", lambda one: one.summary.diary.total_entries),
        ("trades", lambda one: one.summary.performance.total_trades),
    ):
        found, expected = count(true), count(twin)
        assert expected - lost - 1 <= found <= expected + 1, name
    assert true.summary.metadata.heartbeat.beats == pytest.approx(true.summary.diary.total_entries, abs=1)
    return true, twin, lost


def test_a_true_run_of_some_seconds_agrees_with_its_virtual_twin(tmp_path):
    require_twins(tmp_path, seconds=10, uptime=0.4)


@pytest.mark.proof
@pytest.mark.parametrize("fault", [(), ("error@60",), ("warn@90",), ("stderr-plain@30",)])
def test_a_true_run_of_five_minutes_agrees_with_its_virtual_twin(tmp_path, fault):
    true, twin, lost = require_twins(tmp_path, seconds=300 if not fault else 120, uptime=0.95, fault=fault)
    metadata = true.summary.metadata
    assert metadata.actual_duration_seconds == pytest.approx(twin.summary.metadata.actual_duration_seconds, abs=2.0)
    print(f"\ntrue {metadata.heartbeat.beats} beats, twin {twin.summary.metadata.heartbeat.beats}, lost {lost:.1f}")
