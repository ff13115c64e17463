"""The report as a page of Markdown."""

from msgspec import UNSET

from tradeworthy.operations.dry_run.page import Page, duration, moment
from tradeworthy.operations.paper_run.model import Latency, PaperRunReport

_MET = {True: "met", False: "not met", None: "could not be judged"}


def render(report: PaperRunReport) -> str:
    """Return the whole page: the verdict, the objectives, then what they rest on."""
    page, metrics = Page("Paper run"), report.metrics
    met = "every objective is met" if report.objectives_met else "not every objective is met"
    page.text(f"**{report.status.value.upper()}**: {met}.")
    if report.stop_reasons:
        page.bullets(report.stop_reasons)
    page.facts((
        ("Run", None if report.run is None else report.run.run_id),
        ("Folder", None if report.run is None else report.run.folder),
        ("Started", moment(report.started_at)),
        ("Ended", None if report.ended_at is None else moment(report.ended_at)),
        ("Run time", duration(report.runtime_seconds)), ("Events", metrics.events), ("Decisions", metrics.decisions),
        ("Refused by risk", metrics.refusals), ("Orders", metrics.orders), ("Fills", metrics.fills),
        ("Errors", metrics.errors), ("Broken invariants", metrics.invariant_breaches), ("Guard", metrics.guard),
        ("Decision latency", _latency(metrics.latency)), ("Venue's first answer", _latency(metrics.venue_latency)),
        ("Memory, MB", metrics.memory.last_mb), ("Memory growth, MB", metrics.memory.growth_mb),
    ))  # fmt: skip
    page.heading("Objectives")
    page.table(("objective", "threshold", "met"), [
        (name, limit, _MET[metrics.objective_compliance[name]]) for name, limit in metrics.objective_thresholds.items()
    ])  # fmt: skip
    if report.breaches:
        page.heading("Breaches")
        page.table(("code", "observed", "limit", "what", "seq", "count"), [
            (one.code, one.observed, one.limit, one.message, one.seq, one.count) for one in report.breaches
        ])  # fmt: skip
    if report.alerts:
        page.heading("Alerts")
        page.table(("code", "what", "from", "to"), [
            (one.code, one.message, one.at, one.cleared_at) for one in report.alerts
        ])  # fmt: skip
    if report.errors:
        page.heading("Errors")
        page.table(("code", "message", "count", "first", "last"), [
            (one.code, one.message, one.count, one.first_at, one.last_at) for one in report.errors
        ])  # fmt: skip
    if report.order_summary is not UNSET:
        page.heading("Fills")
        page.table(("symbol", "side", "fills", "quantity", "notional", "first", "last"), [
            (one.symbol, one.side, one.fills, str(one.quantity), f"{one.notional} {one.currency}", one.first_at,
             one.last_at) for one in report.order_summary.lines
        ])  # fmt: skip
    return page.render()


def _latency(told: Latency) -> str | None:
    if told.max_seconds is None:
        return None
    tail = "too few for a p99" if told.p99_seconds is None else f"p99 {1e3 * told.p99_seconds:.4g} ms"
    middle = 0.0 if told.p50_seconds is None else 1e3 * told.p50_seconds
    return f"p50 {middle:.4g} ms, {tail}, highest {1e3 * told.max_seconds:.4g} ms, {told.samples:,} samples"
