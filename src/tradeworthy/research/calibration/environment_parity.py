"""Two environments of one strategy compared: how far apart they are, as a score of ten (CR-06)."""

from collections.abc import Mapping

import msgspec

from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity

SCORE_MAX = 10.0
DIGITS = 9
"""Differences are rounded to 1e-9 before they are judged, so that a budget is reached where it is written."""


class EnvironmentPolicy(msgspec.Struct, frozen=True):
    """Budgets, breached when reached, and what each breach costs.

    fill_rate_ratio      the larger fill rate over the smaller
    capture_share        difference of capture over the first side's
    regime_distance      half the sum of absolute differences of the regimes' shares of time
    divergence_*         with a live side: difference of net P&L per traded notional over the other side's
    accept_score, hold_score   from the one on: accepted; below the other: the capital ramp is held
    """

    fill_rate_ratio: float = 3.0
    capture_share: float = 0.50
    regime_distance: float = 0.10
    maker_share: float = 0.20
    divergence_warn: float = 0.10
    divergence_fail: float = 0.25
    warn_points: float = 2.5
    fail_points: float = 5.0
    accept_score: float = 8.0
    hold_score: float = 7.0


class SessionFigures(msgspec.Struct, frozen=True):
    """One environment's figures; None where there is none. `regimes` are shares of time by label.

    real   whether real money was traded: then the divergence of the net counts too
    """

    name: str
    fill_rate: float | None
    capture_bps: float | None
    maker_share: float | None
    net_bps: float | None
    regimes: Mapping[str, float] | None
    real: bool = False


class EnvironmentVerdict(msgspec.Struct, frozen=True):
    """The checks and the score; None when something could not be compared, which is never accepted."""

    checks: tuple[Check, ...]
    score: float | None
    accepted: bool
    ramp_held: bool


def compare_environments(
    first: SessionFigures, second: SessionFigures, policy: EnvironmentPolicy | None = None
) -> EnvironmentVerdict:
    """Compare `second` with `first`, the reference."""
    p = policy or EnvironmentPolicy()
    checks = [
        _warn("fill_rate", _ratio(first.fill_rate, second.fill_rate), p.fill_rate_ratio, "ratio"),
        _warn("capture", _relative(first.capture_bps, second.capture_bps), p.capture_share, "of the first side's"),
        _warn("regimes", _distance(first.regimes, second.regimes), p.regime_distance, "half L1"),
        _warn("maker_share", _gap(first.maker_share, second.maker_share), p.maker_share, "difference"),
    ]
    if first.real or second.real:
        checks.append(_divergence(_relative(first.net_bps, second.net_bps), p))
    score: float | None = SCORE_MAX
    for check in checks:
        if check.severity is Severity.UNKNOWN or score is None:
            score = None
        elif check.severity is not Severity.OK:
            score -= p.fail_points if check.severity is Severity.FAIL else p.warn_points
    accepted = score is not None and score >= p.accept_score
    return EnvironmentVerdict(tuple(checks), score, accepted, score is None or score < p.hold_score)


def _warn(name: str, observed: float | None, budget: float, unit: str) -> Check:
    code = f"environments.{name}"
    if observed is None:
        return Check(code, Severity.UNKNOWN, "not measured", f"below {budget:g} {unit}", f"a side has no {name}")
    severity = Severity.WARN if observed >= budget else Severity.OK
    return Check(code, severity, f"{observed:.4g}", f"below {budget:g} {unit}")


def _divergence(observed: float | None, p: EnvironmentPolicy) -> Check:
    limit = f"below {p.divergence_fail:g} (WARN from {p.divergence_warn:g})"
    if observed is None:
        return Check("environments.divergence", Severity.UNKNOWN, "not measured", limit, "a side has no net P&L")
    severity = Severity.OK
    if observed >= p.divergence_warn:
        severity = Severity.FAIL if observed >= p.divergence_fail else Severity.WARN
    return Check("environments.divergence", severity, f"{observed:.4g}", limit)


def _ratio(first: float | None, second: float | None) -> float | None:
    if first is None or second is None:
        return None
    low, high = sorted((first, second))
    if high == 0:
        return 1.0
    return round(high / low, DIGITS) if low > 0 else float("inf")


def _relative(first: float | None, second: float | None) -> float | None:
    if first is None or second is None:
        return None
    if first == second:
        return 0.0
    return round(abs(second - first) / abs(first), DIGITS) if first else float("inf")


def _gap(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else round(abs(second - first), DIGITS)


def _distance(first: Mapping[str, float] | None, second: Mapping[str, float] | None) -> float | None:
    """Return half the L1 distance; two sides without labels have nothing that differs, one without is not compared."""
    if first is None and second is None:
        return 0.0
    if first is None or second is None:
        return None
    names = sorted({*first, *second})
    return round(sum(abs(first.get(name, 0.0) - second.get(name, 0.0)) for name in names) / 2, DIGITS)
