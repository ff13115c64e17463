"""A paper desk is killed and started again the same day: what it may still lose is the same (AC-01)."""

import signal
import time
from datetime import UTC, datetime
from decimal import Decimal

from desk_process import command, document, ended, events_of, folder_of, journaled, only_run, started

from tradeworthy.trading.model import FillBooked
from tradeworthy.trading.model.run import DeskDayBegan
from tradeworthy.trading.restoring import DeskRestored


def iso(nanos):
    seconds, rest = divmod(nanos, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000:06d}"


def of(events, kind):
    return [event.payload for event in events if type(event.payload) is kind]


def test_a_killed_desk_has_the_same_loss_budget_left_on_its_next_start(tmp_path):
    config, runs = document(tmp_path, rows=8_000), tmp_path / "runs"
    process = started("run", config, "--runs", runs)
    journaled(runs, process, 200_000)
    time.sleep(0.3)
    assert ended(process, signal.SIGKILL) == -signal.SIGKILL
    killed = only_run(runs)
    before = events_of(killed)
    last = before[-1].ts_init
    again = command("run", config, "--runs", runs, "--set", f"desk.start={iso(last + 1_000)}", "--set",
                    f"desk.end={iso(last + 4 * 3_600 * 10**9)}")  # fmt: skip
    assert again.returncode in (0, 1), again.stderr
    after = events_of(folder_of(again))
    (memory,) = of(after, DeskRestored)
    assert (memory.run, memory.seq, memory.ts) == (killed.name, before[-1].seq, last)
    fills = of(before, FillBooked)
    assert fills
    assert sum(one.lots for one in memory.positions) == fills[-1].position
    opened = [one.equity for one in of(before, DeskDayBegan)][-1]
    assert memory.opened == int(opened * 10**9)
    assert memory.opened != 10**15, "the day must have opened with what was made or lost before"
    realized = sum((one.realized - (one.fee or 0) for one in fills), Decimal(0))
    assert abs(memory.equity - (10**15 + int(realized * 10**9))) < 10**13
    replayed = command("replay", folder_of(again))
    assert (replayed.returncode, "100.00% equal" in replayed.stdout) == (0, True), replayed.stdout
