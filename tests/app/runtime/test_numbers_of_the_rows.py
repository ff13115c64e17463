"""Each number of the page on supervision is the default of a typed policy: a changed default fails here by its row."""

import pytest

from tradeworthy.app.halting.forensic import FRAMES_MAX
from tradeworthy.app.runtime.policy import RuntimePolicy
from tradeworthy.app.runtime.workload import KINDS
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.supervision import Criticality, Response, RestartType, Strategy, TaskPolicy
from tradeworthy.kernel.supervision.beat import WatchdogPolicy
from tradeworthy.kernel.supervision.policy import RESPONSES, ScopePolicy, SupervisorPolicy
from tradeworthy.kernel.supervision.resources import ResourcePolicy
from tradeworthy.kernel.telemetry.bus import BusPolicy
from tradeworthy.kernel.telemetry.bus_health import BusHealthPolicy
from tradeworthy.kernel.telemetry.delivery import DeliveryPolicy
from tradeworthy.kernel.telemetry.export_policy import ExportPolicy
from tradeworthy.kernel.telemetry.log_policy import LogPolicy
from tradeworthy.kernel.telemetry.metric_families import LABEL_SETS_MAX
from tradeworthy.kernel.telemetry.publisher import PublisherPolicy
from tradeworthy.kernel.telemetry.rolling import WINDOW_S
from tradeworthy.kernel.telemetry.spool import SpoolPolicy
from tradeworthy.kernel.telemetry.stream import StreamPolicy
from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.operations.paper_run.policy import PaperRunPolicy
from tradeworthy.operations.performance_baseline.decision_latency import SHIPPED, LatencyGuardPolicy
from tradeworthy.operations.performance_baseline.options import BaselineOptions
from tradeworthy.trading.control.approvals import ApprovalPolicy
from tradeworthy.trading.control.certificate import ACKNOWLEDGED, DISPATCHED, FLAT, LIMITS_NS, NO_NEW_ORDER
from tradeworthy.trading.control.dead_man import LIMIT_MIN_S
from tradeworthy.trading.control.halting import REPEAT_NS
from tradeworthy.trading.control.kill import COOL_OFF, PEOPLE_MIN
from tradeworthy.trading.control.policy import PeoplePolicy
from tradeworthy.web.tokens import LIFETIME_SECONDS_MAX

TASK, SCOPE, ALL, WATCH = TaskPolicy(), ScopePolicy(), SupervisorPolicy(), WatchdogPolicy()
RUNTIME, HEALTH, PAPER, BASELINE = RuntimePolicy(), HealthPolicy(), PaperRunPolicy(), BaselineOptions()
END, TIME, MACHINE, PEOPLE = RUNTIME.shutdown, RUNTIME.time_integrity, ResourcePolicy(), PeoplePolicy()
BUS, LOGS, SPANS = BusHealthPolicy(), LogPolicy(), ExportPolicy()
ANSWERS = {Criticality.CRITICAL: Response.STOP, Criticality.IMPORTANT: Response.PAUSE,
           Criticality.OPTIONAL: Response.WARN}  # fmt: skip

