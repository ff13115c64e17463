"""What gates keep is addressed by its content; a changed byte is named, and the past can be judged again."""

import gate_scene as scene
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from gate_scene import NOW, S, gate, need, report

from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.report import canonical
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.journaled import SnapshotJournal
from tradeworthy.operations.evidence.trust import TrustFile, trusted_key, with_key
from tradeworthy.operations.gates.asking import GateDoor, Inputs, Missing, again, ask, faults_of, signed_by
from tradeworthy.operations.gates.bundle import encoded
from tradeworthy.operations.gates.model import Binding, Verdict
from tradeworthy.operations.gates.named import GATES, PROMOTION, Act, gate_for
from tradeworthy.operations.gates.reading import of_report
from tradeworthy.operations.gates.store import ARTEFACTS, GateStore, MutationsRun, evidence_of
from tradeworthy.operations.gates.verify_verdict import problems_of

TABLE = gate(need("regression", age_max_s=3_600))
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
TRUST = with_key(TrustFile(), trusted_key(
    KEY.public_key().public_bytes_raw(), holder="gate", roles=("builder",), valid_from="2026-01-01T00:00:00Z",
    valid_to="2027-01-01T00:00:00Z",
))  # fmt: skip


@pytest.fixture
def clock():
    return EventClock(NOW)


@pytest.fixture
def store(tmp_path, clock):
    return GateStore(tmp_path / "gates", clock)


def record(store, clock, status=Severity.OK, source="regression"):
    told = report(status)
    evidence = of_report(told, source, run_id="r1", stamp=clock.now(), environment="paper", hashes=scene.BINDING.hashes)
    return store.record(evidence, {f"{told.name}.json": canonical(told)})


def judged(store, clock, table=TABLE, key=None, **about):
    known = store.read()
    inputs = Inputs(evidence_of(known, (), frozenset(), clock.now()))
    verdict = ask(table, inputs, scene.context(table, **about), clock.now())
    clock.advance_to(clock.now() + S)
    return store.keep(verdict, table, key), verdict


def test_evidence_comes_back_as_it_was_recorded(store, clock):
    kept = record(store, clock, Severity.WARN)
    (found,) = store.read().checks
    assert found == kept
    assert (found.status, found.recorded_at, found.artefacts[0].name) == (Severity.WARN, NOW, "regression.json")


def test_content_that_is_not_what_its_digest_says_is_refused(store, clock):
    evidence = of_report(report(), "regression", run_id="r", stamp=NOW, environment="paper", hashes={})
    for given in ({}, {"regression.json": b"other"}):
        with pytest.raises(InvalidInput, match=r"regression\.json"):
            store.record(evidence, given)
    assert store.read().checks == ()


@pytest.mark.parametrize("damage", ["edit", "remove"])
def test_an_artefact_that_was_changed_ends_the_row_and_the_verification(store, clock, damage):
    record(store, clock)
    name, verdict = judged(store, clock)
    assert verdict.answer == "GO"
    place = next((store.root / ARTEFACTS).iterdir())
    if damage == "edit":
        data = bytearray(place.read_bytes())
        data[10] ^= 1
        place.write_bytes(bytes(data))
    else:
        place.unlink()
    _, after = judged(store, clock)
    assert (after.answer, after.rows[0].standing) == ("NO-GO", "error")
    given = next(one for one in store.read().verdicts if one.verdict_id == name)
    assert any("artefact" in one for one in faults_of(store, given, ()))


def test_a_kept_verdict_judged_again_is_the_same_and_an_edited_file_is_named(store, clock):
    record(store, clock)
    name, verdict = judged(store, clock)
    record(store, clock, Severity.FAIL)
    given = store.read().newest("small")
    assert (given.verdict_id, encoded(again(store, given, ()))) == (name, encoded(verdict))
    assert faults_of(store, given, ()) == ()
    place = store.root / "small" / f"{name}.json"
    place.write_bytes(place.read_bytes().replace(b"GO", b"Go", 1))
    assert any(place.name in one for one in faults_of(store, given, ()))


