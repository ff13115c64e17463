"""RK-38, RK-39: the margin at a venue and the funding that a position pays act on the guard, not on orders."""

from decimal import Decimal

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.model import GuardLevel, GuardReason
from tradeworthy.trading.risk.policy import RiskPolicy

PERIOD = 8 * 3600 * NANOS_PER_SECOND
"""Funding rates are judged per eight hours."""


class Margin:
    """Margin balance over gross position notional, a floor: each reason ends when its ratio is back at its floor."""

    __slots__ = ("_floors", "_told")

    def __init__(self, policy: RiskPolicy) -> None:
        self._floors = (
            (policy.margin_reduce, "margin", GuardLevel.REDUCING),
            (policy.margin_page, "margin_page", GuardLevel.REDUCING),
            (policy.margin_stop, "margin_stop", GuardLevel.STOPPED),
        )
        self._told: set[tuple[str, str]] = set()

    def on_margin(self, venue: str, balance: Decimal | None, gross: Decimal) -> tuple[GuardReason, ...]:
        """Judge one venue's account; an unknown balance pauses openings there while positions are held."""
        scope = f"venue:{venue}"
        reasons: list[GuardReason] = []
        unknown = balance is None and gross > 0
        self._tell(reasons, scope, "margin_unknown", GuardLevel.PAUSED, unknown, "no margin balance was told")
        if balance is not None:
            for floor, code, level in self._floors:
                evidence = f"{balance} on {gross}, floor {floor}"
                self._tell(reasons, scope, code, level, gross > 0 and balance < floor * gross, evidence)
        return tuple(reasons)

    def outside(self, scope: str, code: str) -> str | None:
        """Tell whether a margin reason's ratio is still below its floor; None where it is back."""
        return "the margin is below its floor" if (scope, code) in self._told else None

    def _tell(
        self, reasons: list[GuardReason], scope: str, code: str, level: GuardLevel, breached: bool, evidence: str
    ) -> None:
        key = (scope, code)
        if breached is not (key in self._told):
            (self._told.add if breached else self._told.discard)(key)
            reasons.append(GuardReason("risk", code, level, scope, active=breached, evidence=evidence))


@fact("risk.funding_high")
class FundingHigh(Fact, frozen=True):
    """The held side pays a high rate for several periods in a row: WARN."""

    instrument: str
    rate: Decimal
    periods: int


class FundingCost:
    """Funding payable by the held side: received funding is income and judges nothing.

    High for some periods warns once; higher after a full period held reduces the instrument until the rate is low.
    """

    __slots__ = ("_high", "_policy", "_reducing", "_since")

    def __init__(self, policy: RiskPolicy) -> None:
        self._policy = policy
        self._since: dict[str, tuple[int, int]] = {}
        self._high: dict[str, int] = {}
        self._reducing: set[str] = set()

    def on_position(self, instrument: str, lots: int, ts: int) -> None:
        """Take the desk's signed position; a flat or turned one begins to be held anew."""
        sign = (lots > 0) - (lots < 0)
        if not sign:
            self._since.pop(instrument, None)
            self._high.pop(instrument, None)
        elif instrument not in self._since or self._since[instrument][0] != sign:
            self._since[instrument] = (sign, ts)
            self._high.pop(instrument, None)

    def on_funding(self, instrument: str, rate: Decimal, ts: int) -> tuple[GuardReason | FundingHigh, ...]:
        """Judge a funding time; `rate` is what longs pay shorts per eight hours, a fraction of notional."""
        policy = self._policy
        held = self._since.get(instrument)
        payable = Decimal(0) if held is None else rate * held[0]
        found: list[GuardReason | FundingHigh] = []
        periods = self._high[instrument] = self._high.get(instrument, 0) + 1 if payable >= policy.funding_warn else 0
        if periods == policy.funding_warn_periods:
            found.append(FundingHigh(instrument, payable, periods))
        scope = f"instrument:{instrument}"
        if instrument in self._reducing:
            # a flat desk would pay on either side: only a rate that is low both ways lets it back
            back = abs(rate) if held is None else payable
            if back < policy.funding_return:
                self._reducing.discard(instrument)
                evidence = f"payable {back}, below {policy.funding_return}"
                found.append(GuardReason("risk", "funding", GuardLevel.REDUCING, scope, False, evidence=evidence))
        elif held is not None and payable >= policy.funding_reduce and ts - held[1] >= PERIOD:
            self._reducing.add(instrument)
            evidence = f"payable {payable}, limit {policy.funding_reduce}"
            found.append(GuardReason("risk", "funding", GuardLevel.REDUCING, scope, evidence=evidence))
        return tuple(found)
