"""Snapshots: one id for one judgement, altered bytes are refused, replay gives the same, endings count."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.operations.assessments.framework.cases import Case
from tradeworthy.operations.assessments.framework.mutation import AT, changed, healthy_facts, judged
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.replay import replay
from tradeworthy.operations.assessments.framework.snapshot import decode, encode, sealed, take, with_id

BUS = registry().get("event_bus_health")


def bad(depth: int, **more):
    return take(
        BUS, changed(BUS, Case("", {"depth": depth}, Severity.OK)), BUS.policy, more.pop("now", AT),
        environment="case", code_version="1", **more,
    )  # fmt: skip


def test_the_same_facts_give_the_same_id_in_any_order_and_other_facts_another():
    facts = healthy_facts(BUS)
    assert judged(BUS, facts, BUS.policy).id == judged(BUS, tuple(reversed(facts)), BUS.policy).id
    assert bad(100).id != bad(101).id


def test_the_id_does_not_depend_on_the_hash_seed():
    code = (
        "from tradeworthy.operations.assessments.framework.registry import registry\n"
        "from tradeworthy.operations.assessments.framework.mutation import healthy_facts, judged\n"
        "print([judged(a, healthy_facts(a), a.policy).id for a in registry() if a.rules])"
    )
    source = str(Path(__file__).parents[3] / "src")
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": source},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1


@settings(max_examples=60)
@given(st.data())
def test_a_changed_byte_is_refused(data):
    body = encode(bad(500))
    at = data.draw(st.integers(0, len(body) - 1))
    other = data.draw(st.integers(32, 126).filter(lambda byte: byte != body[at]))
    with pytest.raises(InvalidInput):
        decode(body[:at] + bytes([other]) + body[at + 1 :])


def test_a_snapshot_reads_back_and_judges_again_to_the_same_id():
    for one in registry():
        if one.children:
            continue
        for rule in one.rules:
            for case in rule.all_cases(one.policy, one.specs):
                recorded = decode(encode(judged(one, changed(one, case), one.policy)))
                again = replay(one, recorded)
                assert again.found == recorded.id, (one.name, case.name)


def test_replay_tells_what_todays_rules_would_say():
    recorded = bad(100)
    fields = {**recorded.policy, "depth": {**recorded.policy["depth"], "warn": 200}}
    found = replay(BUS, with_id(msgspec.structs.replace(recorded, policy=fields)))
    assert found.differs == ("event_bus_health.depth|event_bus_health: WARN, OK",)


def test_a_snapshot_ends_at_its_time_and_is_unknown_from_then_on():
    one = judged(BUS, healthy_facts(BUS), BUS.policy)
    end = AT + 1_200 * NANOS_PER_SECOND
    assert one.expires_at == end
    assert one.standing(end - 1) is Severity.OK
    assert one.standing(end) is Severity.UNKNOWN
    assert one.standing(AT - 1) is Severity.FAIL
    assert bad(500).standing(end) is Severity.FAIL


def test_what_is_new_gone_worse_better_or_the_same_is_told():
    first = bad(100)
    key = "event_bus_health.depth|event_bus_health"
    assert first.delta_vs_last.new == (key,)
    worse = bad(500, last=first)
    assert worse.delta_vs_last.worse == (key,)
    better = bad(100, last=worse)
    assert better.delta_vs_last.better == (key,)
    same = bad(100, last=better, now=AT)
    assert same.delta_vs_last.unchanged_since == better.generated_at
    assert bad(0, last=same).delta_vs_last.cleared == (key,)


def test_nothing_judged_is_unknown():
    empty = sealed(BUS, (), BUS.policy, AT, environment="", code_version="", inputs_hash="")
    assert empty.status is Severity.UNKNOWN


@given(st.lists(st.sampled_from(Severity), min_size=1), st.sampled_from(Severity))
def test_one_more_finding_never_makes_a_status_better(found, more):
    assert worst([*found, more]) >= worst(found)


def test_counts_are_by_severity_and_category():
    assert bad(500).issue_counts == {"severity": {"FAIL": 1}, "category": {"runtime": 1}}
