"""The desk's metrics: what exists elsewhere as a fact, told to Prometheus (MET-01, MET-02)."""

import platform
from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision.resources import ResourceSample
from tradeworthy.kernel.supervision.snapshot import AbandonedTask, TaskSnapshot
from tradeworthy.kernel.supervision.transitions import State, TaskFailed, TaskHung
from tradeworthy.kernel.telemetry.bus_health import BusFacts
from tradeworthy.kernel.telemetry.metric_families import Families, Family, FamilySpec
from tradeworthy.kernel.telemetry.metric_specs import BASE, GUARD_STATES, SPECS

SUPERVISION = "supervision."
RISK = "risk"


class DeskMetrics:
    """Every family of the desk in a registry of its own; each method takes one kind of fact.

    labels  the desk's own values of `mode` and `environment`, for what an instance does
    more    families of other rooms, filled through `metrics[name]`
    """

    def __init__(self, *, mode: str, environment: str, more: Iterable[FamilySpec] = ()) -> None:
        self._families = Families((*SPECS, *more))
        self._mode, self._environment = mode, environment
        self._bus = (0, 0)
        self.health(Severity.UNKNOWN, {})
        for state in GUARD_STATES:
            self["guard_state"].set(state, to=None)

    def __getitem__(self, name: str) -> Family:
        return self._families[name]

    def specs(self) -> tuple[FamilySpec, ...]:
        """Return every declared family."""
        return self._families.specs()

    @property
    def registry(self) -> CollectorRegistry:
        """The desk's own registry, for another format than the text one."""
        return self._families.registry

    def render(self) -> bytes:
        """Return all families in the text format."""
        return self._families.render()

    def build(self, release: str, *, tier: str = "") -> None:
        """Tell what runs."""
        self["build_info"].replace({(release, platform.python_version(), tier): 1})

    def tasks(self, living: Iterable[TaskSnapshot], abandoned: Iterable[AbandonedTask]) -> None:
        """Take the supervisor's snapshot: states, heartbeats, restarts, and who ignored a cancellation."""
        known = tuple(living)
        states = Counter(task.state for task in known)
        self["runtime_tasks"].replace({(state.value,): states[state] for state in State})
        self["agent_heartbeat_age_seconds"].replace({
            (task.name,): task.heartbeat_age_seconds for task in known if task.heartbeat_age_seconds is not None
        })  # fmt: skip
        for task in known:
            self["runtime_task_restarts_total"].advance(task.name, total=task.restarts)
        self["runtime_tasks_abandoned"].set(to=len(tuple(abandoned)))

    def transition(self, event: Event) -> None:
        """Count a `supervision.*` event by task and step; a failed or hung attempt also as an exception."""
        task = getattr(event.payload, "task", None)
        if event.kind.startswith(SUPERVISION) and task is not None:
            self["runtime_task_transitions_total"].inc(task, event.kind.removeprefix(SUPERVISION))
            if isinstance(event.payload, TaskFailed | TaskHung):
                self["runtime_exceptions_total"].inc(task)

    def resources(self, sample: ResourceSample) -> None:
        """Take one look at the process and its machine; what nobody could tell stays unknown."""
        self["runtime_loop_lag_seconds"].set(to=sample.lag_ns / NANOS_PER_SECOND)
        offset = sample.clock_offset_ns
        self["clock_offset_seconds"].set(to=None if offset is None else offset / NANOS_PER_SECOND)
        self["runtime_memory_bytes"].set(to=sample.rss_bytes)
        self["runtime_cpu_ratio"].set(to=sample.cpu_share)
        self["runtime_threads"].set(to=sample.threads)
        self["runtime_descriptors"].set(to=sample.descriptors)
        self["runtime_descriptors_limit"].set(to=sample.descriptors_max)
        self["runtime_disk_used_bytes"].set(to=sample.disk_used_bytes)
        self["runtime_disk_bytes"].set(to=sample.disk_bytes)

    def clock_offset(self, seconds: float | None) -> None:
        """Take the wall clock's offset from time integrity, where that is measured apart from resources."""
        self["clock_offset_seconds"].set(to=seconds)

    def bus(self, facts: BusFacts) -> None:
        """Take the bus's facts: depth and lag now, share of retries since the last call, totals since its making."""
        before, self._bus = self._bus, (facts.delivered_total, facts.handler_errors_total)
        errors = max(0, facts.handler_errors_total - before[1])
        attempts = max(0, facts.delivered_total - before[0]) + errors
        self["runtime_bus_depth"].set(to=facts.depth)
        self["runtime_event_lag"].set(to=facts.oldest_waiting_seconds)
        self["runtime_delivery_retry_rate"].set(to=errors / attempts if attempts else 0.0)
        self["runtime_dropped_events_total"].advance(total=facts.dropped_total)
        self["runtime_event_handler_exceptions_total"].advance(total=facts.handler_errors_total)

    def spool(self, backlog: int, age_seconds: float | None) -> None:
        """Take how many events the spool holds, and how old the oldest is."""
        self["spool_backlog_events"].set(to=backlog)
        self["spool_age_seconds"].set(to=age_seconds)

    def health(self, status: Severity, checks: Mapping[str, Severity]) -> None:
        """Take the health of the desk: the worst, and each check that applies."""
        self["runtime_health_status"].set(to=int(status))
        self["runtime_health_check_status"].replace({(name,): int(found) for name, found in checks.items()})

    def guard(self, state: str, reasons: Iterable[str]) -> None:
        """Take the guard's state in lower case, and the owner of each reason in force.

        Raises `ValueError` for a state that no guard has.
        """
        if state not in GUARD_STATES:
            raise ValueError(f"a guard is one of {', '.join(GUARD_STATES)}, was {state!r}")
        owners = Counter(reasons)
        self["guard_state"].replace({(one,): one == state for one in GUARD_STATES})
        self["guard_reason"].replace({(owner,): count for owner, count in owners.items()})
        self["risk_halted"].set(to=owners[RISK] > 0)

    def kill_step(self, step: str, seconds: float) -> None:
        """Take when, after a trip, one of its steps was done."""
        self["kill_switch_step_seconds"].observe(step, value=seconds)

    def journal(self, head_seq: int) -> None:
        """Take the journal's head."""
        self["journal_head_seq"].set(to=head_seq)

    def journal_append(self, seconds: float) -> None:
        """Take how long one append took."""
        self["journal_append_seconds"].observe(value=seconds)

    def reconciliation(self, mismatches: int) -> None:
        """Take the open breaks of the last reconciliation."""
        self["execution_reconciliation_mismatches"].set(to=mismatches)

    def tick(self, agent: str, seconds: float, *, failed: bool = False) -> None:
        """Take one tick of a strategy or another agent."""
        self["agent_tick_duration_seconds"].observe(agent, value=seconds)
        self["agent_tick_errors_total"].inc(agent, by=int(failed))

    def stage(self, stage: str, seconds: float) -> None:
        """Take the duration of one stage of the loop."""
        self["runtime_latency_seconds"].observe(stage, value=seconds)

    def failover(self, component: str, seconds: float) -> None:
        """Take how long a component was away until its replacement worked."""
        self["runtime_failover_seconds"].observe(component, value=seconds)

    def leadership_changed(self) -> None:
        """Count a change of the scheduler's leader."""
        self["scheduler_leadership_churn_total"].inc()

    def provider_call(self, provider: str, action: str, status: str, seconds: float) -> None:
        """Take one call to an outside provider and how it ended."""
        self["provider_call_seconds"].observe(provider, action, status, value=seconds)

    def alert_delivered(self, route: str, seconds: float) -> None:
        """Take one delivered alert."""
        self["alert_delivery_seconds"].observe(route, value=seconds)

    def alert_generated(self, seconds: float) -> None:
        """Take the time from an event to its alert."""
        self["alert_generation_seconds"].observe(value=seconds)

    def alerts(
        self, *, generated: int, sent: int, undelivered: int, suppressed: int, canary_age_seconds: float
    ) -> None:
        """Take the alert path's totals since its start, and how long ago a canary came back."""
        self["alerts_generated_total"].advance(total=generated)
        self["alerts_sent_total"].advance(total=sent)
        self["alerts_undelivered_total"].advance(total=undelivered)
        self["alerts_suppressed_total"].advance(total=suppressed)
        self["alert_canary_age_seconds"].set(to=canary_age_seconds)

    def logs(self, dropped_by_cause: Mapping[str, int], *, spans_dropped: int = 0) -> None:
        """Take `Logs.dropped_by_cause` and `Tracing.dropped`."""
        for cause, total in dropped_by_cause.items():
            self["log_dropped_total"].advance(cause, total=total)
        self["spans_dropped_total"].advance(total=spans_dropped)

    def order(self, instance: str, strategy: str, venue: str, instrument: str, *, state: str) -> None:
        """Count an order of an instance that reached a state."""
        self["orders_total"].inc(*self._base(instance, strategy, venue, instrument), state)

    def fill(
        self, instance: str, strategy: str, venue: str, instrument: str, *, side: str, liquidity: str
    ) -> None:
        """Count a fill of an instance."""
        self["fills_total"].inc(*self._base(instance, strategy, venue, instrument), side, liquidity)

    def instance(self, instance: str, strategy: str, venue: str, instrument: str) -> None:
        """Let an instance's ticks show from the start, before the first of them."""
        self["agent_tick_errors_total"].inc(instance, by=0)
        for side in ("buy", "sell"):
            for liquidity in ("maker", "taker"):
                labels = *self._base(instance, strategy, venue, instrument), side, liquidity
                self["fills_total"].inc(*labels, by=0)

    def _base(self, instance: str, strategy: str, venue: str, instrument: str) -> tuple[str, ...]:
        found = instance, strategy, venue, instrument, self._mode, self._environment
        assert len(found) == len(BASE)
        return found
