"""What a real run answers: metrics that promtool accepts, a summary that validates; and where verbs work."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from ailing_words import AilingWords
from desk_process import ROOT, environment
from run_scene import RunScene, answer_of, reachable, until

from tradeworthy.app.runtime.summary import Summary
from tradeworthy.kernel.telemetry.topics import TOPICS

SUMMARY_S, HEALTH_S = 1.0, 0.05
"""HLT-07 for health; a summary has no limit of its own."""
ASKED = 20


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    verbs = AilingWords()
    made = RunScene(verbs, tmp_path_factory.mktemp("answers")).start()
    until(lambda: (reachable(made.port, "/summary") or (0,))[0] == 200)
    yield made
    made.end()
    verbs.close()


def test_promtool_accepts_the_metrics_of_a_run_without_a_warning(one):
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: the metrics of a run were NOT checked by it")
    until(lambda: b"tradeworthy_guard_state" in answer_of(one.metrics_port, "/metrics")[1])
    status, text = answer_of(one.metrics_port, "/metrics")
    assert status == 200
    assert b"tradeworthy_journal_head_seq" in text
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False, timeout=60)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
    spoilt = text + b"# TYPE tradeworthy_wrong_count counter\ntradeworthy_wrong_count 1\n"
    found = subprocess.run(["promtool", "check", "metrics"], input=spoilt, capture_output=True, check=False, timeout=60)
    assert found.returncode, "promtool can fail"


def test_the_summary_of_a_run_validates_and_tells_every_task_once(one):
    status, data = one.health("/summary")
    assert status == 200
    found = msgspec.json.decode(data, type=Summary)
    assert (found.desk, found.running, found.environment) == ("small", True, "paper")
    assert found.projections.keys() == set(TOPICS)
    assert {"trading_loop", "watchdog", "health_server", "runtime_board"} <= {one.name for one in found.workloads}
    tasks = [task for services in json.loads(data)["services"].values() for one in services for task in one["tasks"]]
    names = [task["name"] for task in tasks]
    assert len(names) == len(set(names))
    code, declared = one.verb("summary", one.config, "--json", "--runs", one.runs)
    assert code == 0
    assert msgspec.json.decode(declared, type=Summary).config_hash == found.config_hash
    code, schema = one.verb("summary", "--schema")
    assert json.loads(schema)["$ref"]
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(data.replace(b'"running":true', b'"running":"yes"'), type=Summary)


def test_health_of_a_run_is_told_at_once(one):
    took = []
    for _ in range(ASKED):
        began = time.monotonic()
        status, _ = one.health("/health")
        took.append(time.monotonic() - began)
        assert status in (200, 503)
    assert sorted(took)[ASKED // 2] <= HEALTH_S
    began = time.monotonic()
    one.health("/summary")
    assert time.monotonic() - began <= SUMMARY_S


@pytest.mark.parametrize("words", [
    (sys.executable, "-m", "tradeworthy"), (str(Path(sys.executable).with_name("tradeworthy")),),
], ids=["module", "script"])  # fmt: skip
def test_the_command_works_from_any_folder(tmp_path, words):
    if not Path(words[0]).exists():
        pytest.skip("the console script is not installed in this environment")
    config = ROOT / "config" / "paper.toml"
    done = subprocess.run(
        [*words, "summary", str(config), "--json"], cwd=tmp_path, env=environment(), capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert msgspec.json.decode(done.stdout, type=Summary).desk == "paper"
    wrong = subprocess.run(
        [*words, "no-such-verb"], cwd=tmp_path, env=environment(), capture_output=True, timeout=60, check=False
    )
    assert wrong.returncode == 3
