"""A run's summary as Markdown."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.research.backtest.summary import Figure, Summary, origin_label

DAYS_SHOWN = 31
"""Days in the Markdown table, the last ones; the JSON holds all."""


def to_markdown(summary: Summary) -> str:
    """Return the run's report as Markdown."""
    s, a, p = summary, summary.activity, summary.performance
    lines = [f"# Run {s.run_id[:12]}", ""]
    if label := origin_label(s):
        lines += [f"**{label[0]}: {label[1]}; nothing here is a track record.**", ""]
    lines += [
        f"{', '.join(s.instruments)}, {_time(s.start)} to {_time(s.end)}, capital {s.capital:f} {s.currency}.",
        f"Fill bias: `{s.fill_bias}`.", "",
    ]
    lines += _table(("profit", s.currency), [
        ("captured spread", f"{s.profit.captured:f}"), ("inventory move", f"{s.profit.inventory:f}"),
        ("funding", f"{s.profit.funding:f}"), ("gross", f"{s.profit.gross:f}"), ("fees", f"{-s.profit.fees:f}"),
        ("**net**", f"**{s.profit.net:f}**"), *((f"net of {k}", f"{v:f}") for k, v in s.profit.by_instance.items()),
    ])
    lines += _table((f"execution cost, {s.currency}", "spread", "slippage", "fees", "sum", "fills"), [
        (name, f"{part.spread:f}", f"{part.slippage:f}", f"{part.fees:f}", f"{part.total:f}", str(part.fills))
        for name, part in (("maker", s.costs.maker), ("taker", s.costs.taker), ("**all**", s.costs.all))
    ])
    lines += _table(("statistic", "value"), [
        ("days", str(p.days)), ("return", f"{p.total_return:.4%}"), ("drawdown", f"{p.drawdown:.4%}"),
        ("Sharpe", f"{_text(p.sharpe)} ± {_text(p.sharpe_error)}{'' if p.sharpe_gates else ' (never gates)'}"),
        ("Sortino", _text(p.sortino)), ("tail ratio", _text(p.tail_ratio)), ("exposure", _text(p.exposure_share)),
        ("probabilistic Sharpe", _text(p.probabilistic_sharpe)),
        (f"deflated Sharpe, {p.trials} trials", _text(p.deflated_sharpe)),
        ("minimum track record, days", _text(p.track_record_min_days)),
        ("orders, cancels, fills", f"{a.orders}, {a.cancels}, {a.fills}"), ("fill rate", _text(a.fill_rate)),
        ("maker share", _text(a.maker_share)), ("capture per fill, bps", _text(a.capture_bps)),
        ("turnover", _text(a.turnover)), ("profit factor", _text(a.profit_factor)),
        ("hit rate", f"{_text(a.hit_rate)} [{_text(a.hit_rate_lower)}, {_text(a.hit_rate_upper)}]"),
        ("mean hold, s", _text(a.hold_mean_s)), ("edge", f"{s.edge.verdict.value}, n = {s.edge.n}"),
    ])
    lines += _table(("KPI", "observed", "limit", "verdict"), [
        (k.name, _text(k.observed), k.limit, k.severity.name) for k in s.kpis
    ])
    lines += _table(("horizon, s", "adverse, bps", "markout, bps", "n", "open"), [
        (str(m.horizon_s), _number(m.adverse_bps), _number(m.markout_bps), str(m.n), str(m.open)) for m in s.markouts
    ])
    lines += _table(("instance", "regime", "share of time", "P&L", "fills", "capture, bps"), [
        (r.instance, r.regime or "no label", _text(r.share), f"{r.pnl:f}", str(r.fills), _text(r.capture_bps))
        for r in s.regimes
    ])
    lines += _table(("day", "equity", "P&L", "return", "fills", "fees"), [
        (d.day, f"{d.equity:f}", f"{d.pnl:f}", f"{d.change:.4%}", str(d.fills), f"{d.fees:f}")
        for d in s.days[-DAYS_SHOWN:]
    ])
    for name, counts in (("refusal", a.refusals), ("abstention", a.abstentions)):
        lines += _table((name, "count"), [(f"`{code}`", str(n)) for code, n in counts.items()])
    lines += _table(("tape", "origin", "sha256"), [(t.name, t.origin, f"`{t.sha256[:16]}`") for t in s.tapes])
    lines += ["## Assumptions and caveats", "", *(f"- {line}" for line in (*s.assumptions, *s.caveats))]
    return "\n".join(lines).rstrip() + "\n"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)] + [""]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _text(figure: Figure) -> str:
    return f"– ({figure.reason})" if figure.value is None else f"{figure.value:.4g}"


def _time(ts: int) -> str:
    return datetime.fromtimestamp(ts // NANOS_PER_SECOND, UTC).strftime("%Y-%m-%d %H:%M UTC")
