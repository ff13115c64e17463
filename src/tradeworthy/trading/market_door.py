"""What market data has to pass before the desk folds it; a desk without such a policy has no door at all."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.trading.market_data.quality import (
    ImposeQuarantine,
    MarketQuality,
    QualityRequest,
    ReleaseQuarantine,
    ReviewQuarantine,
)
from tradeworthy.trading.market_data.top import MarketState
from tradeworthy.trading.model import (
    Bar,
    DepthDiff,
    DepthSnapshot,
    Funding,
    GuardReason,
    Mark,
    Quote,
    Status,
    Trade,
)
from tradeworthy.trading.risk.context import RiskContext

MARKET: tuple[type[Fact], ...] = (Quote, Bar, DepthDiff, DepthSnapshot, Trade, Mark, Funding, Status)
Handler = Callable[[Event, Any], None]


class MarketDoor:
    """Show events to `MarketQuality` and carry what it finds.

    on_withheld  hears when an instrument's data is withheld or given free again
    """

    __slots__ = ("_apply", "_context", "_facts", "_markets", "_on_withheld", "_quality", "_withheld")

    def __init__(
        self, quality: MarketQuality, *, markets: Mapping[str, MarketState], context: RiskContext,
        facts: list[Fact], apply: Callable[[Iterable[GuardReason]], None], on_withheld: Callable[[], None],
    ) -> None:  # fmt: skip
        self._quality, self._markets, self._facts, self._apply = quality, markets, facts, apply
        self._context, self._on_withheld = context, on_withheld
        self._withheld = quality.withheld

    def handlers(self, plain: Mapping[type[Fact], Handler]) -> dict[type[Fact], Handler]:
        """Return the handlers of market facts behind the door, and those of people's requests about data."""
        return {
            **{kind: self._checked(plain[kind]) for kind in MARKET},
            **dict.fromkeys((ImposeQuarantine, ReviewQuarantine, ReleaseQuarantine), self._on_request),
        }

    def _checked(self, handler: Handler) -> Handler:
        admit = self._quality.admit

        def judge(event: Event, fact: Any) -> None:
            admitted = admit(event, fact)
            self._take()
            if admitted:
                handler(event, fact)

        return judge

    def holds(self, instrument: str) -> bool:
        """Tell whether an instrument's data is withheld."""
        return instrument in self._quality.withheld

    def on_second(self, now: int) -> None:
        """Let ages, pairs, stamps and health be looked at."""
        self._quality.on_second(now)
        self._take()

    def _on_request(self, event: Event, request: QualityRequest) -> None:
        self._quality.on_request(request)
        self._take()

    def _take(self) -> None:
        quality = self._quality
        if quality.confirmed:
            for name, mid2 in quality.confirmed:
                self._markets[name].confirm(mid2)
            quality.confirmed.clear()
        if not quality.found and not quality.reasons:
            return
        self._facts += quality.found
        quality.found.clear()
        reasons, quality.reasons = quality.reasons, []
        self._apply(reasons)
        if quality.withheld != self._withheld:
            for name in {*quality.withheld, *self._withheld}:
                provenance = self._context.books[name].provenance
                self._context.set_provenance(name, provenance, quarantined=name in quality.withheld)
            self._withheld = quality.withheld
            self._on_withheld()
