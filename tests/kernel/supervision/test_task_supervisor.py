"""A task's life: creation, restarts, back-off, budget, beats, deadline, one attempt at a time (SUP-01 to SUP-10)."""

import asyncio
import gc
import warnings
from random import Random

import pytest
from supervision_bench import Bench, policy

from tradeworthy.kernel.redaction import Secret
from tradeworthy.kernel.supervision import (
    Criticality,
    DeadlineExceeded,
    HeartbeatLost,
    Response,
    RestartType,
    State,
    TaskPolicy,
    regular,
)
from tradeworthy.kernel.supervision.backoff import delay_s
from tradeworthy.kernel.supervision.transitions import Cause


def failing(error=None, after=0.0):
    """Return a factory whose attempts fail, and the list of their start times' count."""
    attempts = []

    async def work(pulse):
        attempts.append(pulse)
        await asyncio.sleep(after)
        raise error or KeyError("broken")

    return work, attempts


async def beating(pulse, every=1.0, progress=lambda n: n):
    n = 0
    while True:
        n += 1
        pulse.beat(progress(n))
        await asyncio.sleep(every)


async def silent(pulse):
    await asyncio.sleep(1e6)


async def stubborn(pulse):
    while True:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            continue


def test_negative_max_restarts_is_refused_and_zero_is_not():
    with pytest.raises(ValueError, match="max_restarts"):
        TaskPolicy(max_restarts=-1)
    assert TaskPolicy(max_restarts=0).max_restarts == 0


@pytest.mark.parametrize("name", ["backoff_base_s", "backoff_cap_s", "budget_window_s", "stop_grace_s", "deadline_s"])
def test_a_limit_that_is_no_number_is_refused(name):
    with pytest.raises(ValueError, match=name):
        TaskPolicy(**{name: float("nan")})


def test_a_coroutine_in_place_of_a_factory_is_refused_and_closed(bench):
    async def work():
        pass

    async def main():
        with pytest.raises(TypeError, match="callable"):
            bench.supervisor.create(work(), owner="test")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bench.run(main())
        gc.collect()


def test_while_everything_is_cancelled_a_new_task_is_refused_and_its_coroutine_closed(bench):
    async def other():
        pass

    async def late(pulse):
        try:
            await asyncio.sleep(1e6)
        finally:
            with pytest.raises(RuntimeError, match="cancelling"):
                bench.supervisor.create(other(), owner="test")
            bench.told.refused = True

    async def main():
        bench.supervisor.create(late, owner="test")
        await asyncio.sleep(1)
        await bench.supervisor.cancel_all()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bench.run(main())
        gc.collect()
    assert bench.told.refused


def test_a_task_without_a_name_is_numbered_in_its_namespace(bench):
    async def main():
        first = bench.supervisor.create(silent, owner="test")
        named = bench.supervisor.create(silent, owner="test", name="feed")
        third = bench.supervisor.create(silent, owner="test")
        await bench.supervisor.cancel_all()
        return first.name, named.name, third.name

    assert bench.run(main()) == ("bench-task-00001", "feed", "bench-task-00003")


def test_two_restarts_make_three_attempts_and_the_own_exception_surfaces(bench):
    work, attempts = failing(KeyError("broken"))

    async def main():
        task = bench.supervisor.create(work, owner="test", policy=policy(max_restarts=2))
        with pytest.raises(KeyError, match="broken"):
            await task.wait()
        return task

    task = bench.run(main())
    assert (len(attempts), task.restarts, task.state) == (3, 2, State.FAILED)
    assert bench.told.kinds() == ["started", "failed", "restarted", "failed", "restarted", "failed", "escalated"]


@pytest.mark.parametrize(
    ("kind", "attempts_after_success", "attempts_after_failure"),
    [(RestartType.PERMANENT, 4, 4), (RestartType.TRANSIENT, 1, 4), (RestartType.TEMPORARY, 1, 1)],
)
def test_the_restart_type_decides_which_ends_are_answered(bench, kind, attempts_after_success, attempts_after_failure):
    counts = {"good": 0, "bad": 0}

    async def good(pulse):
        counts["good"] += 1

    async def bad(pulse):
        counts["bad"] += 1
        raise OSError("gone")

    async def main():
        given = policy(restart=kind, max_restarts=3)
        tasks = [bench.supervisor.create(one, owner="test", policy=given) for one in (good, bad)]
        await asyncio.wait([task.done for task in tasks])

    bench.run(main())
    assert counts == {"good": attempts_after_success, "bad": attempts_after_failure}


