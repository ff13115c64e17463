"""The summary of a run: every figure with a value or the reason why it has none; canonical JSON and Markdown."""

import math
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.research.backtest import statistics as stats
from tradeworthy.research.backtest.edge import Edge, edge_of
from tradeworthy.research.backtest.fill_factor import FillFactor, fill_factors
from tradeworthy.research.backtest.markout import BPS, Markout, adverse_selection, by_hour, by_level, by_side
from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.research.backtest.trials import TrialRegister

FEE_SHARE_MAX = 0.40
FEE_SHARE_WARN = 0.35
TURNOVER_MAX = 3.0
TURNOVER_WARN = 2.0
PROFIT_FACTOR_MIN = 1.25
DRAWDOWN_MAX = 0.04
DRAWDOWN_WARN = 0.03


class Figure(msgspec.Struct, frozen=True):
    """A number, or null with the reason."""

    value: float | None
    reason: str | None = None


class Tape(msgspec.Struct, frozen=True):
    """One input of the run; `origin` is `recorded`, `derived` or `synthetic`."""

    name: str
    origin: str
    sha256: str


class Kpi(msgspec.Struct, frozen=True):
    """One desk KPI against its limits (AC-08)."""

    name: str
    observed: Figure
    limit: str
    severity: Severity


class Profit(msgspec.Struct, frozen=True):
    """P&L in base currency: gross = captured + inventory + funding, net = gross - fees."""

    captured: Decimal
    inventory: Decimal
    funding: Decimal
    gross: Decimal
    fees: Decimal
    net: Decimal
    by_instance: dict[str, Decimal]


class Activity(msgspec.Struct, frozen=True):
    """Orders and fills of the run."""

    orders: int
    cancels: int
    orders_filled: int
    fill_rate: Figure
    fills: int
    fills_recorded: int
    fees_unknown: int
    maker_share: Figure
    notional: Decimal
    turnover: Figure
    capture_bps: Figure
    profit_factor: Figure
    hit_rate: Figure
    hit_rate_lower: Figure
    hit_rate_upper: Figure
    hold_mean_s: Figure
    hold_max_s: Figure
    refusals: dict[str, int]
    abstentions: dict[str, int]
    guard_changes: int


class Performance(msgspec.Struct, frozen=True):
    """Statistics of the daily returns; depth and shares are fractions."""

    days: int
    periods_per_year: int
    total_return: float
    drawdown: float
    drawdown_length_s: float
    exposure_share: Figure
    sharpe: Figure
    sharpe_error: Figure
    sharpe_gates: bool
    sortino: Figure
    tail_ratio: Figure
    probabilistic_sharpe: Figure
    deflated_sharpe: Figure
    trials: int
    track_record_min_days: Figure


class Summary(msgspec.Struct, frozen=True):
    """What one run says of itself. Times are nanoseconds UTC; `synthetic` when any tape is not recorded."""

    run_id: str
    instruments: tuple[str, ...]
    currency: str
    capital: Decimal
    start: int
    end: int
    events: int
    synthetic: bool
    fill_bias: str
    tapes: tuple[Tape, ...]
    assumptions: tuple[str, ...]
    caveats: tuple[str, ...]
    profit: Profit
    activity: Activity
    performance: Performance
    kpis: tuple[Kpi, ...]
    edge: Edge
    fill_factors: tuple[FillFactor, ...]
    markouts: tuple[Markout, ...]
    markouts_by_side: tuple[Markout, ...]
    markouts_by_level: tuple[Markout, ...]
    markouts_by_hour: tuple[Markout, ...]


