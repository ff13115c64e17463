"""The path of a real desk's orders through its steps, as spans; a desk that is traced decides as one that is not."""

import pytest

from tradeworthy.app import config
from tradeworthy.app.bootstrap import build_desk, build_timers, build_venue
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.telemetry.export_policy import ExportPolicy
from tradeworthy.kernel.telemetry.order_spans import OrderSpans
from tradeworthy.kernel.telemetry.tracing import open_tracing
from tradeworthy.trading.environment import Environment, Row
from tradeworthy.trading.simulation.synthetic import Walk, quotes

MONDAY = 1_704_067_200 * NANOS_PER_SECOND
DOCUMENT = {
    "schema": "desk@1",
    "desk": {"name": "traced", "environment": "backtest", "capital": "1000000", "seed": 7, "base_currency": "USD",
             "evaluate_seconds": 15.0, "sample_seconds": 10.0},
    "tapes": [{"name": "made", "format": "synthetic", "instrument": "EURUSD.DEMO", "label": "synthetic",
               "kind": "quotes"}],
    "instances": [{"id": "quoter", "strategy": "touch_quoter", "instrument": "EURUSD.DEMO", "role": "maker",
                   "policy": {"lots": 2_000, "inventory_lots_max": 20_000, "interval_ns": 5 * NANOS_PER_SECOND,
                              "repeat_ns": 5 * NANOS_PER_SECOND}}],
}  # fmt: skip


class Kept:
    """A journal in memory."""

    def __init__(self):
        self._seen = set()

    def accept(self, event):
        if event.event_id in self._seen:
            return -1
        self._seen.add(event.event_id)
        return len(self._seen)

    def commit(self): ...


class TracedDesk:
    """A desk whose step is another function."""

    def __init__(self, desk, step):
        self._desk, self.step = desk, step

    def __getattr__(self, name):
        return getattr(self._desk, name)


def play(tracing, **more):
    document = config.parse(DOCUMENT, origin="test")
    desk = build_desk(document, measured=tracing.measured)
    traced = TracedDesk(desk, OrderSpans(tracing, **more).traced(desk.step))
    environment = Environment(
        traced, Kept(), build_venue(document), build_timers(document, desk), durable_commands=False, clock=EventClock()
    )
    walk = Walk("EURUSD.DEMO", ts=MONDAY, start=110_000, steps=400, step=6.0, spread=10, size_max=1_000_000)
    environment.run(Row("tape.made", n, ts, ts, fact) for n, (ts, fact) in enumerate(quotes(walk, seed=11), 1))
    environment.settle(5 * NANOS_PER_SECOND)
    return environment.digest.hexdigest()


def tracing_to(exporter):
    return open_tracing(
        ExportPolicy(enabled=True, queue_items=1 << 20), run_id="r", environment="backtest", clock=EventClock(MONDAY),
        exporters=[exporter],
    )  # fmt: skip


@pytest.fixture
def memory():
    pytest.importorskip("opentelemetry.sdk", reason="the extra `tracing` is not installed")
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    return InMemorySpanExporter()


def test_the_span_tree_of_one_order_runs_from_the_decision_to_the_fill(memory):
    tracing = tracing_to(memory)
    play(tracing)
    assert tracing.flush(60)
    tracing.close()
    spans = memory.get_finished_spans()
    by_id = {span.context.span_id: span for span in spans}
    booked = next(span for span in spans if span.name == "order.fill_booked")
    order = booked.attributes["client_order_id"]
    path = []
    here = booked
    while here is not None:
        path.append((here.name, here.attributes.get("kind")))
        here = None if here.parent is None else by_id[here.parent.span_id]
    assert path[0] == ("order.fill_booked", "ledger.fill_booked")
    assert path[1] == ("desk.step", "venue.report")
    assert path[2][0].startswith("order.")
    assert path[-1][0] == "desk.step"
    assert path[-1][1] != "venue.report", "the trace begins with what led to the order"
    of_order = [span for span in spans if span.attributes.get("client_order_id") == order]
    assert {"order.submit", "order.changed", "order.fill_booked"} <= {span.name for span in of_order}
    assert {span.context.trace_id for span in of_order} == {booked.context.trace_id}
    decides = [span for span in spans if span.name == "desk.decide"]
    assert decides
    assert all(by_id[span.parent.span_id].name == "desk.step" for span in decides)
    assert {span.attributes["instance"] for span in decides} == {"quoter"}


def test_a_traced_desk_decides_as_one_that_is_not(memory):
    off = open_tracing(ExportPolicy(), run_id="r", environment="backtest", clock=EventClock())
    on = tracing_to(memory)
    assert play(on) == play(off)
    on.close()


def test_only_so_many_orders_are_remembered(memory):
    tracing = tracing_to(memory)
    play(tracing, orders_max=1)
    assert tracing.flush(60)
    tracing.close()
    spans = memory.get_finished_spans()
    begun = [span for span in spans if span.name == "desk.step" and span.attributes["kind"] == "venue.report"]
    assert any(span.parent is None for span in begun), "the oldest order's place was given up"
    assert any(span.parent is not None for span in begun)


def test_while_off_the_step_is_the_desks_own():
    def step(event):
        return event

    off = open_tracing(ExportPolicy(), run_id="r", environment="backtest", clock=EventClock())
    assert OrderSpans(off).traced(step) is step
