"""What the process tells of itself: the newest of each topic, and the summary made of it."""

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

import tradeworthy
from tradeworthy.app.halting.kill_drill import kill_evidence
from tradeworthy.app.runtime.services import ServiceRegistry
from tradeworthy.app.runtime.summary import (
    NEVER,
    SCHEMA,
    STOPPED_DESK,
    GuardSummary,
    Summary,
    SupervisorSummary,
    WorkloadSummary,
    blocks_of,
    configuration_of,
    encode,
)
from tradeworthy.app.runtime.tiers import connectivity
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.telemetry.message import Message
from tradeworthy.kernel.telemetry.publisher import Publisher
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.guard import Guard, HeldReason
from tradeworthy.trading.model import GuardChanged

if TYPE_CHECKING:
    from tradeworthy.app.runtime.desk_process import DeskProcess

LOG = logging.getLogger("tradeworthy.runtime.bulletin")
ENDED_SHOWN = 32
EARLY_MAX = 256
SOURCE = "runtime"
GUARD_TOPIC, WATCHDOG_TOPIC = "telemetry.runtime.guard", "telemetry.runtime.watchdog"


class Bulletin:
    """Publish what others may follow, and keep the newest of each topic.

    A guard is restored before the bus runs (APP-04): what is told until `open` waits for it, the newest `EARLY_MAX`.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._early: deque[tuple[str, object]] | None = deque(maxlen=EARLY_MAX)
        self._newest: dict[str, Any] = {}
        self._own: set[str] = set()
        self._lock = threading.Lock()

    @property
    def newest(self) -> dict[str, Any]:
        """Return the newest payload of each topic."""
        with self._lock:
            return dict(self._newest)

    def open(self) -> None:
        """Publish what was told before the bus ran, in order; from now on nothing waits. Again does nothing."""
        with self._lock:
            early, self._early = self._early, None
        for topic, payload in early or ():
            self.tell(topic, payload)

    async def take(self, message: Message) -> None:
        """Keep a message: the handler of the bus's own subscriber.

        Where the process tells of a subject itself, its words stay; how they are judged is on the same topic.
        """
        with self._lock:
            if message.source == SOURCE:
                self._own.add(message.topic)
            elif message.topic in self._own:
                return
            self._newest[message.topic] = msgspec.json.decode(message.payload)

    def on_event(self, event: Event, seq: int) -> None:
        """Publish a change of the guard, which the journal has at `seq`."""
        if isinstance(event.payload, GuardChanged):
            changed = {**msgspec.to_builtins(event.payload), "kind": event.kind, "seq": seq, "ts": event.ts_init}
            self.tell(GUARD_TOPIC, changed)

    def on_transition(self, event: Event) -> None:
        """Publish what became of the watchdog, which the journal of the life has."""
        if event.kind.startswith("watchdog."):
            self.tell(WATCHDOG_TOPIC, {**msgspec.to_builtins(event.payload), "kind": event.kind, "ts": event.ts_init})

    def tell(self, topic: str, payload: object) -> None:
        """Publish a snapshot; what can be published nowhere is logged, it never stops the desk."""
        with self._lock:
            if self._early is not None:
                self._early.append((topic, payload))
                return
        try:
            self._publisher.publish(topic, payload, source=SOURCE)
        except DeskError as problem:
            LOG.error("publish_failed", extra={"topic": topic, "error": str(problem)})


def summary_of(process: "DeskProcess", *, running: bool) -> bytes:
    """Return the summary of a process, running or only declared."""
    application, document = process.application, process.document
    supervisor, services = process.supervisor, application.services
    living = supervisor.snapshot() if running else ()
    summary = Summary(
        schema=SCHEMA, generated_at=process.clock.now(), desk=document.desk.name,
        environment=document.desk.environment, release=tradeworthy.__version__,
        run_id=process.life.run_id if running else None, config_hash=document.hash(),
        configuration=configuration_of(document), running=running, workloads=_workloads(services),
        skipped=services.skipped, services=services.snapshot(living),
        supervisor=SupervisorSummary(
            len(living), supervisor.history()[-ENDED_SHOWN:], supervisor.abandoned(), supervisor.unrecorded
        ),
        guard=_guard(process, running), note="" if running else STOPPED_DESK,
        connectivity=connectivity(document, process.policy, store=str(process.switches.duckdb_path)),
        uptime=process.uptime.report(process.clock.now(), process.application.ready_at if running else None),
        kill_drills=kill_evidence(process.state, process.clock, code=process.code),
        projections=blocks_of(process.bulletin.newest, NEVER if running else STOPPED_DESK),
    )  # fmt: skip
    return encode(summary)


def _workloads(services: ServiceRegistry) -> tuple[WorkloadSummary, ...]:
    return tuple(
        WorkloadSummary(
            one.name, one.kind, one.workload_class.value, one.description, one.criticality.value, one.required,
            msgspec.to_builtins(services.policy_of(one.name)), services.policy_of(one.name).hang_timeout_s,
            one.supervised_components, dict(one.metadata),
        )
        for one in services.workloads
    )  # fmt: skip


def _guard(process: "DeskProcess", running: bool) -> GuardSummary:
    trading = process.trading
    if running and trading is not None and trading.desk is not None:
        guard = trading.desk.guard
        return GuardSummary(guard.level.name.lower(), _plain(guard.reasons()), "desk")
    held = sentinel.restore((), process.memory.read(), first_run=True, now=process.clock.now())
    return GuardSummary(Guard(held).level.name.lower(), _plain(held), "memory")


def _plain(reasons: tuple[HeldReason, ...]) -> tuple[dict[str, Any], ...]:
    return tuple({**msgspec.to_builtins(one), "level": one.level.name.lower()} for one in reasons)
