"""Builders for the strategy tests: an ordinary instrument and a view with every value settable."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tradeworthy.trading.model import Bar, FeeRates, GuardLevel, Instrument, InstrumentKind

HOUR = 3_600_000_000_000
SECOND = 1_000_000_000


def instrument(kind=InstrumentKind.LINEAR_PERP, **changes):
    values = {
        "symbol": "BTCUSDT", "venue": "SIM", "kind": kind, "tick": Decimal("0.01"), "lot": Decimal("0.001"),
        "base": "BTC", "quote": "USDT", "fees": FeeRates(Decimal("0.0002"), Decimal("0.0005")),
    }
    return Instrument(**{**values, **changes})


BTC = instrument()
SPOT = instrument(InstrumentKind.SPOT)


@dataclass
class FakeTop:
    bid: int | None = 9_999
    ask: int | None = 10_001
    bid_lots: int | None = None
    ask_lots: int | None = None
    last: int | None = None
    mark: int | None = None
    ts: int = 0
    usable: bool = True

    @property
    def mid2(self):
        return None if self.bid is None or self.ask is None else self.bid + self.ask


@dataclass
class FakeOrder:
    side: Any
    level: int
    price: int


@dataclass
class FakeView:
    fact: Any = None
    now: int = 0
    instance: str = "one"
    instrument: Any = BTC
    top: FakeTop = field(default_factory=FakeTop)
    guard: GuardLevel = GuardLevel.RUNNING
    position: int = 0
    average: float | None = None
    equity: float | None = 10_000.0
    budget: float | None = 10_000.0
    traded_today: float = 0.0
    fills: int = 0
    orders: tuple = ()

    def working(self):
        return self.orders

    def bars(self):
        return ()


def bar(close, *, high=None, low=None, interval=HOUR, filled=False, of=BTC):
    return Bar(of.instrument_id, interval, close, high or close + 5, low or close - 5, close, 1, filled)


def view_at(close, now=0, **changes):
    """A view at the close of one bar, the touch one tick to each side."""
    fields = {k: changes.pop(k) for k in ("high", "low", "interval", "filled") if k in changes}
    return FakeView(bar(close, **fields), now, top=FakeTop(close - 1, close + 1), **changes)


def step(strategy, view):
    """Observe and decide, as the desk does."""
    kinds = (type(view.fact), getattr(view.fact, "name", None))
    if any(kind in strategy.observes for kind in kinds):
        strategy.observe(view)
    return strategy.decide(view)


def run(strategy, closes, **changes):
    """Decide at each bar; a position target is filled at once, as the next event would."""
    decisions, position = [], changes.pop("position", 0)
    for i, close in enumerate(closes):
        decision = step(strategy, view_at(close, i * HOUR, position=position, **changes))
        decisions.append(decision)
        for target in getattr(decision, "positions", ()):
            position = target.lots
    return decisions
