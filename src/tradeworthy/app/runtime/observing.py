"""What makes a process observable: its logs, its traces and its metrics, opened together and closed together."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from tradeworthy.app.bootstrap import policy_of
from tradeworthy.app.config import Document
from tradeworthy.app.runtime.facts import ErrorUnrouted
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.telemetry.export_policy import ExportPolicy, with_otel_variables
from tradeworthy.kernel.telemetry.log_export import LogExport, open_log_export
from tradeworthy.kernel.telemetry.log_files import Cited
from tradeworthy.kernel.telemetry.log_lines import LogLine
from tradeworthy.kernel.telemetry.log_policy import LogPolicy
from tradeworthy.kernel.telemetry.logs import open_logs
from tradeworthy.kernel.telemetry.metric_families import FamilySpec
from tradeworthy.kernel.telemetry.metrics import DeskMetrics
from tradeworthy.kernel.telemetry.order_spans import OrderSpans
from tradeworthy.kernel.telemetry.tracing import open_tracing
from tradeworthy.operations.incidents.unrouted import UnroutedErrors
from tradeworthy.trading.model import Outcome

LOGS = "logs"
"""The lines of one life, below its folder."""
ROUTED_LOGGERS = ("tradeworthy.supervision",)
"""Their errors are journaled as facts of their own, which assessments read: no line of theirs is unrouted."""


class Observation:
    """Hold logs, tracing and metrics of one process.

    stream  where log lines are shown beside their file, None nowhere;  cited  tells which files evidence rests on
    errors  makes an alert of an ERROR line for which nobody has a route (LOG-05);  more  families of other rooms
    """

    def __init__(
        self, document: Document, *, run_id: str, clock: Clock, release: str, environ: Mapping[str, str], folder: Path,
        stream: IO[bytes] | None, errors: UnroutedErrors,
        cited: Cited = lambda path: False, more: Sequence[FamilySpec] = (),
    ) -> None:  # fmt: skip
        self._errors = errors
        environment, section = document.desk.environment, document.telemetry
        export, _ = with_otel_variables(policy_of(ExportPolicy, "telemetry.export", section.get("export", {})), environ)
        self.tracing = open_tracing(
            export, run_id=run_id, environment=environment, clock=clock, release=release, variables=environ
        )
        shipped = open_log_export(export, run_id=run_id, environment=environment, variables=environ)
        self._shipped = shipped if isinstance(shipped, LogExport) else None
        self._unrouted: Callable[[ErrorUnrouted], object] = lambda told: None
        self.logs = open_logs(
            policy_of(LogPolicy, "telemetry.logs", section.get("logs", {})), run_id=run_id, environment=environment,
            clock=clock, release=release, variables=environ, folder=folder / LOGS, stream=stream,
            cited=cited,
            trace_ids=self.tracing.current_ids, sinks={} if self._shipped is None else {"otlp": self._shipped},
            routed=lambda line: line.logger in ROUTED_LOGGERS or errors.routed(line), on_unrouted=self._on_unrouted,
        )  # fmt: skip
        self.metrics = DeskMetrics(mode=environment, environment=environment, more=more)
        self.metrics.build(release)
        problems = [*self.tracing.problems, *([shipped] if isinstance(shipped, str) else [])]
        for problem in problems:
            self.logs.logger("tradeworthy.telemetry").warning("telemetry_limited", problem=problem)

    def stepped(self, step: Callable[[Event], Outcome]) -> Callable[[Event], Outcome]:
        """Return a desk's step with its spans, itself while tracing is off."""
        return OrderSpans(self.tracing).traced(step)

    def route_errors(self, loop: asyncio.AbstractEventLoop, take: Callable[[ErrorUnrouted], object]) -> None:
        """Hand each ERROR line that no alert route takes to `take`, on the loop's thread (LOG-05)."""
        self._unrouted = lambda told: loop.call_soon_threadsafe(take, told)

    def look(self) -> None:
        """Take the losses of logs and spans into the metrics."""
        dropped = dict(self.logs.dropped_by_cause)
        if self._shipped is not None:
            dropped["otlp"] = self._shipped.dropped
        self.metrics.logs(dropped, spans_dropped=self.tracing.dropped)

    def close(self) -> None:
        """Write what waits, within bounds, and let go; a second time does nothing."""
        self._unrouted = lambda told: None
        self.tracing.close()
        self.logs.close()

    def _on_unrouted(self, line: LogLine) -> None:
        self._errors.on_unrouted(line)
        said = json.loads(line.data)
        self._unrouted(ErrorUnrouted(line.logger, str(said.get("event", "")), str(said.get("message", ""))))
