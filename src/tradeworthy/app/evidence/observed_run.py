"""What a desk shows to a dry run that observes it: heartbeats, a line a decision in the diary, a performance file.

A harness injects where these go (`FINAL_DRY_RUN_*`); `DECISION_DIARY_PATH` and `PERFORMANCE_METRICS_PATH` win over it
and work without one. A heartbeat is written by the desk's own loop, when it handles an event: a loop that hangs beats
no more.
"""

import asyncio
import os
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.app.evidence import bill_of_materials
from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.operations.dry_run.audit.evidence import DECISION_KINDS
from tradeworthy.operations.dry_run.audit.performance import PerformanceAggregates, PerformanceFile
from tradeworthy.operations.dry_run.desk_facts import STARTS_NAME, DeskStart
from tradeworthy.operations.dry_run.model import PLACEHOLDER, stamp
from tradeworthy.operations.dry_run.settings import (
    DIARY_PATH,
    HEARTBEAT_SECONDS,
    LABEL,
    LOG_DIR,
    PERFORMANCE_PATH,
    RUN_ID,
)
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.model import RunStarted

DECISION_DIARY, PERFORMANCE_METRICS = "DECISION_DIARY_PATH", "PERFORMANCE_METRICS_PATH"
PERFORMANCE_SECONDS = 60.0
"""The performance file is never older than this while the desk works."""
FILL_KIND = "ledger.fill_booked"
GUARD_KIND = "guard.changed"


