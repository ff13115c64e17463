"""Every registered assessment: its cases flip exactly the code they name, its pages exist, its codes stay."""

from pathlib import Path

import msgspec
import pytest

from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.telemetry.topics import TOPICS
from tradeworthy.operations.assessments import event_bus_health, risk_posture, task_supervision
from tradeworthy.operations.assessments.framework import FactSpec, Kind, at_most, threshold
from tradeworthy.operations.assessments.framework.assessment import Assessment
from tradeworthy.operations.assessments.framework.cases import Case
from tradeworthy.operations.assessments.framework.mutation import AT, changed, healthy_facts, judged, mutate, unproven
from tradeworthy.operations.assessments.framework.page import page, schema
from tradeworthy.operations.assessments.framework.primitives import Verdict
from tradeworthy.operations.assessments.framework.registry import registry

DOCS = Path(__file__).parents[3] / "docs"
NAMES = [one.name for one in registry()]


@pytest.mark.parametrize("name", NAMES)
def test_every_case_flips_exactly_the_code_it_names(name: str):
    results = tuple(mutate(registry().get(name)))
    assert [f"{one.code} {one.case}: {one.problem}" for one in results if one.problem] == []
    assert unproven(registry().get(name), results) == ()


def test_a_rule_that_never_fires_is_found_by_mutation():
    sound = registry().get("event_bus_health")
    deaf = msgspec.structs.replace(sound.rules[1], decide=lambda values, policy, now: Verdict(Severity.OK, 0, 1, ""))
    broken = msgspec.structs.replace(sound, rules=(sound.rules[0], deaf, *sound.rules[2:]))
    problems = [one for one in mutate(broken) if one.problem]
    assert {one.code for one in problems} == {"event_bus_health.depth"}


def test_a_rule_that_fires_beside_the_one_that_is_named_is_found_by_mutation():
    policy = event_bus_health.EventBusPolicy()
    twice = msgspec.structs.replace(
        registry().get("event_bus_health"),
        rules=(threshold("depth", "depth", remedy="a"), threshold("depth", "depth", what="other", remedy="b")),
    )
    assert any("other flipped too" in one.problem for one in mutate(twice, policy))


@pytest.mark.parametrize("name", NAMES)
def test_every_code_names_a_runbook_that_exists_and_a_remedy(name: str):
    for code in registry().get(name).codes():
        assert (DOCS / code.runbook).is_file(), code
        assert code.remedy
        assert code.owner


@pytest.mark.parametrize("name", NAMES)
def test_without_any_fact_nothing_is_known(name: str):
    one = registry().get(name)
    if one.children:
        pytest.skip("a composite has children and no facts")
    snapshot = judged(one, (), one.policy)
    assert snapshot.status is Severity.UNKNOWN
    assert f"{name}.no_data" in {finding.code for finding in snapshot.findings}


@pytest.mark.parametrize("name", NAMES)
def test_findings_are_complete_and_hold_no_secret(name: str):
    one = registry().get(name)
    for rule in one.rules:
        for case in rule.all_cases(one.policy, one.specs):
            for finding in judged(one, changed(one, case), one.policy).findings:
                assert finding.code.startswith(f"{name}.")
                assert finding.message
                assert finding.runbook
                assert finding.remedy
                assert finding.component


def test_one_file_is_one_small_assessment():
    room = Path(risk_posture.__file__).parent
    for path in room.glob("*.py"):
        assert len(path.read_text().splitlines()) <= 120, path.name


def test_every_topic_is_registered_for_its_assessment():
    for one in registry():
        assert TOPICS[one.topic].owner == "operations/assessments"
        assert one.name in TOPICS[one.topic].payload


def test_the_page_and_the_schema_are_current():
    assert (DOCS / "assessments.md").read_text() == page(registry())
    assert msgspec.json.decode((DOCS / "schemas" / "assessment-1.json").read_bytes()) == msgspec.json.decode(
        msgspec.json.encode(schema())
    )


def test_codes_that_were_published_stay_or_have_an_alias():
    published = (DOCS / "schemas" / "assessment-codes.txt").read_text().split()
    aliases = {old for one in registry() for old in one.aliases}
    assert [code for code in published if code not in registry().codes and code not in aliases] == []
    assert sorted(registry().codes) == sorted(code for code in published if code in registry().codes)


def test_an_assessment_needs_declared_facts_and_a_limit_of_its_policy():
    one = task_supervision.ASSESSMENT
    with pytest.raises(ValueError, match="expected declared facts"):
        msgspec.structs.replace(one, facts=()).__post_init__()
    with pytest.raises(ValueError, match="expected a limit of the policy"):
        Assessment(
            title="", topic=one.topic, section="", owner="", runbook="", category=one.category, policy=one.policy,
            facts=(FactSpec("a", Kind.INTEGER, "", 0),), rules=(threshold("a", "nothing", remedy=""),),
        )  # fmt: skip


def test_a_heartbeat_at_exactly_two_minutes_warns_and_a_nanosecond_less_does_not():
    one = registry().get("task_supervision")
    for age, status in ((120.0, Severity.WARN), (119.999999999, Severity.OK), (300.0, Severity.FAIL)):
        facts = changed(one, Case("", {"heartbeat_age": age}, status))
        assert judged(one, facts, one.policy).status is status


def test_one_limit_that_is_moved_moves_its_cases_with_it():
    one = registry().get("event_bus_health")
    policy = msgspec.structs.replace(one.policy, depth=at_most("events", warn=7, fail=9))
    assert [result for result in mutate(one, policy) if result.problem] == []
    facts = tuple(
        msgspec.structs.replace(fact, value=7) if fact.name == "depth" else fact for fact in healthy_facts(one, AT)
    )
    assert judged(one, facts, policy).status is Severity.WARN
    assert judged(one, facts, one.policy).status is Severity.OK
