"""Logs, spans and metrics of a real bus under a real supervisor: what went wrong shows in each, a secret in none."""

import asyncio
import json
import logging

import pytest
from telemetry_bench import TASKS

from tradeworthy.kernel import redaction
from tradeworthy.kernel.supervision import Criticality, TaskPolicy
from tradeworthy.kernel.telemetry.export_policy import ExportPolicy
from tradeworthy.kernel.telemetry.log_policy import LogPolicy
from tradeworthy.kernel.telemetry.logs import open_logs
from tradeworthy.kernel.telemetry.metrics import DeskMetrics
from tradeworthy.kernel.telemetry.tracing import open_tracing

CANARY = "canary-31f0-together"


@pytest.fixture
def memory():
    pytest.importorskip("opentelemetry.sdk", reason="the extra `tracing` is not installed")
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    return InMemorySpanExporter()


def test_a_failing_handler_and_a_crashing_task_show_everywhere_and_the_canary_nowhere(
    bench, memory, tmp_path, monkeypatch
):
    monkeypatch.setattr(redaction, "_known", {})
    redaction.register(CANARY)
    metrics = DeskMetrics(mode="maker", environment="paper")
    tracing = open_tracing(
        ExportPolicy(enabled=True), run_id="r", environment="paper", clock=bench.clock, exporters=[memory]
    )
    incidents = []
    bus = type(bench.bus)(bench.supervisor, bench.clock, bench.desk, spans=tracing.span)
    attempts = []

    async def handler(message):
        attempts.append(message)
        logging.getLogger("tradeworthy.handler").info("handling", extra={"value": message.topic, "api_key": CANARY})
        raise RuntimeError(f"cannot log in with {CANARY}")

    async def crashes(pulse):
        raise ValueError(f"no feed for {CANARY}")

    async def scene():
        bus.start()
        bus.subscribe("failing", handler, topics=[TASKS])
        bus.publish(bench.message(1))
        policy = TaskPolicy(max_restarts=2, backoff_base_s=0.001)
        bench.supervisor.create(
            crashes, owner="feed", name="feed", metadata={"token": CANARY}, policy=policy,
            criticality=Criticality.CRITICAL,
        )  # fmt: skip
        await asyncio.sleep(5.0)
        metrics.tasks(bench.supervisor.snapshot(), bench.supervisor.abandoned())
        metrics.bus(bus.facts())
        await bus.stop()

    with open_logs(
        LogPolicy(), run_id="r", environment="paper", clock=bench.clock, folder=tmp_path,
        trace_ids=tracing.current_ids, on_unrouted=incidents.append,
    ) as logs:  # fmt: skip
        bench.run(scene())
        assert logs.flush(20)
        lines = [json.loads(line) for line in logs.lines()]
    for event in bench.desk.events:
        metrics.transition(event)
    metrics.logs(logs.dropped_by_cause, spans_dropped=tracing.dropped)
    assert tracing.flush(20)
    tracing.close()
    spans = memory.get_finished_spans()

    handled = [span for span in spans if span.name == "event_bus.handle"]
    assert len(handled) == len(attempts) >= 3
    assert {span.status.description for span in handled} == {"RuntimeError: cannot log in with [redacted]"}
    said = [line for line in lines if line["event"] == "handling"]
    assert [line["span_id"] for line in said] == [f"{span.context.span_id:016x}" for span in handled]
    assert {line["api_key"] for line in said} == {"[redacted]"}
    assert any(line["event"] == "task_escalated" and line["level"] == "error" for line in lines)
    assert "task_escalated" in [line.event for line in incidents]
    told = metrics.render().decode()
    assert f"tradeworthy_runtime_event_handler_exceptions_total {len(attempts)}.0" in told
    assert 'tradeworthy_runtime_task_transitions_total{task="feed",transition="restarted"} 2.0' in told
    assert 'tradeworthy_runtime_exceptions_total{component="feed"} 3.0' in told

    sinks = {
        "lines": b"\n".join(logs.lines()), "file": (tmp_path / "tradeworthy.jsonl").read_bytes(),
        "incidents": b"\n".join(line.data for line in incidents), "metrics": told.encode(),
        "spans": "\n".join(span.to_json() for span in spans).encode(),
    }  # fmt: skip
    assert {name for name, data in sinks.items() if CANARY.encode() in data} == set()
    assert all(sinks.values())