def test_every_form_is_written_and_tells_the_same(store, clock):
    record(store, clock)
    name, verdict = judged(store, clock, key=KEY)
    folder = store.root / "small"
    assert {one.name for one in folder.iterdir()} == {f"{name}.{end}" for end in ("json", "md", "html", "dsse.json")}
    page, text = (folder / f"{name}.html").read_text(), (folder / f"{name}.md").read_text()
    for told in (name, verdict.bundle_id, "regression", "ends in 1 h"):
        assert told in page
        assert told in text or told.startswith("ends")
    assert "script-src" not in page
    assert "<script" not in page
    assert msgspec.json.decode((folder / f"{name}.json").read_bytes(), type=Verdict) == verdict


def test_judging_touches_no_evidence(store, clock):
    record(store, clock)
    before = {one: (one.stat().st_mtime_ns, one.read_bytes()) for one in store.root.rglob("*") if one.is_file()}
    ask(TABLE, Inputs(evidence_of(store.read(), (), frozenset(), NOW)), scene.context(TABLE), NOW)
    after = {one: (one.stat().st_mtime_ns, one.read_bytes()) for one in store.root.rglob("*") if one.is_file()}
    assert before == after


def test_a_journal_of_snapshots_that_cannot_be_read_leaves_no_row_met(store, clock, tmp_path):
    record(store, clock)
    bad = tmp_path / "assessments"
    snapshots = SnapshotJournal(bad, clock)
    for at in range(3):
        snapshots.append(f"s{at}", "regression", b'{"not": "a snapshot"}', NOW)
    snapshots.close()
    found = evidence_of(store.read(), (bad,), frozenset({"regression"}), clock.now())
    verdict = ask(TABLE, Inputs(found), scene.context(TABLE), clock.now())
    assert (verdict.answer, verdict.rows[0].standing) == ("NO-GO", "error")


def test_proofs_count_for_their_own_code_and_only_the_newest_run(store):
    store.note(MutationsRun("small", "code", ("a", "b"), ()))
    assert store.read().proven("small", "code") == {"a", "b"}
    assert store.read().proven("small", "other") == frozenset()
    assert store.read().proven("large", "code") == frozenset()
    store.note(MutationsRun("small", "code", ("a",), ("b: still met",)))
    assert store.read().proven("small", "code") == {"a"}


def test_a_signature_counts_only_by_a_trusted_key(store, clock):
    record(store, clock)
    judged(store, clock, key=KEY)
    assert signed_by(store, store.read().newest("small"), TRUST) == "gate"
    judged(store, clock, key=OTHER)
    given = store.read().newest("small")
    assert signed_by(store, given, TRUST) == ""
    assert "no trusted key signed it" in faults_of(store, given, (), TRUST)


def test_the_standard_library_alone_finds_what_is_wrong(store, clock):
    record(store, clock)
    name, _ = judged(store, clock, key=KEY)
    data = (store.root / "small" / f"{name}.dsse.json").read_bytes()
    public = KEY.public_key().public_bytes_raw()
    assert problems_of(data, public, verdict_id=name, at=NOW) == ()
    assert problems_of(data, OTHER.public_key().public_bytes_raw()) != ()
    assert problems_of(data, public, verdict_id="0" * 64) != ()
    assert problems_of(data, public, at=NOW + 3_600 * S) == ("time: the GO does not hold then",)
    assert problems_of(data, public, at=NOW - 1) != ()


def mutants(data):
    for at in range(len(data)):
        for bit in (1, 4, 32):
            yield data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
        yield data[:at] + data[at + 1 :]


