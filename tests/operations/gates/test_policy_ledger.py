"""A policy climbs one stage at a time, by evidence and other people's approval, and may always go down at once."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.operations.gates.named import TIERS
from tradeworthy.operations.gates.policy_ledger import (
    CHECKLIST,
    STAGES,
    TIER_STAGES,
    PolicyStanding,
    StageChanged,
    audit_gaps,
    may_trade,
    standings,
    step,
)

WHOLE = tuple((name, "id") for name in CHECKLIST)


def change(stage, **rest):
    plain = {"author": "ann", "reason": "r", "evidence_id": "e", "approvals": ("bob", "cy"), "checklist": WHOLE}
    return StageChanged(policy_id="p", stage=stage, **{**plain, **rest})


def at(stage):
    return PolicyStanding(policy_id="p", stage=stage)


def test_every_step_up_is_kept_in_its_history():
    steps = [change(stage) for stage in STAGES[1:]]
    found = standings(steps)["p"]
    assert (found.stage, found.history) == ("limited_live", tuple(steps))


@pytest.mark.parametrize(("bad", "now", "gap"), [
    (change("pilot"), "experiment", "one step"), (change("limited_live"), "paper", "one step"),
    (change("paper", evidence_id=""), "experiment", "no evidence"), (change("pilot", approvals=()), "paper", "0 of 1"),
    (change("pilot", approvals=("ann",)), "paper", "0 of 1"),
    (change("limited_live", approvals=("bob",)), "pilot", "1 of 2"),
    (change("limited_live", approvals=("bob", "bob")), "pilot", "1 of 2"),
    (change("limited_live", checklist=WHOLE[:2]), "pilot", "risk_audit"),
    (change("limited_live", checklist=(*WHOLE[:2], ("risk_audit", ""))), "pilot", "risk_audit"),
    (change("paper"), "paper", "already"), (change("moon"), "paper", "expected a stage"),
])  # fmt: skip
def test_a_step_that_lacks_something_is_refused_by_name(bad, now, gap):
    assert any(gap in one for one in audit_gaps(bad, at(now)))
    with pytest.raises(InvalidInput, match="refused"):
        step(bad, at(now))


@pytest.mark.parametrize("now", STAGES[1:])
def test_down_is_open_to_anybody_at_once(now):
    for stage in STAGES[: STAGES.index(now)]:
        bare = change(stage, evidence_id="", approvals=(), checklist=())
        assert step(bare, at(now)).stage == stage


@given(st.lists(st.sampled_from(STAGES), max_size=12))
def test_no_course_skips_a_stage(course):
    now = at(STAGES[0])
    for stage in course:
        try:
            after = step(change(stage), now)
        except InvalidInput:
            continue
        assert STAGES.index(after.stage) <= STAGES.index(now.stage) + 1
        now = after


def test_an_altered_ledger_is_found():
    with pytest.raises(InvalidInput):
        standings([change("paper"), change("limited_live")])


def test_each_tier_of_capital_needs_its_stage():
    assert set(TIER_STAGES) == set(TIERS)
    needed = [STAGES.index(TIER_STAGES[one]) for one in TIERS]
    assert needed == sorted(needed)
    assert may_trade(at("paper"), "canary")
    assert not may_trade(at("paper"), "pilot")
    assert not may_trade(at("pilot"), "unheard of")
    assert msgspec.structs.asdict(at("paper"))["history"] == ()
