"""A change that widens live risk needs two people and a new gate run; what is not approved does not start."""

import msgspec
import pytest
from live_documents import LIVE, MAIN, PAPER, parsed
from trusted import GO, Says, key, trusting

from tradeworthy.app.configuration.change_control import (
    CHANGES,
    ChangeRefused,
    act_of,
    approve,
    approve_signed,
    changes_of,
    diff_of,
    pack_of,
    propose,
    require_approved,
    widens,
)
from tradeworthy.app.gates import acts as gate_acts
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.cli.main import call
from tradeworthy.kernel import redaction
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.verify import verify
from tradeworthy.operations.gates.store import GateStore
from tradeworthy.trading.control.approvals import Act, Approval, Principal

CLOCK = EventClock(1_700_000_000_000_000_000)
RISK = Principal("k1", "ann", ("risk",), b"")
OPERATIONS = Principal("k2", "bob", ("operations",), b"")


def live(risk=None, **changes):
    return parsed({**LIVE, **changes}, risk=risk or {})


def with_runtime(**keys):
    return msgspec.structs.replace(live(), runtime=keys)


def gate(tmp_path, text="first"):
    path = tmp_path / f"{text}.json"
    path.write_text(text)
    return path


def stood_for(directory, proposal, tmp_path, text, people=(RISK, OPERATIONS), act=None):
    found = pack_of(proposal, desk="made", proposer="k9", now=1)
    if act is not None:
        found = msgspec.structs.replace(found, act=act)
    approval = Approval(found, found.digest(), people)
    return approve_signed(directory, approval, gate_run=gate(tmp_path, text), clock=CLOCK, verdicts=GO)


def approved(directory, document, tmp_path, text):
    found = propose(directory, document, person="Ann", reason="start", clock=CLOCK)
    stood_for(directory, found, tmp_path, text)
    return found


def test_a_live_document_starts_only_when_two_people_stand_for_it(tmp_path):
    directory, document = tmp_path / "changes", live()
    with pytest.raises(ConfigurationRefused, match="approved is nothing"):
        require_approved(document, directory)
    found = propose(directory, document, person="Ann", reason="start", clock=CLOCK)
    assert found.widens
    assert act_of(found) is Act.GOING_LIVE
    with pytest.raises(ConfigurationRefused, match="not approved"):
        require_approved(document, directory)
    told = stood_for(directory, found, tmp_path, "first")
    assert (told.people, told.key_ids, told.roles) == (("ann", "bob"), ("k1", "k2"), ("risk", "operations"))
    require_approved(document, directory)
    with pytest.raises(ConfigurationRefused, match="not approved"):
        require_approved(live(cap="99"), directory)
    assert verify(directory).ok


def test_a_live_environment_without_live_instances_needs_approval_too(tmp_path):
    silent = parsed({**LIVE, "enabled": False, "mode": "", "duty": "", "account": "", "cap": None})
    with pytest.raises(ConfigurationRefused, match="not approved"):
        require_approved(silent, tmp_path / "changes")


def test_the_runner_refuses_an_unapproved_hash_before_anything_else(tmp_path):
    with pytest.raises(ConfigurationRefused, match="not approved"):
        RunSession(live(), root=tmp_path)


