"""The desk's approvals: whose keys count, one use over any number of processes, every reason told."""

import pytest
from trusted import NOW, SECOND, by, key, pack, trust_of, trusting

from tradeworthy.app.people.approvals import ApprovalBook, TrustedPeople, people_of, read_signed
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.dsse import key_id_of
from tradeworthy.kernel.errors import ConfigurationRefused, InvalidInput, UsageError
from tradeworthy.trading.control.approvals import Act, Approval, ApprovalRefused, ApprovalUsed
from tradeworthy.trading.control.policy import USUAL, PeoplePolicy


@pytest.fixture
def state(tmp_path):
    return trusting(tmp_path / "state")


def book(state, *, now=NOW, policy=USUAL):
    return ApprovalBook(state, desk="made", clock=EventClock(now), policy=policy)


def id_of(number):
    return key_id_of(key(number).public_key().public_bytes_raw())


def test_a_pack_is_used_once_also_after_a_restart(state):
    held = by(pack(), 1, 2)
    assert isinstance(book(state).use(held, Act.RESUME), Approval)
    again = book(state).use(held, Act.RESUME)
    assert isinstance(again, ApprovalRefused)
    assert "used already" in again.faults[0]
    assert [type(event.payload) for event in book(state).events()] == [ApprovalUsed, ApprovalRefused]


def test_judging_uses_nothing_up(state):
    held = by(pack(), 1, 2)
    for _ in range(2):
        assert isinstance(book(state).judge(held, Act.RESUME), Approval)
    assert book(state).events() == []


def test_people_are_those_of_the_trust_file_and_a_machine_is_nobody():
    people = TrustedPeople(trust_of())
    assert people.principal(id_of(1), NOW).holder == "ann"
    assert people.principal(id_of(9), NOW) is None
    assert people.principal(id_of(8), NOW) is None
    assert people.principal(id_of(1), 2_300_000_000 * SECOND) is None


def test_a_desk_without_a_trust_file_can_be_rearmed_by_nobody_and_says_so(tmp_path):
    found = book(tmp_path / "state").judge(by(pack(), 1, 2), Act.RESUME)
    assert "expected a trust file" in found.faults[0]


def test_another_trust_file_than_the_pinned_one_counts_for_nobody(state):
    pinned = PeoplePolicy(trust_sha256=trust_of().fingerprint())
    assert isinstance(book(state, policy=pinned).judge(by(pack(), 1, 2), Act.RESUME), Approval)
    other = PeoplePolicy(trust_sha256="0" * 64)
    assert "pinned" in book(state, policy=other).judge(by(pack(), 1, 2), Act.RESUME).faults[0]
    with pytest.raises(ConfigurationRefused, match="pinned"):
        people_of(state, other)


@pytest.mark.parametrize("act", [Act.GOING_LIVE, Act.TIER_CHANGE, Act.LIMIT_LOOSENED, Act.LEDGER_REPAIR, Act.BASELINE])
def test_each_act_is_refused_without_a_pack_and_with_one_for_something_else(state, act):
    with pytest.raises(ConfigurationRefused, match="needs an approval pack"):
        book(state).require(None, act, subject="release-1")
    proposed = pack(act, proposer=id_of(3), subject="release-2")
    with pytest.raises(ConfigurationRefused, match="release-2"):
        book(state).require(by(proposed, 1, 2, 3), act, subject="release-1")


def test_an_act_with_its_pack_stands_once(state):
    held = by(pack(Act.LIMIT_LOOSENED, proposer=id_of(3), subject="risk.max_position"), 1, 2, 3)
    assert book(state).require(held, Act.LIMIT_LOOSENED, subject="risk.max_position").holders == ("ann", "bob")
    with pytest.raises(ConfigurationRefused, match="used already"):
        book(state).require(held, Act.LIMIT_LOOSENED, subject="risk.max_position")


def test_a_packs_file_is_read_back_and_anything_else_is_refused(tmp_path):
    file = tmp_path / "pack.json"
    with pytest.raises(UsageError, match="cannot read"):
        read_signed(file)
    file.write_bytes(by(pack(), 1).encoded())
    assert read_signed(file) == by(pack(), 1)
    file.write_bytes(b"{}")
    with pytest.raises(InvalidInput, match="approval pack"):
        read_signed(file)
