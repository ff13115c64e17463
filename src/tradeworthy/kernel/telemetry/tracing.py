"""Spans of what the desk does, when somebody asked for them; else next to nothing (TRC-01 to TRC-03).

OpenTelemetry is imported by `open_tracing` only, and only when enabled. No provider is set for the whole process.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, TypeVar

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.redaction import redact, trace_of
from tradeworthy.kernel.telemetry.bounded_batch import BoundedBatch
from tradeworthy.kernel.telemetry.export_policy import HEADERS, ExportPolicy, headers_of, with_otel_variables
from tradeworthy.kernel.telemetry.log_export import EXTRA_MISSING

WORKLOAD, OPERATION = "runtime.workload", "runtime.operation"
DESK_STEP, ORDER, ALERT = "desk.step", "order", "alert"
TRACES_PATH = "/v1/traces"
TEXT_CHARACTERS_MAX = 1_024
EVENT_TRACE_CHARACTERS_MAX = 8_192
Value = str | int | float | bool | None
F = TypeVar("F", bound=Callable[..., Any])


class Span(Protocol):
    """A span in force between `with` and its end; an error or a cancellation that passes through sets its status."""

    def __enter__(self) -> "Span": ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def set(self, **attributes: Value) -> None:
        """Add attributes; secrets are taken out."""


class Tracing:
    """Make spans; every method costs next to nothing while off. Make it with `open_tracing`.

    problems  variables that were ignored and what is missing, each as a text to log
    """

    def __init__(self, live: "_Live | None" = None, problems: Sequence[str] = ()) -> None:
        self._live, self.problems = live, tuple(problems)

    @property
    def on(self) -> bool:
        """Tell whether spans are made."""
        return self._live is not None

    @property
    def dropped(self) -> int:
        """Spans that no collector took."""
        return 0 if self._live is None else sum(batch.dropped for batch in self._live.batches)

    def span(self, name: str, parent: Any = None, **attributes: Value) -> Span:
        """Return a span to be entered; `parent` is what `current` returned elsewhere, the span in force when None.

        Bound, this is the bus's port for its `event_bus.publish` and `event_bus.handle`.
        """
        return _NO_SPAN if self._live is None else _LiveSpan(self._live, name, parent, attributes)

    def current(self) -> Any:
        """Return the place in the trace, to be given to a span in another task; None while off."""
        return None if self._live is None else self._live.get_current()

    def current_ids(self) -> tuple[str, str] | None:
        """Return trace and span id in force, as a log line tells them."""
        return None if self._live is None else self._live.current_ids()

    def workload(self, name: str, kind: str) -> Span:
        """Return the span of one attempt of a workload."""
        return self.span(WORKLOAD, None, workload=name, kind=kind)

    def operation(self, name: str, kind: str) -> Span:
        """Return the span of a callback, an ingest or a clock check."""
        return self.span(OPERATION, None, operation=name, kind=kind)

    def desk_step(self, kind: str, seq: int, correlation_id: str = "", parent: Any = None) -> Span:
        """Return the span of one step of the desk."""
        if self._live is None:
            return _NO_SPAN
        return self.span(DESK_STEP, parent, kind=kind, seq=seq, correlation_id=correlation_id)

    def order(self, step: str, client_order_id: str, parent: Any = None, **attributes: Value) -> Span:
        """Return the span of one step of an order's path: `order.review`, `order.send`, `order.report`."""
        return self.span(f"{ORDER}.{step}", parent, client_order_id=client_order_id, **attributes)

    def alert(self, step: str, alert_id: str, parent: Any = None, **attributes: Value) -> Span:
        """Return the span of one step of an alert's path: `alert.route`, `alert.deliver`."""
        return self.span(f"{ALERT}.{step}", parent, alert_id=alert_id, **attributes)

    def measured(self, stage: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return a desk's stage with a span around it, itself while off; `kind:instance` names kind and instance."""
        kind, _, instance = stage.partition(":")
        return self.traced(f"desk.{kind}", function, **({"instance": instance} if instance else {}))

    def traced(self, name: str, function: F, **attributes: Value) -> F:
        """Return a plain function with a span around each call, itself while off."""
        if self._live is None:
            return function

        def within(*words: Any, **named: Any) -> Any:
            with self.span(name, None, **attributes):
                return function(*words, **named)

        return within  # type: ignore[return-value]

    def flush(self, timeout_s: float) -> bool:
        """Send what waits; False when that took too long."""
        return self._live is None or all(batch.flush(timeout_s) for batch in self._live.batches)

    def close(self) -> None:
        """Send what waits within the policy's limit, then make no more spans."""
        live, self._live = self._live, None
        if live is not None:
            live.close()


def open_tracing(
    policy: ExportPolicy, *, run_id: str, environment: str, clock: Clock, release: str = "",
    variables: Mapping[str, str] | None = None, exporters: Sequence[Any] | None = None,
) -> Tracing:  # fmt: skip
    """Return the tracing that policy and variables ask for.

    variables  the process's environment: the OTEL_* keys change the policy, the headers are taken from it
    exporters  others than OTLP over HTTP (and the console), e.g. one in memory

    Not enabled, or not installed: tracing that is off; the latter is told in `problems`.
    """
    policy, problems = with_otel_variables(policy, variables or {})
    if not policy.enabled:
        return Tracing(None, problems)
    resource = {
        "service.name": policy.service_name, "deployment.environment.name": policy.deployment or environment,
        "service.instance.id": run_id, "service.version": release,
    }  # fmt: skip
    try:
        headers = headers_of((variables or {}).get(HEADERS, ""))
        return Tracing(_Live(policy, resource, clock, _exporters(policy, headers, exporters)), problems)
    except ImportError:
        return Tracing(None, (*problems, EXTRA_MISSING))


def _exporters(policy: ExportPolicy, headers: dict[str, str], given: Sequence[Any] | None) -> list[Any]:
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter

    found = [] if given is None else list(given)
    if given is None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        base = policy.endpoint.rstrip("/")
        endpoint = base if base.endswith(TRACES_PATH) else base + TRACES_PATH
        found.append(OTLPSpanExporter(endpoint, headers=headers, timeout=policy.timeout_s))
    if policy.console:
        found.append(ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: span.to_json(indent=None) + "\n"))
    return found


