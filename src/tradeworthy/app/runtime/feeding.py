"""Read each second what the health judgement, the metrics and the summary rest on; nothing here waits (HLT-07)."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from tradeworthy.app.runtime.application import Application
from tradeworthy.app.runtime.ingesting import Ingesting
from tradeworthy.app.runtime.metering import DeskMeter
from tradeworthy.app.runtime.observing import Observation
from tradeworthy.app.runtime.telling import Bulletin
from tradeworthy.app.runtime.time_integrity import TimeIntegrity
from tradeworthy.app.runtime.trading import TradingLoop
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.supervision import Criticality, Pulse, State
from tradeworthy.kernel.supervision.resources import ResourceLedger
from tradeworthy.kernel.supervision.watched import WatchdogLink
from tradeworthy.kernel.telemetry.bus_health import judge_bus
from tradeworthy.kernel.telemetry.metrics import DeskMetrics
from tradeworthy.kernel.telemetry.publishing import Publishing
from tradeworthy.operations.health.board import RuntimeBoard
from tradeworthy.operations.health.facts import (
    ClockView,
    Exporters,
    GuardView,
    Journal,
    KillView,
    MarketData,
    Members,
    Portfolio,
    Readiness,
    Tasks,
    WatchdogView,
)
from tradeworthy.operations.health.readings import assessed, disk_of
from tradeworthy.trading.control.halt import HaltPort
from tradeworthy.trading.strategies.abstentions import WARMING

INTERVAL_S = 1.0
SUMMARY_EVERY = 5
"""Seconds between two summaries kept for whoever asks."""
NOT_APPLICABLE: Mapping[str, str] = {
    "fix_connectivity": "no FIX session is configured", "venue_connectivity": "the venue is simulated",
    "database": "the desk runs on its own files", "cache": "the desk runs without a cache",
    "scheduler": "nothing is scheduled", "providers": "no outside provider is configured",
    "alerts": "no alert route is configured", "permissions": "no permission of a venue is held",
}  # fmt: skip
"""Checks of what this process has not, each with its reason; listed, not judged."""


@dataclass(frozen=True)
class Sources:
    """Where facts are read. What is None does not run in this process."""

    application: Application
    trading: TradingLoop | None
    meter: DeskMeter
    clock_watch: TimeIntegrity | None
    resources: ResourceLedger
    watchdog: WatchdogLink | None
    publishing: Publishing
    observation: Observation
    flag: HaltPort
    time_service_expected: bool = False
    ingesting: Ingesting | None = None


class Feeder:
    """Bring facts to the board and to the metrics.

    summary  makes the newest summary as JSON;  judged  fills the metrics of assessments and gates
    """

    def __init__(
        self, sources: Sources, board: RuntimeBoard, metrics: DeskMetrics, summary: Callable[[], bytes],
        bulletin: Bulletin, judged: Callable[[DeskMetrics], object] = lambda metrics: None,
    ) -> None:
        self._from, self._board, self._metrics, self._summary = sources, board, metrics, summary
        self._bulletin, self._judged = bulletin, judged
        self._round = 0

    async def feed(self, pulse: Pulse) -> None:
        """Look each second for ever: the factory of a supervised task."""
        while True:
            self.look()
            pulse.beat()
            await asyncio.sleep(INTERVAL_S)

    def look(self) -> None:
        """Take one look at everything."""
        now = self._from.application.clock.now()
        trading = self._from.trading
        restored = trading is None or trading.run is not None
        ready = self._from.application.ready
        self._board.mark(Readiness(started=ready, journal_restored=restored, guard_restored=restored))
        self._desk(now)
        self._tasks(now)
        self._surroundings(now)
        health = self._board.health()
        self._metrics.health(health.status, health.statuses)
        self._judged(self._metrics)
        self._from.observation.look()
        if self._round % SUMMARY_EVERY == 0:
            self._bulletin.tell("telemetry.runtime.health", health)
            self._bulletin.tell("telemetry.runtime.tasks", self._from.application.supervisor.snapshot())
            self._board.keep_summary(self._summary())
        self._round += 1

    def _desk(self, now: int) -> None:
        source, put = self._from, self._board.put
        trading = source.trading
        run = None if trading is None else trading.run
        if trading is None:
            return
        desk = trading.desk
        meter = source.meter
        ingesting = source.ingesting
        put("market_data", MarketData(
            at=now, ingest_at=newest_of(meter.last_event_at, None if ingesting is None else ingesting.last_at),
            decision_at=meter.last_decision_at, ingest_expected=ingesting is None or not ingesting.skipped,
        ))  # fmt: skip
        alive = run is not None and not trading.failed
        seq = None if run is None else run.journal.last_seq
        put("journal", Journal(at=now, accepting=alive, verified=True if alive else None, head_seq=seq))
        self._metrics.journal(seq or 0)
        if desk is None or run is None:
            put("guard", GuardView(at=now))
            return
        reasons = desk.guard.reasons()
        put("guard", GuardView(at=now, level=desk.guard.level, reasons=reasons))
        self._metrics.guard(desk.guard.level.name.lower(), [one.owner for one in reasons])
        held = {one.scope for one in reasons if one.code != WARMING.code}
        put("agents", Members(at=now, total=len(desk.seats), unwell=tuple(
            seat.instance for seat in desk.seats if f"strategy:{seat.instance}" in held
        )))  # fmt: skip
        put("controls", Members(at=now, total=len(run.ready.document.instances)))
        lines = desk.lines()
        unpriced = sum(one.unrealized is None for one in lines)
        balanced = not desk.ledger.accounts.total(desk.currency)
        put("portfolio", Portfolio(at=now, balanced=balanced, breaks=trading.breaks, unpriced=unpriced))
        self._metrics.reconciliation(trading.breaks)
        phase = "" if run.controls is None else run.controls.phase
        scopes = tuple(one.scope for one in source.flag.halts())
        put("kill_switch", KillView(at=now, tripped=source.flag.halted(), phase=phase, scopes=scopes))

    def _tasks(self, now: int) -> None:
        source = self._from
        supervisor = source.application.supervisor
        living, abandoned = supervisor.snapshot(), supervisor.abandoned()
        over = [
            (one.name, one.criticality)
            for one in source.application.services.workloads
            if (task := source.application.services.task_of(one.name)) is not None
            and task.state in (State.FAILED, State.ABANDONED)
        ]
        self._board.put("supervisor", Tasks(
            at=now, running=sum(one.state is State.RUNNING for one in living),
            restarting=sum(one.state is State.RESTARTING for one in living),
            failed=tuple(name for name, grade in over if grade is not Criticality.OPTIONAL),
            failed_optional=tuple(name for name, grade in over if grade is Criticality.OPTIONAL),
            abandoned=tuple(one.name for one in abandoned),
        ))  # fmt: skip
        self._metrics.tasks(living, abandoned)

    def _surroundings(self, now: int) -> None:
        source, put = self._from, self._board.put
        link = source.watchdog
        if link is not None:
            put("watchdog", WatchdogView(at=now, watching=link.watching, token=link.token))
        if source.clock_watch is not None and source.clock_watch.last is not None:
            last = source.clock_watch.last
            put("clock", ClockView(
                at=now, drift_ns=last.drift_ns, offset_ns=last.offset_ns, offset_expected=source.time_service_expected,
            ))  # fmt: skip
        facts = source.publishing.bus.facts()
        checks = judge_bus(facts)
        put("bus", msgspec.structs.replace(assessed(checks, at=now), observed=facts.depth, unit="events"))
        self._metrics.bus(facts)
        age = facts.last_published_age_seconds
        published = None if age is None else now - round(age * NANOS_PER_SECOND)
        put("telemetry_exporters", Exporters(at=now, published_at=published))
        spool = source.publishing.spool.facts()
        self._metrics.spool(spool.backlog_events, spool.backlog_age_seconds)
        put("disk", disk_of(source.resources.forecasts(), at=now))


def newest_of(tape: int | None, cycle: int | None) -> int | None:
    """Return when data last came in: by a tape that feeds the desk, or by a cycle of ingest."""
    return max((one for one in (tape, cycle) if one is not None), default=None)
