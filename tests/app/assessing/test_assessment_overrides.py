"""Limits of assessments in the one document: refused by name, journaled, and grave where they let more pass."""

import json

import pytest
from soak_runs import document, played

from tradeworthy.app import config
from tradeworthy.app.assessing.sources import Asked, Sources, judge_all, laid_over
from tradeworthy.app.configuration.audit import audit_configuration
from tradeworthy.app.configuration.changes import changes_between
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import EventClock, SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.policy import policy_hash
from tradeworthy.operations.assessments.framework.registry import registry


def plain(**assessments):
    return {**json.loads(document().canonical()), "assessments": assessments}


def severities(before, after):
    return {
        one.field: one.severity for one in changes_between({"assessments": before}, {"assessments": after})
    }


@pytest.mark.parametrize(("override", "words"), [
    ({"nothing": {}}, "nothing"), ({"data_feed": {"nothing": 1}}, "nothing"),
    ({"data_feed": {"gap": {"warn": 300.0}}}, "warn 300.0 is on the wrong side of fail 270.0"),
    ({"data_feed": {"gap": {"unit": "ms"}}}, "unit"), ({"data_feed": {"gap": {"direction": "floor"}}}, "direction"),
    ({"data_feed": {"gap": {"fail": 0, "warn": None}}}, "splits nothing"),
    ({"risk_posture": {"period_s": 2_000}}, "age_max_s"),
])  # fmt: skip
def test_a_limit_that_cannot_be_ends_the_start_with_exit_three_naming_both_fields(tmp_path, capsys, override, words):
    with pytest.raises(UsageError, match="assessments") as refused:
        config.parse(plain(**override), origin="test")
    assert words in str(refused.value)
    path = tmp_path / "desk.json"
    path.write_text(json.dumps(plain(**override)))
    assert call(["run", str(path), "--runs", str(tmp_path / "runs")]) == 3
    assert words in " ".join(capsys.readouterr().err.split())


def test_a_looser_limit_is_grave_and_a_tighter_one_is_told():
    gap = {"data_feed": {"gap": {"warn": 90.0}}}
    assert severities({}, gap) == {"assessments.data_feed.gap.warn": "OK"}  # the default, written down
    assert severities({}, {"data_feed": {"gap": {"fail": 271.0}}}) == {"assessments.data_feed.gap.fail": "FAIL"}
    assert severities({}, {"data_feed": {"gap": {"fail": 269.0}}}) == {"assessments.data_feed.gap.fail": "WARN"}
    assert severities({"data_feed": {"gap": {"fail": 100.0}}}, {}) == {"assessments.data_feed.gap.fail": "FAIL"}
    floor = {"attribution_coverage": {"coverage": {"warn": 0.95}}}
    assert severities({}, floor) == {"assessments.attribution_coverage.coverage.warn": "WARN"}
    assert severities(floor, {}) == {"assessments.attribution_coverage.coverage.warn": "FAIL"}


def test_a_bound_that_is_taken_away_is_grave_and_one_that_is_drawn_is_told():
    assert severities({"data_feed": {"book_gaps": {"fail": 5}}}, {}) == {
        "assessments.data_feed.book_gaps.fail": "FAIL"
    }
    assert severities({}, {"data_feed": {"book_gaps": {"fail": 5}}}) == {
        "assessments.data_feed.book_gaps.fail": "WARN"
    }


def test_looking_less_often_is_grave_and_so_is_what_nobody_can_tell():
    assert severities({}, {"risk_posture": {"fact_age_max_s": 5_000.0}})["assessments.risk_posture.fact_age_max_s"] == (
        "FAIL"
    )
    assert severities({}, {"risk_posture": {"alert_from": "FAIL"}})["assessments.risk_posture.alert_from"] == "FAIL"


def test_the_audit_journals_who_changed_a_limit_from_what_to_what(tmp_path):
    clock = EventClock(10**18)
    audit_configuration(config.parse(plain(), origin="a"), tmp_path, clock, "ann")
    looser = plain(data_feed={"gap": {"fail": 3_000.0}})
    found = audit_configuration(config.parse(looser, origin="b"), tmp_path, clock, "bob")
    assert (found.actor, found.severity) == ("bob", "FAIL")
    assert [(one.field, one.current) for one in found.changes] == [("assessments.data_feed.gap.fail", "3000.0")]


def test_a_run_is_judged_by_the_limits_of_its_own_document(tmp_path):
    made = config.parse(plain(data_feed={"gap": {"warn": 0.5}}), origin="test")
    folder = played(tmp_path, steps=300).folder
    sources, known = Sources(Asked(run=folder), SystemClock(), registry()), registry()
    policies = known.policies(laid_over(made.assessments, {"data_feed": {"gap": {"fail": 0.75}}}))
    found = judge_all(known, ["data_feed"], sources, History(), limits=policies.__getitem__)
    [snapshot] = found.snapshots
    assert snapshot.policy["gap"]["warn"] == 0.5
    assert snapshot.policy["gap"]["fail"] == 0.75
    assert snapshot.policy_hash == policy_hash(policies["data_feed"]) != policy_hash(known.get("data_feed").policy)
    assert any(one.code == "data_feed.gap" for one in snapshot.findings)