class _NoSpan:
    """The one span of a desk that traces nothing."""

    __slots__ = ()

    def __enter__(self) -> "_NoSpan":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def set(self, **attributes: Value) -> None: ...


_NO_SPAN = _NoSpan()


class _Live:
    """A provider of its own, with one bounded batch for each exporter."""

    def __init__(
        self, policy: ExportPolicy, resource: Mapping[str, str], clock: Clock, exporters: Sequence[Any]
    ) -> None:
        from opentelemetry import context, trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
        from opentelemetry.sdk.trace.export import SpanExportResult
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

        def batch_of(exporter: Any) -> BoundedBatch[Any]:
            return BoundedBatch(
                "span-export", lambda spans: exporter.export(spans) is SpanExportResult.SUCCESS,
                capacity=policy.queue_items, batch=policy.batch_items, interval_s=policy.interval_s,
            )  # fmt: skip

        self.batches = [batch_of(exporter) for exporter in exporters]
        batches = self.batches

        class Offer(SpanProcessor):
            def on_end(self, span: Any) -> None:
                if span.context is not None and span.context.trace_flags.sampled:
                    for batch in batches:
                        batch.offer(span)

        provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(policy.sample_ratio)), resource=Resource(dict(resource)),
            shutdown_on_exit=False,
        )  # fmt: skip
        provider.add_span_processor(Offer())
        self.clock, self.api, self.context = clock, trace, context
        self.tracer = provider.get_tracer("tradeworthy")
        self._exporters, self._close_timeout_s = exporters, policy.close_timeout_s

    def get_current(self) -> Any:
        """Return the context in force."""
        return self.context.get_current()

    def current_ids(self) -> tuple[str, str] | None:
        """Return the ids of the span in force."""
        found = self.api.get_current_span().get_span_context()
        return (f"{found.trace_id:032x}", f"{found.span_id:016x}") if found.is_valid else None

    def close(self) -> None:
        """End the batches, then the exporters."""
        for batch in self.batches:
            batch.close(self._close_timeout_s)
        for exporter in self._exporters:
            exporter.shutdown()


class _LiveSpan:
    """One span; its time is the clock's stamp plus monotonic time since."""

    __slots__ = ("_attributes", "_began", "_live", "_name", "_parent", "_span", "_start", "_token")

    def __init__(self, live: _Live, name: str, parent: Any, attributes: Mapping[str, Value]) -> None:
        self._live, self._name, self._parent, self._attributes = live, name, parent, attributes

    def __enter__(self) -> "_LiveSpan":
        live = self._live
        self._start, self._began = live.clock.now(), live.clock.monotonic()
        self._span = live.tracer.start_span(
            self._name, context=self._parent, start_time=self._start, record_exception=False,
            set_status_on_exception=False, attributes=_clean(self._attributes),
        )  # fmt: skip
        self._token = live.context.attach(live.api.set_span_in_context(self._span, self._parent))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        live, span = self._live, self._span
        live.context.detach(self._token)
        now = self._start + live.clock.monotonic() - self._began
        if isinstance(error, asyncio.CancelledError):
            span.set_attribute("cancelled", True)
            span.set_status(live.api.Status(live.api.StatusCode.ERROR, "cancelled"))
        elif error is not None:
            text = str(redact(f"{type(error).__name__}: {error}"))[:TEXT_CHARACTERS_MAX]
            span.set_status(live.api.Status(live.api.StatusCode.ERROR, text))
            span.add_event("exception", timestamp=now, attributes={
                "exception.type": type(error).__name__, "exception.message": text,
                "exception.stacktrace": trace_of(error)[-EVENT_TRACE_CHARACTERS_MAX:],
            })  # fmt: skip
        span.end(end_time=now)

    def set(self, **attributes: Value) -> None:
        """Add attributes."""
        self._span.set_attributes(_clean(attributes))


def _clean(attributes: Mapping[str, Value]) -> dict[str, str | int | float | bool]:
    return {
        name: value if isinstance(value, int | float | bool) else str(value)[:TEXT_CHARACTERS_MAX]
        for name, value in redact(attributes).items()
        if value is not None
    }
