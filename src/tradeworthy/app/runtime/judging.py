"""What a running desk says of itself: assessments in their periods, a gate over them, alerts (GE-10)."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.app.alerts.alerting import Alerting
from tradeworthy.app.assessing.live import (
    ASSESSMENTS,
    LOOK_SECONDS,
    VERIFY_SECONDS,
    LiveSource,
    assessor_of,
    mailbox_of,
)
from tradeworthy.app.assessing.live_folds import LiveFolds
from tradeworthy.app.assessing.settling import SettlingAlerts, SettlingSignals
from tradeworthy.app.config import Document
from tradeworthy.app.gates.desk_gates import GATES_FOLDER, Gates, binding_of
from tradeworthy.app.gates.watch import GateWatch
from tradeworthy.app.runs.folder import journal_of
from tradeworthy.app.runs.open_run import OpenRun
from tradeworthy.app.runtime.facts import ErrorUnrouted
from tradeworthy.app.runtime.policy import JudgingPolicy
from tradeworthy.app.runtime.workload import Workload
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.kernel.telemetry.metrics import DeskMetrics
from tradeworthy.kernel.telemetry.publisher import Publisher
from tradeworthy.operations.assessments.framework import metrics as assessment_metrics
from tradeworthy.operations.assessments.framework import web_block
from tradeworthy.operations.assessments.framework.cycle import Assessor
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.journaled import SnapshotJournal
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.gates import telling
from tradeworthy.operations.gates.due_reports import LOOK_S, due_reports
from tradeworthy.operations.gates.named import gate_named
from tradeworthy.operations.gates.store import NOTHING, GateStore
from tradeworthy.operations.incidents.model import AlertSeverity, Signal
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.model import GuardLevel

LOG = logging.getLogger("tradeworthy.judging")
REPORTS = "reports"
"""Where a desk's state keeps the reports of its gate, by day and by week."""
JOURNAL, UNJUDGED = "journal", "assessments"
"""In whose name, and by which code, the desk stops when its assessments cannot be journaled."""
SPECS = (*assessment_metrics.ASSESSMENT_SPECS, *telling.GATE_SPECS)


