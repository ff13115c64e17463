"""The post-trade validator: did the fills keep what the model said they would (CR-04)?"""

from collections.abc import Callable, Sequence

import msgspec

from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity
from tradeworthy.research.calibration.environment_parity import DIGITS


class PostTradePolicy(msgspec.Struct, frozen=True):
    """Limits of one session; a floor is breached below it, a budget when it is reached.

    fill_factor_reference, adverse_bps_reference   what the model assumes
    fill_factor_ratio_*    realised fill factor over the reference
    adverse_ratio_*        realised adverse selection over the reference
    fill_rate_off_warn     realised against model fill rate, as a fraction of the model's
    sessions_to_hold       failed live sessions in a row that hold the capital ramp
    """

    fill_factor_reference: float = 0.4
    adverse_bps_reference: float = 1.5
    fill_factor_ratio_fail: float = 0.70
    fill_factor_ratio_warn: float = 0.85
    adverse_ratio_fail: float = 3.0
    adverse_ratio_warn: float = 2.0
    fill_rate_off_warn: float = 0.50
    sessions_to_hold: int = 3


class SessionFills(msgspec.Struct, frozen=True):
    """What a session's fills measured; None where nothing could be measured. Rates are fills per order."""

    fills: int
    fill_factor: float | None
    adverse_bps: float | None
    fill_rate: float | None
    model_fill_rate: float | None = None


def judge_session(session: SessionFills, policy: PostTradePolicy | None = None) -> tuple[Check, ...]:
    """Return the three checks of a session; without fills, or without a measurement, a check is UNKNOWN."""
    p = policy or PostTradePolicy()
    limit = f"at least {p.fill_factor_ratio_fail:g} (WARN below {p.fill_factor_ratio_warn:g})"
    factor = _ratio(session.fill_factor, p.fill_factor_reference)
    adverse = _ratio(session.adverse_bps, p.adverse_bps_reference)
    return (
        _check("fill_factor_ratio", session, factor, limit, lambda x: (
            Severity.FAIL if x < p.fill_factor_ratio_fail
            else Severity.WARN if x < p.fill_factor_ratio_warn else Severity.OK
        )),
        _check(
            "adverse_ratio", session, adverse,
            f"below {p.adverse_ratio_fail:g} (WARN from {p.adverse_ratio_warn:g})", lambda x: (
                Severity.FAIL if x >= p.adverse_ratio_fail
                else Severity.WARN if x >= p.adverse_ratio_warn else Severity.OK
            ),
        ),
        _check(
            "fill_rate", session, _ratio(session.fill_rate, session.model_fill_rate),
            f"within {p.fill_rate_off_warn:.0%} of the model's",
            lambda x: Severity.WARN if abs(x - 1) >= p.fill_rate_off_warn else Severity.OK,
        ),
    )


def ramp_check(sessions: Sequence[Severity], policy: PostTradePolicy | None = None) -> Check:
    """Return whether the capital ramp may go on; `sessions` are live sessions' verdicts, oldest first."""
    p = policy or PostTradePolicy()
    row = 0
    for verdict in reversed(sessions):
        if verdict is not Severity.FAIL:
            break
        row += 1
    held = row >= p.sessions_to_hold
    return Check(
        "post_trade.capital_ramp", Severity.FAIL if held else Severity.OK, f"{row} failed in a row",
        f"below {p.sessions_to_hold}", "the capital ramp is held" if held else "",
    )


def _ratio(realised: float | None, reference: float | None) -> float | None:
    return None if realised is None or not reference else round(realised / reference, DIGITS)


def _check(
    name: str, session: SessionFills, ratio: float | None, limit: str, judge: Callable[[float], Severity]
) -> Check:
    code = f"post_trade.{name}"
    if session.fills == 0:
        return Check(code, Severity.UNKNOWN, "no fills", limit, "a session without fills says nothing")
    if ratio is None or ratio != ratio:
        return Check(code, Severity.UNKNOWN, "not measured", limit, f"{name} has no value or no reference")
    severity = judge(ratio)
    return Check(code, severity, f"{ratio:.4g}", limit, "" if severity is Severity.OK else f"{name} was {ratio:.4g}")