@pytest.mark.parametrize(
    ("before", "after", "act"),
    [
        (live(cap="50"), live(cap="51"), Act.LIMIT_LOOSENED), (live(cap="50"), live(cap="49"), None),
        (live({"per_trade": "0.01"}), live({"per_trade": "0.015"}), Act.LIMIT_LOOSENED),
        (live(), live(policy={"lots": 1}), None),
        (live(), with_runtime(tier="tier_2"), Act.TIER_CHANGE),
        (live(), with_runtime(confirm_live=True), Act.GOING_LIVE),
        (live(), parsed(LIVE, accounts=[{**MAIN, "credentials": "secret://other"}]), Act.CONFIGURATION),
    ],
)  # fmt: skip
def test_a_grave_change_is_approved_by_the_pack_of_its_act(tmp_path, before, after, act):
    directory = tmp_path / "changes"
    approved(directory, before, tmp_path, "first")
    found = propose(directory, after, person="Ann", reason="more", clock=CLOCK)
    assert act_of(found) is act
    if act is None:
        return
    with pytest.raises(ConfigurationRefused, match=f"expected a pack for {act.value}, found the name"):
        approve(directory, found.config_hash, person="Bob", gate_run=gate(tmp_path, "x"), clock=CLOCK)
    with pytest.raises(ConfigurationRefused, match=f"expected a pack for {act.value}, found one for waiver"):
        stood_for(directory, found, tmp_path, "x", act=Act.WAIVER)
    with pytest.raises(ConfigurationRefused, match="not approved"):
        require_approved(after, directory)
    stood_for(directory, found, tmp_path, "second")
    require_approved(after, directory)


def test_a_loosened_limit_needs_risk_among_the_people(tmp_path):
    directory = tmp_path / "changes"
    approved(directory, live(cap="50"), tmp_path, "first")
    found = propose(directory, live(cap="51"), person="Ann", reason="more", clock=CLOCK)
    assert found.loosens == ("instances[quoter].cap",)
    other = Principal("k3", "carol", ("compliance",), b"")
    with pytest.raises(ConfigurationRefused, match="role risk among the people, found operations, compliance"):
        stood_for(directory, found, tmp_path, "second", people=(OPERATIONS, other))
    with pytest.raises(ConfigurationRefused, match="two people"):
        stood_for(directory, found, tmp_path, "third", people=(RISK,))


def test_paper_needs_no_approval(tmp_path):
    require_approved(parsed(PAPER, environment="paper"), tmp_path)


def busier():
    return live(policy={"lots": 1_000})


@pytest.mark.parametrize("person", ["Ann", " ann ", "", "  "])
def test_one_person_alone_cannot_widen(tmp_path, person):
    directory = tmp_path / "changes"
    approved(directory, live(), tmp_path, "first")
    found = propose(directory, busier(), person="Ann", reason="more", clock=CLOCK)
    with pytest.raises(ConfigurationRefused, match="two people"):
        approve(directory, found.config_hash, person=person, gate_run=gate(tmp_path, "second"), clock=CLOCK)


def test_a_gate_run_stands_for_one_change_only(tmp_path):
    directory = tmp_path / "changes"
    approved(directory, live(), tmp_path, "first")
    wider = propose(directory, busier(), person="Ann", reason="more", clock=CLOCK)
    with pytest.raises(ConfigurationRefused, match="new gate run"):
        approve(directory, wider.config_hash, person="Bob", gate_run=gate(tmp_path, "first"), clock=CLOCK)
    with pytest.raises(UsageError, match="cannot read"):
        approve(directory, wider.config_hash, person="Bob", gate_run=tmp_path / "none", clock=CLOCK)
    approve(directory, wider.config_hash, person="Bob", gate_run=gate(tmp_path, "second"), clock=CLOCK, verdicts=GO)
    assert changes_of(directory).approved.people == ("Ann", "Bob")


def test_a_change_that_narrows_is_one_persons_act(tmp_path):
    directory = tmp_path / "changes"
    approved(directory, live(cap="50"), tmp_path, "first")
    found = propose(directory, live(cap="40"), person="Ann", reason="less", clock=CLOCK)
    assert found.widens == ()
    assert found.diff == ('instances[quoter].cap: "50" -> "40"',)
    require_approved(live(cap="40"), directory)
    with pytest.raises(ConfigurationRefused):
        require_approved(live(cap="50"), directory)


def test_a_proposal_that_another_change_overtook_must_be_read_again(tmp_path):
    directory = tmp_path / "changes"
    first = propose(directory, live(cap="50"), person="Ann", reason="a", clock=CLOCK)
    second = propose(directory, live(cap="60"), person="Ann", reason="b", clock=CLOCK)
    stood_for(directory, second, tmp_path, "b")
    with pytest.raises(ConfigurationRefused, match="propose again"):
        stood_for(directory, first, tmp_path, "a")


