"""What the page draws: bounded curves in the instrument's units, times in milliseconds UTC."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.research.backtest.equity import HALF_NANOS, EquityCurve
from tradeworthy.research.backtest.instrument_record import InstrumentRecord
from tradeworthy.research.backtest.markout import BPS
from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.research.backtest.series import Series
from tradeworthy.research.backtest.strategy_state import PARTS_PER_UNIT, StateRecord
from tradeworthy.research.backtest.summary import Summary

MARKERS_MAX = 2000
"""Fill markers drawn for an instrument; the count shown is that of all."""
DIGITS = 10
"""Decimal digits of embedded prices: enough for any tick, without a float's tail."""

Curve = dict[str, list[float]]


def page_data(summary: Summary, records: RunRecords) -> dict[str, Any]:
    """Return the embedded document of one run; money in base currency, spreads in basis points."""
    return {
        "summary": summary,
        "equity": _curve(records.equity.series, 1 / HALF_NANOS),
        "drawdown": _drawdown(records.equity),
        "sources": {name: _last(series, 1 / HALF_NANOS) for name, series in records.sources.items()},
        "months": _months(records),
        "instruments": {name: _instrument(record, records) for name, record in sorted(records.instruments.items())},
        "states": {name: _state(state) for name, state in sorted(records.states.items())},
        "guard": [
            [ts // NANOS_PER_MILLI, c.reason, c.scope, c.set, c.level.name.lower()] for ts, c in records.guard_changes
        ],
    }


def overlay_data(name: str, summary: Summary, records: RunRecords, *, base: RunRecords) -> dict[str, Any]:
    """Return another run's curves, its equity as if it had begun with the capital of `base`."""
    rebased = float(base.capital / records.capital)
    return {
        "name": name, "run": summary.run_id, "equity": _curve(records.equity.series, rebased / HALF_NANOS),
        "drawdown": _drawdown(records.equity), "profit": summary.profit, "costs": summary.costs,
        "activity": summary.activity, "performance": summary.performance, "edge": summary.edge,
        "capital": summary.capital, "currency": summary.currency,
    }


def _curve(series: Series, unit: float) -> Curve:
    return _last(series, unit) | {
        "lo": [round(v * unit, DIGITS) for v in series.low], "hi": [round(v * unit, DIGITS) for v in series.high],
    }


def _last(series: Series, unit: float) -> Curve:
    return {
        "t": [ts // NANOS_PER_MILLI for ts in series.ts], "v": [round(v * unit, DIGITS) for v in series.last],
    }


def _drawdown(curve: EquityCurve) -> Curve:
    """Return the depth in percent, negative, at each bucket's lowest equity below the highest before it."""
    depths, peak = [], 0
    for low, high in zip(curve.series.low, curve.series.high, strict=True):
        peak = max(peak, high)
        depths.append(100 * (low / peak - 1) if peak > 0 else 0.0)
    return {"t": [ts // NANOS_PER_MILLI for ts in curve.series.ts], "v": depths}


def _months(records: RunRecords) -> list[list[float]]:
    """Return [year, month, return in percent] of each calendar month (UTC)."""
    found: list[list[float]] = []
    before = after = records.equity.start2
    for one in records.equity.days:
        date = datetime.fromtimestamp(one.day * NANOS_PER_DAY // NANOS_PER_SECOND, UTC)
        if not found or found[-1][:2] != [date.year, date.month]:
            before = after
            found.append([date.year, date.month, 0.0])
        after = one.equity2
        found[-1][2] = 100 * (after / before - 1) if before > 0 else 0.0
    return found


def _instrument(record: InstrumentRecord, records: RunRecords) -> dict[str, object]:
    instrument = record.instrument
    tick, lot = float(instrument.tick), float(instrument.lot)
    mine = [f for f in records.fills if f.instrument == instrument.instrument_id]
    step = -(-len(mine) // MARKERS_MAX) or 1
    price = record.price

    def prices(values: Iterable[int]) -> list[float]:
        return [round(v * tick / 2, DIGITS) for v in values]

    return {
        "candles": {
            "t": [ts // NANOS_PER_MILLI for ts in price.ts], "o": prices(price.first), "h": prices(price.high),
            "l": prices(price.low), "c": prices(price.last),
        },
        "inventory": {
            "t": [ts // NANOS_PER_MILLI for ts in record.inventory.ts],
            "v": [round(v * lot, DIGITS) for v in record.inventory.last],
        },
        "quotes": [
            [q.start // NANOS_PER_MILLI, (records.now if q.end is None else q.end) // NANOS_PER_MILLI, q.side,
             round(q.price * tick, DIGITS)] for q in record.quotes
        ],
        "fills": [
            [f.ts // NANOS_PER_MILLI, f.side, round(f.price * tick, DIGITS), round(f.lots * lot, DIGITS),
             f.liquidity.value, f.instance, str(_short(f.fee)), str(_short(f.realized))]
            for f in mine[::step]
        ],
        "fill_count": sum(record.costs.fills.values()), "base": instrument.base, "quote": instrument.quote,
    }


def _state(state: StateRecord) -> dict[str, object]:
    to_bps = BPS / PARTS_PER_UNIT
    return {
        "instrument": state.instrument, "changes": state.changes,
        "bands": [[ts // NANOS_PER_MILLI, label] for ts, label in state.bands],
        "spread": _last(state.spread, to_bps), "floor": _last(state.floor, to_bps), "edge": _last(state.edge, to_bps),
    }


def _short(value: Decimal | None) -> Decimal | str:
    return "unknown" if value is None else value.normalize() + 0