def summarise(
    records: RunRecords, *, run_id: str, rng: random.Random, tapes: Sequence[Tape] = (),
    assumptions: Sequence[str] = (), caveats: Sequence[str] = (), fill_bias: str = "optimistic_estimated",
    register: TrialRegister | None = None, family: str | None = None,
) -> Summary:
    """Finish `records` and return their summary.

    rng        seeds the bootstrap intervals
    register   recorded trials; with `family` they deflate the Sharpe ratio
    """
    records.finish()
    fills = records.fills
    activity = _activity(records)
    trials = [] if register is None or family is None else register.sharpes(family)
    performance = _performance(records, trials)
    profit = _profit(records)
    return Summary(
        run_id=run_id, instruments=tuple(sorted(records.instruments)), currency=records.currency,
        capital=records.capital, start=records.start, end=records.now, events=records.events,
        synthetic=any(t.origin != "recorded" for t in tapes), fill_bias=fill_bias, tapes=tuple(tapes),
        assumptions=tuple(assumptions), caveats=_caveats(records, tapes, caveats), profit=profit, activity=activity,
        performance=performance, kpis=_kpis(profit, activity, performance), edge=edge_of(fills, rng=rng),
        fill_factors=fill_factors(fills, rng=rng), markouts=adverse_selection(fills, rng=rng),
        markouts_by_side=adverse_selection(fills, rng=rng, group=by_side),
        markouts_by_level=adverse_selection(fills, rng=rng, group=by_level),
        markouts_by_hour=adverse_selection(fills, rng=rng, group=by_hour),
    )


def origin_label(summary: Summary) -> tuple[str, str] | None:
    """Return the worst origin among the tapes as a word and its meaning; None when all are recordings."""
    origins = {tape.origin for tape in summary.tapes}
    if "synthetic" in origins:
        return "SYNTHETIC", "At least one tape is a made market"
    return ("DERIVED", "At least one tape is made from a recording by a stated rule") if summary.synthetic else None


def to_json(summary: Summary) -> bytes:
    """Return canonical JSON: sorted keys, indented, decimals as text, ends in a line feed."""
    return msgspec.json.format(msgspec.json.encode(summary, order="sorted"), indent=1) + b"\n"


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
    for name, counts in (("refusal", a.refusals), ("abstention", a.abstentions)):
        lines += _table((name, "count"), [(f"`{code}`", str(n)) for code, n in counts.items()])
    lines += _table(("tape", "origin", "sha256"), [(t.name, t.origin, f"`{t.sha256[:16]}`") for t in s.tapes])
    lines += ["## Assumptions and caveats", "", *(f"- {line}" for line in (*s.assumptions, *s.caveats))]
    return "\n".join(lines).rstrip() + "\n"


def _figure(compute: Callable[[], float | None], absent: str = "not defined") -> Figure:
    try:
        value = compute()
    except stats.TooFewObservations as missing:
        return Figure(None, str(missing))
    if value is None:
        return Figure(None, absent)
    return Figure(value) if math.isfinite(value) else Figure(None, f"not finite: {value}")


def _share(part: float, whole: float, absent: str) -> Figure:
    return Figure(part / whole) if whole else Figure(None, absent)


def _profit(r: RunRecords) -> Profit:
    gross = r.captured + r.inventory_move + r.funding
    instances = {name: r.instance_pnl(name) for name in sorted(r.instances)}
    return Profit(r.captured, r.inventory_move, r.funding, gross, r.fees, r.pnl, instances)


def _activity(r: RunRecords) -> Activity:
    captures = [c for f in r.fills if (c := f.capture) is not None]
    days = [float(e) / (2 * 10**9) for _, e in r.days]
    try:
        hits = stats.hit_rate(r.wins, r.closes)
        rates = (Figure(hits.value), Figure(hits.lower), Figure(hits.upper))
    except stats.TooFewObservations:
        rates = (Figure(None, "no closed position"),) * 3
    return Activity(
        orders=r.orders, cancels=r.cancels, orders_filled=r.orders_filled,
        fill_rate=_share(r.orders_filled, r.orders, "no orders"), fills=r.fill_count, fills_recorded=len(r.fills),
        fees_unknown=r.fees_unknown, maker_share=_share(r.maker_count, r.fill_count, "no fills"), notional=r.traded,
        turnover=_figure(lambda: stats.turnover(float(r.traded), days)),
        capture_bps=_share(math.fsum(captures) * BPS, len(captures), "no fill has a quoted mid"),
        profit_factor=_share(float(r.gains), float(r.losses), "no losing close"), hit_rate=rates[0],
        hit_rate_lower=rates[1], hit_rate_upper=rates[2],
        hold_mean_s=_share(r.held_lot_ns / NANOS_PER_SECOND, r.held_lots, "no closed position"),
        hold_max_s=_share(r.held_ns_max / NANOS_PER_SECOND, 1 if r.held_lots else 0, "no closed position"),
        refusals=dict(sorted(r.refusals.items())), abstentions=dict(sorted(r.abstentions.items())),
        guard_changes=r.guard_change_count,
    )


