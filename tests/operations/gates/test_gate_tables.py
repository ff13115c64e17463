"""The tables are sound: known sources, runbooks that are there, and a page that tells them as they are."""

from pathlib import Path

import pytest

from tradeworthy.operations.assessments.framework.mutation import AT, healthy_facts
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.snapshot import take
from tradeworthy.operations.evidence.vocabulary import NEVER_WAIVABLE
from tradeworthy.operations.gates.engine import fault_of
from tradeworthy.operations.gates.ladder import LEVELS, gate_of
from tradeworthy.operations.gates.live import LIVE
from tradeworthy.operations.gates.model import Grade
from tradeworthy.operations.gates.named import GATES, TIERS, gate_for, gate_named
from tradeworthy.operations.gates.promotion import PROMOTION
from tradeworthy.operations.gates.reading import of_snapshot
from tradeworthy.operations.gates.sources import known_sources
from tradeworthy.operations.gates.table_page import table_page

ROOT = Path(__file__).resolve().parents[3]
TABLES = (*GATES.values(), *(gate_of(level) for level in LEVELS))
NEVER = {
    "kill_switch", "log_integrity", "reconciliation", "position_truth", "portfolio_risk", "risk_posture", "risk_policy",
    "control_breaches", "secrets_hygiene", "key_rotation", "compliance_readiness", "regression", "venue_snapshot",
    "start_without_venue", "kill_after_cancel", "torn_write", "access_review", "security_posture",
}  # fmt: skip
"""Rows over what is never waived."""


def test_the_page_is_current():
    told = (ROOT / "docs" / "gates.md").read_text()
    assert told == table_page(GATES.values()), "write it again: tradeworthy gate show --markdown > docs/gates.md"


@pytest.mark.parametrize("table", TABLES, ids=lambda one: one.name)
def test_every_table_can_be_used_and_every_runbook_is_there(table):
    assert fault_of(table, known_sources()) == ""
    assert [one.runbook for one in table.requirements if not (ROOT / "docs" / one.runbook).is_file()] == []


@pytest.mark.parametrize("table", TABLES, ids=lambda one: one.name)
def test_what_is_never_waived_cannot_be(table):
    assert [one.id for one in table.requirements if one.waivable and (
        one.id in NEVER or one.id.partition(".")[0] in NEVER_WAIVABLE
    )] == []  # fmt: skip


def test_live_holds_the_whole_promotion_and_is_critical_throughout():
    assert {one.id for one in PROMOTION.requirements} < {one.id for one in LIVE.requirements}
    assert {one.grade for one in LIVE.requirements} == {Grade.CRITICAL}
    assert LIVE.ladder
    assert LIVE.covers_session


def test_an_unknown_gate_or_tier_is_told_with_those_that_there_are():
    with pytest.raises(Exception, match="promotion, live"):
        gate_named("nothing")
    with pytest.raises(Exception, match=", ".join(TIERS)):
        gate_for("go_live", "huge")


def test_a_snapshot_is_for_its_code_and_for_what_its_metadata_names():
    one = registry().get("system_validation")
    facts = healthy_facts(one)
    told = {"hashes": {"limits": "l", "nothing": "x"}}
    found = of_snapshot(take(one, facts, one.policy, AT, environment="backtest", code_version="c", metadata=told))
    assert found.hashes == {"code": "c", "limits": "l"}
    assert (found.environment, found.provenance) == ("simulated", "measured")
    assert found.ends_at - found.stamp == 1_200 * 10**9
    bare = of_snapshot(take(one, facts, one.policy, AT, environment="paper", code_version=""))
    assert bare.hashes == {}
