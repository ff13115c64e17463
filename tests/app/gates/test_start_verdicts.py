"""What a start asks before it goes live or to a higher tier: the gate beside the runs, and the certificate (GE-09)."""

import pytest
from live_documents import LIVE, parsed
from trusted import Says

from tradeworthy.app import identity
from tradeworthy.app.gates.desk_gates import GATES_FOLDER, AllVerdicts, Gates, binding_of, verdicts_for
from tradeworthy.app.gates.verdicts import GateAnswer, ask_of
from tradeworthy.kernel.clock import EventClock
from tradeworthy.operations.gates.named import Act, gate_named
from tradeworthy.operations.gates.store import GateStore

CLOCK = EventClock(1_700_000_000_000_000_000)


def asked(document, runs, act=Act.GO_LIVE):
    ask = ask_of(document, tier="tier_0", code=identity.code_hash())
    return verdicts_for(document, runs, CLOCK, act=act).answer(ask)


@pytest.mark.parametrize(("act", "gate"), [(Act.GO_LIVE, "live"), (Act.CHANGE_TIER, "promotion")])
def test_without_a_verdict_the_gate_and_its_place_are_named_and_nothing_is_written(tmp_path, act, gate):
    found = asked(parsed(LIVE), tmp_path, act)
    assert not found.go
    assert f"gate {gate} " in found.why
    assert str(tmp_path / GATES_FOLDER) in found.why
    assert list(tmp_path.iterdir()) == []


def test_a_no_go_beside_the_runs_is_told_row_by_row_and_the_question_is_kept(tmp_path):
    document, live = parsed(LIVE), gate_named("live")
    store = GateStore(tmp_path / GATES_FOLDER, CLOCK)
    gates = Gates(store, binding_of(document, code=identity.code_hash(), tier="paper"), CLOCK)
    verdict = gates.judge(live)
    store.keep(verdict, live)
    found = asked(document, tmp_path)
    assert not found.go
    assert all(row.id in found.why for row in verdict.unmet())
    (_, question), = store.read().answers
    assert (question.act, question.allowed, question.code) == (Act.GO_LIVE, False, "no_go")


def test_a_verdict_for_another_tier_of_money_does_not_count(tmp_path):
    document, live = parsed(LIVE), gate_named("live")
    store = GateStore(tmp_path / GATES_FOLDER, CLOCK)
    gates = Gates(store, binding_of(document, code=identity.code_hash(), tier="canary"), CLOCK)
    store.keep(gates.judge(live), live)
    assert "tier" in asked(document, tmp_path).why


@pytest.mark.parametrize(("says", "go", "why"), [
    ((), False, ""), ((Says(True),), True, ""), ((Says(True), Says(False, "a")), False, "a"),
    ((Says(False, "a"), Says(False, "b")), False, "a; b"), ((Says(True), Says(True)), True, ""),
])  # fmt: skip
def test_all_must_say_go_and_every_reason_is_told(says, go, why):
    assert AllVerdicts(says).answer(None) == GateAnswer(go, why)