@pytest.mark.parametrize("from_inside", [True, False])
def test_cancellation_never_restarts(bench, from_inside):
    attempts = []

    async def work(pulse):
        attempts.append(1)
        await asyncio.sleep(1)
        raise asyncio.CancelledError

    async def main():
        task = bench.supervisor.create(work, owner="test", policy=policy(restart=RestartType.PERMANENT))
        await asyncio.sleep(0.5)
        if not from_inside:
            task.cancel()
        return await task.wait()

    assert bench.run(main()) is State.CANCELLED
    assert len(attempts) == 1
    assert bench.told.escalations == []


def test_delays_equal_the_formula_and_stay_below_the_cap(bench):
    work, _ = failing()
    given = TaskPolicy(budget_restarts=100, max_restarts=12, backoff_base_s=0.1, backoff_cap_s=30.0)

    async def main():
        task = bench.supervisor.create(work, owner="test", policy=given)
        await asyncio.wait([task.done])

    bench.run(main())
    found = [event.payload.delay_ns for event in bench.told.events if event.kind == "supervision.restarted"]
    random = Random(7)
    assert found == [round(random.uniform(0, min(30.0, 0.1 * 2 ** (n - 1))) * 1e9) for n in range(1, 13)]
    stamps = {e.kind: [x.ts_event for x in bench.told.events if x.kind == e.kind] for e in bench.told.events}
    waited = [b - a for a, b in zip(stamps["supervision.failed"], stamps["supervision.restarted"], strict=False)]
    assert all(0 <= w - d <= 2_000 for w, d in zip(waited, found, strict=True))  # rounded up to the loop's microsecond


def test_a_delay_is_never_above_the_cap():
    random = Random(3)
    for failures in (1, 9, 10, 1_000, 10**9):
        drawn = [delay_s(failures, base_s=0.1, cap_s=30.0, random=random) for _ in range(200)]
        assert min(drawn) >= 0.0
        assert max(drawn) <= 30.0


@pytest.mark.parametrize(("run_s", "streaks"), [(59.9, [1, 2, 3]), (60.0, [1, 1, 1])])
def test_the_back_off_starts_over_after_a_healthy_run(bench, run_s, streaks):
    work, _ = failing(after=run_s)
    given = TaskPolicy(max_restarts=3, backoff_base_s=1.0)

    async def main():
        task = bench.supervisor.create(work, owner="test", policy=given)
        await asyncio.wait([task.done])

    bench.run(main())
    found = [event.payload.delay_ns for event in bench.told.events if event.kind == "supervision.restarted"]
    random = Random(7)
    assert found == [round(random.uniform(0, 2.0 ** (n - 1)) * 1e9) for n in streaks]


@pytest.mark.parametrize(("every", "attempts_expected"), [(9.9, 6), (13.0, 40), (12.0, 40), (11.9, 6)])
def test_the_sixth_failure_within_a_minute_escalates_and_one_each_thirteen_seconds_does_not(
    bench, every, attempts_expected
):
    work, attempts = failing(after=every)

    async def main():
        task = bench.supervisor.create(work, owner="test", policy=policy())
        while not task.done.done() and len(attempts) < 40:
            await asyncio.sleep(1)
        ended = task.done.done()
        await bench.supervisor.cancel_all()
        return ended

    assert bench.run(main()) is (attempts_expected == 6)
    assert len(attempts) == attempts_expected
    assert len(bench.told.escalations) == (attempts_expected == 6)


@pytest.mark.parametrize(
    ("criticality", "response"),
    list(zip(Criticality, (Response.WARN, Response.PAUSE, Response.STOP), strict=True)),
)
def test_an_escalation_asks_for_what_the_criticality_calls_for(bench, criticality, response):
    work, _ = failing()

    async def main():
        task = bench.supervisor.create(work, owner="test", name="loop", criticality=criticality, policy=policy())
        await asyncio.wait([task.done])

    bench.run(main())
    (escalated,) = bench.told.escalations
    assert (escalated.task, escalated.owner, escalated.response, escalated.restarts) == ("loop", "test", response, 5)
    assert "5 restarts in 60.0 s" in escalated.reason


