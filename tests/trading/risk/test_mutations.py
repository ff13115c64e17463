"""Each control registers mutations (removed, limit x 10, sides swapped); the cases must notice every one."""

from types import SimpleNamespace

import pytest
from control_cases import CASES, SIDES
from msgspec.structs import replace
from risk_desk import instrument, wide

from tradeworthy.app.gates.disabled_controls import ten_times
from tradeworthy.trading.model import Approved, Violation
from tradeworthy.trading.risk.controls import all_controls
from tradeworthy.trading.risk.controls.max_messages import MaxMessages

CODES = [control.code for control in all_controls(wide(), (instrument(),))]


def killed(change):
    """Tell whether any case gives another verdict when `change` rewrites the tuple of controls."""
    for case in CASES:
        for side in SIDES:
            for make, passes in ((case.at, True), (case.past, False)):
                reviewer, intent = make(side)
                mutant, intent = make(side, change(reviewer.controls))
                if isinstance(mutant.review(intent), Approved) is not passes:
                    return True
    return False


def swap(controls, code, review):
    return tuple(
        SimpleNamespace(
            code=c.code, scales=c.scales, slices=c.slices, cap_lots=c.cap_lots, review=lambda i, x, c=c: review(c, i, x)
        ) if c.code == code else c
        for c in controls
    )


def test_unchanged_controls_survive():
    assert not killed(lambda controls: controls)


@pytest.mark.parametrize("code", CODES)
def test_removed_control_is_noticed(code):
    assert killed(lambda controls: tuple(c for c in controls if c.code != code))


@pytest.mark.parametrize("code", CODES)
def test_control_that_refuses_everything_is_noticed(code):
    assert killed(lambda controls: swap(controls, code, lambda c, i, x: Violation(code, "", "")))


@pytest.mark.parametrize("code", CODES)
def test_inverted_verdict_is_noticed(code):
    def inverted(control, intent, ctx):
        return None if control.review(intent, ctx) else Violation(code, "", "")

    assert killed(lambda controls: swap(controls, code, inverted))


UNLIMITED = {
    "risk.malformed", "risk.not_tradable", "risk.guard", "risk.approval", "risk.no_trade",
    "compliance.restricted_symbol",
}
LIMITED = [
    c.code for c in all_controls(wide(), (instrument(),))
    if c.code not in UNLIMITED
]


@pytest.mark.parametrize("code", [c for c in LIMITED if c != "risk.max_messages"])
def test_limit_times_ten_is_noticed(code):
    assert killed(lambda controls: tuple(ten_times(c) if c.code == code else c for c in controls))


def test_message_limit_times_ten_is_noticed():
    large = MaxMessages(wide(messages_per_second=100), (instrument(),))
    assert killed(lambda controls: tuple(large if c.code == large.code else c for c in controls))


SIDED = ("risk.max_position", "risk.net_exposure", "risk.currency_factor", "risk.price_collar", "risk.stop_required")


@pytest.mark.parametrize("code", SIDED)
def test_side_flipped_is_noticed(code):
    def flipped(control, intent, ctx):
        other = replace(intent, side=intent.side.opposite, lots=intent.lots)
        ctx.propose(other)
        ctx.side_lots = -ctx.side_lots
        net = ctx.net_up2, ctx.net_down2
        ctx.net_up2, ctx.net_down2 = 10**30, -(10**30)
        try:
            return control.review(other, ctx)
        finally:
            ctx.net_up2, ctx.net_down2 = net
            ctx.propose(intent)

    assert killed(lambda controls: swap(controls, code, flipped))