class Judging:
    """Judge one process for as long as it lives.

    source  the process as facts;  state  of the desk, where snapshots and the turns of its gate are journaled
    ask     takes what is asked of the guard
    """

    def __init__(
        self, document: Document, source: LiveSource, *, state: Path, clock: Clock, code: str,
        publisher: Publisher, alerting: Alerting, ask: Callable[[GuardAsked], object],
        overrides: Mapping[str, Any], policy: JudgingPolicy,
    ) -> None:  # fmt: skip
        self._document, self._source, self._clock, self._code = document, source, clock, code
        self._state, self._publisher, self._alerting = state, publisher, alerting
        self._ask, self._overrides, self._policy = ask, overrides, policy
        source.mailbox = mailbox_of(document)
        self._history = History()
        self._alerts = SettlingAlerts(alerting, clock, settle_s=policy.settle_s)
        self._signals = SettlingSignals(self._tell, clock, settle_s=policy.settle_s)
        self._assessor: Assessor | None = None
        self._journal: SnapshotJournal | None = None
        self._watch: GateWatch | None = None

    # the start and the end

    def open(self) -> None:
        """Open the journal of snapshots, and prove the gate's rows for this code; raises `HaltTrading` if it cannot."""
        document, clock = self._document, self._clock
        if self._policy.gate:
            gate = gate_named(self._policy.gate)
            binding = binding_of(document, code=self._code, tier=self._policy.money)
            store = GateStore(self._state / GATES_FOLDER, clock)
            gates = Gates(store, binding, clock, assessments=(self._state / ASSESSMENTS,), living=True)
            if not store.read().proven(gate.name, self._code):
                gates.mutate(gate)
            self._watch = GateWatch(gates, gate, clock, tell=self._signals.tell, ask=self._of_gate)
        self._assessor, self._journal, self._history = assessor_of(
            self._source, clock, state=self._state, publisher=self._publisher, alerts=self._alerts, gates=self,
            halt=self, overrides=self._overrides, environment=document.desk.environment, code_version=self._code,
            settle_s=self._policy.settle_s, renew_s=self._policy.renew_s,
        )  # fmt: skip

    def close(self) -> None:
        """Let go of the journal; a second time does nothing."""
        journal, self._journal, self._assessor = self._journal, None, None
        if journal is not None:
            journal.close()

    def follow(self, run: OpenRun) -> None:
        """Judge this run from now on."""
        self._source.follow(LiveFolds(self._document, journal_of(run.ready.folder), self._clock))

    def on_event(self, event: Event, seq: int) -> None:
        """Take the next event of the desk's journal."""
        self._source.on_event(event, seq)

    def on_line(self, event: Event) -> None:
        """Take an ERROR line without a route, as the life of this process has it."""
        if isinstance(line := event.payload, ErrorUnrouted):
            self._source.unrouted.take(line.event, event.ts_init)

    def workloads(self) -> list[Workload]:
        """Return what judges beside the desk."""
        found = [
            Workload("assessments", "assessments", "judges what is due, each second", self._judges,
                     interval_s=LOOK_SECONDS),
            Workload("journal_watch", "journal_watch", "verifies the journal while it grows", self._source.verifies,
                     interval_s=VERIFY_SECONDS),
        ]  # fmt: skip
        if self._policy.gate:
            found.append(Workload("gate_watch", "gate_watch", f"asks the gate {self._policy.gate}", self._watches,
                                  interval_s=1.0))  # fmt: skip
            found.append(Workload("gate_reports", "gate_reports", "writes the day's and the week's report when due",
                                  self._reports, interval_s=LOOK_SECONDS))  # fmt: skip
        return found

    async def _judges(self, pulse: Pulse) -> None:
        while True:
            if self._assessor is not None:
                self._assessor.cycle_due()
                self._alerts.flush()
                self._signals.flush()
            pulse.beat()
            await asyncio.sleep(LOOK_SECONDS)

    async def _watches(self, pulse: Pulse) -> None:
        if self._watch is not None:
            await self._watch.watching(pulse)

    async def _reports(self, pulse: Pulse) -> None:
        """Write the reports of this desk's gate that are due, each once, below its state (GT-14, GT-15)."""
        waited = float(LOOK_S)
        while True:
            if waited >= LOOK_S:
                waited = 0.0
                try:
                    await asyncio.to_thread(self.write_reports)
                except (DeskError, OSError) as problem:
                    LOG.warning("gate_reports_unwritten", extra={"problem": str(problem)})
            pulse.beat()
            await asyncio.sleep(LOOK_SECONDS)
            waited += LOOK_SECONDS

    def write_reports(self) -> tuple[Path, ...]:
        """Write what is due and not there yet, and return the new files."""
        store = GateStore(self._state / GATES_FOLDER, self._clock)
        folder = self._state / REPORTS
        folder.mkdir(parents=True, exist_ok=True)
        there = {one.name for one in folder.glob("*.md")}
        due = due_reports(store.read(), there, self._clock.now())
        for one in due:
            write_durably(folder / one.name, one.text.encode())
        return tuple(folder / one.name for one in due)

    # what the pipeline and the gate ask for

    def renewed(self, assessment: str, snapshot: str) -> None:
        """Have the gate asked again soon (`GatePort`)."""
        if self._watch is not None:
            self._watch.renewed(assessment, snapshot)

    def halt(self, reason: str) -> None:
        """Stop the desk: what it does is not judged any more (`HaltPort`)."""
        self._ask(GuardAsked(JOURNAL, UNJUDGED, GuardLevel.STOPPED, evidence=reason))

    def _tell(self, signal: Signal) -> None:
        """Tell people of the gate; that a desk without real money is not fit for some warns, it is no emergency."""
        if self._document.desk.environment != "live" and signal.severity is not None:
            signal = msgspec.structs.replace(signal, severity=min(signal.severity, AlertSeverity.WARNING))
        self._alerting.tell(signal)

    def _of_gate(self, asked: GuardAsked) -> None:
        """A lapse pauses a desk that is live; elsewhere people are told, and it goes on (GE-10)."""
        if self._document.desk.environment == "live":
            self._ask(asked)

    # what is shown

    def show(self, metrics: DeskMetrics) -> None:
        """Fill the metrics of assessments and gates."""
        now = self._clock.now()
        assessment_metrics.show(metrics, registry(), self._history, now)
        if self._watch is not None:
            telling.show(metrics, self._watch.known, now)

    def assessments(self, name: str = "", *, course: bool = False) -> tuple[int, bytes]:
        """Answer for all assessments, one, or the course of one: HTTP status and JSON."""
        return web_block.answer(registry(), self._history, self._clock.now(), name, course=course)

    def gates(self, name: str = "") -> tuple[int, bytes]:
        """Answer for all gates or one: HTTP status and JSON."""
        return telling.answer(NOTHING if self._watch is None else self._watch.known, self._clock.now(), name)

