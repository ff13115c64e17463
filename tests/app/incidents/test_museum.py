"""Six recorded failures: halted in time and cheaply with their control, a catastrophe without it (IN-10, IN-05)."""

import json

import pytest

from tradeworthy.app.incidents import museum
from tradeworthy.cli.main import call
from tradeworthy.operations.incidents.lifecycle import Phase, replayed
from tradeworthy.operations.incidents.policy import IncidentPolicy

BY_NAME = {one.name: one for one in museum.EXHIBITS}


@pytest.mark.parametrize("name", BY_NAME)
def test_an_exhibit_is_held_by_its_control_and_is_a_catastrophe_without_it(name, tmp_path):
    shown = museum.show(BY_NAME[name], tmp_path)
    assert shown.passed, shown
    assert shown.halt_s <= 5
    assert shown.loss <= 0.001
    assert shown.loss_without >= 0.05
    assert shown.seen


def test_there_are_six_and_each_says_what_happened():
    assert set(BY_NAME) == {
        "dead_flag_deploy", "fat_finger", "frozen_feed", "empty_backups", "clock_jump", "split_brain",
    }  # fmt: skip
    assert all(len(one.what) > 40 for one in museum.EXHIBITS)


@pytest.mark.parametrize(("changed", "passed"), [
    ({}, True), ({"halt_s": 5.0}, True), ({"halt_s": 5.1}, False), ({"halt_s": None}, False), ({"loss": 0.0011}, False),
    ({"loss_without": 0.049}, False),
])
def test_the_limits_of_an_exhibit(changed, passed):
    usual = {"name": "x", "what": "x", "halt_s": 1.0, "loss": 0.001, "loss_without": 0.05, "seen": "x"}
    assert museum.Shown(**(usual | changed)).passed is passed


def closed(check):
    """Return the book of one incident that was closed with a check."""
    policy = IncidentPolicy()
    facts = [replayed([], policy).open_by("ada", "odd", 3, 1)]
    steps = (Phase.ACKNOWLEDGED, Phase.RESOLVED, Phase.REVIEWED, Phase.CLOSED)
    for phase in steps:
        words = {"review": "r"} if phase is Phase.REVIEWED else {}
        if phase is Phase.CLOSED:
            words = {"cause": "c", "check": check, "failed_before": "a", "passed_after": "b"}
        facts.append(replayed(facts, policy).move("INC-00001", phase, "ada", 2, **words))
    return replayed(facts, policy).all


@pytest.mark.parametrize(("check", "caught"), [
    ("accounting_integrity.equity", True), ("museum:fat_finger", True), ("nothing.here", False), ("museum:x", False),
])
def test_a_past_incident_is_held_against_todays_checks(check, caught, tmp_path):
    shown = [museum.show(BY_NAME["fat_finger"], tmp_path)]
    (found,) = museum.rerun(closed(check), shown)
    assert (found.check, not found.problem) == (check, caught)


def test_an_exhibit_whose_control_is_gone_is_not_caught():
    bare = museum.Shown(name="fat_finger", what="x", halt_s=None, loss=30.0, loss_without=30.0, seen="")
    (found,) = museum.rerun(closed("museum:fat_finger"), [bare])
    assert "not held" in found.problem


def test_the_verb_plays_all_and_exits_by_them(capsys, monkeypatch):
    assert call(["incident", "museum", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 6
    course = museum.Course(None, 1.0, "")
    blind = museum.Exhibit("blind", "a control that sees nothing", lambda controls, folder: course)
    monkeypatch.setattr("tradeworthy.cli.incident_duties.EXHIBITS", (blind,))
    assert call(["incident", "museum"]) == 2
