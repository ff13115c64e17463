"""The rules of the second path, PR-01 to PR-38: what Prometheus watches, made of one policy (section 5)."""

from typing import NamedTuple

import msgspec

CRITICAL, WARNING, INFO = "critical", "warning", "info"
WATCHED = (
    "reconciliation", "shadow_parity", "portfolio_risk", "coordination_policy", "log_integrity",
    "market_data_freshness",
)  # fmt: skip
"""Reports that a running desk makes; `ops_store` is a verb's, as no desk writes tables."""
GATES = ("promotion", "log_maturity", "soak")
DESK = 'job="tradeworthy"'
BOX = 'name=~"tradeworthy.*"'


class PrometheusPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of the rules; a budget is breached when it is reached, a floor when the value falls below it.

    Names end in their unit; ratios are shares of one. `scrape_s` is how often Prometheus looks.
    """

    scrape_s: float = 15.0
    container_silent_s: float = 60.0
    restarts_max: int = 3
    cpu_ratio: float = 0.9
    memory_ratio: float = 0.85
    disk_ratio: float = 0.8
    disk_full_ratio: float = 0.95
    container_cpu_cores: float = 0.8
    container_memory_ratio: float = 0.9
    oom_max: int = 1
    network_errors_per_s: float = 10.0
    daily_loss_ratio: float = 0.02
    error_lines_max: int = 20
    step_p99_s: float = 0.1
    drift_ratio: float = 0.05
    margin_ratio: float = 0.15
    book_age_s: float = 30.0
    reconnects_max: int = 5
    funding_ratio: float = 0.0003
    realized_loss_ratio: float = 0.01
    indicators_p99_s: float = 0.05
    adapter_p99_s: float = 0.05
    snapshot_age_s: float = 300.0
    canary_age_s: float = 120.0
    generation_p99_s: float = 1.0


class Series(NamedTuple):
    """A synthetic series for the test of a rule: a value while the rule is broken, and one that just keeps it.

    grows  the values are what a counter grows by in a minute
    """

    name: str
    broken: float
    kept: float
    grows: bool = False


class Rule(NamedTuple):
    """One rule.

    wait       how long it must hold;  window_min  minutes that its expression looks back
    category, code  which alert of the desk's own router it is
    exported   False: no component of this release has the series; another exporter, or a later release, brings it
    series     of the synthetic test;  keeps  labels of the series that the alert keeps
    """

    id: str
    name: str
    expr: str
    wait: str
    severity: str
    summary: str
    runbook: str
    owner: str
    category: str
    series: tuple[Series, ...]
    keeps: tuple[tuple[str, str], ...] = ()
    code: str = ""
    window_min: int = 1
    exported: bool = True


def rules_of(p: PrometheusPolicy) -> tuple[Rule, ...]:
    """Return every rule with the limits of a policy."""
    system, risk, guard = "system_failure", "risk_breach", "guard.prometheus"
    return (
        Rule(
            "PR-01", "ProcessDown",
            f"(time() - container_last_seen{{{BOX}}} >= {p.container_silent_s:g}) or up{{{DESK}}} == 0",
            "2m", CRITICAL, "The desk answers no scrape, or its container is gone.", "health-failure", "operations",
            system, (Series(f"up{{{DESK}}}", 0, 1),), (("job", "tradeworthy"),),
        ),
        Rule(
            "PR-02", "RestartLoop",
            f"(increase(tradeworthy_runtime_task_restarts_total[15m]) >= {p.restarts_max}) or "
            f"(changes(container_start_time_seconds{{{BOX}}}[15m]) >= {p.restarts_max})",
            "5m", CRITICAL, "A task or a container restarts again and again.", "health-failure", "operations",
            system, (Series('tradeworthy_runtime_task_restarts_total{task="ingest"}', 0.25, 0.15, True),),
            (("task", "ingest"),), window_min=15,
        ),
        Rule(
            "PR-03", "HighCpu",
            f'1 - avg by (instance) (rate(node_cpu_seconds_total{{mode="idle"}}[5m])) >= {p.cpu_ratio:g}', "5m",
            WARNING,
            "The machine's processors are busy.", "resource-exhaustion", "operations", system,
            (Series('node_cpu_seconds_total{mode="idle",instance="m"}', 3, 7, True),), (("instance", "m"),),
            window_min=5, exported=False,
        ),
        Rule(
            "PR-04", "HighMemory",
            f"1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes >= {p.memory_ratio:g}", "5m", WARNING,
            "The machine's memory is almost used up.", "resource-exhaustion", "operations", system,
            (Series('node_memory_MemAvailable_bytes{instance="m"}', 14, 16),
             Series('node_memory_MemTotal_bytes{instance="m"}', 100, 100)), (("instance", "m"),), exported=False,
        ),
        Rule(
            "PR-05", "HighDisk", _disk(p.disk_ratio), "10m", WARNING, "A disk fills.", "resource-exhaustion",
            "operations", system, _disk_series(80, 79.9),
        ),
        Rule(
            "PR-06", "DiskAlmostFull", _disk(p.disk_full_ratio), "5m", CRITICAL, "A disk is almost full.",
            "resource-exhaustion", "operations", system, _disk_series(95, 94.9),
        ),
        Rule(
            "PR-07", "ContainerHighCpu",
            f"sum by (name) (rate(container_cpu_usage_seconds_total{{{BOX}}}[5m])) >= {p.container_cpu_cores:g}", "10m",
            WARNING, "The desk's container is busy.", "resource-exhaustion", "operations", system,
            (Series('container_cpu_usage_seconds_total{name="tradeworthy"}', 50, 47, True),),
            (("name", "tradeworthy"),), window_min=5, exported=False,
        ),
        Rule(
            "PR-08", "ContainerHighMemory",
            f"container_memory_working_set_bytes{{{BOX}}} / (container_spec_memory_limit_bytes{{{BOX}}} > 0) "
            f">= {p.container_memory_ratio:g}",
            "5m", WARNING, "The desk's container is near its memory limit.", "resource-exhaustion", "operations",
            system,
            (Series('container_memory_working_set_bytes{name="tradeworthy"}', 90, 89),
             Series('container_spec_memory_limit_bytes{name="tradeworthy"}', 100, 100)), (("name", "tradeworthy"),),
            exported=False,
        ),
        Rule(
            "PR-09", "OutOfMemoryKill", f"increase(container_oom_events_total{{{BOX}}}[5m]) >= {p.oom_max}", "0m",
            CRITICAL, "The kernel killed a process for its memory.", "resource-exhaustion", "operations", system,
            (Series('container_oom_events_total{name="tradeworthy"}', 1, 0, True),), (("name", "tradeworthy"),),
            window_min=5, exported=False,
        ),
        Rule(
            "PR-10", "NetworkErrors",
            "rate(node_network_receive_errs_total[5m]) + rate(node_network_transmit_errs_total[5m]) "
            f">= {p.network_errors_per_s:g}",
            "5m", WARNING, "The machine's network drops packets.", "network-partition", "operations", system,
            (Series('node_network_receive_errs_total{instance="m"}', 360, 300, True),
             Series('node_network_transmit_errs_total{instance="m"}', 300, 250, True)), (("instance", "m"),),
            window_min=5, exported=False,
        ),
        Rule(
            "PR-11", "GuardStopped", 'tradeworthy_guard_state{state="stopped"} == 1', "3m", CRITICAL,
            "The guard is stopped.", "trading-stopped", "trading", guard,
            (Series('tradeworthy_guard_state{state="stopped"}', 1, 0),), (("state", "stopped"),),
        ),
        Rule(
            "PR-12", "PausedTooLong", 'max(tradeworthy_guard_state{state=~"paused|reducing"}) == 1', "20m", WARNING,
            "The guard has been paused or reducing for long.", "trading-stopped", "trading", guard,
            (Series('tradeworthy_guard_state{state="paused"}', 1, 0),
             Series('tradeworthy_guard_state{state="reducing"}', 0, 0)),
        ),
        Rule(
            "PR-13", "NoFillsWhileRunning",
            "sum(increase(tradeworthy_fills_total[30m])) == 0 and "
            'on() max(min_over_time(tradeworthy_guard_state{state="running"}[30m])) == 1',
            "1m", WARNING, "The desk runs and nothing fills.", "execution-failure", "trading", system,
            (Series('tradeworthy_fills_total{instance="mm-1"}', 0, 0.2, True),
             Series('tradeworthy_guard_state{state="running"}', 1, 1)), window_min=30,
        ),
        Rule(
            "PR-14", "NegativeEdge", "avg_over_time(tradeworthy_net_edge_ratio[15m]) < 0", "10m", WARNING,
            "Trades cost more than they bring.", "daily-loss", "trading", risk,
            (Series('tradeworthy_net_edge_ratio{instance="mm-1"}', -0.0001, 0),), (("instance", "mm-1"),),
            window_min=15, exported=False,
        ),
        Rule(
            "PR-15", "FeeSourceFallback", 'tradeworthy_fee_source_info{source!="venue"} == 1', "30m", WARNING,
            "Fees are not the venue's own.", "data-quality", "trading", system,
            (Series('tradeworthy_fee_source_info{source="table"}', 1, 0),), (("source", "table"),), exported=False,
        ),
        Rule(
            "PR-16", "DailyLoss",
            f"tradeworthy_daily_pnl / tradeworthy_opening_equity <= -{p.daily_loss_ratio:g}", "5m", CRITICAL,
            "The day's loss reached its pause level.", "daily-loss", "risk", risk,
            (Series('tradeworthy_daily_pnl{scope="desk"}', -2, -1.9),
             Series('tradeworthy_opening_equity{scope="desk"}', 100, 100)), (("scope", "desk"),),
            code="risk_daily_loss", exported=False,
        ),
        Rule(
            "PR-17", "ErrorLogSpike",
            f'sum(increase(tradeworthy_log_lines_total{{level="error"}}[5m])) >= {p.error_lines_max}', "5m", WARNING,
            "Many ERROR lines.", "health-failure", "operations", system,
            (Series('tradeworthy_log_lines_total{level="error"}', 4.5, 3.5, True),), window_min=5, exported=False,
        ),
        Rule(
            "PR-18", "ReportMissing",
            f'tradeworthy_assessment_present{{assessment=~"{"|".join(WATCHED)}",component=""}} == 0 or '
            f'tradeworthy_gate_present{{gate=~"{"|".join(GATES)}"}} == 0',
            "2m", CRITICAL, "A report that must be there is not.", "gate-no-go", "operations", "gate.prometheus",
            (Series('tradeworthy_assessment_present{assessment="reconciliation"}', 0, 1),),
            (("assessment", "reconciliation"),),
        ),
        Rule(
            "PR-19", "ReportStale",
            f'tradeworthy_assessment_fresh{{assessment=~"{"|".join(WATCHED)}",component=""}} == 0', "5m", CRITICAL,
            "A report is too old.", "gate-no-go", "operations", "gate.prometheus",
            (Series('tradeworthy_assessment_fresh{assessment="reconciliation"}', 0, 1),),
            (("assessment", "reconciliation"),),
        ),
        Rule(
            "PR-20", "CoordinationPolicyUnmet",
            'tradeworthy_gate_requirement_ok{requirement="coordination_policy"} == 0', "5m", CRITICAL,
            "A gate's row on the coordination policy is not met.", "gate-no-go", "operations", "gate.prometheus",
            (Series('tradeworthy_gate_requirement_ok{requirement="coordination_policy"}', 0, 1),),
            (("requirement", "coordination_policy"),), exported=False,
        ),
        Rule(
            "PR-21", "CoordinationUnhealthy",
            'tradeworthy_assessment_status{assessment="coordination_policy",component=""} >= 1', "5m", WARNING,
            "Coordination is not healthy.", "leadership-churn", "operations", "gate.prometheus",
            (Series('tradeworthy_assessment_status{assessment="coordination_policy"}', 1, 0),),
            (("assessment", "coordination_policy"),), exported=False,
        ),
        *(
            Rule(
                id, name, f'tradeworthy_gate_status{{gate="{gate}"}} == 0', wait, severity, summary, runbook,
                "operations", "gate.prometheus", (Series(f'tradeworthy_gate_status{{gate="{gate}"}}', 0, 1),),
                (("gate", gate),), exported=exported,
            )
            for id, name, gate, wait, severity, summary, runbook, exported in (
                ("PR-22", "PromotionNoGo", "promotion", "3m", CRITICAL, "Promotion is NO-GO.", "promotion", True),
                ("PR-23", "StrictCycleNoGo", "strict", "10m", WARNING, "The strict cycle is NO-GO.", "gate-no-go",
                 False),
                ("PR-24", "LogMaturityNoGo", "log_maturity", "30m", WARNING, "Log maturity is NO-GO.", "gate-no-go",
                 False),
            )
        ),
        Rule(
            "PR-25", "StepSlow", _p99("agent_tick_duration_seconds", "agent", p.step_p99_s), "5m", CRITICAL,
            "A step of the desk is slow.", "resource-exhaustion", "engineering", system,
            _buckets("agent_tick_duration_seconds", 'agent="mm-1"', "0.05", "0.1", "0.25"), (("agent", "mm-1"),),
            window_min=5,
        ),
        Rule(
            "PR-26", "PositionDrift", f"abs(tradeworthy_position_drift_ratio) >= {p.drift_ratio:g}", "5m", CRITICAL,
            "Positions drift from their target.", "unexpected-position", "risk", risk,
            (Series('tradeworthy_position_drift_ratio{instance="mm-1"}', -0.05, 0.049),), (("instance", "mm-1"),),
            exported=False,
        ),
        Rule(
            "PR-27", "MarginLow", f"tradeworthy_margin_ratio < {p.margin_ratio:g}", "2m", CRITICAL,
            "Margin is almost used up.", "risk-breach", "risk", risk,
            (Series('tradeworthy_margin_ratio{venue="okx"}', 0, 0.15),), (("venue", "okx"),), exported=False,
        ),
        Rule(
            "PR-28", "BookStale",
            f"tradeworthy_market_data_age_seconds >= {p.book_age_s:g} and on() max(tradeworthy_session_open) == 1",
            "2m", CRITICAL, "The book is old, and the market is open.", "feed-stale", "trading", "sensory.drift",
            (Series('tradeworthy_market_data_age_seconds{instrument="BTC-USDT"}', 30, 29),
             Series("tradeworthy_session_open", 1, 1)), (("instrument", "BTC-USDT"),), exported=False,
        ),
        Rule(
            "PR-29", "ReconnectSpike", f"increase(tradeworthy_feed_reconnects_total[30m]) >= {p.reconnects_max}", "5m",
            WARNING, "A feed reconnects again and again.", "feed-stale", "operations", "sensory.drift",
            (Series('tradeworthy_feed_reconnects_total{feed="okx"}', 0.2, 0.15, True),), (("feed", "okx"),),
            window_min=30, exported=False,
        ),
        Rule(
            "PR-30", "FundingHigh", f"tradeworthy_funding_paid_ratio >= {p.funding_ratio:g}", "1h", WARNING,
            "The desk pays much funding.", "daily-loss", "trading", risk,
            (Series('tradeworthy_funding_paid_ratio{instrument="BTC-USDT"}', 0.0003, 0.00029),),
            (("instrument", "BTC-USDT"),), exported=False,
        ),
        Rule(
            "PR-31", "RealizedLoss", f"tradeworthy_realized_pnl / tradeworthy_equity <= -{p.realized_loss_ratio:g}",
            "10m", WARNING, "Realized losses after fees and funding.", "daily-loss", "risk", risk,
            (Series('tradeworthy_realized_pnl{scope="desk"}', -1, -0.9), Series('tradeworthy_equity{scope="desk"}',
             100, 100)), (("scope", "desk"),), exported=False,
        ),
        Rule(
            "PR-32", "IndicatorsSlow", _p99("indicator_seconds", "instance", p.indicators_p99_s), "10m", WARNING,
            "Indicators are slow.", "resource-exhaustion", "engineering", system,
            _buckets("indicator_seconds", 'instance="mm-1"', "0.025", "0.05", "0.1"), (("instance", "mm-1"),),
            window_min=5, exported=False,
        ),
        Rule(
            "PR-33", "AdapterIoSlow", _p99("provider_call_seconds", "provider", p.adapter_p99_s), "10m", WARNING,
            "Calls to the outside are slow.", "venue-errors", "engineering", system,
            _buckets("provider_call_seconds", 'provider="okx"', "0.025", "0.05", "0.1"), (("provider", "okx"),),
            window_min=5,
        ),
        Rule(
            "PR-34", "SnapshotStale", f"tradeworthy_instance_snapshot_age_seconds >= {p.snapshot_age_s:g}", "5m",
            WARNING, "An instance's snapshot is old.", "health-failure", "operations", system,
            (Series('tradeworthy_instance_snapshot_age_seconds{instance="mm-1"}', 300, 299),),
            (("instance", "mm-1"),), exported=False,
        ),
        Rule(
            "PR-35", "Watchdog", "vector(1)", "0m", INFO, "It always fires: silence is the alarm.", "alert-path",
            "operations", "alert_path.dead_man", (),
        ),
        Rule(
            "PR-36", "CanaryLate",
            f"max(tradeworthy_alert_canary_age_seconds) >= {p.canary_age_s:g} or "
            "histogram_quantile(0.99, sum by (le) (rate(tradeworthy_alert_generation_seconds_bucket[15m]))) "
            f">= {p.generation_p99_s:g}",
            "1m", CRITICAL, "The alert path is late, or stands.", "alert-path", "operations", "alert_path.canary_late",
            (Series("tradeworthy_alert_canary_age_seconds", 120, 119),), code="alert_path.canary_late",
        ),
        Rule(
            "PR-37", "AlertUndelivered", "increase(tradeworthy_alerts_undelivered_total[5m]) > 0", "0m", CRITICAL,
            "An alert did not reach a channel.", "alert-path", "operations", "alert_path.undelivered",
            (Series("tradeworthy_alerts_undelivered_total", 1, 0, True),), window_min=5,
        ),
        Rule(
            "PR-38", "SilentSource",
            " or ".join(
                f"absent_over_time({name}[{2 * p.scrape_s:g}s])" for name in (
                    f"up{{{DESK}}}", "tradeworthy_guard_state", "tradeworthy_journal_head_seq",
                    "tradeworthy_alert_canary_age_seconds",
                )
            ),
            "1m", CRITICAL, "A source that must speak is silent.", "metrics-outage", "operations", system, (),
        ),
    )  # fmt: skip


def _disk(ratio: float) -> str:
    desk = f"tradeworthy_runtime_disk_used_bytes / tradeworthy_runtime_disk_bytes >= {ratio:g}"
    kind = '{fstype!="tmpfs"}'
    machine = f"1 - node_filesystem_avail_bytes{kind} / node_filesystem_size_bytes{kind} >= {ratio:g}"
    return f"({desk}) or ({machine})"


def _disk_series(broken: float, kept: float) -> tuple[Series, ...]:
    return (
        Series("tradeworthy_runtime_disk_used_bytes", broken, kept), Series("tradeworthy_runtime_disk_bytes", 100, 100)
    )


def _p99(family: str, label: str, limit: float) -> str:
    rate = f"sum by (le, {label}) (rate(tradeworthy_{family}_bucket[5m]))"
    return f"histogram_quantile(0.99, {rate}) >= {limit:g}"


def _buckets(family: str, labels: str, below: str, at: str, above: str) -> tuple[Series, ...]:
    """Return buckets whose p99 is above `at` while broken, and just below it while kept."""
    name = f"tradeworthy_{family}_bucket"
    return (
        Series(f'{name}{{{labels},le="{below}"}}', 50, 50, True),
        Series(f'{name}{{{labels},le="{at}"}}', 90, 100, True),
        Series(f'{name}{{{labels},le="{above}"}}', 100, 100, True),
        Series(f'{name}{{{labels},le="+Inf"}}', 100, 100, True),
    )
