"""The minute row: one instance at one time, everything that panels and exporters show of it (AC-06)."""

from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.ledger.snapshot import AccountingSnapshot
from tradeworthy.trading.model import Instrument
from tradeworthy.trading.view import Seat

MINUTE_NS = 60 * NANOS_PER_SECOND


@fact("telemetry.desk.minute")
class DeskMinute(Fact, frozen=True):
    """One minute of one instance. Money in the settlement currency, shares and spreads as fractions; None = not known.

    model_edge     of the formulas;  evidence_edge  the last judged mean of what fills earned;  gate  the edge gate
    gross, net     base share of equity, unsigned and signed;  bids, asks  ticks of the last evaluation
    size_quote     notional of the best working quote;  funding_cost  over one refresh, above zero when we pay
    stale, withheld  the market data's own flags, None where it passes unwatched
    position_difference, reconnects, step_p50_ms, step_p99_ms  of the venue, the stream and the loop; None = unmeasured
    """

    instance: str
    ts: int
    state: str
    guard_reasons: tuple[str, ...]
    regime: str | None
    mid: Decimal | None
    equity: Decimal | None
    gross: float | None
    net: float | None
    target: float | None
    spread: float | None
    floor: float | None
    model_edge: float | None
    edge_ewma: float | None
    evidence_edge: float | None
    gate: str | None
    skew: float | None
    drift: float | None
    band: float | None
    market_spread: float | None
    levels: int | None
    bids: tuple[int, ...]
    asks: tuple[int, ...]
    size_quote: Decimal | None
    turnover: float | None
    cancels_minute: int
    orders_active: int
    fills: int
    fees: Decimal
    maker_fee: Decimal
    taker_fee: Decimal
    fee_source: str
    loss: float | None
    drawdown: float | None
    realized: Decimal
    unrealized: Decimal | None
    position: Decimal
    average: Decimal | None
    funding: Decimal
    funding_rate: Decimal | None
    funding_cost: float | None
    margin_ratio: Decimal | None
    price_age_ns: int | None
    stale: bool | None
    withheld: bool | None
    position_difference: int | None = None
    reconnects: int | None = None
    step_p50_ms: float | None = None
    step_p99_ms: float | None = None


@runtime_checkable
class Quoting(Protocol):
    """A strategy that keeps its last evaluation and judges its fills, as the market maker does."""

    @property
    def regime(self) -> Any: ...
    @property
    def assessment(self) -> Any: ...
    @property
    def gate(self) -> Any: ...
    @property
    def edge_ewma(self) -> float | None: ...


def minute_row(
    seat: Seat, books: AccountingSnapshot, *, reasons: tuple[str, ...], turnover: float | None, fills: int,
    cancels: int, stale: bool | None, withheld: bool | None,
) -> DeskMinute:
    """Return the row of one seat from its books; a strategy that quotes nothing leaves the quoting fields unknown."""
    strategy, instrument = seat.strategy, seat.instrument
    quoting = strategy if isinstance(strategy, Quoting) else None
    told = None if quoting is None else quoting.assessment
    known = None if told is None else told.known
    net = known.share if known is not None else _share(books, instrument)
    working = list(seat.working())
    quotes = [one for one in working if one.level >= 0 and one.price is not None]
    best = min(quotes, key=lambda one: one.level, default=None)
    return DeskMinute(
        instance=seat.instance, ts=books.ts, state=seat.guard.name.lower(), guard_reasons=reasons,
        regime=None if quoting is None else quoting.regime.value, mid=books.mid, equity=books.equity,
        gross=None if net is None else abs(net), net=net, target=None if known is None else known.target,
        spread=None if told is None else told.spread, floor=None if told is None else told.floor,
        model_edge=None if told is None else told.edge, edge_ewma=None if quoting is None else quoting.edge_ewma,
        evidence_edge=None if quoting is None else quoting.gate.mean,
        gate=None if quoting is None else quoting.gate.state.value, skew=None if told is None else told.skew,
        drift=None if known is None else known.drift, band=None if known is None else known.band,
        market_spread=None if known is None else known.market_spread, levels=None if told is None else told.levels,
        bids=() if told is None else told.bids, asks=() if told is None else told.asks,
        size_quote=None if best is None or best.price is None else instrument.notional(best.price, best.lots),
        turnover=turnover, cancels_minute=cancels, orders_active=len(working), fills=fills, fees=books.fees_today,
        maker_fee=instrument.fees.maker, taker_fee=instrument.fees.taker, fee_source=books.fee_source,
        loss=books.daily_loss, drawdown=books.drawdown, realized=books.realized, unrealized=books.unrealized,
        position=books.position, average=books.average, funding=books.funding_today,
        funding_rate=getattr(seat.top, "funding_rate", None), funding_cost=None if known is None else known.funding,
        margin_ratio=books.margin_ratio, price_age_ns=books.price_age_ns, stale=stale, withheld=withheld,
    )


def _share(books: AccountingSnapshot, instrument: Instrument) -> float | None:
    """Return the base share of equity, signed; None where price or equity is not known."""
    if books.mid is None or not books.equity:
        return None
    held = books.position if instrument.perpetual else books.base
    return float(held * books.mid * instrument.multiplier / books.equity)