@pytest.mark.parametrize(("after", "acts"), [
    (live(cap="51"), ("loosen_limit",)),
    (parsed({**LIVE, "cap": "50"}, {**LIVE, "id": "second", "cap": "1"}), ("add_instance",)),
    (parsed({**LIVE, "cap": "51"}, {**LIVE, "id": "second", "cap": "1"}), ("loosen_limit", "add_instance")),
])  # fmt: skip
def test_more_risk_needs_the_gates_go_and_a_refusal_is_journaled(tmp_path, after, acts):
    directory = tmp_path / "runs" / "state" / "made" / CHANGES
    approved(directory, live(cap="50"), tmp_path, "first")
    found = propose(directory, after, person="Ann", reason="more", clock=CLOCK)
    pack = pack_of(found, desk="made", proposer="k9", now=1)
    approval = Approval(pack, pack.digest(), (RISK, OPERATIONS))
    no = Says(False, "restore_proof stale")
    with pytest.raises(ConfigurationRefused, match="needs the gate's GO: restore_proof stale"):
        approve_signed(directory, approval, gate_run=gate(tmp_path, "second"), clock=CLOCK, verdicts=no)
    (refused,) = [event.payload for event in read(directory) if isinstance(event.payload, ChangeRefused)]
    assert tuple(one.split()[0] for one in refused.reasons) == acts
    assert refused.people == ("ann", "bob")
    assert {ask.hashes["config"] for ask in no.asked} == {after.hash()}
    with pytest.raises(ConfigurationRefused, match="gate promotion, absent"):
        approve_signed(directory, approval, gate_run=gate(tmp_path, "second"), clock=CLOCK)
    assert changes_of(directory).approved.config_hash == live(cap="50").hash()
    answers = [one for _, one in GateStore(tmp_path / "runs" / "gates", CLOCK).read().answers]
    assert [(one.act, one.allowed, one.code) for one in answers] == [(act, False, "absent") for act in acts]
    assert {one.subject for one in answers} == {f"configuration {after.hash()}"}


def test_a_tighter_limit_and_an_instance_that_leaves_ask_no_gate(tmp_path):
    directory, no = tmp_path / CHANGES, Says(False, "nothing is let through")
    approved(directory, live(cap="50"), tmp_path, "first")
    document = with_runtime(tier="tier_2")
    document = msgspec.structs.replace(live(cap="40"), runtime=document.runtime)
    found = propose(directory, document, person="Ann", reason="less", clock=CLOCK)
    approval = Approval(pack_of(found, desk="made", proposer="k9", now=1), "d", (RISK, OPERATIONS))
    approve_signed(directory, approval, gate_run=gate(tmp_path, "second"), clock=CLOCK, verdicts=no)
    assert no.asked == []


def test_an_unknown_hash_or_a_nameless_wish_could_not_be_judged(tmp_path):
    with pytest.raises(UsageError, match="no change"):
        approve(tmp_path / "changes", "f" * 64, person="Bob", gate_run=gate(tmp_path), clock=CLOCK)
    with pytest.raises(UsageError, match="a person and a reason"):
        propose(tmp_path / "changes", live(), person=" ", reason="x", clock=CLOCK)


def plain(document):
    return msgspec.json.decode(document.canonical())