def test_an_escalation_port_that_fails_is_logged_and_supervision_goes_on(bench, caplog):
    def refuse(*_):
        raise ConnectionError("no desk")

    bench.told.escalate = refuse
    work, _ = failing()

    async def main():
        task = bench.supervisor.create(work, owner="test", policy=policy(max_restarts=0))
        await asyncio.wait([task.done])
        other = bench.supervisor.create(regular(lambda: asyncio.sleep(1)), owner="test")
        return await other.wait()

    assert bench.run(main()) is State.FINISHED
    assert [one.message for one in caplog.records if one.levelname == "CRITICAL"] == ["escalation_failed"]


def test_a_beating_loop_outlives_ten_limits_and_a_silent_one_is_restarted(bench):
    async def main():
        given = policy(hang_timeout_s=2)
        beats = bench.supervisor.create(beating, owner="test", policy=given)
        quiet = bench.supervisor.create(silent, owner="test", policy=given)
        await asyncio.sleep(9)
        found = beats.restarts, quiet.restarts, type(quiet.exception)
        await asyncio.sleep(11)
        assert beats.restarts == 0
        await bench.supervisor.cancel_all()
        return found

    assert bench.run(main()) == (0, 4, HeartbeatLost)


@pytest.mark.parametrize("limit", [None, 0, -1.0])
def test_a_limit_that_is_absent_or_not_above_zero_is_off(bench, limit):
    async def main():
        task = bench.supervisor.create(silent, owner="test", policy=policy(hang_timeout_s=limit, deadline_s=limit))
        await asyncio.sleep(10_000)
        found = task.state, task.restarts
        await bench.supervisor.cancel_all()
        return found

    assert bench.run(main()) == (State.RUNNING, 0)


@pytest.mark.parametrize(("declares", "hung"), [(True, True), (False, False)])
def test_a_beat_without_progress_counts_only_where_none_is_declared(bench, declares, hung):
    async def main():
        given = policy(hang_timeout_s=3, declares_progress=declares, max_restarts=0)
        task = bench.supervisor.create(
            lambda pulse: beating(pulse, progress=lambda n: "same"), owner="test", policy=given
        )
        await asyncio.sleep(10)
        state = task.state
        await bench.supervisor.cancel_all()
        return state

    assert bench.run(main()) is (State.FAILED if hung else State.RUNNING)


def test_silence_deadline_and_the_workloads_own_timeout_are_three_causes(bench):
    own, _ = failing(TimeoutError("the venue took 3 s"))

    async def main():
        make = bench.supervisor.create
        none = policy(max_restarts=0)
        make(silent, owner="test", name="hang", policy=policy(max_restarts=1, hang_timeout_s=4, backoff_base_s=0))
        make(beating, owner="test", name="late", policy=policy(max_restarts=1, deadline_s=4, hang_timeout_s=3))
        make(own, owner="test", name="own", policy=none)
        await asyncio.sleep(5)
        living = {one.name: one.last_exception for one in bench.supervisor.snapshot()}
        living |= {one.name: one.last_exception for one in bench.supervisor.history()}
        await bench.supervisor.cancel_all()
        return living

    found = bench.run(main())
    assert {name: one.type for name, one in found.items()} == {
        "hang": HeartbeatLost.__name__, "late": DeadlineExceeded.__name__, "own": "TimeoutError",
    }  # fmt: skip
    assert found["own"].message == "the venue took 3 s"


def test_a_hang_leaves_the_stack_through_every_awaited_coroutine(bench):
    async def deep():
        await asyncio.sleep(1e6)

    async def outer(pulse):
        await deep()

    async def main():
        task = bench.supervisor.create(outer, owner="test", policy=policy(hang_timeout_s=1, max_restarts=0))
        await asyncio.wait([task.done])

    bench.run(main())
    (hung,) = [event.payload for event in bench.told.events if event.kind == "supervision.hung"]
    assert [line.rpartition(" ")[2] for line in hung.stack] == ["outer", "deep", "sleep"]


