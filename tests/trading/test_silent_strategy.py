"""A strategy that says nothing, or raises, is at fault: it abstains, and the third time in a row suspends it."""

import pytest
from small_desk import Feed, Scripted, build

from tradeworthy.trading.faulting import StrategyFailed
from tradeworthy.trading.model import Abstain, GuardChanged, GuardLevel


class Raising(Scripted):
    def __init__(self, answers, raising):
        super().__init__(answers)
        self._raising = list(raising)

    def decide(self, view):
        if self._raising.pop(0):
            raise ZeroDivisionError("no volume")
        return super().decide(view)


def told(outcomes, kind):
    return [fact for outcome in outcomes for fact in outcome.facts if isinstance(fact, kind)]


def test_silence_is_a_fault_and_the_desk_goes_on():
    feed = Feed(build(Scripted([None, Abstain("unchanged")])))
    outcomes = [feed.quote(), feed.quote()]
    [failed] = told(outcomes, StrategyFailed)
    assert (failed.error, failed.in_a_row) == ("TypeError", 1)
    assert "script said nothing" in failed.text
    assert told(outcomes, GuardChanged) == []


@pytest.mark.parametrize(("raising", "suspended"), [
    ([True, True, True], True), ([True, True, False, True, True], False),
])  # fmt: skip
def test_three_failures_in_a_row_suspend_a_strategy(raising, suspended):
    desk = build(Raising([Abstain("unchanged")] * 9, [*raising, False]))
    feed = Feed(desk)
    outcomes = [feed.quote() for _ in raising]
    changed = told(outcomes, GuardChanged)
    assert bool(changed) is suspended
    if suspended:
        assert (changed[0].reason, changed[0].scope, changed[0].reason_level) == (
            "strategy.failing", "strategy:script", GuardLevel.PAUSED,
        )  # fmt: skip
        asked = desk.seats[0].decisions
        feed.quote()
        assert desk.seats[0].decisions == asked
    assert desk.guard.level is GuardLevel.RUNNING