@pytest.mark.parametrize("step", [97, pytest.param(1, marks=pytest.mark.proof)])
def test_every_changed_byte_of_a_signed_verdict_is_found(store, clock, step):
    record(store, clock)
    name, _ = judged(store, clock, key=KEY)
    data = (store.root / "small" / f"{name}.dsse.json").read_bytes()
    public = KEY.public_key().public_bytes_raw()
    some = list(mutants(data))[::step]
    assert len(some) > (5_000 if step == 1 else 50)
    assert [one for one in some if not problems_of(one, public, verdict_id=name)] == []


def desk_binding(**rest):
    return msgspec.structs.replace(scene.BINDING, **rest)


def give(store, clock, *, key=KEY, binding=scene.BINDING, go=True):
    """Keep a verdict of gate promotion over a table of one row, as its table alone does not matter here."""
    table = msgspec.structs.replace(TABLE, name=PROMOTION.name)
    record(store, clock, Severity.OK if go else Severity.FAIL)
    verdict = ask(
        table, Inputs(evidence_of(store.read(), (), frozenset(), clock.now())),
        scene.context(table, binding=binding), clock.now(),
    )  # fmt: skip
    return store.keep(verdict, table, key)


def asked(store, at=NOW, binding=scene.BINDING, act=Act.CAPITAL_STEP, **rest):
    found = GateDoor(store, trust=TRUST, **rest).verdict_for(act, binding, at)
    noted = store.read().answers[-1][1]
    assert noted.allowed == (not isinstance(found, Missing))
    assert (noted.act, noted.release, noted.tier) == (act, binding.release, binding.tier)
    if isinstance(found, Missing):
        assert (noted.code, noted.reason, noted.verdict_id) == (found.code, found.reason, found.verdict_id)
        assert noted.reason
    return found


def test_the_runtime_is_let_through_by_a_living_signed_verdict_for_this_very_use(store, clock):
    give(store, clock)
    assert asked(store).answer == "GO"
    assert asked(store, NOW + 3_600 * S - 1).answer == "GO"


def test_the_runtime_is_refused_without_a_verdict(store):
    assert asked(store).code == "absent"


@pytest.mark.parametrize("binding", [
    desk_binding(release="1.1"), desk_binding(environment="live"), desk_binding(scope="one"),
    desk_binding(hashes={**scene.BINDING.hashes, "limits": "x" * 64}),
], ids=["release", "environment", "scope", "limits"])  # fmt: skip
def test_a_verdict_for_another_use_is_refused(store, clock, binding):
    give(store, clock)
    assert asked(store, binding=binding).code == "other"


def test_a_verdict_ends_by_its_time_by_newer_evidence_and_by_a_newer_verdict(store, clock):
    give(store, clock)
    assert asked(store, NOW + 3_600 * S).code == "expired"
    assert asked(store, NOW - 1).code == "expired"
    assert asked(store, judge_now=lambda gate, binding, at: judged_bad(gate, at)).code == "lapsed"
    clock.advance_to(NOW + S)
    give(store, clock, go=False)
    assert asked(store, NOW + 2 * S).code == "no_go"


def judged_bad(table, at):
    return ask(table, Inputs(()), scene.context(table), at)


def test_an_unsigned_verdict_and_a_damaged_store_let_nothing_through(store, clock):
    give(store, clock, key=None)
    assert asked(store).code == "unsigned"
    journal = next((store.root / "journal").glob("journal-*"))
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 1
    journal.write_bytes(bytes(data))
    with pytest.raises(Exception):  # noqa: B017 - the refusal cannot be journaled there, which stops the asker too
        GateDoor(store, trust=TRUST).verdict_for(Act.GO_LIVE, scene.BINDING, NOW)


@pytest.mark.parametrize("act", list(Act))
def test_money_is_let_through_by_the_live_gate_alone(act):
    assert gate_for(act, "pilot").name == "live"
    assert gate_for(act, "paper").name == ("live" if act is Act.GO_LIVE else "promotion")
    assert "live" in GATES


def test_no_act_that_makes_safer_is_ever_asked_for():
    assert not {"reduce", "cancel", "stop", "kill"} & {one.value for one in Act}
    assert isinstance(scene.BINDING, Binding)