def test_a_successor_waits_for_the_end_of_a_slow_attempt(bench):
    living = []

    async def slow_to_end(pulse):
        living.append(1)
        assert sum(living) == 1
        try:
            await asyncio.sleep(1e6)
        finally:
            await asyncio.sleep(4)
            living.append(-1)

    async def main():
        task = bench.supervisor.create(slow_to_end, owner="test", policy=policy(hang_timeout_s=1))
        await asyncio.sleep(4.9)
        assert (task.attempts, sum(living)) == (1, 1)
        await asyncio.sleep(0.2)
        assert (task.attempts, sum(living)) == (2, 1)
        await bench.supervisor.cancel_all()

    bench.run(main())
    assert [one.response for one in bench.told.escalations] == []


def test_an_attempt_that_swallows_its_cancellation_is_abandoned_without_successor(bench):
    async def main():
        task = bench.supervisor.create(
            stubborn, owner="test", name="loop", criticality=Criticality.CRITICAL, policy=policy(hang_timeout_s=1)
        )
        await asyncio.sleep(5.9)
        assert task.state is State.RUNNING
        with pytest.raises(HeartbeatLost):
            await task.wait()
        return task.attempts, task.state, bench.seconds()

    attempts, state, at = bench.run(main())
    assert (attempts, state) == (1, State.ABANDONED)
    assert at == pytest.approx(6.0, abs=1e-3)
    assert [one.response for one in bench.told.escalations] == [Response.STOP]
    assert bench.told.kinds() == ["started", "hung", "abandoned", "escalated"]


def test_a_factory_that_raises_is_a_failed_attempt_under_the_same_budget(bench, caplog):
    calls = []

    def factory(pulse):
        calls.append(1)
        raise ConnectionError("no broker")

    async def main():
        task = bench.supervisor.create(factory, owner="test", policy=policy())
        with pytest.raises(ConnectionError, match="no broker"):
            await task.wait()

    bench.run(main())
    assert len(calls) == 6
    failed = [event.payload for event in bench.told.events if event.kind == "supervision.failed"]
    assert {one.cause for one in failed} == {Cause.FACTORY}
    assert [one.error for one in caplog.records if one.message == "attempt_failed"] == ["no broker"] * 6
    assert len(bench.told.escalations) == 1


def test_a_factory_that_returns_no_coroutine_fails_as_a_factory(bench):
    async def main():
        task = bench.supervisor.create(lambda pulse: 7, owner="test", policy=policy(max_restarts=0))
        with pytest.raises(TypeError, match="returned int"):
            await task.wait()

    bench.run(main())


def test_every_transition_is_one_event_whose_cause_is_the_failure(bench):
    work, _ = failing(after=1)

    async def main():
        task = bench.supervisor.create(work, owner="test", policy=policy(max_restarts=1))
        await asyncio.wait([task.done])

    bench.run(main())
    chain = [(event.event_id, event.causation_id) for event in bench.told.events]
    assert bench.told.kinds() == ["started", "failed", "restarted", "failed", "escalated"]
    assert [cause for _, cause in chain] == [None, *(event_id for event_id, _ in chain[:-1])]
    assert len({event.correlation_id for event in bench.told.events}) == 1


def test_secrets_of_messages_and_metadata_are_taken_out():
    bench = Bench()
    secret = Secret("hunter2-token")
    work, _ = failing(ValueError(f"login with {secret.reveal()} failed"))

    async def main():
        metadata = {"url": f"https://x?token={secret.reveal()}", "password": "abcdefgh", "lot": 3}
        task = bench.supervisor.create(work, owner="test", metadata=metadata, policy=policy(max_restarts=0))
        await asyncio.wait([task.done])

    bench.run(main())
    shown = repr((bench.supervisor.history(), bench.told.events))
    bench.close()
    assert "hunter2" not in shown
    assert "abcdefgh" not in shown
    assert bench.supervisor.history()[0].metadata["lot"] == 3


def test_a_journal_that_refuses_does_not_stop_supervision(bench, caplog):
    def refuse(event):
        raise OSError("disk full")

    bench.supervisor._sink = refuse
    work, attempts = failing()

    async def main():
        task = bench.supervisor.create(work, owner="test", policy=policy(max_restarts=1))
        await asyncio.wait([task.done])

    bench.run(main())
    assert len(attempts) == 2
    assert bench.supervisor.unrecorded == 5
    assert "supervision_record_failed" in caplog.messages
