"""Spans: off they cost nothing and need nothing; on they tell the truth, and a dead collector harms nobody."""

import asyncio
import json
import logging
import socket
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel import redaction
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock, SystemClock
from tradeworthy.kernel.telemetry.bounded_batch import BoundedBatch
from tradeworthy.kernel.telemetry.export_policy import ExportPolicy, headers_of, with_otel_variables
from tradeworthy.kernel.telemetry.log_export import EXTRA_MISSING, open_log_export
from tradeworthy.kernel.telemetry.log_policy import LogPolicy
from tradeworthy.kernel.telemetry.logs import open_logs
from tradeworthy.kernel.telemetry.tracing import open_tracing

START = 1_700_000_000 * NANOS_PER_SECOND
CANARY = "canary-5d81-span"
ON = ExportPolicy(enabled=True)


@pytest.fixture
def memory():
    pytest.importorskip("opentelemetry.sdk", reason="the extra `tracing` is not installed")
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    return InMemorySpanExporter()


@pytest.fixture
def canary(monkeypatch):
    monkeypatch.setattr(redaction, "_known", {})
    return redaction.Secret(CANARY)


def traced(memory, policy=ON, *, clock=None, **more):
    return open_tracing(
        policy, run_id="run-1", environment="paper", clock=clock or EventClock(START), exporters=[memory], **more
    )


def finished(tracing, memory):
    assert tracing.flush(20)
    tracing.close()
    return memory.get_finished_spans()


def test_off_every_method_works_and_makes_nothing():
    tracing = open_tracing(ExportPolicy(), run_id="r", environment="paper", clock=EventClock())

    def stage(argument):
        return argument + 1

    with tracing.span("event_bus.publish", topic="t") as span, \
         tracing.workload("w", "ingest"), tracing.operation("o", "callback"), tracing.desk_step("quote", 1), \
         tracing.order("send", "tw-1"), tracing.alert("route", "a-1"):  # fmt: skip
        span.set(anything="x")
    assert (tracing.on, tracing.current(), tracing.current_ids(), tracing.dropped) == (False, None, None, 0)
    assert tracing.measured("decide:mm-1", stage) is stage
    assert tracing.flush(0)
    tracing.close()


ABSENT = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.telemetry.export_policy import ExportPolicy
from tradeworthy.kernel.telemetry.log_export import open_log_export
from tradeworthy.kernel.telemetry.tracing import open_tracing
for enabled in (False, True):
    policy = ExportPolicy(enabled=enabled, logs_endpoint="http://127.0.0.1:1/v1/logs" if enabled else "")
    tracing = open_tracing(policy, run_id="r", environment="paper", clock=EventClock())
    with tracing.desk_step("quote", 1):
        pass
    print(tracing.on, len(tracing.problems), open_log_export(policy, run_id="r", environment="paper"))
