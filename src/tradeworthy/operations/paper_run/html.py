"""The report as one offline page: where the run stands, its objectives, and plots of its samples."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from importlib.resources import files
from itertools import pairwise

from msgspec import UNSET

from tradeworthy.operations.dry_run.page import duration, moment
from tradeworthy.operations.paper_run.model import Latency, PaperRunReport, Sample, Status
from tradeworthy.operations.paper_run.objectives import LATENCY, MEMORY
from tradeworthy.operations.paper_run.plots import Line, Rule, figure, rates, series
from tradeworthy.research.backtest.report import source_hash, style_sheet

TINTS = {
    Status.PREPARING: "soft", Status.RUNNING: "blue", Status.DEGRADED: "amber", Status.FAILED: "red",
    Status.STOPPED: "amber", Status.COMPLETED: "green",
}  # fmt: skip
ROWS_MAX = 40


def render(report: PaperRunReport) -> str:
    """Return the whole document; its content security policy allows one style by its hash, and nothing else."""
    style = style_sheet() + files(__package__).joinpath("paper_run.css").read_text("utf-8")
    run = report.run
    title = "paper run" if run is None else f"paper run {run.run_id[:12]}"
    return "".join((
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src-attr 'unsafe-inline'; "
        f"style-src-elem '{source_hash(style)}'; base-uri 'none'; form-action 'none'\">",
        f"<title>{escape(title)} · {report.status.value}</title><style>{style}</style></head><body><main>",
        f'<header><p class="eyebrow">Tradeworthy · paper run</p><h1>{escape(title.capitalize())}</h1>',
        f'<p class="span">{_span(report)}</p></header>', _verdict(report), _tiles(report),
        f'<section class="charts">{_band(report)}{_charts(report)}</section>',
        f'<section class="grid">{"".join(_tables(report))}</section>',
        f"<footer>Written {moment(report.generated_at)}; rests on the journal up to seq "
        f"{report.metrics.journal_seq:,}.</footer></main></body></html>\n",
    ))  # fmt: skip


def _span(report: PaperRunReport) -> str:
    ended = "still running" if report.ended_at is None else moment(report.ended_at)
    folder = "" if report.run is None or report.run.folder is None else f" · <code>{escape(report.run.folder)}</code>"
    return f"{moment(report.started_at)} to {ended}{folder}"


def _verdict(report: PaperRunReport) -> str:
    reasons = "; ".join(report.stop_reasons) or "no reason to stop"
    met = "every objective is met" if report.objectives_met else "not every objective is met"
    return (
        f'<div class="verdict" style="--tint:var(--{TINTS[report.status]})"><b>{report.status.value}</b>'
        f"<span>{escape(reasons)} · {met}</span></div>"
    )


def _tiles(report: PaperRunReport) -> str:
    metrics, policy = report.metrics, report.policy
    least = f"of at least {policy.minimum_runtime_hours:g} h" if policy.minimum_runtime_hours else "no least time"
    memory = metrics.memory
    growth = "–" if memory.growth_mb is None else f"{memory.growth_mb:+,.1f} MB"
    level = "nobody can tell" if memory.last_mb is None else f"now {memory.last_mb:,.1f} MB"
    tiles = (
        ("Run time", duration(report.runtime_seconds) or "–", least),
        ("Decisions", f"{metrics.decisions:,}", f"{metrics.refusals:,} of them refused by risk"),
        ("Orders", f"{metrics.orders:,}", f"{metrics.fills:,} fills"),
        ("Decision latency", *_latency_tile(metrics.latency)),
        ("Venue's answer", *_latency_tile(metrics.venue_latency)), ("Memory growth", growth, level),
    )  # fmt: skip
    cells = (
        f'<div class="tile"><span>{name}</span><b>{escape(value)}</b><small>{escape(note)}</small></div>'
        for name, value, note in tiles
    )
    return f'<section class="tiles">{"".join(cells)}</section>'


def _latency_tile(told: Latency) -> tuple[str, str]:
    if told.p99_seconds is not None:
        return _millis(told.p99_seconds), f"p99 of {told.samples:,}; p50 {_millis(told.p50_seconds)}"
    if told.max_seconds is None:
        return "–", "no sample"
    return _millis(told.max_seconds), f"highest of {told.samples:,}, too few for a p99"


def _band(report: PaperRunReport) -> str:
    """Return the run's status over its time as one band."""
    samples, total = report.samples, report.runtime_seconds
    if len(samples) < 2 or total <= 0:
        return ""
    stretches: list[tuple[Status, float]] = []
    for before, one in pairwise(samples):
        seconds = one.runtime_seconds - before.runtime_seconds
        if stretches and stretches[-1][0] is one.status:
            stretches[-1] = (one.status, stretches[-1][1] + seconds)
        else:
            stretches.append((one.status, seconds))
    parts = "".join(
        f'<i style="--tint:var(--{TINTS[status]});flex:{seconds:.3f}" title="{status.value} for {duration(seconds)}">'
        "</i>" for status, seconds in stretches
    )  # fmt: skip
    keys = "".join(
        f'<span class="key band"><i style="--tint:var(--{TINTS[one]})"></i>{one.value}</span>'
        for one in dict.fromkeys(status for status, _ in stretches)
    )
    return (
        f'<figure class="card"><figcaption><h2>Status over the run</h2><span class="keys">{keys}</span></figcaption>'
        f'<div class="stretches">{parts}</div></figure>'
    )


