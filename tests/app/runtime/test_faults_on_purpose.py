"""Faults on purpose: what the words mean, and how often they strike."""

import asyncio

import pytest

from tradeworthy.app.runtime.faults import Fault, FaultKind, InjectedFault, parsed_fault, with_fault
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import UsageError


@pytest.mark.parametrize(("word", "fault"), [
    ("trading_loop:crash", Fault("trading_loop", FaultKind.CRASH)),
    ("resources:hang@1.5", Fault("resources", FaultKind.HANG, 1.5)),
    ("desk:leak@0x3", Fault("desk", FaultKind.LEAK, 0.0, 3)),
])  # fmt: skip
def test_a_word_names_component_kind_moment_and_times(word, fault):
    assert parsed_fault(word) == fault


@pytest.mark.parametrize("word", ["a:crash@1x0", "a:crash@1x", "a:crash@1x1.5", "a:crash@x2", "a:crash@nan"])
def test_a_word_of_another_form_is_refused(word):
    with pytest.raises(UsageError, match="--fault takes"):
        parsed_fault(word)


@pytest.mark.parametrize(("times", "told"), [(None, [False] * 4), (1, [False, True, True]), (2, [False, False, True])])
def test_a_fault_strikes_the_first_attempts_or_each_one(times, told):
    async def works(_pulse):
        await asyncio.sleep(0)
        return True

    attempt = with_fault(works, Fault("one", FaultKind.CRASH, 0.0, times), EventClock(0))

    async def survived():
        try:
            return await attempt(None)
        except InjectedFault:
            return False

    assert [asyncio.run(survived()) for _ in told] == told
