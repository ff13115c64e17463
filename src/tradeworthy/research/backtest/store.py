"""The store of backtests: a port and its rows; runs are replaced as a whole by their id (BT-11)."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

import msgspec

from tradeworthy.research.backtest.rows import BarRow, FillRow


class StoredRun(msgspec.Struct, frozen=True):
    """One row of `backtest_run`; money in base currency, times nanoseconds UTC; `summary` is its canonical JSON."""

    run_id: str
    name: str
    environment: str
    code_hash: str
    config_hash: str
    seed: int
    start: int
    end: int
    currency: str
    capital: Decimal
    net: Decimal
    fees: Decimal
    drawdown: float
    sharpe: float | None
    fills: int
    fill_bias: str
    synthetic: bool
    summary: str


class StoredRegime(msgspec.Struct, frozen=True):
    """One row of `backtest_regime_stats`; `regime` is None for a strategy without labels."""

    instance: str
    instrument: str
    regime: str | None
    share: float | None
    pnl: Decimal
    fills: int
    notional: Decimal
    fees: Decimal
    capture_bps: float | None


class StoreCounts(msgspec.Struct, frozen=True):
    """Rows by table."""

    runs: int
    bars: int
    fills: int
    regimes: int


class BacktestStore(Protocol):
    """Keeps runs; `put` replaces everything of the run's id in one transaction, so importing twice changes nothing."""

    def put(
        self, run: StoredRun, bars: Iterable[BarRow], fills: Iterable[FillRow], regimes: Iterable[StoredRegime]
    ) -> None: ...
    def runs(self) -> tuple[StoredRun, ...]: ...
    def bars(self, run_id: str) -> tuple[BarRow, ...]: ...
    def fills(self, run_id: str) -> tuple[FillRow, ...]: ...
    def regimes(self, run_id: str) -> tuple[StoredRegime, ...]: ...
    def counts(self) -> StoreCounts: ...
    def close(self) -> None: ...
