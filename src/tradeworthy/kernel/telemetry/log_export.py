"""Lines to a collector over OTLP, when the variables name one and the extra is installed (LOG-06)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tradeworthy.kernel.telemetry.bounded_batch import BoundedBatch
from tradeworthy.kernel.telemetry.export_policy import LOGS_HEADERS, ExportPolicy, headers_of
from tradeworthy.kernel.telemetry.log_lines import QUIET_LOGGER, LogLine

EXTRA_MISSING = "opentelemetry is not installed: install the extra `tracing`; nothing is exported"
_BODY = ("timestamp", "level", "message", "trace_id", "span_id")


class LogExport:
    """A sink of `open_logs` that sends lines on; what the collector does not take is dropped and counted here.

    An exporter's own lines are not exported, else a collector that is down would be told of itself for ever.
    """

    def __init__(self, policy: ExportPolicy, exporter: Any, resource: Mapping[str, str]) -> None:
        from opentelemetry.sdk._logs.export import LogRecordExportResult
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        self._exporter, self._close_timeout_s = exporter, policy.close_timeout_s
        self._resource, self._scope = Resource(dict(resource)), InstrumentationScope("tradeworthy.logs")
        self.batch: BoundedBatch[LogLine] = BoundedBatch(
            "log-export", lambda lines: exporter.export([*map(self._record, lines)]) is LogRecordExportResult.SUCCESS,
            capacity=policy.queue_items, batch=policy.batch_items, interval_s=policy.interval_s,
        )  # fmt: skip
        self.fault: OSError | None = None

    @property
    def dropped(self) -> int:
        """Lines the collector did not take."""
        return self.batch.dropped

    def write(self, lines: Sequence[LogLine]) -> int:
        """Take lines; a full queue drops them, so all count as arrived here."""
        for line in lines:
            if not line.logger.startswith(QUIET_LOGGER):
                self.batch.offer(line)
        return len(lines)

    def close(self) -> None:
        """Send what waits, as long as the policy allows."""
        self.batch.close(self._close_timeout_s)
        self._exporter.shutdown()

    def _record(self, line: LogLine) -> Any:
        from opentelemetry._logs import LogRecord, SeverityNumber
        from opentelemetry.context import Context
        from opentelemetry.sdk._logs import ReadableLogRecord
        from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

        fields = msgspec.json.decode(line.data)
        place = SpanContext(
            int(fields["trace_id"] or "0", 16), int(fields["span_id"] or "0", 16), is_remote=False,
            trace_flags=TraceFlags(bool(fields["trace_id"])),
        )  # fmt: skip
        number = {10: SeverityNumber.DEBUG, 20: SeverityNumber.INFO, 30: SeverityNumber.WARN,
                  40: SeverityNumber.ERROR, 50: SeverityNumber.FATAL}  # fmt: skip
        record = LogRecord(
            timestamp=line.at, observed_timestamp=line.at,
            context=set_span_in_context(NonRecordingSpan(place), Context()),
            severity_text=fields["level"].upper(), body=fields["message"], event_name=line.event,
            severity_number=number.get(line.level // 10 * 10, SeverityNumber.INFO),
            attributes={name: value for name, value in fields.items() if name not in _BODY and value is not None},
        )  # fmt: skip
        return ReadableLogRecord(record, self._resource, self._scope)


def open_log_export(
    policy: ExportPolicy, *, run_id: str, environment: str, variables: Mapping[str, str] | None = None,
    exporter: Any = None,
) -> LogExport | str | None:  # fmt: skip
    """Return the sink, None without an address, or a text that says why there is none.

    policy     as `with_otel_variables` left it;  variables  where the headers are, which are secret
    exporter   another one than OTLP over HTTP, e.g. one in memory
    """
    if exporter is None and not policy.logs_endpoint:
        return None
    try:
        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

            headers = headers_of((variables or {}).get(LOGS_HEADERS, ""))
            exporter = OTLPLogExporter(policy.logs_endpoint, headers=headers, timeout=policy.logs_timeout_s)
        return LogExport(policy, exporter, {
            "service.name": policy.service_name, "deployment.environment.name": policy.deployment or environment,
            "service.instance.id": run_id,
        })  # fmt: skip
    except ImportError:
        return EXTRA_MISSING
