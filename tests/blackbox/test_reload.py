"""SIGHUP: a running desk takes over what may change, all of it or nothing, and journals which (CFG-08)."""

import signal
import time

import pytest
from desk_process import document, ended, journaled, started

from tradeworthy.app.configuration.reload import Reloaded, ReloadRefused
from tradeworthy.kernel.journal import read


def told(runs, kind, count=1, seconds=20):
    """Wait for a fact in the journal of the process's life."""
    until = time.monotonic() + seconds
    found = []
    while len(found) < count and time.monotonic() < until:
        found = [
            event.payload
            for life in runs.glob("state/*/runtime/*/journal")
            for event in read(life)
            if isinstance(event.payload, kind)
        ]
        time.sleep(0.1)
    return found


@pytest.fixture
def desk(tmp_path):
    path = document(tmp_path, rows=100_000, desk="speed = 3600", rest="[health]\ningest_warn_seconds = 900.0")
    process = started("run", path, "--runs", tmp_path / "runs")
    journaled(tmp_path / "runs", process)
    yield path, process, tmp_path / "runs"
    assert ended(process, signal.SIGTERM) == 0


def test_a_running_desk_takes_over_what_may_change_and_refuses_the_rest_whole(desk):
    path, process, runs = desk
    text = path.read_text()
    path.write_text(text.replace("900.0", "600.0"))
    process.send_signal(signal.SIGHUP)
    [taken] = told(runs, Reloaded)
    assert [one.field for one in taken.changes] == ["health.ingest_warn_seconds"]
    path.write_text(text.replace("900.0", "300.0").replace("lots = 1000", "lots = 2000"))
    process.send_signal(signal.SIGHUP)
    [refused] = told(runs, ReloadRefused)
    assert any("lots" in one for one in refused.reasons)
    assert refused.previous_hash == taken.config_hash
    path.write_text("not a document")
    process.send_signal(signal.SIGHUP)
    assert len(told(runs, ReloadRefused, count=2)) == 2
    assert process.poll() is None
