"""Does the accounting hold together? One finding for each bad state (AC-04)."""

from decimal import Decimal

import msgspec

from tradeworthy.kernel.severity import Severity


class IntegrityPolicy(msgspec.Struct, frozen=True):
    """Bounds; inventory as a distance of shares, fees and tolerance in quote currency."""

    fee_fall_warn: Decimal = Decimal("0.05")
    fee_fall_fail: Decimal = Decimal("0.20")
    inventory_warn: Decimal = Decimal("0.25")
    inventory_fail: Decimal = Decimal("0.45")
    turnover_step: Decimal = Decimal("0.05")
    balance_tolerance: Decimal = Decimal("0.01")
    age_periods_max: int = 2


LIVE_MAKER = IntegrityPolicy(inventory_warn=Decimal("0.40"), inventory_fail=Decimal("0.55"))
PAPER_MAKER = IntegrityPolicy(inventory_warn=Decimal("0.45"), inventory_fail=Decimal("0.65"))
"""A maker leans further from its target than an investor; on paper further still."""


class IntegrityState(msgspec.Struct, frozen=True):
    """Two consecutive accounting states of one instance, quote currency; None where a thing does not apply.

    changes         equity now less before;  sources  realised + unrealised + fees + funding + flows of the same step
    day_rolled      the step crosses a desk day, so running totals may fall
    age, period     nanoseconds since the newest input, and its expected period
    """

    instance: str
    equity: Decimal
    equity_change: Decimal
    sources: Decimal
    fees_before: Decimal
    fees: Decimal
    turnover_before: Decimal
    turnover: Decimal
    age: int
    period: int
    day_rolled: bool = False
    has_rebate: bool = False
    enabled: bool = True
    base_share: Decimal | None = None
    share_target: Decimal | None = None


class IntegrityFinding(msgspec.Struct, frozen=True):
    """One bad state, or one instance that was skipped."""

    code: str
    severity: Severity
    observed: str
    limit: str


def judge_integrity(state: IntegrityState, policy: IntegrityPolicy) -> tuple[IntegrityFinding, ...]:
    """Return a finding for each bad state; a disabled instance gives the one that it was skipped."""
    if not state.enabled:
        return (IntegrityFinding("accounting.skipped", Severity.OK, state.instance, "enabled"),)
    found: list[IntegrityFinding] = []

    def find(code: str, severity: Severity, observed: object, limit: object) -> None:
        found.append(IntegrityFinding(code, severity, str(observed), str(limit)))

    if state.equity <= 0:
        find("accounting.equity", Severity.FAIL, state.equity, "above 0")
    if state.base_share is not None and not 0 <= state.base_share <= 1:
        find("accounting.base_share", Severity.FAIL, state.base_share, "0..1")
    elif state.base_share is not None and state.share_target is not None:
        away = abs(state.base_share - state.share_target)
        if away >= policy.inventory_fail:
            find("accounting.inventory", Severity.FAIL, away, policy.inventory_fail)
        elif away >= policy.inventory_warn:
            find("accounting.inventory", Severity.WARN, away, policy.inventory_warn)
    fall = state.fees_before - state.fees
    if not state.day_rolled and not state.has_rebate:
        if fall >= policy.fee_fall_fail:
            find("accounting.fees_fell", Severity.FAIL, fall, policy.fee_fall_fail)
        elif fall >= policy.fee_fall_warn:
            find("accounting.fees_fell", Severity.WARN, fall, policy.fee_fall_warn)
    residual = abs(state.equity_change - state.sources)
    if residual > policy.balance_tolerance:
        find("accounting.unexplained", Severity.FAIL, residual, policy.balance_tolerance)
    traded = state.turnover - state.turnover_before
    if not state.day_rolled and traded >= policy.turnover_step and fall == 0:
        find("accounting.turnover_without_fee", Severity.WARN, traded, policy.turnover_step)
    if state.age >= policy.age_periods_max * state.period:
        find("accounting.stale", Severity.WARN, state.age, policy.age_periods_max * state.period)
    return tuple(found)
