"""Tiers: their floors as data, what stands behind a desk held against them, and the gate before a higher one."""

import msgspec
import pytest
from ingesting_scene import csv_source, document, process

from tradeworthy.app.bootstrap import policy_of
from tradeworthy.app.gates.verdicts import GateAnswer, GateAsk
from tradeworthy.app.runtime.policy import RuntimePolicy
from tradeworthy.app.runtime.tiers import TIERS, connectivity, require_tier
from tradeworthy.kernel.errors import ConfigurationRefused, ExitCode
from tradeworthy.kernel.severity import Severity

ASK = GateAsk(release="0.1.0", tier="tier_1", environment="paper", hashes={})


class Gate:
    def __init__(self, go, why=""):
        self.given, self.asked = GateAnswer(go, why), []

    def answer(self, ask):
        self.asked.append(ask)
        return self.given


def report(tmp_path, tier="tier_0", **runtime):
    made = document(sources=[csv_source(tmp_path)], runtime={"tier": tier, **runtime})
    policy = policy_of(RuntimePolicy, "runtime", made.runtime)
    found = connectivity(made, policy, store="data/tier0.duckdb")
    return found, {one.name: one for one in found.connectors}


def test_names_and_floors():
    floors = {name: one.uptime_floor_pct for name, one in TIERS.items()}
    assert floors == {"tier_0": 99.5, "tier_1": 99.9, "tier_2": 99.99}


def test_the_lowest_tier_is_whole_with_what_is_embedded(tmp_path):
    found, parts = report(tmp_path)
    assert (found.severity, found.uptime_floor_pct) == (Severity.OK, 99.5)
    assert (parts["market_store"].backing, parts["market_store"].where) == ("duckdb", "data/tier0.duckdb")
    assert parts["cache"].summary == "not used"


def test_sqlite_and_duckdb_behind_a_service_tier_are_degraded(tmp_path):
    found, parts = report(tmp_path, "tier_1")
    for name, backing in (("market_store", "duckdb"), ("configuration_audit", "sqlite")):
        assert parts[name].severity is Severity.WARN
        assert parts[name].summary == f"degraded: expected postgres or timescale, found {backing}"
    assert parts["cache"].severity is Severity.FAIL
    assert parts["venue"].severity is Severity.OK
    assert found.severity is Severity.FAIL


def test_the_highest_tier_asks_for_stream_venue_and_second_site_too(tmp_path):
    _, parts = report(tmp_path, "tier_2")
    assert {name for name, one in parts.items() if one.severity is not Severity.OK} == {
        "market_store", "configuration_audit", "cache", "stream", "venue", "second_site"
    }  # fmt: skip


def test_an_embedded_store_that_stands_in_for_a_service_is_degraded_on_any_tier(tmp_path):
    found, parts = report(tmp_path, backbone={"url": "postgresql://ann:canary-77@db.example.org/market"})
    assert (parts["market_store"].severity, found.severity) == (Severity.WARN, Severity.WARN)
    assert "stands in for postgresql://example.org/market: this release has no adapter" in parts["market_store"].summary
    assert b"canary-77" not in msgspec.json.encode(found)


def test_a_higher_tier_needs_the_gates_go():
    policy = RuntimePolicy(tier="tier_1")
    gate = Gate(False, "NO-GO: restore stale")
    with pytest.raises(ConfigurationRefused, match=r"runtime.tier tier_1: .*NO-GO: restore stale") as refused:
        require_tier(policy, ASK, gate)
    assert refused.value.exit_code is ExitCode.FAIL
    assert gate.asked == [ASK]
    require_tier(policy, ASK, Gate(True))


def test_the_lowest_tier_asks_nobody():
    gate = Gate(False)
    require_tier(RuntimePolicy(), ASK, gate)
    assert gate.asked == []


def test_a_process_on_a_higher_tier_does_not_start_without_evidence(tmp_path):
    with pytest.raises(ConfigurationRefused, match=r"runtime.tier tier_2: .*gate promotion for tier paper.*found none"):
        process(tmp_path, document(runtime={"tier": "tier_2"}))
    assert not (tmp_path / "runs").exists()


def test_the_summary_shows_what_stands_behind_the_desk_before_it_may_start(tmp_path):
    one = process(tmp_path, document(runtime={"tier": "tier_1"}), declared_in=tmp_path / "declared")
    block = msgspec.json.decode(one.summary(running=False))["connectivity"]
    one.discard()
    assert (block["tier"], block["uptime_floor_pct"]) == ("tier_1", 99.9)
    store = next(part for part in block["connectors"] if part["name"] == "configuration_audit")
    assert store["summary"].startswith("degraded")