class ObservedRun:
    """Tell an observing harness what the desk does.

    emit  prints one line on standard output; None where no harness reads it
    """

    def __init__(
        self, *, clock: Clock, capital: Decimal, emit: Callable[[str], None] | None, beat_seconds: float,
        diary: Path | None = None, performance: Path | None = None, label: str | None = None,
        starts: Path | None = None, folder: Callable[[], Path | None] = lambda: None,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._capital = capital
        self._emit = emit
        self._beat_ns = round(beat_seconds * NANOS_PER_SECOND)
        self.report_seconds = min(beat_seconds, PERFORMANCE_SECONDS)
        self._report_ns = round(self.report_seconds * NANOS_PER_SECOND)
        self.performance = performance
        self._label = label
        self._starts = starts
        self._folder = folder
        self._started = clock.now()
        self._next_beat = self._next_report = clock.monotonic()
        self._seq = self._events = self._decisions = self._fills = self._reports = 0
        self._guard = "running"
        self._diary: int | None = None
        if diary is not None:
            diary.parent.mkdir(parents=True, exist_ok=True)
            self._diary = os.open(diary, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        self._line("startup", capital=str(capital))
        if performance is not None:
            self._write(performance, PLACEHOLDER, None)

    def on_event(self, event: Event, seq: int) -> None:
        """Count an event that the journal accepted as its `seq`-th; beat when it is time."""
        self._events += 1
        if isinstance(event.payload, RunStarted):
            self._tell_start(event.payload)
        elif event.kind in DECISION_KINDS:
            self._decide(event, seq)
        elif event.kind == FILL_KIND:
            self._fills += 1
        elif event.kind == GUARD_KIND:
            level = getattr(event.payload, "level", None)
            self._guard = self._guard if level is None else str(getattr(level, "name", level)).lower()
        now = self._clock.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + self._beat_ns
            self._seq += 1
            self._line("heartbeat", seq=self._seq, events=self._events, decisions=self._decisions, guard=self._guard)

    def on_progress(self, desk: Desk, rows: int, ts: int) -> None:
        """Rewrite the performance file when it is time."""
        now = self._clock.monotonic()
        if self.performance is not None and now >= self._next_report:
            self._next_report = now + self._report_ns
            self._write(self.performance, "running", self._aggregates(desk))

    async def writes(self, desk: Callable[[], Desk | None], pulse: Pulse) -> None:
        """Rewrite the performance file for ever, however slow the tape: the work of a supervised task."""
        while True:
            if (found := desk()) is not None:
                self.on_progress(found, 0, 0)
            pulse.beat()
            await asyncio.sleep(self.report_seconds)

    @property
    def harnessed(self) -> bool:
        """Whether a harness reads the standard output."""
        return self._emit is not None

    def close(self, reason: str) -> None:
        """Tell what was loaded, say goodbye and close the diary."""
        if self._starts is not None:
            bill_of_materials.tell(self._starts.parent)
        self._line("shutdown", reason=reason, events=self._events, decisions=self._decisions)
        if self._diary is not None:
            os.close(self._diary)
            self._diary = None

    def _tell_start(self, started: RunStarted) -> None:
        """Say where the journal lies, so that the diary can be compared with it."""
        folder = self._folder()
        if self._starts is None or folder is None:
            return
        self._starts.parent.mkdir(parents=True, exist_ok=True)
        line = msgspec.json.encode(DeskStart(run_id=started.run_id, folder=str(folder.absolute()))) + b"\n"
        with self._starts.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def _decide(self, event: Event, seq: int) -> None:
        self._decisions += 1
        if self._diary is None:
            return
        payload: dict[str, Any] = msgspec.to_builtins(event.payload, str_keys=True)
        entry = {
            "entry_id": event.event_id, "recorded_at": stamp(self._clock.now()),
            "policy_id": _instance_of(payload) or event.source,
            "decision": {"kind": event.kind}, "regime_state": {}, "outcomes": {"code": payload.get("code")},
            "notes": [], "metadata": {
                "correlation_id": event.correlation_id, "ts_event": event.ts_event, "run_label": self._label,
            },
            "probes": [], "journal_seq": seq,
        }  # fmt: skip
        line = msgspec.json.encode(redact(entry)) + b"\n"
        view = memoryview(line)
        while view:
            view = view[os.write(self._diary, view) :]
        os.fdatasync(self._diary)

    def _aggregates(self, desk: Desk) -> PerformanceAggregates:
        lines = desk.lines()
        roi = None
        if all(line.unrealized is not None for line in lines):
            earned = sum(
                (line.realized + line.unrealized - line.fees for line in lines if line.unrealized is not None),
                start=Decimal(0),
            )
            roi = float(earned / self._capital)
        return PerformanceAggregates(trades=self._fills, roi=roi)

    def _write(self, path: Path, status: str, aggregates: PerformanceAggregates | None) -> None:
        self._reports += 1
        now = stamp(self._clock.now()).isoformat()
        document = PerformanceFile(
            sequence=self._reports, status=status, run_label=self._label, captured_at=now, generated_at=now,
            period_start=stamp(self._started).isoformat(), aggregates=aggregates,
            metadata={"events": self._events, "decisions": self._decisions},
        )  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, msgspec.json.encode(redact(msgspec.to_builtins(document))))

    def _line(self, event: str, **more: object) -> None:
        if self._emit is None:
            return
        document = {"timestamp": stamp(self._clock.now()), "level": "info", "event": event, **more}
        self._emit(msgspec.json.encode(redact(document)).decode())


def _instance_of(payload: Mapping[str, Any]) -> str | None:
    """Return the strategy instance of a decision, which stands in it or in its intent."""
    intent = payload.get("intent")
    for place in (payload, intent if isinstance(intent, dict) else {}):
        for name in ("instance", "instance_id", "strategy"):
            if place.get(name):
                return str(place[name])
    return None


def observed_by(
    environment: Mapping[str, str], *, clock: Clock, capital: Decimal, emit: Callable[[str], None],
    folder: Callable[[], Path | None] = lambda: None,
) -> ObservedRun | None:  # fmt: skip
    """Return the link to whoever observes this process, None when nobody does (APP-14).

    A harness names itself by its run id; a diary and a performance file are kept without one too.
    folder  where the run is kept, once it has begun
    """
    harness = environment.get(RUN_ID)
    diary = environment.get(DECISION_DIARY) or environment.get(DIARY_PATH)
    performance = environment.get(PERFORMANCE_METRICS) or environment.get(PERFORMANCE_PATH)
    if not (harness or diary or performance):
        return None
    log_dir = environment.get(LOG_DIR) if harness else None
    beat = float(environment.get(HEARTBEAT_SECONDS, "10"))
    return ObservedRun(
        clock=clock, capital=capital, emit=emit if harness else None, beat_seconds=beat,
        diary=Path(diary) if diary else None, performance=Path(performance) if performance else None,
        label=environment.get(LABEL), starts=Path(log_dir) / STARTS_NAME if log_dir else None, folder=folder,
    )  # fmt: skip
