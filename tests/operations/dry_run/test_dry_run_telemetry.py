"""Progress, incidents and the verdict as facts on their topics; a publisher that fails harms no run."""

import json

import msgspec
from virtual_run_fixture import played

from tradeworthy.kernel.facts import KINDS
from tradeworthy.kernel.redaction import register_environment
from tradeworthy.operations.dry_run.artefact_files import read_incidents
from tradeworthy.operations.dry_run.telemetry import DryRunIncident, TelemetryLines

TOPIC = "telemetry.operations.dry_run."


class Collected:
    """A publisher that keeps what it was given."""

    def __init__(self):
        self.facts = []

    def publish(self, payload, *, at):
        self.facts.append((at, payload))


def of(collected, topic):
    return [payload for _, payload in collected.facts if payload.kind == TOPIC + topic]


def test_a_run_publishes_progress_each_change_of_an_incident_and_last_its_verdict(tmp_path):
    collected = Collected()
    result, _ = played(tmp_path, "silent=300@300", publisher=collected)
    progress = of(collected, "progress")
    assert [progress[0].phase, progress[-1].phase] == ["startup", "complete"]
    assert [one.elapsed_seconds for one in progress] == sorted(one.elapsed_seconds for one in progress)
    assert max(one.incidents_open for one in progress) == 1
    changes = [(one.code, one.state) for one in of(collected, "incident")]
    assert changes == [("log.silence", "open"), ("log.silence", "closed")]
    (verdict,) = of(collected, "verdict")
    assert collected.facts[-1][1] is verdict
    assert (verdict.status, verdict.exit_code, verdict.incidents) == ("fail", result.exit_code, 1)
    moments = [at for at, _ in collected.facts]
    assert moments == sorted(moments)
    assert not (tmp_path / "telemetry.jsonl").exists()


def test_without_a_publisher_lines_in_the_run_folder_hold_the_same_facts(tmp_path):
    result, _ = played(tmp_path, "error@600", odd={"allow_warnings": True}.items())
    lines = [json.loads(line) for line in (tmp_path / "telemetry.jsonl").read_bytes().splitlines()]
    for one in lines:
        msgspec.convert(one["payload"], KINDS[one["topic"]])
        assert one["at"].endswith("+00:00")
    assert lines[-1]["topic"] == TOPIC + "verdict"
    assert lines[-1]["payload"]["relaxed"] == ["--allow-warnings (no waiver)"]
    incidents = {one["payload"]["incident_id"] for one in lines if one["topic"] == TOPIC + "incident"}
    assert incidents == {one.id for one in read_incidents(tmp_path / "incidents.jsonl")} != set()
    assert result.exit_code == 2


def test_a_secret_in_a_message_is_not_published(tmp_path):
    canary = "walnut-ferry-obelisk"
    register_environment({"CANARY_TOKEN": canary})
    one = DryRunIncident(run_id="r", incident_id="i", code="c", severity="fail", state="open", count=1,
                         message=f"with {canary}", planned=False)  # fmt: skip
    TelemetryLines(tmp_path / "t.jsonl").publish(one, at=0)
    data = (tmp_path / "t.jsonl").read_bytes()
    assert canary.encode() not in data
    assert json.loads(data)["payload"]["code"] == "c"


class Broken:
    """A publisher that nobody answers."""

    def publish(self, payload, *, at):
        raise ConnectionError("nobody listens")


def test_a_publisher_that_fails_is_told_of_once_and_the_run_passes(tmp_path):
    result, said = played(tmp_path, publisher=Broken())
    assert (result.exit_code, said) == (0, ["telemetry is not published: nobody listens"])
