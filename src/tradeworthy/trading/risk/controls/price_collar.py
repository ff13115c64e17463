"""RK-04: a price lies near the reference and its median; a market order gets a price."""

from collections.abc import Iterable

from tradeworthy.trading.model import Instrument, Intent, OrderType, Side, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control, ratio
from tradeworthy.trading.risk.policy import RiskPolicy

WIDE = 2
"""The median, and a reducing order, have this many times the tolerance."""

BUY = Side.BUY
TRIGGERED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT})


class PriceCollar(Control):
    """Refuse a price too far from the reference or its five-minute median; a triggered order's from its trigger.

    A market order has the price that it leaves with: the far edge of the collar.
    """

    __slots__ = ("_age", "_bands", "_collars", "_edges")
    code = "risk.price_collar"

    def __init__(self, policy: RiskPolicy, instruments: Iterable[Instrument]) -> None:
        self._age = policy.reference_age
        self._collars: dict[str, tuple[int, int]] = {}
        self._bands: dict[str, tuple[int, int] | None] = {}
        self._edges: dict[tuple[str, Side, bool], tuple[tuple[int, int | None], int]] = {}
        for one in instruments:
            self._collars[one.instrument_id] = ratio(policy.collars.of(one.kind))
            self._bands[one.instrument_id] = None if one.price_band is None else ratio(one.price_band)

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Compare twice the distance in ticks with the collar of twice the reference; the edge passes."""
        book = ctx.book
        price, around = intent.price, book.mid2
        numerator, denominator = self._collars[intent.instrument]
        if not ctx.opening:
            numerator *= WIDE
        if price is None:
            if intent.type is not OrderType.MARKET or not ctx.opening or around is None:
                return None
            median2 = book.median.median2
            if median2 is None or (around - median2) * intent.side * denominator <= WIDE * numerator * median2:
                return None
            return Violation(self.code, f"reference {around}/2 ticks", _text(WIDE * numerator, denominator, median2))
        if intent.type in TRIGGERED and intent.trigger is not None:
            around = 2 * intent.trigger
        if around is None:
            return self.unknown("no reference") if ctx.opening else None
        if abs(2 * price - around) * denominator > around * numerator:
            return Violation(self.code, f"{price} ticks", _text(numerator, denominator, around))
        median2 = book.median.median2
        if median2 is None or intent.type in TRIGGERED:
            return None
        numerator *= WIDE
        if abs(2 * price - median2) * denominator > median2 * numerator:
            return Violation(self.code, f"{price} ticks", _text(numerator, denominator, median2))
        return None

    def worst_price(self, intent: Intent, ctx: RiskContext) -> int | None:
        """Return the limit in ticks with which a market order leaves, the last one kept; None for other orders.

        A reducing order whose reference is stale or unusable stays a market order: the way out needs no price.
        """
        book = ctx.book
        mid2 = book.mid2
        if intent.type is not OrderType.MARKET or mid2 is None or not book.usable:
            return None
        if ctx.now - book.reference_ts >= self._age:
            return None
        key = (intent.instrument, intent.side, ctx.opening > 0)
        of = (mid2, book.median.median2)
        known = self._edges.get(key)
        if known is not None and known[0] == of:
            return known[1]
        price = self._edge(*key, *of)
        self._edges[key] = (of, price)
        return price

    def _edge(self, instrument: str, side: Side, opening: bool, mid2: int, median2: int | None) -> int:
        """Return the worst price in ticks on one side; the venue's own band may be narrower than the collar."""
        numerator, denominator = self._collars[instrument]
        edges = [(mid2, numerator if opening else WIDE * numerator, denominator)]
        if opening and median2 is not None:
            edges.append((median2, WIDE * numerator, denominator))
        band = self._bands[instrument]
        if band is not None:
            edges.append((mid2, *band))
        if side is BUY:
            return max(1, min(around2 * (den + num) // (2 * den) for around2, num, den in edges))
        return max(1, *(-(-around2 * (den - num) // (2 * den)) for around2, num, den in edges))


def _text(numerator: int, denominator: int, around2: int) -> str:
    return f"{numerator}/{denominator} around {around2}/2 ticks"
