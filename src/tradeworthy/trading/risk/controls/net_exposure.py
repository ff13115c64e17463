"""RK-21: the desk's net exposure, and the net of one asset that quoting reaches, as fractions of equity."""

from collections.abc import Iterable

from tradeworthy.trading.model import NANOS, Instrument, Intent, Side, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import money, ratio
from tradeworthy.trading.risk.equity_cap import EquityCap
from tradeworthy.trading.risk.policy import RiskPolicy

BUY = Side.BUY


class NetExposure(EquityCap):
    """Refuse an opening that takes the desk's net beyond the limit on the order's side.

    A quoting instance is held to the net of its asset too, over all instruments with that base: a fraction of equity
    or two minimum orders of the venue, whichever is more, and never above the policy's amount.
    """

    __slots__ = ("_asset_value2", "_assets", "_floors2", "_fraction")
    code = "risk.net_exposure"

    def __init__(self, policy: RiskPolicy, instruments: Iterable[Instrument]) -> None:
        super().__init__(policy.net_exposure)
        self._fraction = ratio(policy.asset_net)
        self._asset_value2 = None if policy.asset_net_value is None else int(policy.asset_net_value * NANOS * 2)
        self._assets: dict[str, list[str]] = {}
        self._floors2: dict[str, int] = {}
        for one in instruments:
            self._assets.setdefault(one.base, []).append(one.instrument_id)
            self._floors2[one.instrument_id] = int(2 * one.min_notional * NANOS * 2)

    def exposure2(self, intent: Intent, ctx: RiskContext) -> int:
        """Add the order to the net if all working orders of its side fill."""
        net2 = ctx.net_up2 if intent.side is BUY else -ctx.net_down2
        return net2 + (intent.lots + ctx.ahead) * ctx.book.lot2

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Judge the desk's net, then, for a quoting instance, that of its asset; equality passes."""
        found = super().review(intent, ctx)
        basis = ctx.basis
        if found is not None or basis is None or not ctx.opening or not ctx.holding.quoting:
            return found
        asset = ctx.book.instrument.base
        net2 = (intent.lots + ctx.ahead) * ctx.book.lot2
        for name in self._assets[asset]:
            book = ctx.books[name]
            net2 += (book.net_up if intent.side is BUY else -book.net_down) * book.lot2
        limit2 = max(2 * basis * self._fraction[0] // self._fraction[1], self._floors2[intent.instrument])
        if self._asset_value2 is not None:
            limit2 = min(limit2, self._asset_value2)
        if net2 <= limit2:
            return None
        return Violation(self.code, f"{money(net2)} in {asset}", money(limit2))