NUMBERS = [
    ("SUP-02", (TASK.restart, TASK.max_restarts), (RestartType.TRANSIENT, None)),
    ("SUP-03", (TASK.backoff_base_s, TASK.backoff_cap_s, TASK.healthy_run_s), (0.1, 30.0, 60.0)),
    ("SUP-03 scope", (SCOPE.backoff_base_s, SCOPE.backoff_cap_s, SCOPE.healthy_run_s), (0.1, 30.0, 60.0)),
    ("SUP-04", (TASK.budget_restarts, TASK.budget_window_s), (5, 60.0)),
    ("SUP-04 scope", (SCOPE.budget_restarts, SCOPE.budget_window_s), (5, 60.0)),
    ("SUP-05", RESPONSES, ANSWERS),
    ("SUP-06", SCOPE.strategy, Strategy.ONE_FOR_ONE),
    ("SUP-07, SUP-08", (TASK.hang_timeout_s, TASK.deadline_s), (None, None)),
    ("SUP-09", TASK.stop_grace_s, 5.0),
    ("SUP-11", ALL.child_grace_s, 5.0),
    ("SUP-14, SUP-15, SUP-16", (ALL.history_tasks, ALL.cancel_timeout_s, ALL.stack_frames), (256, 5.0, 50)),
    ("WD-01", (WATCH.beat_interval_s, WATCH.hang_after_s), (0.25, 1.5)),
    ("WD-02", WATCH.verify_within_s, 5.0),
    ("WD-04", (WATCH.kill_after_s, RUNTIME.watch.kill_after_s), (10.0, None)),
    ("WD-05", (WATCH.missing_after_s, WATCH.relaunches, WATCH.relaunch_window_s), (5.0, 5, 60.0)),
    ("WD-08", (MACHINE.lag_warn_ms, MACHINE.lag_fail_ms, MACHINE.interval_s), (100, 2_000, 10.0)),
    ("WD-08 forecast", (MACHINE.forecast_warn_h, MACHINE.forecast_fail_h), (24.0, 2.0)),
    ("APP-02", (KINDS["trading_loop"].hang_s, RUNTIME.idle_beat_s), (10.0, 1.0)),
    ("APP-12", (TIME.interval_seconds, TIME.threshold_seconds, TIME.stable_seconds), (10.0, 0.75, 60.0)),
    ("APP-13", (RUNTIME.drift_monitor.enabled, RUNTIME.drift_monitor.interval_seconds), (True, 120.0)),
    ("SHD-01", (END.deadline_s, END.pause_s, END.orders_s, END.tasks_s, END.callbacks_s, END.seal_s),
     (10.0, 0.5, 5.0, 2.0, 1.0, 1.5)),
    ("TEL-01", (PublisherPolicy().timeout_s, SpoolPolicy().bound_bytes), (0.5, 256 * 1_024 * 1_024)),
    ("TEL-03", BusPolicy().capacity_events, 1_000),
    ("TEL-04", DeliveryPolicy().attempts, 3),
    ("TEL-05 depth", (BUS.depth_warn, BUS.depth_fail), (100, 500)),
    ("TEL-05 dropped", (BUS.dropped_warn, BUS.dropped_fail), (1, 5)),
    ("TEL-05 errors", (BUS.handler_errors_warn, BUS.handler_errors_fail), (1, 3)),
    ("TEL-05 idle, window", (BUS.idle_seconds_warn, WINDOW_S), (300.0, 3_600.0)),
    ("TEL-07", StreamPolicy().outage_s, 10.0),
    ("LOG-02, LOG-04", (LOGS.retention_days, LOGS.queue_lines), (7, 10_000)),
    ("TRC-01, TRC-03", (SPANS.enabled, SPANS.timeout_s, SPANS.queue_items), (False, 10.0, 2_048)),
    ("MET-01", (LABEL_SETS_MAX, HEALTH.metrics_port), (200, 9_464)),
    ("HLT-03 ingest", (HEALTH.ingest_warn_seconds, HEALTH.ingest_fail_seconds), (900.0, 1_800.0)),
    ("HLT-03 decision", (HEALTH.decision_warn_seconds, HEALTH.decision_fail_seconds), (180.0, 600.0)),
    ("HLT-04", (HEALTH.host, HEALTH.port), ("127.0.0.1", 8_080)),
    ("HLT-05", LIFETIME_SECONDS_MAX, 24 * 3_600),
    ("KS-01", (LIMIT_MIN_S, RUNTIME.dead_man_s), (60.0, None)),
    ("KS-03", {name: limit / NANOS_PER_SECOND for name, limit in LIMITS_NS.items()},
     {NO_NEW_ORDER: 0.05, DISPATCHED: 0.25, ACKNOWLEDGED: 2.0, FLAT: 5.0}),
    ("KS-04", REPEAT_NS, 30 * NANOS_PER_SECOND),
    ("KS-08", (LOGS.kept_lines, FRAMES_MAX), (1_000, 50)),
    ("KS-09", (PEOPLE.cool_off_seconds, COOL_OFF, PEOPLE_MIN), (900, 900 * NANOS_PER_SECOND, 2)),
    ("APR-01, APR-02", (ApprovalPolicy().skew_seconds, ApprovalPolicy().lifetime_seconds), (5, 3_600)),
    ("BRK-01", PEOPLE.glass_ttl_seconds, 900),
    ("PPR-01", (PAPER.duration_hours, PAPER.progress_interval_s, PAPER.latency_p99_max_s, PAPER.memory_growth_max_mb,
                PAPER.minimum_runtime_hours, PAPER.min_orders, PAPER.allow_invariant_errors),
     (0.0, 60.0, None, None, 168.0, 0, False)),
    ("PPR-03, PPR-04, PPR-05", (PAPER.samples_kept, PAPER.latency_samples_min, PAPER.memory_warmup_s),
     (2_048, 100, 600.0)),
    ("PBL-01", (BASELINE.trades, BASELINE.throttle_max_trades, BASELINE.throttle_window_seconds,
                BASELINE.max_processing_ms, BASELINE.max_lag_ms), (3, 1, 60.0, 250.0, 250.0)),
    ("PBL-03", (SHIPPED.p50_ns, SHIPPED.p99_ns), (85_900_000, 153_200_000)),
    ("PBL-03 limits", (LatencyGuardPolicy().warn_percent, LatencyGuardPolicy().fail_percent,
                       LatencyGuardPolicy().samples_min, LatencyGuardPolicy().percentile_samples_min),
     (5, 25, 10, 100)),
]  # fmt: skip


@pytest.mark.parametrize(("found", "expected"), [one[1:] for one in NUMBERS], ids=[one[0] for one in NUMBERS])
def test_a_number_of_a_row_is_the_default_of_its_policy(found, expected):
    assert found == expected
