"""Shadow quotes: what would have been filled while the gate is closed."""

from typing import Protocol

from tradeworthy.trading.model import Bar, QuoteTarget, Side, Trade


class ShadowFills(Protocol):
    """Holds the quotes a closed gate keeps off the market and says which of them the tape would have filled.

    `now` is the desk's time in nanoseconds; it never goes back.
    """

    def quote(self, quotes: tuple[QuoteTarget, ...], now: int) -> None: ...
    def on_print(self, fact: Trade | Bar, now: int) -> list[QuoteTarget]: ...
    def on_touch(
        self, bid: int, ask: int, bid_lots: int | None, ask_lots: int | None, now: int
    ) -> list[QuoteTarget]: ...


class TradeThroughShadow:
    """Fill only what the market went through: a trade, a bar's range or the opposite touch past the price.

    Trades at the price fill nothing, as the queue in front is unknown; so the evidence is pessimistic. It is the
    shadow of a maker that was given no venue.
    """

    __slots__ = ("_quotes",)

    def __init__(self) -> None:
        self._quotes: tuple[QuoteTarget, ...] = ()

    def quote(self, quotes: tuple[QuoteTarget, ...], now: int) -> None:
        """Replace the resting shadow quotes."""
        self._quotes = quotes

    def on_print(self, fact: Trade | Bar, now: int) -> list[QuoteTarget]:
        """Return quotes that a trade or a bar went through."""
        if not self._quotes:
            return []
        if isinstance(fact, Bar):
            return [] if fact.filled else self._through(fact.low, fact.high)
        return self._through(fact.price, fact.price)

    def on_touch(self, bid: int, ask: int, bid_lots: int | None, ask_lots: int | None, now: int) -> list[QuoteTarget]:
        """Return quotes that the opposite touch reached."""
        return self._through(ask - 1, bid + 1) if self._quotes else []

    def _through(self, low: int, high: int) -> list[QuoteTarget]:
        hit = [q for q in self._quotes if (low < q.price if q.side is Side.BUY else high > q.price)]
        if hit:
            self._quotes = tuple(q for q in self._quotes if q not in hit)
        return hit
