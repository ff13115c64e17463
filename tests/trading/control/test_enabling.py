"""RK-12: a disabled strategy stays disabled over a restart, until a person of the risk role enables it."""

import pytest

from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.enabling import EnableRefused, EnableRequest, Enabling
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.model import GuardLevel, GuardReason, Side
from tradeworthy.trading.risk import RiskPolicy
from tradeworthy.trading.risk.monitors import RepeatedExecution

SECOND = 10**9
SCOPE = "strategy:ema"


def disabled():
    monitor, guard = RepeatedExecution(RiskPolicy()), Guard()
    for k in range(20):
        reason = monitor.on_fill("ema", "X", Side.BUY, k * SECOND)
        if reason is not None:
            guard.apply(reason, k * SECOND)
    return monitor, guard


def asked(**odd):
    return EnableRequest(**({"instance": "ema", "author": "ann", "role": "risk", "reason": "fixed the loop"} | odd))


def test_twentieth_execution_disables_and_a_restart_does_not_enable():
    _, guard = disabled()
    assert guard.level_of(SCOPE) is GuardLevel.REDUCING
    again = Guard(sentinel.restore((), sentinel.encode(guard.reasons()), first_run=False, now=0))
    assert again.level_of(SCOPE) is GuardLevel.REDUCING


def test_risk_role_enables_and_the_count_begins_anew():
    monitor, guard = disabled()
    (changed,) = Enabling(guard).enable(asked(), 30 * SECOND)
    assert (changed.reason, changed.set) == ("risk.repeated_execution", False)
    assert guard.level_of(SCOPE) is GuardLevel.RUNNING
    monitor.restart("ema")
    found = [monitor.on_fill("ema", "X", Side.BUY, (31 + k) * SECOND) for k in range(20)]
    assert found[:19] == [None] * 19
    assert found[19] is not None


@pytest.mark.parametrize(
    ("odd", "word"),
    [({"role": "trader"}, "role must be risk"), ({"role": ""}, "absent"), ({"author": " "}, "author"),
     ({"reason": ""}, "reason"), ({"instance": "other"}, "not disabled")],
)  # fmt: skip
def test_anyone_else_is_refused_with_every_fault_and_nothing_changes(odd, word):
    _, guard = disabled()
    answer = Enabling(guard).enable(asked(**odd), 30 * SECOND)
    assert isinstance(answer, EnableRefused)
    assert word in "; ".join(answer.faults)
    assert guard.level_of(SCOPE) is GuardLevel.REDUCING


def test_enabling_ends_no_reason_of_another_control():
    _, guard = disabled()
    guard.set(GuardReason("risk", "daily_loss_stop", GuardLevel.STOPPED, SCOPE), 0)
    Enabling(guard).enable(asked(), 30 * SECOND)
    assert guard.level_of(SCOPE) is GuardLevel.STOPPED
