"""The desk's key figures in a window, recomputed from its fills and equity (AC-08)."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.ledger.accounts import ZERO
from tradeworthy.trading.model.order import FillBooked

_ONE = Decimal(1)


class KpiPolicy(msgspec.Struct, frozen=True):
    """Budgets breached at their value; turnover of the busiest day over its equity, shares of gross profit or peak."""

    turnover_warn: Decimal = Decimal(2)
    turnover_fail: Decimal = Decimal(3)
    fees_warn: Decimal = Decimal("0.35")
    fees_fail: Decimal = Decimal("0.40")
    profit_factor_min: Decimal = Decimal("1.25")
    drawdown_warn: Decimal = Decimal("0.03")
    drawdown_fail: Decimal = Decimal("0.04")


class Kpi(msgspec.Struct, frozen=True):
    """One figure; `value` None means that there is nothing to judge, which is UNKNOWN."""

    name: str
    value: Decimal | None
    limit: Decimal
    severity: Severity


class KpiReport(msgspec.Struct, frozen=True):
    """All figures of a window with the fills they rest on; money in the settlement currency."""

    fills: int
    notional: Decimal
    gross_profit: Decimal
    gross_loss: Decimal
    fees: Decimal
    kpis: tuple[Kpi, ...]

    @property
    def severity(self) -> Severity:
        """The worst of all figures."""
        return max((kpi.severity for kpi in self.kpis), default=Severity.UNKNOWN)


class KpiFold:
    """Fold fills with their notional, and equity samples; a fee that is not told makes the fee share unknown."""

    __slots__ = (
        "_day_notional", "_drawdown", "_equity", "_fee_unknown", "_fees", "_fills", "_loss", "_notional", "_open",
        "_peak", "_profit", "_turnover",
    )  # fmt: skip

    def __init__(self) -> None:
        self._fills = 0
        self._notional = self._profit = self._loss = self._fees = self._day_notional = ZERO
        self._fee_unknown = 0
        self._open: Decimal | None = None
        self._equity: Decimal | None = None
        self._turnover: Decimal | None = None
        self._peak: Decimal | None = None
        self._drawdown: Decimal | None = None

    def on_fill(self, booked: FillBooked, notional: Decimal) -> None:
        """Take a booked fill and its absolute value."""
        self._fills += 1
        self._notional += notional
        self._day_notional += notional
        if booked.realized > 0:
            self._profit += booked.realized
        else:
            self._loss -= booked.realized
        if booked.fee is None:
            self._fee_unknown += 1
        else:
            self._fees += booked.fee

    def on_equity(self, equity: Decimal) -> None:
        """Take an equity; the first one above zero is the day's basis of turnover and the peak to begin with."""
        self._equity = equity
        if self._open is None and equity > 0:
            self._open = equity
        if self._peak is None and equity > 0:
            self._peak, self._drawdown = equity, ZERO
        if self._peak is None or self._drawdown is None:
            return
        self._peak = max(self._peak, equity)
        self._drawdown = max(self._drawdown, (self._peak - equity) / self._peak)

    def on_day(self) -> None:
        """End a day: its turnover counts where it is the window's highest, the next one begins with its equity."""
        self._turnover = self._highest_turnover()
        self._day_notional = ZERO
        self._open = self._equity if self._equity is not None and self._equity > 0 else None

    def _highest_turnover(self) -> Decimal | None:
        if self._open is None:
            return self._turnover
        today = self._day_notional / self._open
        return today if self._turnover is None else max(self._turnover, today)

    def report(self, policy: KpiPolicy) -> KpiReport:
        """Judge the window."""
        turnover = self._highest_turnover()
        share = self._fees / self._profit if self._profit > 0 and not self._fee_unknown else None
        factor = self._profit / self._loss if self._loss > 0 else None
        if factor is None and self._profit > 0:
            factor = Decimal("Infinity")
        kpis = (
            _budget("turnover", turnover, policy.turnover_warn, policy.turnover_fail),
            _budget("fees_of_gross_profit", share, policy.fees_warn, policy.fees_fail),
            _floor("profit_factor", factor, policy.profit_factor_min),
            _budget("drawdown", self._drawdown, policy.drawdown_warn, policy.drawdown_fail),
        )
        return KpiReport(self._fills, self._notional, self._profit, self._loss, self._fees, kpis)


def kpis_of(fills: Iterable[tuple[FillBooked, Decimal]], equity: Iterable[Decimal], policy: KpiPolicy) -> KpiReport:
    """Return the figures of booked fills with their notionals, and of equity samples oldest first."""
    fold = KpiFold()
    for booked, notional in fills:
        fold.on_fill(booked, notional)
    for sample in equity:
        fold.on_equity(sample)
    return fold.report(policy)


def _budget(name: str, value: Decimal | None, warn: Decimal, fail: Decimal) -> Kpi:
    if value is None:
        return Kpi(name, None, fail, Severity.UNKNOWN)
    severity = Severity.FAIL if value >= fail else Severity.WARN if value >= warn else Severity.OK
    return Kpi(name, value, fail if severity is Severity.FAIL else warn, severity)


def _floor(name: str, value: Decimal | None, least: Decimal) -> Kpi:
    if value is None:
        return Kpi(name, None, least, Severity.UNKNOWN)
    return Kpi(name, value, least, Severity.OK if value > least else Severity.FAIL)
