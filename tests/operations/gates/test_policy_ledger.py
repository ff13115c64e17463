"""A policy climbs one stage at a time, by evidence and other people's approval, and may always go down at once."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.named import TIERS
from tradeworthy.operations.gates.policy_ledger import (
    CHECKLIST,
    STAGES,
    TIER_STAGES,
    PolicyStanding,
    StageChanged,
    audit_gaps,
    ledger_report,
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


KNOWN = {"e": "regression", "o": "out_of_sample", "l": "leakage_checks", "r": "risk_audit"}
OWN = (("oos_regime_grid", "o"), ("leakage_checks", "l"), ("risk_audit", "r"))


def test_an_item_of_the_checklist_is_shown_by_evidence_of_its_own_kind():
    assert audit_gaps(change("limited_live", evidence_id="e", checklist=OWN), at("pilot"), KNOWN) == ()
    wrong = (("oos_regime_grid", "e"), *OWN[1:])
    assert audit_gaps(change("limited_live", evidence_id="e", checklist=wrong), at("pilot"), KNOWN) == (
        "oos_regime_grid is shown by evidence of out_of_sample, found that of regression",
    )


@pytest.mark.parametrize(("overrides", "gap"), [
    ((("forced_max", "0.34"), ("decisions", "21")), ""), ((("forced_max", "0.35"),), ""),
    ((("forced_max", "0.36"),), "at most 0.35"), ((("decisions", "19"),), "at least 20"),
    ((("decisions", "many"),), "only tightened"), ((("normal_min", "nan"),), "only tightened"),
    ((("streak", "-1"),), "at least 0"), ((("of", "paper"),), "expected one of"),
    ((("counterfactual_limit", "0.1"),), "that paper has"),
])  # fmt: skip
def test_a_policys_own_thresholds_are_only_tighter(overrides, gap):
    gaps = audit_gaps(change("paper", overrides=overrides), at("experiment"))
    assert [gap in one for one in gaps] == ([True] if gap else [])


def test_the_newest_threshold_of_each_name_is_in_force():
    steps = [
        change("paper", overrides=(("forced_max", "0.3"), ("decisions", "25"))),
        change("pilot", overrides=(("forced_max", "0.2"),)),
    ]
    assert standings(steps)["p"].overrides == {"forced_max": "0.2", "decisions": "25"}


def test_the_ledgers_report_names_what_a_stage_was_not_shown_by():
    up, down = change("paper", checklist=()), change("experiment")
    for sound in ([], [up], [up, down, up]):
        assert ledger_report(sound, KNOWN).severity is Severity.OK
    for bad in ([change("paper", evidence_id="gone")], [change("pilot", checklist=())]):
        report = ledger_report(bad, KNOWN)
        assert report.severity is Severity.FAIL
        assert "p to" in report.checks[0].text
