"""APR-01 to APR-04: a pack counts once, in time, by the keys of enough distinct people and of nobody else."""

import base64

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from signers import ANN, NOW, SECOND, TEAM, by, key, pack, person, public

from tradeworthy.kernel.dsse import key_id_of
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.control.approvals import (
    DRAFTED_BY_DESK,
    REQUIRED,
    Act,
    Approval,
    ApprovalPolicy,
    ApprovalRefused,
    Signature,
    SignedPack,
    draft,
    expiry_of,
    judge,
    nonces_of,
    read_pack,
    seated,
    used_of,
)


def judged(held, *, now=NOW, act=Act.RESUME, desk="small", used=(), people=TEAM):
    return judge(held, desk=desk, act=act, now=now, principals=people, used=used)


def faults(held, **odd):
    found = judged(held, **odd)
    assert isinstance(found, ApprovalRefused)
    return "; ".join(found.faults)


def test_two_people_over_the_same_content_approve_and_are_named_by_their_keys():
    found = judged(by(pack(), 1, 2))
    assert isinstance(found, Approval)
    assert found.holders == ("ann", "bob")


@pytest.mark.parametrize("numbers", [(), (1,), (1, 1), (1, 4), (9, 8)])
def test_nobody_one_person_one_key_twice_two_keys_of_one_and_strangers_do_not(numbers):
    assert "needs person and person" in faults(by(pack(), *numbers))


def test_a_signature_copied_under_the_same_key_counts_once():
    held = by(pack(), 1)
    twice = SignedPack(held.pack, held.signatures * 2)
    assert "signed twice" in faults(twice)


def test_a_signature_of_another_pack_or_another_kind_of_message_does_not_hold():
    other = by(pack(reason="other"), 1, 2)
    assert "does not hold" in faults(SignedPack(pack(), other.signatures))
    bare = Signature(ANN.key_id, base64.b64encode(key(1).sign(pack().digest().encode())).decode())
    assert "does not hold" in faults(SignedPack(pack(), (bare, *by(pack(), 2).signatures)))


@given(st.sampled_from(["desk", "subject", "reason", "nonce", "details", "proposed_at", "expires_at", "window_end"]))
def test_every_field_is_under_the_signatures(field):
    held = by(pack(), 1, 2)
    value = getattr(held.pack, field)
    changed = {"x": "y"} if isinstance(value, dict) else value + 1 if isinstance(value, int) else value + "x"
    altered = SignedPack(msgspec.structs.replace(held.pack, **{field: changed}), held.signatures)
    assert "does not hold" in faults(altered, desk=altered.pack.desk)


@example(-6)
@example(-5)
@example(3_604)
@example(3_605)
@given(st.integers(-7_200, 7_200))
def test_a_pack_is_valid_from_its_proposal_to_its_expiry_give_or_take_the_skew(seconds):
    found = judged(by(pack(), 1, 2), now=NOW + seconds * SECOND)
    assert isinstance(found, Approval) == (-5 <= seconds < 3_605)


def test_a_pack_of_a_quarter_past_nine_is_valid_at_nine_thirty_one():
    assert isinstance(judged(by(pack(), 1, 2), now=NOW + 16 * 60 * SECOND), Approval)


def test_a_pack_for_a_later_window_lives_to_its_end_and_not_longer():
    end = NOW + 9_000 * SECOND
    held = by(pack(window_end=end), 1, 2)
    assert isinstance(judged(held, now=end - 1), Approval)
    assert "expired" in faults(held, now=end + 5 * SECOND)
    longer = msgspec.structs.replace(held.pack, expires_at=end + 1)
    assert "lives" in faults(by(longer, 1, 2))
    assert "execution window" in faults(by(pack(window_end=NOW + 86_401 * SECOND), 1, 2))


def test_a_missing_expiry_is_expired_and_an_unreadable_one_is_no_pack():
    assert "names no expiry" in faults(by(msgspec.structs.replace(pack(), expires_at=None), 1, 2))
    text = by(pack(), 1, 2).encoded().replace(str(pack().expires_at).encode(), b'"soon"')
    with pytest.raises(InvalidInput, match="approval pack"):
        read_pack(text)


def test_a_used_nonce_is_refused_and_the_fold_finds_it():
    found = judged(by(pack(), 1, 2))
    used = nonces_of([used_of(found)])
    assert "used already" in faults(by(pack(), 1, 2), used=used)


