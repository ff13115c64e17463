"""Live against the simulated venue on the same tape, each five minutes; the reference is the simulation (CR-05)."""

from collections.abc import Sequence

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.research.calibration.environment_parity import DIGITS
from tradeworthy.research.calibration.shadow import ShadowSample


class ShadowPolicy(msgspec.Struct, frozen=True):
    """Budgets of the difference live less simulated; each is breached when reached.

    equity_share     difference of the change of equity over `equity_window_ns`, as a fraction of capital
    intents_min      orders below which nothing is judged
    """

    fill_ratio: float = 0.25
    slippage_bps: float = 5.0
    reject_rate: float = 0.20
    equity_share: float = 0.01
    equity_window_ns: int = 180 * 60 * NANOS_PER_SECOND
    intents_min: int = 10


@fact("telemetry.execution.parity")
class ExecutionParity(Fact, frozen=True):
    """One period's differences, live less simulated; None where a side has nothing to compare."""

    intents: int
    fill_ratio: float | None
    slippage_bps: float | None
    reject_rate: float | None
    equity_share: float | None
    severity: int


def judge_sample(
    sample: ShadowSample, *, earlier: ShadowSample | None, capital: float, policy: ShadowPolicy | None = None
) -> tuple[Check, ...]:
    """Judge one sample; `earlier` is the one a whole equity window before it, None while the run is younger."""
    p = policy or ShadowPolicy()
    live, simulated = sample.live, sample.simulated
    if live.silent or (live.intents >= p.intents_min and not live.filled and not live.failed):
        lost = live.silent or live.intents
        text = f"{lost} of {live.intents} intents ended in neither fill nor failure"
        return (Check("parity.silent_intents", Severity.FAIL, str(lost), "0", text),)
    if live.intents < p.intents_min or not live.fills:
        observed = f"{live.intents} intents, {live.fills} fills"
        text = "too little to compare"
        return (Check("parity.samples", Severity.UNKNOWN, observed, f"{p.intents_min} intents and a fill", text),)
    before = (earlier.live.equity_change, earlier.simulated.equity_change) if earlier is not None else (0.0, 0.0)
    equity = ((live.equity_change - before[0]) - (simulated.equity_change - before[1])) / capital
    return (
        _difference("fill_ratio", live.fill_ratio, simulated.fill_ratio, p.fill_ratio),
        _difference("slippage_bps", live.slippage_bps, simulated.slippage_bps, p.slippage_bps),
        _difference("reject_rate", live.reject_rate, simulated.reject_rate, p.reject_rate),
        _difference("equity_share", equity, 0.0, p.equity_share),
    )


def judge_shadow(
    samples: Sequence[ShadowSample], *, capital: float, policy: ShadowPolicy | None = None
) -> tuple[tuple[Check, ...], tuple[tuple[int, ExecutionParity], ...]]:
    """Judge a session: the worst check of each kind, and one fact `(ts, parity)` a sample.

    A code that failed in any sample fails; samples with too little to compare count only when no sample had more.
    """
    p = policy or ShadowPolicy()
    found: dict[str, Check] = {}
    facts = []
    for number, sample in enumerate(samples):
        earlier = next(
            (one for one in reversed(samples[:number]) if sample.ts - one.ts >= p.equity_window_ns), None
        )
        checks = judge_sample(sample, earlier=earlier, capital=capital, policy=p)
        for check in checks:
            if check.code not in found or check.severity > found[check.code].severity:
                found[check.code] = check
        values = {one.code.removeprefix("parity."): one for one in checks}
        ratio, slippage, rejects, equity = (_value(values.get(name)) for name in _NAMES)
        severity = int(worst(one.severity for one in checks))
        facts.append((
            sample.ts, ExecutionParity(sample.live.intents, ratio, slippage, rejects, equity, severity)
        ))
    if len(found) > 1 and all(f"parity.{name}" in found for name in _NAMES):
        found.pop("parity.samples", None)
    if not found:
        found["parity.samples"] = Check("parity.samples", Severity.UNKNOWN, "no sample", "one", "nothing was recorded")
    return tuple(found[code] for code in sorted(found)), tuple(facts)


_NAMES = ("fill_ratio", "slippage_bps", "reject_rate", "equity_share")


def _difference(name: str, live: float | None, simulated: float | None, budget: float) -> Check:
    code = f"parity.{name}"
    if live is None or simulated is None:
        side = "live" if live is None else "simulated"
        return Check(code, Severity.UNKNOWN, "not measured", f"below {budget:g}", f"the {side} side has none")
    gap = round(live - simulated, DIGITS)
    failed = abs(gap) >= budget
    text = f"live {live:.6g}, simulated {simulated:.6g}" if failed else ""
    return Check(code, Severity.FAIL if failed else Severity.OK, f"{gap:.6g}", f"below {budget:g}", text)


def _value(check: Check | None) -> float | None:
    return None if check is None or check.severity is Severity.UNKNOWN else float(check.observed)
