"""What a snapshot and the list of the abandoned hold, to the field and the frame (SUP-12, SUP-13, SUP-16, SUP-18)."""

import asyncio

import pytest
from supervision_bench import policy

from tradeworthy.kernel.redaction import Secret
from tradeworthy.kernel.supervision import HeartbeatLost, State, TaskSnapshot

FRAMES = 50
NAMED = (
    "name", "kind", "state", "owner", "criticality", "created_at", "age_seconds", "heartbeat_age_seconds",
    "hang_timeout_seconds", "deadline_seconds", "restart_limit", "restart_window", "restart_backoff_seconds",
    "restarts", "last_exception", "metadata",
)  # fmt: skip


async def nested(depth):
    if depth:
        return await nested(depth - 1)
    while True:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            continue


def test_a_snapshot_has_the_named_fields_and_six_states():
    assert TaskSnapshot.__struct_fields__ == NAMED
    assert {one.value for one in State} == {"running", "restarting", "finished", "failed", "cancelled", "abandoned"}


def test_a_task_that_waits_for_its_next_attempt_is_restarting_and_tells_its_last_exception(bench):
    async def main():
        given = policy(hang_timeout_s=2.0, deadline_s=90.0, max_restarts=3, backoff_base_s=4.0)
        bench.supervisor.create(lambda pulse: asyncio.sleep(1e6), owner="data", name="feed", policy=given)
        await asyncio.sleep(2.01)
        (shown,) = bench.supervisor.snapshot()
        await bench.supervisor.cancel_all()
        return shown

    shown = bench.run(main())
    assert (shown.state, shown.restarts, shown.restart_window.used) == (State.RESTARTING, 1, 1)
    assert (shown.hang_timeout_seconds, shown.deadline_seconds, shown.restart_limit) == (2.0, 90.0, 3)
    assert shown.restart_backoff_seconds == 4.0
    assert (shown.last_exception.type, shown.kind, shown.owner) == (HeartbeatLost.__name__, "task", "data")
    assert shown.last_exception.at == pytest.approx(shown.created_at + 2 * 10**9, abs=10**7)


def test_a_stack_of_the_abandoned_has_fifty_frames_at_most(bench):
    async def main():
        bench.supervisor.create(lambda pulse: nested(80), owner="test", name="deep")
        bench.supervisor.create(lambda pulse: nested(3), owner="test", name="flat")
        await asyncio.sleep(1)
        await bench.supervisor.cancel_all(0.5)
        return {one.name: one.stack for one in bench.supervisor.abandoned()}

    stacks = bench.run(main())
    assert len(stacks["deep"]) == FRAMES
    assert stacks["deep"][-1].endswith(" sleep"), "the end of a stack is what people need"
    assert len(stacks["flat"]) < FRAMES


def test_what_an_abandoned_task_is_shown_with_holds_no_secret(bench):
    secret = Secret("canary-of-the-abandoned")

    async def main():
        metadata = {"url": f"wss://x?token={secret.reveal()}", "feed": "a"}
        bench.supervisor.create(lambda pulse: nested(1), owner="test", name="stuck", metadata=metadata)
        await asyncio.sleep(1)
        await bench.supervisor.cancel_all(0.5)
        return bench.supervisor.abandoned()

    found = bench.run(main())
    assert found[0].metadata["feed"] == "a"
    assert "canary-of" not in repr((found, bench.told.events))
