"""A check counts only if a change of the world was seen to make its row, and only it, fail."""

import msgspec
import pytest
from gate_scene import gate, need

from tradeworthy.app.gates.check_mutations import registered
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.gates.engine import judge
from tradeworthy.operations.gates.ladder import LEVELS, gate_of
from tradeworthy.operations.gates.model import Context
from tradeworthy.operations.gates.mutations import AT, BINDING, Mutation, of_assessments, proven, run
from tradeworthy.operations.gates.named import GATES
from tradeworthy.operations.gates.reading import healthy
from tradeworthy.operations.gates.sources import MADE, unmade_sources

TABLES = (*GATES.values(), *(gate_of(level) for level in LEVELS))


def said(source, status):
    one = healthy(source, AT, environment="simulated", hashes={})
    return lambda: msgspec.structs.replace(one, status=status)


def mutation(name, before=Severity.OK, after=Severity.FAIL, source=None):
    source = source or name.partition(".")[0]
    return {name: Mutation(name, source, said(source, before), said(source, after))}


def test_a_row_that_flips_alone_is_proved():
    table = gate(need("a"), need("b"))
    results = run(table, {**mutation("a.broken"), **mutation("b.broken", after=Severity.UNKNOWN)})
    assert proven(results) == {"a", "b"}


@pytest.mark.parametrize(("known", "told"), [
    ({}, "nobody registered"), (mutation("a.other"), "of its source there are a.other"),
    (mutation("a.broken", after=Severity.OK), "still met"),
    (mutation("a.broken", after=Severity.WARN), "still met"),
    (mutation("a.broken", before=Severity.FAIL), "not met before"),
    (mutation("a.broken", source="other"), "changes other"),
])  # fmt: skip
def test_a_row_whose_mutation_does_not_flip_it_is_not_proved(known, told):
    (result,) = run(gate(need("a")), known)
    assert told in result.problem
    assert proven([result]) == frozenset()


def test_all_mutations_of_a_row_must_flip_it():
    table = gate(need("a", mutation=("a.one", "a.two")))
    known = {**mutation("a.one"), **mutation("a.two", after=Severity.OK)}
    assert proven(run(table, known)) == frozenset()


def test_rows_over_one_source_flip_together_by_right():
    table = gate(need("a", source="s", mutation=("s.x",)), need("b", source="s", mutation=("s.x",)))
    assert proven(run(table, mutation("s.x"))) == {"a", "b"}


@pytest.mark.parametrize("table", TABLES, ids=lambda one: one.name)
def test_every_mutation_that_is_registered_flips_its_row_and_no_other(table):
    known = registered()
    results = run(table, known)
    assert [one for one in results if one.mutation in known and not one.flipped] == []


@pytest.mark.parametrize("name", sorted(one.name for one in registry()))
def test_each_assessment_has_mutations_of_its_own_facts(name):
    assert any(key.partition(".")[0] == name for key in of_assessments(registry()))


@pytest.mark.parametrize("table", TABLES, ids=lambda one: one.name)
def test_every_row_over_a_check_of_this_release_is_proved(table):
    shown = proven(run(table, registered()))
    assert {one.id for one in table.requirements if one.source in MADE} <= shown


@pytest.mark.parametrize("table", TABLES, ids=lambda one: one.name)
def test_a_row_without_a_source_says_so_and_is_never_counted_as_proved(table):
    unmade = {one.id for one in table.requirements if one.source in unmade_sources()}
    results = run(table, registered())
    told = {one.requirement: one.problem for one in results if one.requirement in unmade}
    assert all(one.startswith("no source yet") for one in told.values())
    assert not unmade & proven(results)


@pytest.mark.parametrize("name", sorted(MADE))
def test_a_check_that_always_says_ok_makes_its_gate_no_go(name):
    known = registered()
    table = next(table for table in TABLES if any(one.source == name for one in table.requirements))
    (row,) = (one for one in table.requirements if one.source == name)
    table = msgspec.structs.replace(table, covers_session=False)
    deaf = {key: one._replace(after=one.before) for key, one in known.items() if one.source == name}
    shown = proven(run(table, {**known, **deaf}))
    evidence = [healthy(one.source, AT, environment="live", hashes=BINDING.hashes, cycle="c")
                for one in table.requirements]  # fmt: skip
    everything = frozenset(one.id for one in table.requirements)
    context = Context(binding=BINDING, proven=everything, cycle="c")
    assert judge(table, evidence, (), context, AT, run_id="r").answer == "GO"
    context = Context(binding=BINDING, proven=everything - {row.id} | (shown & {row.id}), cycle="c")
    verdict = judge(table, evidence, (), context, AT, run_id="r")
    assert verdict.answer == "NO-GO"
    assert [one.id for one in verdict.unmet()] == [row.id]


def test_a_check_that_is_switched_to_always_ok_is_found():
    known = registered()
    deaf = known["log_integrity.broken_chain"]._replace(after=known["log_integrity.broken_chain"].before)
    desk = GATES["desk_health"]
    assert "log_integrity" in proven(run(desk, known))
    assert "log_integrity" not in proven(run(desk, {**known, deaf.name: deaf}))


def test_the_desk_gate_is_proved_whole():
    desk = GATES["desk_health"]
    assert proven(run(desk, registered())) == {one.id for one in desk.requirements}
