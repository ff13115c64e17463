"""The explainer tells sets of acts that give GO, each as small as can be: checked by trying every set."""

import itertools

import gate_scene as scene
import pytest
from gate_scene import NOW, ask, gate, need, say, waive
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.explain import Act, Means, explain, minimal_sets
from tradeworthy.operations.gates.model import Answer, Grade, Mode


def gives_go(table, evidence, proven, acts, *, waivers=()):
    """Do the acts in the world, and ask the gate again."""
    renewed = [say(act.on, recorded_at=NOW, stamp=NOW, evidence_id="new") for act in acts if act.means is Means.RENEW]
    kept = [one for one in evidence if one.source not in {new.source for new in renewed}]
    shown = proven | {act.on for act in acts if act.means is Means.PROVE}
    given_ = [*waivers, *(waive(act.on, waiver_id=f"new-{act.on}") for act in acts if act.means is Means.WAIVE)]
    return ask(table, [*kept, *renewed], proven=frozenset(shown), waivers=given_).answer is Answer.GO


def by_force(table, evidence, proven):
    """Return every set of acts that gives GO and has no smaller one within it, by trying all of them."""
    every = sorted({
        *(Act(Means.RENEW, one.source) for one in table.requirements),
        *(Act(Means.PROVE, one.id) for one in table.requirements),
        *(Act(Means.WAIVE, one.id) for one in table.requirements if one.waivable),
    })  # fmt: skip
    found = []
    for size in range(len(every) + 1):
        for acts in itertools.combinations(every, size):
            if not any(set(less) <= set(acts) for less in found) and gives_go(table, evidence, proven, acts):
                found.append(acts)
    return {frozenset(one) for one in found}


STATES = st.sampled_from([Severity.OK, Severity.FAIL, None])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(STATES, st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=3), st.booleans())
def test_the_sets_are_those_that_trying_all_finds(rows, shared):
    names = [f"r{at}" for at in range(len(rows))]
    source = dict(zip(names, ["s", "s", *names[2:]] if shared else names, strict=False))
    table = gate(*(
        need(name, source=source[name], waivable=waivable, grade=Grade.CRITICAL if critical else Grade.WARNING)
        for name, (_, waivable, _, critical) in zip(names, rows, strict=True)
    ))  # fmt: skip
    evidence = list({
        source[name]: say(source[name], status)
        for name, (status, _, _, _) in zip(names, rows, strict=True) if status is not None
    }.values())  # fmt: skip
    proven = frozenset(name for name, (_, _, shown, _) in zip(names, rows, strict=True) if shown)
    verdict = ask(table, evidence, proven=proven)
    told = explain(verdict, table)
    if verdict.answer is Answer.GO or not any(row.grade is Grade.CRITICAL for row in verdict.rows):
        assert told.sets == ()
        return
    assert {frozenset(one.acts) for one in told.sets} == by_force(table, evidence, proven)


def test_one_renewal_mends_all_rows_over_its_source_and_is_counted_once():
    table = gate(need("a", source="s", fix_s=10), need("b", source="s", fix_s=30))
    (only,) = explain(ask(table, []), table).sets
    assert (only.acts, only.seconds, only.waivers) == ((Act(Means.RENEW, "s"),), 30, 0)


def test_a_build_and_a_release_with_three_waivers_are_offered_no_more():
    table = gate(need("a", waivable=True))
    free = explain(ask(table, []), table)
    assert {one.acts[0].means for one in free.sets} == {Means.RENEW, Means.WAIVE}
    for told in (explain(ask(table, [], mode=Mode(ci=True)), table), explain(ask(table, []), table, active_waivers=3)):
        assert [one.acts for one in told.sets] == [(Act(Means.RENEW, "a"),)]


@pytest.mark.parametrize("spare", [0, 1, 2, 3])
def test_no_set_needs_more_waivers_than_may_stand(spare):
    ways = [(frozenset({Act(Means.RENEW, name)}), frozenset({Act(Means.WAIVE, name)})) for name in "abcde"]
    sets = minimal_sets(ways, spare)
    assert max(sum(act.means is Means.WAIVE for act in one) for one in sets) == spare
    assert all(not (less < more) for less in sets for more in sets)


def test_what_evidence_cannot_mend_is_named():
    table = gate(need("a"), covers_session=True)
    told = explain(ask(table, [say("a")]), table)
    assert (told.beyond, told.sets) == (("time",), ())


def test_an_answer_of_go_needs_nothing():
    table = gate(need("a"))
    assert explain(ask(table, [say("a")]), table).sets == ()
    assert scene.row(ask(table, [say("a")]), "a").met


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(STATES, st.booleans(), st.booleans()), min_size=4, max_size=12))
def test_of_up_to_twelve_rows_each_set_gives_go_and_none_without_one_of_its_acts(rows):
    names = [f"r{at}" for at in range(len(rows))]
    table = gate(*(need(name, waivable=waivable) for name, (_, waivable, _) in zip(names, rows, strict=True)))
    evidence = [say(name, status) for name, (status, _, _) in zip(names, rows, strict=True) if status is not None]
    proven = frozenset(name for name, (_, _, shown) in zip(names, rows, strict=True) if shown)
    told = explain(ask(table, evidence, proven=proven), table)
    for found in told.sets:
        assert gives_go(table, evidence, proven, found.acts)
        for act in found.acts:
            assert not gives_go(table, evidence, proven, [one for one in found.acts if one != act])
