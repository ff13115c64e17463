"""The wall clock of a running desk is stepped by a second: paused in its name, and no opening leaves (APP-12)."""

import asyncio

import msgspec
import pytest
from soak_runs import document

from tradeworthy.app.runs.runner import journal_of
from tradeworthy.app.runtime.desk_process import DeskProcess
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.journal import read
from tradeworthy.trading.model import GuardLevel

ALONE = {"RUNTIME_HEALTHCHECK_ENABLED": "false", "RUNTIME_WATCHDOG_HTTP": ""}
STEPPED = "clock.stepped"


class SteppedClock(SystemClock):
    """The machine's clock, as far as somebody has set it."""

    shift = 0

    def now(self):
        return super().now() + self.shift


def run_with(tmp_path, step_s, stable_s):
    """Run a desk for four seconds and step its clock after one; return the run's events."""
    clock = SteppedClock()
    quick = {"interval_seconds": 0.1, "stable_seconds": stable_s}
    made = msgspec.structs.replace(
        document(environment="paper", steps=100_000, speed=2_000), runtime={"watchdog": False, "time_integrity": quick}
    )
    process = DeskProcess(made, root=tmp_path, clock=clock, environ=ALONE)

    def step():
        clock.shift = round(step_s * NANOS_PER_SECOND)

    async def main():
        asyncio.get_running_loop().call_later(1.0, step)
        return await process.run(4.0)

    assert asyncio.run(main()).reason == "timeout"
    (run,) = [one for one in tmp_path.iterdir() if one.name != "state"]
    return list(read(journal_of(run)))


def changes(events):
    return [one for one in events if one.kind == "guard.changed" and one.payload.reason == STEPPED]


def openings(events):
    return [one for one in events if one.kind == "command.submit" and not one.payload.reduce_only]


@pytest.mark.parametrize("step_s", [1.0, -1.0])
def test_a_step_of_a_second_pauses_and_no_opening_leaves_after_it(tmp_path, step_s):
    events = run_with(tmp_path, step_s, stable_s=60.0)
    (paused,) = changes(events)
    assert (paused.payload.set, paused.payload.reason_level) == (True, GuardLevel.PAUSED)
    assert [one for one in openings(events) if one.seq < paused.seq], "it traded before"
    verdicts = [one.payload for one in events if one.kind == "intent.approved"]
    opening = {one.intent.intent_id for one in verdicts if one.opening_lots}
    late = [one for one in events if one.kind == "command.submit" and one.seq > paused.seq]
    assert [one for one in late if one.payload.intent_id in opening] == []
    assert opening, "approvals tell which orders open"


def test_the_pause_ends_in_the_clocks_own_name_and_trading_goes_on(tmp_path):
    events = run_with(tmp_path, 1.0, stable_s=1.0)
    paused, cleared = changes(events)
    assert (paused.payload.set, cleared.payload.set) == (True, False)
    assert [one for one in openings(events) if one.seq > cleared.seq]


def test_a_step_below_the_threshold_changes_nothing(tmp_path):
    assert changes(run_with(tmp_path, 0.7, stable_s=60.0)) == []
