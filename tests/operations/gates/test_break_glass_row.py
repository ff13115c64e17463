"""A break-glass shows as long as it is in force, and blocks once its review is late; nothing may mask a kill."""

import pytest
from gate_scene import NOW, S

from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.break_glass import GlassFold, break_glass_report
from tradeworthy.trading.control.break_glass import (
    NEVER_MASKED,
    BreakGlassActivated,
    BreakGlassCarried,
    BreakGlassEnded,
    BreakGlassReviewed,
    BreakGlassUsed,
)

ENDS, REVIEW = NOW + 900 * S, NOW + 3_600 * S


def active(control="risk.max_order_lots", people=("ann", "bob")):
    return BreakGlassActivated("g", control, "X", 3, ENDS, people, "why", "pack")


USED = BreakGlassUsed("g", "i", "risk.max_order_lots", "2", "1", 1)
ENDED = BreakGlassEnded("g", "spent", 1, NOW, REVIEW, ("ann", "bob"))
REVIEWED = BreakGlassReviewed("g", "cy", "looked")


def seen(*facts, at=NOW):
    events = [event_of(one, source="desk", key=key, ts_event=NOW, ts_init=NOW) for key, one in enumerate(facts)]
    return {one.code.partition(".")[2]: one.severity
            for one in break_glass_report(GlassFold().fold(events), at).checks if one.severity}  # fmt: skip


@pytest.mark.parametrize(("facts", "at", "expected"), [
    ((), NOW, {}), ((active(),), NOW, {"in_force": Severity.WARN}),
    ((active(), USED, ENDED), NOW, {"review_due": Severity.WARN, "uses": Severity.WARN}),
    ((active(), ENDED), REVIEW - 1, {"review_due": Severity.WARN}),
    ((active(), ENDED), REVIEW, {"review_overdue": Severity.FAIL}),
    ((active(), ENDED, REVIEWED), REVIEW, {}),
    ((BreakGlassCarried(((active(), 1),), ()),), NOW, {"in_force": Severity.WARN}),
    ((BreakGlassCarried((), (ENDED,)),), REVIEW, {"review_overdue": Severity.FAIL}),
])  # fmt: skip
def test_each_stage_of_a_break_glass_shows(facts, at, expected):
    assert seen(*facts, at=at) == expected


@pytest.mark.parametrize("control", [*sorted(NEVER_MASKED), "compliance.restricted"])
def test_a_mask_of_a_kill_or_a_veto_fails_whoever_made_it(control):
    assert seen(active(control))["people_and_control"] is Severity.FAIL


@pytest.mark.parametrize("people", [(), ("ann",), ("ann", "Ann "), ("ann", "")])
def test_one_person_is_not_two(people):
    assert seen(active(people=people))["people_and_control"] is Severity.FAIL