def test_two_packs_of_the_same_content_have_different_nonces():
    assert pack().nonce != pack(now=NOW + 1).nonce


def test_a_pack_of_another_desk_act_or_schema_is_refused_with_all_that_is_wrong():
    held = by(msgspec.structs.replace(pack(), schema="approval@2", reason=" "), 1)
    assert len(judged(held, desk="big", act=Act.BREAK_GLASS).faults) == 5


@pytest.mark.parametrize("act", [one for one in Act if one not in DRAFTED_BY_DESK])
def test_who_proposes_signs_the_proposal_and_approves_nothing(act):
    people = [person(number, f"p{number}", "risk", "operations") for number in (1, 2, 3)]
    team = type(TEAM)(*people)
    proposed = pack(act, proposer=people[0].key_id)
    assert "must sign what he proposes" in faults(by(proposed, 2, 3), act=act, people=team)
    assert "another person" in faults(by(proposed, 1, 2), act=act, people=team)
    assert judged(by(proposed, 1, 2, 3), act=act, people=team).holders == ("p2", "p3")
    assert "needs a person as proposer" in faults(by(pack(act), 2, 3), act=act, people=team)


def test_the_proposers_other_key_is_still_the_proposer():
    proposed = pack(Act.LEDGER_REPAIR, proposer=ANN.key_id)
    assert "another person" in faults(by(proposed, 1, 4, 2), act=Act.LEDGER_REPAIR)


@pytest.mark.parametrize("act", list(Act))
def test_each_act_is_refused_without_signatures(act):
    assert len(REQUIRED[act]) == (1 if act is Act.BREAK_GLASS_REVIEW else 2)
    assert f"{act.value} needs" in faults(SignedPack(pack(act)), act=act)


def test_a_role_is_the_keys_and_a_typed_one_is_refused():
    assert "break_glass needs risk and person" in faults(by(pack(Act.BREAK_GLASS), 2, 3), act=Act.BREAK_GLASS)
    assert judged(by(pack(Act.BREAK_GLASS), 3, 1), act=Act.BREAK_GLASS).holders == ("ann", "carol")
    text = by(pack(), 1, 2).encoded().replace(b'"keyid"', b'"role":"risk","keyid"', 1)
    with pytest.raises(InvalidInput, match="role"):
        read_pack(text)


def test_a_key_that_ended_signs_no_more():
    people = type(TEAM)(ANN, person(2, "bob"), until=NOW)
    assert "no person's key" in faults(by(pack(), 1, 2), people=people)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sets(st.sampled_from(["risk", "operations"]))), max_size=5),
       st.lists(st.sampled_from(["risk", "operations", "person"]), min_size=1, max_size=3))  # fmt: skip
def test_slots_are_filled_by_distinct_people_whenever_that_is_possible(people, slots):
    principals = [person(number, name, *sorted(roles)) for number, (name, roles) in enumerate(people, 1)]
    principals = [one._replace(roles=tuple(roles)) for one, (_, roles) in zip(principals, people, strict=True)]
    found = seated(slots, principals)

    def possible(left, taken):
        return not left or any(
            one.holder not in taken and left[0] in ("person", *one.roles) and possible(left[1:], taken | {one.holder})
            for one in principals
        )

    assert (found is not None) == possible(slots, frozenset())
    if found is not None:
        assert len({one.holder for one in found}) == len({one.key_id for one in found}) == len(slots)


def test_a_file_round_trips_and_its_digest_does_not_depend_on_the_order_of_its_keys():
    held = by(pack(), 1, 2)
    assert read_pack(held.encoded()) == held
    turned = pack(details={"snapshot": "abc", "incident": "INC-1"})
    assert turned.digest() == pack().digest()


def test_expiry_is_the_lifetime_or_the_window_when_that_is_later():
    policy = ApprovalPolicy(lifetime_seconds=10)
    assert expiry_of(0, policy) == 10 * SECOND
    assert expiry_of(0, policy, window_end=11 * SECOND) == 11 * SECOND
    assert draft(desk="d", act=Act.RESUME, subject="desk", details={}, reason="r", now=0, policy=policy).expires_at == (
        10 * SECOND
    )


def test_public_keys_name_themselves():
    assert key_id_of(public(1)) == ANN.key_id
