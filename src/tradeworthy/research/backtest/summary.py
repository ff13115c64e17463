"""The summary of a run: every figure with a value or the reason why it has none; canonical JSON."""

import math
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.research.backtest import statistics as stats
from tradeworthy.research.backtest.costs import Costs, costs_of
from tradeworthy.research.backtest.edge import Edge, edge_of
from tradeworthy.research.backtest.equity import HALF_NANOS
from tradeworthy.research.backtest.fill_factor import FillFactor, fill_factors
from tradeworthy.research.backtest.markout import (
    BPS,
    Markout,
    adverse_selection,
    by_hour,
    by_level,
    by_regime,
    by_side,
)
from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.research.backtest.strategy_state import ordered
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


class DayLine(msgspec.Struct, frozen=True):
    """One UTC day in base currency; `change` is the day's simple return."""

    day: str
    equity: Decimal
    pnl: Decimal
    change: float
    fills: int
    notional: Decimal
    fees: Decimal


class RegimeLine(msgspec.Struct, frozen=True):
    """One instance in one regime (None = no label): share of its time, P&L, fills and their capture."""

    instance: str
    instrument: str
    regime: str | None
    share: Figure
    pnl: Decimal
    fills: int
    notional: Decimal
    fees: Decimal
    capture_bps: Figure


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
    costs: Costs
    activity: Activity
    performance: Performance
    days: tuple[DayLine, ...]
    regimes: tuple[RegimeLine, ...]
    kpis: tuple[Kpi, ...]
    edge: Edge
    fill_factors: tuple[FillFactor, ...]
    markouts: tuple[Markout, ...]
    markouts_by_side: tuple[Markout, ...]
    markouts_by_level: tuple[Markout, ...]
    markouts_by_hour: tuple[Markout, ...]
    markouts_by_regime: tuple[Markout, ...]


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
        assumptions=tuple(assumptions), caveats=_caveats(records, tapes, caveats), profit=profit,
        costs=costs_of([i.costs for i in records.instruments.values()], HALF_NANOS), activity=activity,
        performance=performance, days=_days(records), regimes=_regimes(records),
        kpis=_kpis(profit, activity, performance), edge=edge_of(fills, rng=rng),
        fill_factors=fill_factors(fills, rng=rng), markouts=adverse_selection(fills, rng=rng),
        markouts_by_side=adverse_selection(fills, rng=rng, group=by_side),
        markouts_by_level=adverse_selection(fills, rng=rng, group=by_level),
        markouts_by_hour=adverse_selection(fills, rng=rng, group=by_hour),
        markouts_by_regime=adverse_selection(fills, rng=rng, group=by_regime),
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
    days = [d.equity2 / HALF_NANOS for d in r.equity.days]
    o, p = r.orders, r.positions
    try:
        hits = stats.hit_rate(p.wins, p.closes)
        rates = (Figure(hits.value), Figure(hits.lower), Figure(hits.upper))
    except stats.TooFewObservations:
        rates = (Figure(None, "no closed position"),) * 3
    return Activity(
        orders=o.orders, cancels=r.cancels, orders_filled=o.filled,
        fill_rate=_share(o.filled, o.orders, "no orders"), fills=p.fills, fills_recorded=len(r.fills),
        fees_unknown=r.fees_unknown, maker_share=_share(p.makers, p.fills, "no fills"), notional=r.traded,
        turnover=_figure(lambda: stats.turnover(float(r.traded), days)),
        capture_bps=_share(math.fsum(captures) * BPS, len(captures), "no fill has a quoted mid"),
        profit_factor=_share(float(p.gains), float(p.losses), "no losing close"), hit_rate=rates[0],
        hit_rate_lower=rates[1], hit_rate_upper=rates[2],
        hold_mean_s=_share(p.held_lot_ns / NANOS_PER_SECOND, p.held_lots, "no closed position"),
        hold_max_s=_share(p.held_ns_max / NANOS_PER_SECOND, 1 if p.held_lots else 0, "no closed position"),
        refusals=dict(sorted(r.refusals.items())), abstentions=dict(sorted(r.abstentions.items())),
        guard_changes=r.guard_change_count,
    )


def _performance(r: RunRecords, trials: Sequence[float]) -> Performance:
    returns = r.equity.daily_returns()
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
        days=len(returns), periods_per_year=year, total_return=float(r.pnl / r.capital), drawdown=r.equity.drawdown,
        drawdown_length_s=r.equity.drawdown_length_ns / NANOS_PER_SECOND,
        exposure_share=_share(r.positions.exposed_ns, r.now - r.start, "no span of time"), sharpe=figures[0],
        sharpe_error=figures[1], sharpe_gates=gates,
        sortino=_figure(lambda: stats.sortino(returns, periods_per_year=year)),
        tail_ratio=_figure(lambda: stats.tail_ratio(returns)), probabilistic_sharpe=psr,
        deflated_sharpe=_figure(lambda: stats.deflated_sharpe(returns, trials).probability), trials=len(trials),
        track_record_min_days=length,
    )


def _days(r: RunRecords) -> tuple[DayLine, ...]:
    found = []
    before2 = r.equity.start2
    for one in r.equity.days:
        date = datetime.fromtimestamp(one.day * NANOS_PER_DAY // NANOS_PER_SECOND, UTC).date().isoformat()
        change = one.equity2 / before2 - 1 if before2 > 0 else 0.0
        equity, pnl = Decimal(one.equity2) / HALF_NANOS, Decimal(one.equity2 - before2) / HALF_NANOS
        found.append(DayLine(date, equity, pnl, change, one.fills, one.traded, one.fees))
        before2 = one.equity2
    return tuple(found)


def _regimes(r: RunRecords) -> tuple[RegimeLine, ...]:
    found = []
    for instance, state in sorted(r.states.items()):
        nanos = sum(total.nanos for total in state.totals.values())
        for regime, total in ordered(state.totals):
            captured = float(Decimal(total.captured2) / HALF_NANOS)
            capture = Figure(None, "no quoted book")
            if r.instruments[state.instrument].quoted:
                capture = _share(captured * BPS, float(total.traded), "no fills")
            found.append(RegimeLine(
                instance, state.instrument, regime, _share(total.nanos, nanos, "no span of time"), total.pnl,
                total.fills, total.traded, total.fees, capture,
            ))
    return tuple(found)


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
    if r.positions.fills and not r.fees:
        found.append("Zero cost: no fee was charged on any fill.")
    if r.fees_unknown:
        found.append(f"{r.fees_unknown} fills have an unknown fee, which is not counted as zero.")
    if r.restatements:
        found.append(f"{r.restatements} busts or corrections: their fills stay in the fill statistics.")
    if r.positions.fills > len(r.fills):
        found.append(f"Intervals and markouts use the first {len(r.fills)} of {r.positions.fills} fills.")
    if r.fills and all(f.mid2 is None for f in r.fills):
        found.append("No quotes: captured spread is unknown and counted as inventory move.")
    if r.bars_seen and not any(i.quoted for i in r.instruments.values()):
        found.append("Bars only (OHLCV): the path inside a bar is not known, fills are estimates.")
    found += [f"Tape {t.name} is {t.origin}." for t in tapes if t.origin != "recorded"]
    return tuple(found)
