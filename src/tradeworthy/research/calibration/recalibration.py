"""After enough live fills: what the simulated venue and the policies should be set to, with the evidence (CR-07)."""

from collections.abc import Mapping

import msgspec

from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity
from tradeworthy.research.backtest.fill_factor import FillFactor
from tradeworthy.research.calibration.environment_parity import DIGITS
from tradeworthy.research.calibration.sides import SideFigures


class RecalibrationPolicy(msgspec.Struct, frozen=True):
    """When a change is proposed; shares are fractions of the value in force.

    moved_min       share by which fill factor or latency must have moved
    optimism_max    by how much the simulated fill ratio may exceed the live one (difference of ratios)
    """

    fills_min: int = 100
    moved_min: float = 0.15
    optimism_max: float = 0.05


class Change(msgspec.Struct, frozen=True):
    """One proposed configuration change and the measurement behind it; nothing applies it but a person."""

    key: str
    before: str
    after: str
    evidence: str


class Proposal(msgspec.Struct, frozen=True):
    """The checks, the changes, and the simulation's optimism by queue model (simulated less live fill ratio)."""

    checks: tuple[Check, ...]
    changes: tuple[Change, ...]
    optimism: dict[str, float]


def propose(
    live: SideFigures, models: Mapping[str, SideFigures], *, in_force: str, factor: FillFactor, factor_in_force: float,
    submit_ms: float, policy: RecalibrationPolicy | None = None,
) -> Proposal:
    """Refit fill factor, latency, queue and fill probability to what live fills showed.

    models       the same session through the simulated venue, by queue model; `in_force` names the one in use
    factor       measured fill factor of the live fills;  factor_in_force  the one the strategy was told
    submit_ms    one-way delay in force
    """
    p = policy or RecalibrationPolicy()
    if live.fills < p.fills_min:
        text = f"{live.fills} live fills, fewer than {p.fills_min}"
        check = Check("recalibration.fills", Severity.UNKNOWN, str(live.fills), f"at least {p.fills_min}", text)
        return Proposal((check,), (), {})
    optimism = {
        name: one.fill_ratio - live.fill_ratio for name, one in sorted(models.items())
        if one.fill_ratio is not None and live.fill_ratio is not None
    }
    checks, changes = [], []
    for check, change in (
        _factor(factor, factor_in_force, p), _latency(live, submit_ms, p), _queue(optimism, in_force, p),
        _probability(live, models.get(in_force), p),
    ):
        checks.append(check)
        if change is not None:
            changes.append(change)
    return Proposal(tuple(checks), tuple(changes), optimism)


def _factor(factor: FillFactor, before: float, p: RecalibrationPolicy) -> tuple[Check, Change | None]:
    limit = f"moved less than {p.moved_min:.0%} from {before:g}"
    if factor.factor is None:
        return Check("recalibration.fill_factor", Severity.UNKNOWN, "not measured", limit, factor.reason or ""), None
    moved = abs(factor.factor / before - 1)
    check = _moved("fill_factor", moved, f"{factor.factor:.4g}", limit, p)
    if not check.severity:
        return check, None
    interval = "" if factor.interval is None else f", 95 % {factor.interval.lower:.4g} to {factor.interval.upper:.4g}"
    return check, Change(
        "instances.policy.fill_factor", f"{before:g}", f"{factor.factor:.4g}", f"{factor.n} fills{interval}"
    )


def _latency(live: SideFigures, submit_ms: float, p: RecalibrationPolicy) -> tuple[Check, Change | None]:
    limit = f"moved less than {p.moved_min:.0%} from {submit_ms:g} ms"
    if live.answer_ms is None:
        return Check("recalibration.latency", Severity.UNKNOWN, "not measured", limit, "no order was answered"), None
    moved = abs(live.answer_ms / submit_ms - 1) if submit_ms else float(live.answer_ms > 0)
    check = _moved("latency", moved, f"{live.answer_ms:.4g} ms", limit, p)
    if not check.severity:
        return check, None
    evidence = f"median of submit to first answer over {live.intents} orders"
    return check, Change("venue.submit_ms", f"{submit_ms:g}", f"{live.answer_ms:.4g}", evidence)


def _queue(optimism: Mapping[str, float], in_force: str, p: RecalibrationPolicy) -> tuple[Check, Change | None]:
    limit = f"{in_force} at most {p.optimism_max:g} above the live fill ratio"
    own = optimism.get(in_force)
    if own is None:
        return Check("recalibration.queue", Severity.UNKNOWN, "not measured", limit, "no simulated fill ratio"), None
    if round(own, DIGITS) <= p.optimism_max:
        return Check("recalibration.queue", Severity.OK, f"{own:+.4g}", limit), None
    text = f"the queue model {in_force} is optimistic: it fills {own:+.4g} of the orders more than the live venue"
    check = Check("recalibration.queue", Severity.WARN, f"{own:+.4g}", limit, text)
    best = min(optimism, key=lambda name: (abs(optimism[name]), name))
    if best == in_force:
        return check, None
    evidence = f"fill ratio off by {optimism[best]:+.4g} instead of {own:+.4g}"
    return check, Change("venue.queue", in_force, best, evidence)


def _probability(
    live: SideFigures, simulated: SideFigures | None, p: RecalibrationPolicy
) -> tuple[Check, Change | None]:
    limit = f"simulated fill ratio within {p.moved_min:.0%} of the live one"
    if simulated is None or not simulated.fill_ratio or live.fill_ratio is None:
        text = "no simulated fill ratio"
        return Check("recalibration.fill_probability", Severity.UNKNOWN, "not measured", limit, text), None
    ratio = live.fill_ratio / simulated.fill_ratio
    check = _moved("fill_probability", abs(ratio - 1), f"{ratio:.4g}", limit, p)
    if not check.severity:
        return check, None
    return check, Change(
        "reading of simulated fills, probability", "1", f"{min(1.0, ratio):.4g}",
        f"live {live.filled} of {live.intents} orders, simulated {simulated.filled}",
    )


def _moved(name: str, moved: float, observed: str, limit: str, p: RecalibrationPolicy) -> Check:
    severity = Severity.WARN if round(moved, DIGITS) >= p.moved_min else Severity.OK
    return Check(f"recalibration.{name}", severity, observed, limit, f"moved by {moved:.1%}" if severity else "")
