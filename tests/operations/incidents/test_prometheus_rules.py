"""The second path as it is deployed: made of the policies, believed by promtool and amtool, each rule seen firing."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from tradeworthy.app.runtime.judging import SPECS as JUDGED
from tradeworthy.kernel.telemetry.metric_specs import SPECS
from tradeworthy.operations.incidents.model import AlertSeverity
from tradeworthy.operations.incidents.policy import AlertPolicy
from tradeworthy.operations.incidents.prometheus_files import alertmanager_yaml, files_of, rules_test_yaml, rules_yaml
from tradeworthy.operations.incidents.prometheus_table import PrometheusPolicy, rules_of
from tradeworthy.operations.incidents.routing import Routing

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "deploy" / "prometheus"
RULES = rules_of(PrometheusPolicy())
LIMITS = [name for name in PrometheusPolicy.__struct_fields__ if name != "scrape_s"]


def tool(name, *words, cwd=FOLDER):
    """Run a tool; without it the test is skipped, or fails where every component must be there."""
    path = shutil.which(name)
    if path is None:
        if os.environ.get("STRICT_COMPONENTS") == "1":
            pytest.fail(f"STRICT_COMPONENTS=1 and no {name} on the path")
        package = {"promtool": "prometheus", "amtool": "prometheus-alertmanager"}[name]
        pytest.skip(f"{name} is not installed: install the package `{package}`")
    return subprocess.run([path, *map(str, words)], capture_output=True, text=True, timeout=120, check=False, cwd=cwd)


@pytest.mark.parametrize("name", sorted(files_of(PrometheusPolicy(), AlertPolicy())))
def test_the_committed_file_is_the_one_that_the_policies_make(name):
    made = files_of(PrometheusPolicy(), AlertPolicy())[name]
    assert (FOLDER / name).read_text() == made, "write it again: PYTHONPATH=src python tools/prometheus_files.py"


def test_the_table_has_each_row_once_with_its_severity_runbook_owner_and_a_route():
    assert [one.id for one in RULES] == [f"PR-{number:02d}" for number in range(1, 39)]
    routing = Routing(AlertPolicy())
    for one in RULES:
        assert AlertSeverity(one.severity)
        assert one.owner
        assert (ROOT / "docs" / "runbooks" / f"{one.runbook}.md").is_file(), one.runbook
        assert routing.knows(one.category), one.category


def test_a_rule_is_marked_exactly_when_no_component_of_this_release_has_its_series():
    known = {f"tradeworthy_{one.name}" for one in (*SPECS, *JUDGED)}
    later = {"PR-20", "PR-21", "PR-23", "PR-24"}  # the family is there, the row, the assessment or the gate is not
    for one in RULES:
        named = re.findall(r"\b(tradeworthy_\w+|node_\w+|container_\w+)", one.expr)
        own = {re.sub(r"_(bucket|count|sum)$", "", name) for name in named if name.startswith("tradeworthy_")}
        there = own <= known and (bool(own) or not named or "up{" in one.expr) and one.id not in later
        assert one.exported is there, one.id
    text = rules_yaml(PrometheusPolicy())
    assert text.count("no component of this release exports its series") == sum(not one.exported for one in RULES)


@pytest.mark.parametrize("name", LIMITS)
def test_each_limit_of_the_policy_reaches_the_rules(name):
    usual = PrometheusPolicy()
    other = msgspec.structs.replace(usual, **{name: getattr(usual, name) * 3})
    assert rules_yaml(other) != rules_yaml(usual)


def test_promtool_takes_the_rules_and_the_scrape():
    for words in (("check", "rules", "rules.yml"), ("check", "config", "prometheus.yml")):
        done = tool("promtool", *words)
        assert done.returncode == 0, done.stderr + done.stdout


def test_every_rule_fires_is_silent_just_under_and_resolves():
    text = rules_test_yaml(PrometheusPolicy())
    for one in RULES:
        looks = re.findall(rf"alertname: {one.name}\n( +exp_alerts:)?", text)
        assert any(looks), one.id
        assert not all(looks) or one.name == "Watchdog", one.id
    done = tool("promtool", "test", "rules", "rules_test.yml")
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.parametrize(("rule", "before", "after"), [
    ("PR-22", "== 0'\n        for: 3m", "== 5'\n        for: 3m"), ("PR-27", "< 0.15", "<= 0.15"),
    ("PR-12", "for: 20m", "for: 40m"), ("PR-06", ">= 0.95", "> 0.95"), ("PR-35", "severity: info", "severity: warning"),
])  # fmt: skip
def test_a_rule_that_was_bent_is_found(tmp_path, rule, before, after):
    text = (FOLDER / "rules.yml").read_text()
    assert before in text
    (tmp_path / "rules_test.yml").write_text(rules_test_yaml(PrometheusPolicy(), rule))
    for written, fails in ((text, False), (text.replace(before, after), True)):
        (tmp_path / "rules.yml").write_text(written)
        done = tool("promtool", "test", "rules", "rules_test.yml", cwd=tmp_path)
        assert bool(done.returncode) is fails, done.stdout


def test_alertmanager_is_valid_and_holds_no_secret():
    done = tool("amtool", "check-config", "alertmanager.yml")
    assert done.returncode == 0, done.stderr + done.stdout
    text = alertmanager_yaml(AlertPolicy())
    secrets = set(re.findall(r"(\w*(?:credentials|password|api_url|token)\w*):", text))
    assert secrets == {"credentials_file", "api_url_file"}
    for words in ("group_wait: 30s", "group_interval: 5m", "repeat_interval: 4h", "repeat_interval: 1h"):
        assert words in text
    assert "equal: [alertname, instance]" in text
    assert text.count("send_resolved: true") == 3


@pytest.mark.parametrize(("labels", "receiver"), [
    (("alertname=GuardStopped", "severity=critical"), "critical"), (("alertname=HighCpu", "severity=warning"), "desk"),
    (("alertname=Watchdog", "severity=info"), "dead-man"), (("alertname=Unknown",), "desk"),
])  # fmt: skip
def test_each_alert_reaches_its_receiver(labels, receiver):
    done = tool("amtool", "config", "routes", "test", "--config.file=alertmanager.yml", *labels)
    assert done.stdout.strip() == receiver