def _charts(report: PaperRunReport) -> str:
    samples, limits, memory = report.samples, report.metrics.objective_thresholds, report.metrics.memory
    slow = [Rule("maximum", 1e3 * limits[LATENCY])] if LATENCY in limits else []
    levels = [] if memory.baseline_mb is None else [Rule("baseline", memory.baseline_mb, "green")]
    if MEMORY in limits and memory.baseline_mb is not None:
        levels.append(Rule("limit", memory.baseline_mb + limits[MEMORY]))
    return "".join((
        figure("Decision latency", "input to first decision", _latencies(samples, "latency"), "ms", slow, log=True),
        figure("Venue's first answer", "in the desk's time", _latencies(samples, "venue_latency"), "ms", slow,
               log=True),
        figure("Resident memory", "", [Line("resident", "violet", series(samples, lambda s: s.memory_mb))], "MB",
               levels),
        figure("Activity", "between two samples",
               [Line("decisions", "blue", rates(samples, lambda s: s.decisions)),
                Line("orders", "green", rates(samples, lambda s: s.orders)),
                Line("errors", "red", rates(samples, lambda s: s.errors))], "a min"),
    ))  # fmt: skip


def _latencies(samples: Sequence[Sample], name: str) -> list[Line]:
    return [
        Line(label, tint, series(samples, lambda s, field=field: _in_millis(getattr(getattr(s, name), field))))  # type: ignore[misc]
        for label, tint, field in (
            ("p50", "green", "p50_seconds"), ("p90", "blue", "p90_seconds"), ("p99", "violet", "p99_seconds"),
        )
    ]  # fmt: skip


def _tables(report: PaperRunReport) -> Iterable[str]:
    metrics = report.metrics
    words = {True: ("met", "met"), False: ("missed", "not met"), None: ("unknown", "could not be judged")}
    yield _table("Objectives", ("objective", "threshold", "met"), [
        (name, f"{limit:g}", f'<span class="{words[metrics.objective_compliance[name]][0]}">'
         f"{words[metrics.objective_compliance[name]][1]}</span>")
        for name, limit in metrics.objective_thresholds.items()
    ], raw=2)  # fmt: skip
    summary = report.order_summary
    if summary is not UNSET:
        title = f"Fills, {_clock(summary.first_at)} to {_clock(summary.last_at)}"
        yield _table(title, ("symbol", "side", "fills", "quantity", "notional"), [
            (one.symbol, one.side, f"{one.fills:,}", f"{one.quantity:,}", f"{one.notional:,.2f} {one.currency}")
            for one in summary.lines
        ])  # fmt: skip
    if report.breaches:
        yield _table("Breaches", ("code", "observed", "limit", "seq", "count"), [
            (one.code, one.observed, one.limit, "" if one.seq is None else f"{one.seq:,}", f"{one.count:,}")
            for one in report.breaches
        ], words=(0, 1))  # fmt: skip
    if report.alerts:
        yield _table("Alerts", ("alert", "what", "from", "to"), [
            (one.code, one.message, _clock(one.at), "in force" if one.cleared_at is None else _clock(one.cleared_at))
            for one in report.alerts
        ], words=(0, 1))  # fmt: skip
    if report.errors:
        yield _table("Errors", ("code", "message", "count", "first seq"), [
            (one.code, one.message, f"{one.count:,}", "" if one.seq is None else f"{one.seq:,}")
            for one in sorted(report.errors, key=lambda one: -one.count)
        ], words=(0, 1))  # fmt: skip
    if metrics.stages:
        yield _table("Stages of the desk, last minute", ("stage", "samples", "p50", "p99", "highest"), [
            (one.stage, f"{one.samples:,}", f"{one.p50_ms:,.4g} ms",
             "–" if one.p99_ms is None else f"{one.p99_ms:,.4g} ms", f"{one.max_ms:,.4g} ms")
            for one in metrics.stages
        ])  # fmt: skip
    if report.run is not None:
        run = report.run
        yield _table("Run", ("", ""), [
            ("run", run.run_id), ("environment", run.environment), ("configuration", run.config_hash),
            ("code", run.code_hash), ("guard", metrics.guard),
        ], words=(1,))  # fmt: skip


def _table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, words: Sequence[int] = (), raw: int | None = None
) -> str:
    """Return a card with a table; `words` are columns of running text, `raw` one that is markup already."""

    def tag(at: int) -> str:
        return ' class="words"' if at in words else ""

    top = "".join(f"<th{tag(at)}>{escape(one)}</th>" for at, one in enumerate(head))
    body = "".join(
        "<tr>" + "".join(f"<td{tag(at)}>{one if at == raw else escape(one)}</td>" for at, one in enumerate(row))
        + "</tr>" for row in rows[:ROWS_MAX]
    )  # fmt: skip
    more = f'<p class="none">… and {len(rows) - ROWS_MAX:,} more in the JSON form.</p>' if len(rows) > ROWS_MAX else ""
    table = f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    return f'<div class="card"><h2>{escape(title)}</h2>{table}{more}</div>'


def _in_millis(seconds: float | None) -> float | None:
    return None if seconds is None else 1e3 * seconds


def _millis(seconds: float | None) -> str:
    return "–" if seconds is None else f"{1e3 * seconds:,.4g} ms"


def _clock(at: datetime) -> str:
    return f"{at:%d %b %H:%M:%S}"
