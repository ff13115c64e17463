"""The report's parts for people, and the whole page of them."""

from tradeworthy.operations.dry_run.page import Page, moment
from tradeworthy.operations.performance_baseline.model import BaselineReport, Spread


def parts(report: BaselineReport) -> dict[str, str]:
    """Return each part as Markdown by its name, and all of them as `page`."""
    found = {
        "execution": _execution(report), "performance": _performance(report), "backlog": _backlog(report),
        "throttle": _throttle(report), "decision_latency": _latency(report),
    }  # fmt: skip
    head = Page("Performance baseline")
    head.text(f"**{report.severity.name}**, measured {moment(report.generated_at)} on `{report.machine}`.")
    head.table(
        ("check", "severity", "observed", "limit"),
        [(one.code, one.severity.name, one.observed, one.limit) for one in report.checks],
    )
    return {"page": "\n".join((head.render(), *(f"#{text}" for text in found.values()))), **found}


def _execution(report: BaselineReport) -> str:
    page, done, flow = Page("Execution and throughput"), report.execution, report.throughput
    page.facts((
        ("Trades asked for", done.trades), ("Approved", done.approved), ("Refused", done.refused),
        ("Dead letters", done.dead_letters or None), ("Orders", done.orders), ("Fills", done.fills),
        ("Rejected by the venue", done.rejected_by_venue), ("Notional", str(done.notional)),
        *((f"Refused by {code}", count) for code, count in done.refusals.items()), ("Elapsed, ms", flow.elapsed_ms),
        ("Trades a second", flow.trades_per_second), ("Events a second", flow.events_per_second),
        ("Trades a second it could take", flow.capacity_trades_per_second),
    ))  # fmt: skip
    return page.render()


def _performance(report: BaselineReport) -> str:
    page, told = Page("Processing and resources"), report.performance
    page.table(
        ("ms", "samples", "average", "p50", "p95", "p99", "highest", "limit"),
        [("processing", *_row(told.processing), told.max_processing_ms), ("lag", *_row(told.lag), told.max_lag_ms)],
    )
    used, options = report.resource, report.options
    page.table(("resource", "observed", "limit"), [
        ("CPU, % of a core", used.cpu_percent, options.max_cpu_percent),
        ("memory, MB", used.memory_mb, options.max_memory_mb),
        ("memory, % of the machine", used.memory_percent, options.max_memory_percent),
    ])  # fmt: skip
    return page.render()


def _backlog(report: BaselineReport) -> str:
    page, told = Page("Backlog"), report.backlog
    page.facts((
        ("Threshold, ms", told.threshold_ms), ("Latest lag, ms", told.latest_lag_ms), ("p95 lag, ms", told.p95_lag_ms),
        ("Highest lag, ms", told.max_lag_ms), ("Breaches", told.breaches), ("Breach rate", told.breach_rate),
        ("Longest streak", told.max_breach_streak),
    ))  # fmt: skip
    return page.render()


def _throttle(report: BaselineReport) -> str:
    page, told = Page("Throttle"), report.throttle
    page.text(
        f"State **{told.state}**: {told.used} of {told.limit} openings in {told.window_seconds:g} s; "
        f"{told.throttled} of {report.execution.trades} trades were held back."
    )
    page.table(("scope", "state", "used", "limit", "retry at", "consumed", "remaining", "used share"), [
        (", ".join(f"{name} {value}" for name, value in one.scope.items()) or "desk", one.state, one.used, one.limit,
         one.retry_at, str(one.consumed_notional), None if one.remaining_notional is None else
         str(one.remaining_notional), one.used_share) for one in report.throttle_scopes
    ])  # fmt: skip
    return page.render()


def _latency(report: BaselineReport) -> str:
    page, told = Page("Decision latency"), report.decision_latency
    page.text(f"**{told.severity.name}** over {told.samples:,} decisions.")
    page.table(("ms", "observed", "baseline"), [
        ("p50", told.p50_ms, told.baseline_p50_ms), ("p99", told.p99_ms, told.baseline_p99_ms),
        ("highest", told.max_ms, None),
    ])  # fmt: skip
    page.bullets(f"{one.code}: {one.observed}, limit {one.limit}; {one.text}" for one in told.checks)
    return page.render()


def _row(told: Spread) -> tuple[float, ...]:
    return told.samples, told.avg_ms, told.p50_ms, told.p95_ms, told.p99_ms, told.max_ms
