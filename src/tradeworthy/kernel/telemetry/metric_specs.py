"""The families of a desk, each with its type, its labels and what it tells (MET-02, and what its alerts ask for)."""

from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.telemetry.metric_families import DURATIONS_S, FamilySpec, MetricType

COUNTER, GAUGE, HISTOGRAM = MetricType.COUNTER, MetricType.GAUGE, MetricType.HISTOGRAM
GUARD_STATES = ("running", "paused", "reducing", "stopped")
BASE = ("instance", "strategy", "venue", "instrument", "mode", "environment")
"""Labels of what one instance of a strategy does."""
KILL_STEPS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""The limits of KS-03 are bounds of their own."""

SPECS = (
    FamilySpec("build_info", GAUGE, "Release that runs; the value is always 1.", ("release", "python", "tier")),
    FamilySpec("runtime_bus_depth", GAUGE, "Events that wait in the bus's deepest queue."),
    FamilySpec("runtime_event_lag", GAUGE, "Age of the oldest event that waits for a handler, in seconds."),
    FamilySpec("runtime_delivery_retry_rate", GAUGE, "Share of handler attempts that failed since the last sample."),
    FamilySpec("runtime_dropped_events_total", COUNTER, "Events the bus dropped from full queues."),
    FamilySpec("runtime_event_handler_exceptions_total", COUNTER, "Handler attempts on the bus that raised."),
    FamilySpec("runtime_exceptions_total", COUNTER, "Exceptions that ended an attempt of a component.", ("component",)),
    FamilySpec("runtime_latency_seconds", HISTOGRAM, "Duration of a stage of the loop.", ("stage",), DURATIONS_S),
    FamilySpec(
        "runtime_failover_seconds", HISTOGRAM, "Time from losing a component to its replacement working.",
        ("component",), DURATIONS_S,
    ),
    FamilySpec("runtime_loop_lag_seconds", GAUGE, "Worst lag of the event loop since the last sample."),
    FamilySpec("runtime_memory_bytes", GAUGE, "Resident memory of the process."),
    FamilySpec("runtime_cpu_ratio", GAUGE, "Processor time of the process as a share of one core."),
    FamilySpec("runtime_threads", GAUGE, "Threads of the process."),
    FamilySpec("runtime_descriptors", GAUGE, "Open file descriptors of the process."),
    FamilySpec("runtime_descriptors_limit", GAUGE, "File descriptors the process may have open."),
    FamilySpec("runtime_disk_used_bytes", GAUGE, "Used bytes of the disk that holds the journal."),
    FamilySpec("runtime_disk_bytes", GAUGE, "Size of the disk that holds the journal."),
    FamilySpec(
        "runtime_health_status", GAUGE, "Worst health check: 0 OK, 1 WARN, 2 UNKNOWN, 3 FAIL.",
        initial=float(Severity.UNKNOWN),
    ),
    FamilySpec(
        "runtime_health_check_status", GAUGE, "One health check: 0 OK, 1 WARN, 2 UNKNOWN, 3 FAIL.", ("check",)
    ),
    FamilySpec("runtime_tasks", GAUGE, "Living tasks, threads and children by state.", ("state",)),
    FamilySpec("runtime_task_restarts_total", COUNTER, "Restarts of a supervised task.", ("task",)),
    FamilySpec(
        "runtime_task_transitions_total", COUNTER, "Steps in the lives of supervised tasks.", ("task", "transition")
    ),
    FamilySpec("runtime_tasks_abandoned", GAUGE, "Tasks that ignored their cancellation and still live."),
    FamilySpec(
        "agent_tick_duration_seconds", HISTOGRAM, "Duration of one tick of an agent.", ("agent",), DURATIONS_S
    ),
    FamilySpec("agent_tick_errors_total", COUNTER, "Ticks of an agent that failed.", ("agent",)),
    FamilySpec("agent_heartbeat_age_seconds", GAUGE, "Time since an agent's last heartbeat.", ("agent",)),
    FamilySpec("scheduler_leadership_churn_total", COUNTER, "Changes of the scheduler's leader."),
    FamilySpec("guard_state", GAUGE, "1 for the guard's state, 0 for the others.", ("state",)),
    FamilySpec("guard_reason", GAUGE, "Guard reasons in force by owner.", ("owner",)),
    FamilySpec("kill_switch_step_seconds", HISTOGRAM, "Time from a trip to a step's end.", ("step",), KILL_STEPS_S),
    FamilySpec("risk_halted", GAUGE, "1 while risk holds a reason of the guard."),
    FamilySpec("execution_reconciliation_mismatches", GAUGE, "Open breaks of the last reconciliation."),
    FamilySpec("journal_append_seconds", HISTOGRAM, "Time until the journal took a batch.", (), DURATIONS_S),
    FamilySpec("journal_head_seq", GAUGE, "Sequence number of the journal's last record."),
    FamilySpec("spool_backlog_events", GAUGE, "Events in the spool that wait for the bus."),
    FamilySpec("spool_age_seconds", GAUGE, "Age of the oldest event in the spool."),
    FamilySpec("log_dropped_total", COUNTER, "Log lines that did not arrive, by where they were lost.", ("cause",)),
    FamilySpec("spans_dropped_total", COUNTER, "Spans that no collector took."),
    FamilySpec("clock_offset_seconds", GAUGE, "Offset of the wall clock from its time source."),
    FamilySpec(
        "provider_call_seconds", HISTOGRAM, "Duration of a call to an outside provider.",
        ("provider", "action", "status"), DURATIONS_S,
    ),
    FamilySpec("alert_delivery_seconds", HISTOGRAM, "Time from an alert to its delivery.", ("route",), DURATIONS_S),
    FamilySpec("alerts_generated_total", COUNTER, "Messages about alerts that were made."),
    FamilySpec("alerts_sent_total", COUNTER, "Messages that a channel took."),
    FamilySpec("alerts_undelivered_total", COUNTER, "Messages that a channel did not take in time."),
    FamilySpec("alerts_suppressed_total", COUNTER, "Signals that were counted and not sent again."),
    FamilySpec("alert_generation_seconds", HISTOGRAM, "Time from an event to its alert.", (), DURATIONS_S),
    FamilySpec("alert_canary_age_seconds", GAUGE, "Time since the last canary of the alert path came back."),
    FamilySpec("orders_total", COUNTER, "Orders that reached a state.", (*BASE, "state")),
    FamilySpec("fills_total", COUNTER, "Fills.", (*BASE, "side", "liquidity")),
)  # fmt: skip
