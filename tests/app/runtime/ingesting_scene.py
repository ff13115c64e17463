"""A small paper desk on shipped quotes that takes data in while it runs, in this process."""

import asyncio

from tradeworthy.app import config
from tradeworthy.app.runtime.desk_process import DeskProcess, Switches
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.journal import read

ALONE = {"RUNTIME_HEALTHCHECK_ENABLED": "false", "RUNTIME_WATCHDOG_HTTP": ""}
EURUSD = "EURUSD.DEMO"
HEADER = "time,open,high,low,close,volume\n"
BARS = 20
RISK = {"max_order_value": "500000"}
"""The default, said: a desk that trades must have limits of its own."""


def document(*, sources=(), runtime=None, rows=600, environment="paper", **rest):
    ingest = {"ingest": {"sources": list(sources), "interval_seconds": 0}} if sources else {}
    return config.parse({
        "schema": "desk@1",
        "desk": {"name": "made", "environment": environment, "capital": "1000000"},
        "tapes": [{"name": "eurusd_quotes", "format": "demo", "instrument": EURUSD, "rows_max": rows,
                   "label": "derived"}],
        "instances": [{"id": "touch", "strategy": "touch_quoter", "instrument": EURUSD, "role": "maker",
                       "policy": {"lots": 1000, "inventory_lots_max": 20000}}],
        "runtime": {"watchdog": False, "drift_monitor": {"enabled": False}, **ingest, **(runtime or {})},
        "risk": RISK, **rest,
    }, origin="test")  # fmt: skip


def demo_source(name="eurusd_hourly"):
    return {"name": name, "format": "demo", "instrument": EURUSD}


def csv_source(folder, name="minutes"):
    """Write a file of bars and return its source."""
    path = folder / f"{name}.csv"
    lines = [f"2024-01-01T00:{minute:02}:00,1.10,1.12,1.09,1.11,5\n" for minute in range(BARS)]
    path.write_text(HEADER + "".join(lines))
    return {"name": name, "format": "csv_bars", "instrument": EURUSD, "path": str(path), "interval_seconds": 60}


def process(tmp_path, made, *, environ=None, **switches):
    told = Switches(duckdb_path=tmp_path / "data" / "tier0.duckdb", **switches)
    return DeskProcess(
        made, root=tmp_path / "runs", clock=SystemClock(), environ={**ALONE, **(environ or {})}, switches=told
    )


def run(one, timeout=60):
    return asyncio.run(one.run(timeout))


def told(one, kind):
    return [event.payload for event in read(one.life.directory) if event.kind == kind]
