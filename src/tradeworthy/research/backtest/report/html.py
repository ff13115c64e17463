"""Render a run as one self-contained HTML file: no network, no library, data embedded."""

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.research.backtest.records import HALF_NANOS, InstrumentRecord, RunRecords
from tradeworthy.research.backtest.series import Series
from tradeworthy.research.backtest.summary import Summary, origin_label

MARKERS_MAX = 2000
"""Fill markers drawn for an instrument; the count shown is that of all."""


def render_html(summary: Summary, records: RunRecords, *, title: str, labels: Mapping[str, str]) -> str:
    """Return the whole document.

    labels   short facts shown under the title, e.g. `strategy` or `tape`; text is escaped
    """
    data = {
        "summary": summary, "equity": _curve(records.equity, HALF_NANOS), "drawdown": _drawdown(records),
        "months": _months(records),
        "instruments": {name: _instrument(record, records) for name, record in sorted(records.instruments.items())},
        "guard": [
            [ts // NANOS_PER_MILLI, c.reason, c.scope, c.set, c.level.name.lower()] for ts, c in records.guard_changes
        ],
    }
    parts = {
        "TITLE": html.escape(title),
        "LABELS": "".join(
            f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd></div>" for name, text in labels.items()
        ),
        "BANNERS": _banners(summary),
        "CSS": _text("report.css"),
        "JS": _text("report.js"),
        "DATA": msgspec.json.encode(data, order="sorted").decode().replace("<", "\\u003c"),
    }
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda found: parts[found[1]], _text("template.html"))


def _text(name: str) -> str:
    return files("tradeworthy.research.backtest.report").joinpath(name).read_text("utf-8")


def _banners(summary: Summary) -> str:
    found = []
    if label := origin_label(summary):
        found.append(f'<p class="banner synthetic"><b>{label[0]}</b> {label[1]}; nothing here is a track record.</p>')
    bias = html.escape(summary.fill_bias)
    found.append(f'<p class="banner"><b>fill_bias</b> <code>{bias}</code> Fills are simulated under this bias.</p>')
    return "".join(found)


def _curve(series: Series, unit: int) -> dict[str, list[float]]:
    return {
        "t": [ts // NANOS_PER_MILLI for ts in series.ts], "v": [v / unit for v in series.last],
        "lo": [v / unit for v in series.low], "hi": [v / unit for v in series.high],
    }


def _drawdown(records: RunRecords) -> dict[str, list[float]]:
    """Return the depth in percent, negative, at each bucket's lowest equity below the highest before it."""
    depths, peak = [], 0
    for low, high in zip(records.equity.low, records.equity.high, strict=True):
        peak = max(peak, high)
        depths.append(100 * (low / peak - 1) if peak > 0 else 0.0)
    return {"t": [ts // NANOS_PER_MILLI for ts in records.equity.ts], "v": depths}


def _months(records: RunRecords) -> list[list[float]]:
    """Return [year, month, return in percent] of each calendar month (UTC)."""
    found: list[list[float]] = []
    before = after = int(records.capital * HALF_NANOS)
    for day, equity in records.days:
        date = datetime.fromtimestamp(day * NANOS_PER_DAY // NANOS_PER_SECOND, UTC)
        if not found or found[-1][:2] != [date.year, date.month]:
            before = after
            found.append([date.year, date.month, 0.0])
        after = equity
        found[-1][2] = 100 * (after / before - 1) if before > 0 else 0.0
    return found


def _instrument(record: InstrumentRecord, records: RunRecords) -> dict[str, object]:
    instrument = record.instrument
    tick, lot = float(instrument.tick), float(instrument.lot)
    price = _curve(record.price, 2)
    mine = [f for f in records.fills if f.instrument == instrument.instrument_id]
    step = -(-len(mine) // MARKERS_MAX) or 1
    return {
        "price": {key: values if key == "t" else [v * tick for v in values] for key, values in price.items()},
        "inventory": {
            "t": [ts // NANOS_PER_MILLI for ts in record.inventory.ts], "v": [v * lot for v in record.inventory.last],
        },
        "quotes": [
            [q.start // NANOS_PER_MILLI, (records.now if q.end is None else q.end) // NANOS_PER_MILLI, q.side,
             q.price * tick] for q in record.quotes
        ],
        "fills": [
            [f.ts // NANOS_PER_MILLI, f.side, f.price * tick, f.lots * lot, f.liquidity.value] for f in mine[::step]
        ],
        "fill_count": len(mine), "base": instrument.base, "quote": instrument.quote,
    }