def _performance(r: RunRecords, trials: Sequence[float]) -> Performance:
    returns = r.daily_returns()
    year = 365 if any(i.instrument.calendar == "24/7" for i in r.instruments.values()) else 252
    try:
        sharpe = stats.sharpe(returns, periods_per_year=year)
        found = stats.moments(returns)
        figures = (Figure(sharpe.value, sharpe.note), Figure(sharpe.standard_error))
        gates = sharpe.gates
        psr = _figure(lambda: stats.probabilistic_sharpe(found))
        length = _figure(lambda: stats.minimum_track_record(found), "the Sharpe ratio is not above zero")
    except stats.TooFewObservations as missing:
        none = Figure(None, str(missing))
        figures, gates, psr, length = (none, none), False, none, none
    return Performance(
        days=len(returns), periods_per_year=year, total_return=float(r.pnl / r.capital), drawdown=r.drawdown,
        drawdown_length_s=r.drawdown_length_ns / NANOS_PER_SECOND,
        exposure_share=_share(r.exposed_ns, r.now - r.start, "no span of time"), sharpe=figures[0],
        sharpe_error=figures[1], sharpe_gates=gates,
        sortino=_figure(lambda: stats.sortino(returns, periods_per_year=year)),
        tail_ratio=_figure(lambda: stats.tail_ratio(returns)), probabilistic_sharpe=psr,
        deflated_sharpe=_figure(lambda: stats.deflated_sharpe(returns, trials).probability), trials=len(trials),
        track_record_min_days=length,
    )


def _kpis(profit: Profit, activity: Activity, performance: Performance) -> tuple[Kpi, ...]:
    fee_share = _share(float(profit.fees), float(max(profit.gross, Decimal(0))), "no gross profit")
    return (
        _ceiling("turnover", activity.turnover, TURNOVER_WARN, TURNOVER_MAX),
        _ceiling("fees of gross profit", fee_share, FEE_SHARE_WARN, FEE_SHARE_MAX),
        _floor("profit factor", activity.profit_factor, PROFIT_FACTOR_MIN),
        _ceiling("drawdown", Figure(performance.drawdown), DRAWDOWN_WARN, DRAWDOWN_MAX),
    )


def _ceiling(name: str, observed: Figure, warn: float, fail: float) -> Kpi:
    severity = Severity.UNKNOWN
    if observed.value is not None:
        severity = Severity.FAIL if observed.value >= fail else Severity.WARN if observed.value >= warn else Severity.OK
    return Kpi(name, observed, f"below {fail:g} (ideal {warn:g})", severity)


def _floor(name: str, observed: Figure, fail: float) -> Kpi:
    severity = Severity.UNKNOWN
    if observed.value is not None:
        severity = Severity.OK if observed.value > fail else Severity.FAIL
    return Kpi(name, observed, f"above {fail:g}", severity)


def _caveats(r: RunRecords, tapes: Sequence[Tape], given: Sequence[str]) -> tuple[str, ...]:
    found = list(given)
    if r.fill_count and not r.fees:
        found.append("Zero cost: no fee was charged on any fill.")
    if r.fees_unknown:
        found.append(f"{r.fees_unknown} fills have an unknown fee, which is not counted as zero.")
    if r.restatements:
        found.append(f"{r.restatements} busts or corrections: their fills stay in the fill statistics.")
    if r.fill_count > len(r.fills):
        found.append(f"Intervals and markouts use the first {len(r.fills)} of {r.fill_count} fills.")
    if r.fills and all(f.mid2 is None for f in r.fills):
        found.append("No quotes: captured spread is unknown and counted as inventory move.")
    found += [f"Tape {t.name} is {t.origin}." for t in tapes if t.origin != "recorded"]
    return tuple(found)


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
