"""More risk asks the gate: what is refused is journaled, a signed GO lets it through, and paper has no gate to ask."""

import msgspec
import pytest
from live_documents import LIVE, PAPER, parsed
from trusted import key, trusting

from tradeworthy.app import identity
from tradeworthy.app.gates.acts import gate_fault, governed
from tradeworthy.app.gates.desk_gates import GATES_FOLDER, Gates, binding_of
from tradeworthy.app.runs.folder import state_of
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.operations.gates.model import Answer
from tradeworthy.operations.gates.named import Act, gate_named
from tradeworthy.operations.gates.reading import healthy
from tradeworthy.operations.gates.store import GateStore, MutationsRun

NOW = 1_800_000_000 * NANOS_PER_SECOND
CODE = "c" * 64
ACTS = (Act.CLEAR_STOPPED, Act.LOOSEN_LIMIT, Act.ADD_INSTANCE, Act.CAPITAL_STEP)


@pytest.fixture(autouse=True)
def one_release(monkeypatch):
    monkeypatch.setattr(identity, "code_hash", lambda package=None: CODE)


def go(runs, document, *, signer=9):
    """Keep a GO of gate promotion for a document, over evidence that is all good."""
    clock, gate = EventClock(NOW), gate_named("promotion")
    store = GateStore(runs / GATES_FOLDER, clock)
    gates = Gates(store, binding_of(document, code=CODE, tier="paper"), clock)
    store.note(MutationsRun(gate.name, CODE, tuple(one.id for one in gate.requirements), ()))
    for name in {one.source for one in gate.requirements}:
        store.record(healthy(name, NOW, environment="live", hashes=gates.binding.hashes, cycle="one"))
    verdict = gates.judge(gate, cycle="one")
    assert verdict.answer is Answer.GO, verdict.unmet()
    store.keep(verdict, gate, None if signer is None else key(signer))
    return store


def asked(document, runs, act=Act.CLEAR_STOPPED, *, at=NOW, **more):
    return gate_fault(document, act, "it", runs=runs, clock=EventClock(at), **more)


@pytest.mark.parametrize("act", ACTS)
def test_without_a_verdict_every_act_is_refused_and_the_question_journaled(tmp_path, act):
    found = asked(parsed(LIVE), tmp_path, act)
    assert found.startswith(f"{act.value} needs the gate's GO: gate promotion, absent")
    (answer,) = [one for _, one in GateStore(tmp_path / GATES_FOLDER, EventClock(NOW)).read().answers]
    assert (answer.act, answer.subject, answer.allowed, answer.code) == (act.value, "it", False, "absent")


@pytest.mark.parametrize("act", ACTS)
def test_a_signed_go_of_this_very_document_lets_an_act_be_done(tmp_path, act):
    document = parsed(LIVE)
    trusting(state_of(tmp_path, "made"))
    store = go(tmp_path, document)
    assert asked(document, tmp_path, act) == ""
    (answer,) = [one for _, one in store.read().answers]
    assert (answer.act, answer.allowed, answer.verdict_id) == (act.value, True, store.read().verdicts[-1].verdict_id)


@pytest.mark.parametrize("again", [True, False])
def test_a_verdict_of_another_document_an_ended_and_an_unsigned_one_let_nothing_be_done(tmp_path, again):
    document = parsed(LIVE)
    trusting(state_of(tmp_path, "made"))
    go(tmp_path, document)
    assert "other" in asked(parsed({**LIVE, "cap": "99"}), tmp_path, again=again)
    assert "expired" in asked(document, tmp_path, at=NOW + 3_600 * NANOS_PER_SECOND, again=again)
    go(tmp_path / "second", document, signer=None)
    assert "no trust file says whose signatures count" in asked(document, tmp_path / "second", again=again)
    trusting(state_of(tmp_path / "second", "made"))
    assert "no trusted key signed the verdict" in asked(document, tmp_path / "second", again=again)
    go(tmp_path / "third", document, signer=1)  # a person's key is no machine's
    trusting(state_of(tmp_path / "third", "made"))
    assert "no trusted key signed the verdict" in asked(document, tmp_path / "third", again=again)


def test_a_gates_folder_that_cannot_be_read_is_no_go(tmp_path):
    go(tmp_path, parsed(LIVE))
    (segment, *_) = sorted((tmp_path / GATES_FOLDER / "journal").glob("journal-*"))
    segment.write_bytes(segment.read_bytes().replace(b"gate.", b"gale.", 3))
    assert asked(parsed(LIVE), tmp_path)


def test_paper_has_no_gate_and_nothing_is_written_for_it(tmp_path):
    paper = parsed(PAPER, environment="paper")
    assert [asked(paper, tmp_path, act) for act in ACTS] == [""] * len(ACTS)
    assert list(tmp_path.iterdir()) == []
    assert "gate live, absent" in asked(paper, tmp_path, Act.CAPITAL_STEP, tier="canary")


@pytest.mark.parametrize(("document", "asks"), [
    (parsed(PAPER, environment="paper"), False), (parsed(LIVE), True), (parsed(LIVE, environment="backtest"), True),
    (msgspec.structs.replace(parsed(PAPER, environment="paper"), runtime={"judging": {"money": "canary"}}), True),
])  # fmt: skip
def test_a_desk_asks_where_money_is(document, asks):
    assert governed(document) is asks
