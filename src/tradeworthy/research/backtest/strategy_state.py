"""What strategies thought, minute by minute: regime, spread, floor and edge, and what each regime earned (BT-11)."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

import msgspec

from tradeworthy.research.backtest.series import Series

LINE_POINTS_MAX = 2000
BANDS_MAX = 2000
"""Regime changes kept for the chart; totals count all."""
PARTS_PER_UNIT = 1_000_000_000
"""Fractions are kept as whole parts of 1e-9 in the bounded curves."""


@runtime_checkable
class Labelled(Protocol):
    """A strategy that holds a market regime."""

    @property
    def regime(self) -> Any: ...


@runtime_checkable
class Assessed(Protocol):
    """A strategy that keeps its last assessment: a struct with `spread`, `floor` and `edge` as fractions of price."""

    @property
    def assessment(self) -> Any: ...


class StrategyState(msgspec.Struct, frozen=True):
    """One strategy's state as the events before left it; fractions of price, None where it has none.

    detail   every value of its last assessment as canonical JSON, `{}` without one
    """

    instance: str
    instrument: str
    regime: str | None = None
    spread: float | None = None
    floor: float | None = None
    edge: float | None = None
    detail: msgspec.Raw = msgspec.Raw(b"{}")


def state_of(strategy: Any) -> StrategyState:
    """Return what `strategy` shows of itself; one without regime or assessment has empty fields."""
    regime = strategy.regime.value if isinstance(strategy, Labelled) else None
    found = strategy.assessment if isinstance(strategy, Assessed) else None
    if found is None:
        return StrategyState(strategy.instance, strategy.instrument_id, regime)
    return StrategyState(
        strategy.instance, strategy.instrument_id, regime, found.spread, found.floor, found.edge,
        msgspec.Raw(msgspec.json.encode(found, order="sorted")),
    )


class StateReader:
    """Ask strategies for their states; what each one shows is found out once, an unchanged state is not made again."""

    __slots__ = ("_last", "_readers")

    def __init__(self, strategies: Iterable[Any]) -> None:
        self._readers = [(one, isinstance(one, Labelled), isinstance(one, Assessed)) for one in strategies]
        self._last: dict[str, tuple[Any, Any, StrategyState]] = {}

    def __call__(self) -> list[StrategyState]:
        """Return the states in the order of the strategies."""
        found = []
        for strategy, labelled, assessed in self._readers:
            regime = strategy.regime if labelled else None
            assessment = strategy.assessment if assessed else None
            last = self._last.get(strategy.instance)
            if last is None or last[0] is not regime or last[1] is not assessment:
                last = self._last[strategy.instance] = (regime, assessment, state_of(strategy))
            found.append(last[2])
        return found


class RegimeTotals:
    """What happened in one regime of one instance; time in nanoseconds, money in base currency."""

    __slots__ = ("captured2", "fees", "fills", "nanos", "pnl", "traded")

    def __init__(self) -> None:
        self.nanos = 0
        self.pnl = Decimal(0)
        self.fills = 0
        self.fees = Decimal(0)
        self.traded = Decimal(0)
        self.captured2 = 0


class StateRecord:
    """One instance's states: bounded curves, regime bands `(start, label)` and totals by regime (None = no label)."""

    __slots__ = ("_pnl", "_ts", "bands", "changes", "edge", "floor", "instrument", "regime", "spread", "totals")

    def __init__(self, instrument: str) -> None:
        self.instrument = instrument
        self.regime: str | None = None
        self.bands: list[tuple[int, str | None]] = []
        self.changes = 0
        self.spread, self.floor, self.edge = (Series(LINE_POINTS_MAX) for _ in range(3))
        self.totals: dict[str | None, RegimeTotals] = {}
        self._pnl = Decimal(0)
        self._ts: int | None = None

    def sample(self, ts: int, state: StrategyState, pnl: Decimal) -> None:
        """Take the state at `ts`; the time and P&L since the last sample belong to the regime held until now."""
        self.close(ts, pnl)
        if state.regime != self.regime or not self.changes:
            self.regime = state.regime
            self.changes += 1
            if len(self.bands) < BANDS_MAX:
                self.bands.append((ts, state.regime))
        for line, value in ((self.spread, state.spread), (self.floor, state.floor), (self.edge, state.edge)):
            if value is not None:
                line.add(ts, round(value * PARTS_PER_UNIT))

    def close(self, ts: int, pnl: Decimal) -> None:
        """Give the time and P&L up to `ts` to the regime held until now."""
        earned = pnl - self._pnl
        if self._ts is not None:
            self.total().nanos += max(0, ts - self._ts)
        if earned:
            self.total().pnl += earned
        self._ts, self._pnl = ts, pnl

    def total(self) -> RegimeTotals:
        """Return the totals of the regime in force."""
        found = self.totals.get(self.regime)
        if found is None:
            found = self.totals[self.regime] = RegimeTotals()
        return found


def ordered(totals: Mapping[str | None, RegimeTotals]) -> list[tuple[str | None, RegimeTotals]]:
    """Return totals by label, the unlabelled last."""
    return sorted(totals.items(), key=lambda one: (one[0] is None, one[0] or ""))
