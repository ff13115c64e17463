"""RK-23: the net exposure in one currency over all pairs, as a fraction of equity."""

from collections.abc import Iterable

from tradeworthy.trading.model import Instrument, InstrumentKind, Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control, money, ratio
from tradeworthy.trading.risk.policy import RiskPolicy


class CurrencyFactor(Control):
    """Refuse a currency pair's opening that takes one of its two currencies too far the way it moves it.

    A pair counts with its sign in the base currency and against it in the quote currency, working orders on the
    worse side included, so long EURUSD and long USDJPY offset in USD.
    """

    __slots__ = ("_fraction", "_legs", "_pairs")
    code = "risk.currency_factor"

    def __init__(self, policy: RiskPolicy, instruments: Iterable[Instrument]) -> None:
        self._fraction = ratio(policy.currency_net)
        pairs = [one for one in instruments if one.kind is InstrumentKind.FX]
        self._pairs = {one.instrument_id: ((one.base, 1), (one.quote, -1)) for one in pairs}
        self._legs: dict[str, list[tuple[str, int]]] = {}
        for name, legs in self._pairs.items():
            for currency, sign in legs:
                self._legs.setdefault(currency, []).append((name, sign))

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Judge base and quote currency; equality passes."""
        legs = self._pairs.get(intent.instrument)
        if legs is None or not ctx.opening:
            return None
        basis, lot2 = ctx.basis, ctx.book.lot2
        if basis is None or not lot2:
            return self.unknown("no equity" if basis is None else "no reference")
        numerator, denominator = self._fraction
        limit2 = 2 * basis * numerator // denominator
        value2 = (intent.lots + ctx.ahead) * lot2
        for currency, sign in legs:
            way = sign * intent.side
            net2 = value2 + self._net2(currency, way, ctx)
            if net2 > limit2:
                return Violation(self.code, f"{money(way * net2)} in {currency}", money(limit2))
        return None

    def _net2(self, currency: str, way: int, ctx: RiskContext) -> int:
        """Return twice the net of a currency in nanos, seen in direction `way`, its worse side filled."""
        total = 0
        for name, sign in self._legs[currency]:
            book = ctx.books[name]
            total += way * sign * (book.net_up if way * sign > 0 else book.net_down) * book.lot2
        return total