"""


def test_without_the_package_all_works_and_being_asked_for_it_is_told():
    done = subprocess.run([sys.executable, "-c", ABSENT], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == ["False 0 None", f"False 1 {EXTRA_MISSING}"]


def test_the_spans_of_one_order_are_one_tree(memory):
    tracing = traced(memory)
    with tracing.workload("trading_loop", "trading"), tracing.span("event_bus.publish", topic="market.quote"):
        place = tracing.current()
    seen = {"topic": "market.quote", "subscriber": "desk", "queue_depth": 3, "dispatch_lag_seconds": 0.25}
    with tracing.span("event_bus.handle", place, **seen), \
         tracing.desk_step("market.quote", 17, "tape:1"):  # fmt: skip
        assert tracing.measured("decide:mm-1", lambda view: view)("view") == "view"
        with tracing.order("review", "tw-1", verdict="approved"):
            pass
        with tracing.order("send", "tw-1"):
            sent = tracing.current()
    with tracing.order("report", "tw-1", parent=sent, state="filled"):
        pass
    with tracing.alert("route", "a-1", parent=sent), tracing.alert("deliver", "a-1", channel="page"):
        pass
    with tracing.operation("clock_check", "time_integrity"):
        pass
    spans = {span.name: span for span in finished(tracing, memory)}
    ids = {span.context.span_id: span.name for span in spans.values()}
    tree = {name: None if span.parent is None else ids[span.parent.span_id] for name, span in spans.items()}
    assert tree == {
        "runtime.workload": None, "event_bus.publish": "runtime.workload", "event_bus.handle": "event_bus.publish",
        "desk.step": "event_bus.handle", "desk.decide": "desk.step", "order.review": "desk.step",
        "order.send": "desk.step", "order.report": "order.send", "alert.route": "order.send",
        "alert.deliver": "alert.route", "runtime.operation": None,
    }  # fmt: skip
    assert len({span.context.trace_id for name, span in spans.items() if name != "runtime.operation"}) == 1
    assert dict(spans["event_bus.handle"].attributes) == seen
    assert spans["desk.step"].resource.attributes["deployment.environment.name"] == "paper"


def test_a_span_takes_its_time_from_the_clock(memory):
    clock = EventClock(START)
    tracing = traced(memory, clock=clock)
    with tracing.desk_step("quote", 1):
        clock.advance_to(START + 5)
    (span,) = finished(tracing, memory)
    assert (span.start_time, span.end_time) == (START, START + 5)


def test_error_and_cancellation_set_the_status_and_pass_on(memory, canary):
    tracing = traced(memory)
    with pytest.raises(ValueError, match="canary"), tracing.operation("login", "callback"):
        raise ValueError(f"with {CANARY}")
    with pytest.raises(asyncio.CancelledError), tracing.workload("feed", "ingest"):
        raise asyncio.CancelledError
    with tracing.operation("well", "callback"):
        pass
    login, feed, well = finished(tracing, memory)
    assert (login.status.status_code.name, login.status.description) == ("ERROR", "ValueError: with [redacted]")
    assert "ValueError: with [redacted]" in login.events[0].attributes["exception.stacktrace"]
    assert (feed.status.status_code.name, feed.status.description) == ("ERROR", "cancelled")
    assert feed.attributes["cancelled"] is True
    assert well.status.status_code.name == "UNSET"


def test_the_canary_is_in_no_span(memory, canary):
    tracing = traced(memory)
    with tracing.span("s", None, text=f"x {CANARY}", password="hunter-2-long", odd=ValueError(CANARY)) as span:
        span.set(more=CANARY, api_key="hunter-2-long", none=None)
        with pytest.raises(RuntimeError), tracing.order("send", f"tw-{CANARY}"):
            raise RuntimeError(CANARY)
    told = "".join(span.to_json() for span in finished(tracing, memory))
    assert CANARY not in told
    assert "hunter" not in told
    assert told.count("[redacted]") >= 6


def test_a_line_tells_the_span_it_was_written_in(memory):
    tracing = traced(memory)
    with open_logs(
        LogPolicy(), run_id="r", environment="paper", clock=EventClock(START), trace_ids=tracing.current_ids
    ) as logs:
        with tracing.desk_step("quote", 1):
            logs.logger().info("inside")
        logs.logger().info("outside")
        inside, outside = map(json.loads, logs.lines())
    (span,) = finished(tracing, memory)
    assert (int(inside["trace_id"], 16), int(inside["span_id"], 16)) == (span.context.trace_id, span.context.span_id)
    assert (outside["trace_id"], outside["span_id"]) == (None, None)


def test_spans_of_tasks_that_run_at_once_keep_their_own_parents(memory):
    tracing = traced(memory)

    async def work(name):
        with tracing.workload(name, "auxiliary"):
            await asyncio.sleep(0)
            with tracing.operation(name, "callback"):
                await asyncio.sleep(0)

    async def all_of_them():
        await asyncio.gather(*(work(name) for name in "abc"))

    asyncio.run(all_of_them())
    spans = finished(tracing, memory)
    workloads = {span.context.span_id: span.attributes["workload"] for span in spans if span.parent is None}
    told = [(s.attributes["operation"], workloads[s.parent.span_id]) for s in spans if s.parent is not None]
    assert sorted(told) == [("a", "a"), ("b", "b"), ("c", "c")]


def test_a_dead_endpoint_drops_and_counts_and_never_blocks():
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `tracing` is not installed")
    with socket.socket() as taken:  # bound and not listening: a connection is refused at once
        taken.bind(("127.0.0.1", 0))
        clock = SystemClock()
        logging.getLogger("opentelemetry").addHandler(quiet := logging.NullHandler())
        tracing = open_tracing(
            ExportPolicy(interval_s=0.01, close_timeout_s=0.5), run_id="r", environment="paper", clock=clock,
            variables={"OTEL_ENABLED": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{taken.getsockname()[1]}",
                       "OTEL_EXPORTER_OTLP_TIMEOUT": "0.2"},
        )  # fmt: skip
        worst = 0
        for n in range(6_000):
            began = clock.monotonic()
            with tracing.desk_step("quote", n):
                pass
            worst = max(worst, clock.monotonic() - began)
        live = tracing._live
        began = clock.monotonic()
        tracing.close()
        took = clock.monotonic() - began
        logging.getLogger("opentelemetry").removeHandler(quiet)
    assert sum(batch.dropped for batch in live.batches) == 6_000
    assert worst < NANOS_PER_SECOND
    assert took < 3 * NANOS_PER_SECOND


def test_a_batch_holds_its_capacity_with_what_is_under_way_and_counts_the_rest():
    gate, entered, sent = threading.Event(), threading.Event(), []

    def export(things):
        entered.set()
        assert gate.wait(20)
        sent.extend(things)
        return True

    batch = BoundedBatch("t", export, capacity=2_048, batch=512, interval_s=60.0)
    for n in range(512):
        batch.offer(n)
    assert entered.wait(20)
    taken = sum(batch.offer(n) for n in range(512, 3_000))
    assert (taken, batch.held, batch.dropped) == (2_048 - 512, 2_048, 3_000 - 2_048)
    gate.set()
    assert batch.flush(20)
    batch.close(20)
    assert sent == list(range(2_048))
    assert (batch.exported, batch.dropped) == (2_048, 3_000 - 2_048)
    assert not batch.offer(1)


def test_a_batch_that_is_stuck_at_the_end_is_given_up_and_counted_once():
    gate = threading.Event()
    batch = BoundedBatch("t", lambda things: gate.wait(20), capacity=10, batch=2, interval_s=60.0)
    for n in range(5):
        batch.offer(n)
    batch.close(0.05)
    assert batch.dropped == 5
    gate.set()
    batch._thread.join(20)
    assert (batch.dropped, batch.exported) == (5, 0)


@given(st.lists(st.sampled_from(["ok", "refused", "raises"]), min_size=1, max_size=20))
def test_every_thing_is_either_exported_or_dropped(answers):
    told = iter(answers)

    def export(things):
        answer = next(told)
        if answer == "raises":
            raise ConnectionError("down")
        return answer == "ok"

    batch = BoundedBatch("t", export, capacity=100, batch=1, interval_s=0.001)
    for n in range(len(answers)):
        batch.offer(n)
    batch.close(20)
    assert (batch.exported, batch.dropped) == (answers.count("ok"), len(answers) - answers.count("ok"))


def test_variables_change_the_policy_and_bad_ones_are_told():
    policy, problems = with_otel_variables(ExportPolicy(), {
        "OTEL_ENABLED": "true", "OTEL_SERVICE_NAME": "desk-1", "OTEL_ENVIRONMENT": "staging",
        "OTEL_CONSOLE_EXPORTER": "on", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://c:4318/v1/logs", "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "4",
    })  # fmt: skip
    assert problems == ()
    assert policy == ExportPolicy(
        enabled=True, service_name="desk-1", deployment="staging", console=True, endpoint="http://c:4318",
        timeout_s=3.0, logs_endpoint="http://c:4318/v1/logs", logs_timeout_s=4.0,
    )  # fmt: skip
    same, problems = with_otel_variables(
        ExportPolicy(), {"OTEL_ENABLED": "perhaps", "OTEL_EXPORTER_OTLP_TIMEOUT": "0", "OTEL_CONSOLE_EXPORTER": "x"}
    )
    assert same == ExportPolicy()
    assert [one.partition(" ")[0] for one in problems] == [
        "OTEL_ENABLED", "OTEL_CONSOLE_EXPORTER", "OTEL_EXPORTER_OTLP_TIMEOUT",
    ]  # fmt: skip


@pytest.mark.parametrize("bad", [{"batch_items": 0}, {"batch_items": 3_000}, {"sample_ratio": 1.1}, {"timeout_s": 0.0}])
def test_an_export_policy_that_cannot_work_is_refused(bad):
    with pytest.raises(ValueError, match="must be"):
        ExportPolicy(**bad)


def test_header_values_become_secrets(canary):
    assert headers_of(f"Authorization=Bearer {CANARY}x,x-tenant=a,,bad") == {
        "authorization": f"Bearer {CANARY}x", "x-tenant": "a",
    }  # fmt: skip
    assert redaction.redact(f"header Bearer {CANARY}x") == "header [redacted]"


def test_only_whole_traces_are_sampled(memory):
    tracing = traced(memory, ExportPolicy(enabled=True, sample_ratio=0.0))
    with tracing.desk_step("quote", 1), tracing.order("send", "tw-1"):
        pass
    assert finished(tracing, memory) == ()


def test_the_console_shows_a_span_a_line_on_the_error_stream(memory, capsys):
    tracing = traced(memory, ExportPolicy(enabled=True, console=True))
    with tracing.desk_step("quote", 1):
        pass
    finished(tracing, memory)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert json.loads(shown.err)["name"] == "desk.step"


def test_lines_are_exported_with_their_fields_and_without_secrets(canary):
    pytest.importorskip("opentelemetry.sdk", reason="the extra `tracing` is not installed")
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter

    kept = InMemoryLogRecordExporter()
    sink = open_log_export(ExportPolicy(), run_id="run-1", environment="paper", exporter=kept)
    with open_logs(
        LogPolicy(), run_id="run-1", environment="paper", clock=EventClock(START), sinks={"otlp": sink},
        trace_ids=lambda: ("0" * 31 + "a", "0" * 15 + "b"),
    ) as logs:  # fmt: skip
        logs.logger("tradeworthy.risk").error("order_refused", value=f"x {CANARY}", limit=3)
        logging.getLogger("opentelemetry.exporter").error("down")
        assert logs.flush(20)
        assert sink.batch.flush(20)
        (found,) = kept.get_finished_logs()
    record = found.log_record
    assert (record.timestamp, record.severity_text, record.body) == (START, "ERROR", "order_refused")
    assert (record.trace_id, record.span_id, record.event_name) == (10, 11, "order_refused")
    assert record.attributes["limit"] == 3
    assert record.attributes["value"] == "x [redacted]"
    assert record.attributes["run_id"] == "run-1"
    assert found.resource.attributes["service.instance.id"] == "run-1"
    assert sink.dropped == 0


def test_lines_to_a_dead_collector_are_counted_and_the_file_has_them(tmp_path):
    pytest.importorskip("opentelemetry.sdk", reason="the extra `tracing` is not installed")

    class Dead:
        def export(self, batch):
            raise ConnectionError("refused")

        def shutdown(self): ...

    sink = open_log_export(ExportPolicy(), run_id="r", environment="paper", exporter=Dead())
    with open_logs(
        LogPolicy(), run_id="r", environment="paper", clock=EventClock(START), sinks={"otlp": sink}, folder=tmp_path
    ) as logs:
        for _ in range(10):
            logs.logger().info("said")
        assert logs.flush(20)
    assert sink.dropped == 10
    assert len((tmp_path / "tradeworthy.jsonl").read_bytes().splitlines()) == 10


def test_without_an_address_no_line_is_exported():
    assert open_log_export(ExportPolicy(), run_id="r", environment="paper") is None
