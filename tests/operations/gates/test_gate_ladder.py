"""A level of the ladder is what evidence of this very release proves, and each needs those below it."""

import gate_scene as scene
import msgspec
import pytest
from gate_scene import NOW, say

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.asking import Inputs, ask
from tradeworthy.operations.gates.ladder import HIGHEST, LEVELS, NEEDED, PROVEN, climb, needed_of, row_of
from tradeworthy.operations.gates.model import Gate, Standing
from tradeworthy.operations.gates.named import TIERS

ALL = frozenset(f"{PROVEN}{one.id}" for _, items in LEVELS.values() for one in items)


def proofs(upto, *, but=(), **rest):
    return [
        say(one.source, **{"environment": one.environment_min, **rest})
        for level, (_, items) in LEVELS.items() if level <= upto for one in items if one.id not in but
    ]  # fmt: skip


def climbed(evidence, *, proven=ALL, **rest):
    table = Gate(name="none", title="", requirements=())
    return climb(evidence, scene.context(table, proven=proven, **rest), NOW, run_id="ladder")


@pytest.mark.parametrize("level", range(HIGHEST + 1))
def test_each_level_is_reached_with_its_items_and_those_below(level):
    found = climbed(proofs(level))
    assert found.level == level
    first_above = None if level == HIGHEST else LEVELS[level + 1][1][0].id
    assert (None if found.missing is None else found.missing.id) == first_above


@pytest.mark.parametrize("level", range(1, HIGHEST + 1))
def test_without_any_item_of_a_level_it_is_not_reached_however_much_stands_above(level):
    for one in LEVELS[level][1]:
        if sum(one.source == other.source for _, items in LEVELS.values() for other in items) == 1:
            found = climbed(proofs(HIGHEST, but=(one.id,)))
            assert (found.level, found.missing.id) == (level - 1, one.id)


def test_a_changed_limit_takes_the_ladder_away():
    other = msgspec.structs.replace(scene.BINDING, hashes={**scene.BINDING.hashes, "limits": "x" * 64})
    assert climbed(proofs(HIGHEST), binding=other).level == 0


def test_an_item_whose_check_was_not_seen_to_fail_does_not_count():
    assert climbed(proofs(HIGHEST), proven=ALL - {f"{PROVEN}paper_smoke"}).level == 1


def test_evidence_of_a_lower_environment_does_not_lift():
    assert climbed(proofs(HIGHEST, environment="paper")).level == 3


def test_every_tier_needs_a_level_and_an_unknown_one_the_highest():
    assert set(NEEDED) == set(TIERS)
    assert [NEEDED[one] for one in TIERS] == sorted(NEEDED[one] for one in TIERS)
    assert needed_of("huge") == HIGHEST


def test_the_row_of_a_gate_fails_below_the_tiers_level():
    assert row_of(climbed(proofs(3)), "canary").standing is Standing.MET
    low = row_of(climbed(proofs(2)), "canary")
    assert (low.standing, low.observed, low.limit) == (Standing.FAILED, "level 2", "level 3 for canary")
    assert "paper_soak" in low.reason


def test_a_gate_with_a_ladder_asks_it():
    table = Gate(name="small", title="", requirements=(scene.need("a"),), ladder=True)
    about = scene.context(table, proven=frozenset({"a"}) | ALL)
    said = say("a")
    low = ask(table, Inputs((said,)), about, NOW, known=frozenset({"a"}))
    high = ask(table, Inputs((said, *proofs(1))), about, NOW, known=frozenset({"a"}))
    assert (low.answer, high.answer) == ("NO-GO", "GO")
    failed = (said, *proofs(1, but=("tests",)), say("tests", Severity.FAIL))
    assert ask(table, Inputs(failed), about, NOW, known=frozenset({"a"})).answer == "NO-GO"