@pytest.mark.parametrize(
    ("before", "after", "wider"),
    [
        (live(cap="50"), live(cap="51"), True), (live(cap="50"), live(cap="49"), False),
        (live({"per_trade": "0.01"}), live({"per_trade": "0.015"}), True),
        (live({"per_trade": "0.01"}), live({"per_trade": "0.005"}), False),
        (live({"per_trade": "0.01"}), live(), True), (live(), live({"per_trade": "0.005"}), False),
        (live({"stop_distance_min": "0.01"}), live({"stop_distance_min": "0.005"}), True),
        (live(), live(mode="live_notrade", duty=""), True), (live(duty=""), live(mode="live_notrade", duty=""), False),
        (live(mode="live_notrade", duty=""), live(duty=""), True),
        (live(), live(policy={"lots": 1}), True), (live(), live(enabled=False, account=""), False),
        (live(), parsed(LIVE, {**LIVE, "id": "second"}), True),
        (parsed(PAPER, environment="paper"), parsed(PAPER, environment="paper", risk={"per_trade": "0.02"}), False),
        (live(), parsed(LIVE, accounts=[{**MAIN, "credentials": "secret://other"}]), True),
    ],
)  # fmt: skip
def test_what_is_not_known_to_narrow_widens(before, after, wider):
    assert bool(widens(plain(before), plain(after))) is wider


def test_the_diff_names_every_value_and_no_secret(tmp_path):
    redaction.register("hunter2-canary")
    document = parsed(LIVE, journal={"witness": "hunter2-canary"})
    found = propose(tmp_path / "changes", document, person="Ann", reason="hunter2-canary", clock=CLOCK)
    assert any("instances[quoter].cap" in line for line in found.diff)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "changes").glob("*"))
    assert b"hunter2-canary" not in stored
    assert b"hunter2-canary" not in repr(found).encode()
    assert diff_of({"a": [1, 2]}, {"a": [1, 3]}) == ("a[1]: 2 -> 3",)


DESK = """schema = "desk@1"
catalogue = "approved.toml"
[desk]
name = "made"
environment = "live"
[[accounts]]
id = "main"
venue = "DEMO"
credentials = "secret://main_key"
[[tapes]]
name = "made"
format = "demo"
instrument = "EURUSD.DEMO"
[[instances]]
id = "quoter"
strategy = "touch_quoter"
instrument = "EURUSD.DEMO"
mode = "live_microcap"
account = "main"
cap = "100"
"""


def test_the_verbs_propose_approve_and_refuse(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(gate_acts, "verdicts_for", lambda *words, **more: GO)
    path, pack, runs = tmp_path / "desk.toml", tmp_path / "pack.json", ["--runs", str(tmp_path / "runs")]
    path.write_text(DESK)
    trusting(tmp_path / "runs" / "state" / "made")
    keys = {number: tmp_path / f"{number}.key" for number in (1, 2, 3)}
    for number, place in keys.items():
        place.write_text(key(number).private_bytes_raw().hex())
    assert call(["config", "diff", str(path), *runs]) == 1
    assert call(["run", str(path), *runs]) == 2
    assert "not approved" in " ".join("".join(capsys.readouterr()).split())
    words = ["config", "propose", str(path), "--person", "carol", "--reason", "start", *runs]
    assert call([*words, "--key", str(keys[3])]) == 3
    assert call([*words, "--key", str(keys[3]), "--write", str(pack)]) == 1
    told = capsys.readouterr().out
    assert "approved by a pack for going_live, signed by operations and risk" in told
    digest = told.split()[1].rstrip(":")
    words = ["config", "approve", "made", digest, "--gate-run", str(gate(tmp_path)), *runs]
    assert call(words) == 3
    assert call([*words, "--person", "Bob"]) == 2
    assert "expected a pack for going_live" in " ".join(capsys.readouterr().err.split())
    assert call([*words, "--pack", str(pack)]) == 2
    assert "going_live needs operations and risk" in " ".join(capsys.readouterr().err.split())
    assert call(["approve", str(pack), "--key", str(keys[1]), *runs]) == 1
    assert call(["approve", str(pack), "--key", str(keys[2]), *runs]) == 0
    assert call([*words, "--pack", str(pack)]) == 0
    assert "by bob and ann" in capsys.readouterr().out
    assert call([*words, "--pack", str(pack)]) == 2
    assert call(["config", "diff", str(path), *runs]) == 0
    path.write_text(DESK.replace('cap = "100"', 'cap = "101"'))
    assert call(["config", "diff", str(path), *runs]) == 2
