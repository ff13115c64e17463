"""Scopes, foreign tasks, the task factory, snapshots, history and the bounded end (SUP-06, SUP-11 to SUP-17)."""

import asyncio
import contextvars
import subprocess
import sys
import threading

import pytest
from supervision_bench import START, Bench, policy

from tradeworthy.kernel.clock import EventClock, SystemClock
from tradeworthy.kernel.supervision import (
    Criticality,
    Response,
    ScopePolicy,
    State,
    Strategy,
    SupervisorPolicy,
    regular,
)


async def forever(pulse):
    await asyncio.sleep(1e6)


async def stubborn(pulse):
    while True:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            continue


class Diary:
    """Workloads that write down their starts and ends."""

    def __init__(self):
        self.lines = []

    def lives(self, name, *, fails_at=()):
        starts = iter(range(100))

        async def work(pulse):
            n = next(starts)
            self.lines.append(f"+{name}")
            try:
                await asyncio.sleep(1.0 if n in fails_at else 1e6)
                raise OSError(name)
            finally:
                self.lines.append(f"-{name}")

        return work


def grown(bench, strategy, diary, *, failing="b", fails_at=(0,), **given):
    scope = bench.supervisor.scope("group", owner="test", policy=ScopePolicy(strategy=strategy, **given))
    for name in "abc":
        work = diary.lives(name, fails_at=fails_at if name == failing else ())
        bench.supervisor.create(work, owner="test", name=name, scope=scope, policy=policy(max_restarts=2))
    return scope


@pytest.mark.parametrize(
    ("strategy", "after"),
    [
        (Strategy.ONE_FOR_ONE, ["-b", "+b"]),
        (Strategy.ONE_FOR_ALL, ["-b", "-c", "-a", "+a", "+b", "+c"]),
        (Strategy.REST_FOR_ONE, ["-b", "-c", "+b", "+c"]),
    ],
)
def test_children_start_in_order_stop_in_reverse_and_restart_by_strategy(bench, strategy, after):
    diary = Diary()

    async def main():
        grown(bench, strategy, diary)
        await asyncio.sleep(2)
        assert diary.lines == ["+a", "+b", "+c", *after]
        del diary.lines[:]
        await bench.supervisor.cancel_all()

    bench.run(main())
    assert diary.lines == ["-c", "-b", "-a"]


def test_ingest_fails_twice_and_trading_keeps_its_beats(bench):
    diary = Diary()

    async def trading(pulse):
        while True:
            pulse.beat()
            await asyncio.sleep(1)

    async def main():
        loop = bench.supervisor.create(trading, owner="desk", criticality=Criticality.CRITICAL)
        bench.supervisor.create(diary.lives("ingest", fails_at=(0, 1)), owner="data", policy=policy())
        await asyncio.sleep(10.5)
        found = loop.attempts, loop.pulse.beats, diary.lines.count("+ingest")
        await bench.supervisor.cancel_all()
        return found

    assert bench.run(main()) == (1, 11, 3)


def test_a_scope_whose_child_is_exhausted_starts_again_whole_and_then_asks_above(bench):
    diary = Diary()

    async def main():
        grown(bench, Strategy.ONE_FOR_ONE, diary, fails_at=range(100), budget_restarts=1, backoff_base_s=0)
        await asyncio.sleep(30)
        return bench.supervisor.snapshot()

    assert bench.run(main()) == ()
    assert diary.lines.count("+b") == 6  # three attempts, twice
    assert diary.lines.count("+a") == 2
    (escalated,) = bench.told.escalations
    assert (escalated.task, escalated.response) == ("group", Response.PAUSE)
    assert {one.name: one.state for one in bench.supervisor.history()} == {
        "a": State.CANCELLED, "b": State.FAILED, "c": State.CANCELLED,
    }  # fmt: skip


def test_a_scope_in_a_scope_is_restarted_by_the_outer_one(bench):
    diary = Diary()

    async def main():
        outer = bench.supervisor.scope("outer", owner="test", policy=ScopePolicy(backoff_base_s=0))
        inner = bench.supervisor.scope("inner", owner="test", policy=ScopePolicy(budget_restarts=0), parent=outer)
        bench.supervisor.create(diary.lives("o"), owner="test", scope=outer)
        work = diary.lives("i", fails_at=(0,))
        bench.supervisor.create(work, owner="test", scope=inner, policy=policy(max_restarts=0))
        await asyncio.sleep(5)
        await bench.supervisor.cancel_all()

    bench.run(main())
    assert diary.lines == ["+o", "+i", "-i", "-o", "+i", "+o", "-o", "-i"]
    assert bench.told.escalations == []


def test_a_child_cancelled_in_the_middle_of_a_group_restart_does_not_hold_it_up(bench):
    diary = Diary()

    async def slow(pulse):
        diary.lines.append("+c")
        try:
            await asyncio.sleep(1e6)
        finally:
            await asyncio.sleep(2)
            diary.lines.append("-c")

    async def main():
        scope = bench.supervisor.scope("g", owner="test", policy=ScopePolicy(strategy=Strategy.ONE_FOR_ALL))
        bench.supervisor.create(diary.lives("a", fails_at=(0,)), owner="t", scope=scope, policy=policy())
        last = bench.supervisor.create(slow, owner="t", scope=scope)
        await asyncio.sleep(2)
        last.cancel()
        await asyncio.sleep(3)
        await bench.supervisor.cancel_all()

    bench.run(main())
    assert diary.lines == ["+a", "+c", "-a", "-c", "+a", "-a"]


@pytest.mark.parametrize(("most", "inner_budget"), [(5, 5), (0, 5), (0, 0)])
def test_a_child_that_fails_while_its_scope_is_stopped_from_above_starts_once_and_with_all_others(
    bench, most, inner_budget
):
    started = []

    def lives(name, fails_after, ends_in=0.0):
        async def work(pulse):
            started.append(name)
            try:
                await asyncio.sleep(fails_after if started.count(name) == 1 else 1e6)
            except asyncio.CancelledError:
                await asyncio.sleep(ends_in)
                raise
            raise OSError(name)

        return work

    async def main():
        outer_policy = ScopePolicy(strategy=Strategy.ONE_FOR_ALL, backoff_base_s=0)
        inner_policy = ScopePolicy(strategy=Strategy.ONE_FOR_ALL, backoff_base_s=0, budget_restarts=inner_budget)
        outer = bench.supervisor.scope("outer", owner="t", policy=outer_policy)
        bench.supervisor.create(lives("o", 1.0), owner="t", scope=outer, policy=policy())
        inner = bench.supervisor.scope("inner", owner="t", policy=inner_policy, parent=outer)
        bench.supervisor.create(lives("i", 1.5), owner="t", scope=inner, policy=policy(max_restarts=most))
        bench.supervisor.create(lives("slow", 1e6, ends_in=3.0), owner="t", scope=inner, policy=policy())
        await asyncio.sleep(30)
        living = len(bench.supervisor.snapshot())
        await bench.supervisor.cancel_all()
        return living

    assert bench.run(main()) == 3
    assert started == ["o", "i", "slow"] * 2
    assert bench.told.escalations == []


def in_one_group(bench, diary, *members, strategy=Strategy.ONE_FOR_ALL, **given):
    """Start `(name, seconds to its failure or None, seconds to end, max_restarts)` as one group."""
    scope = bench.supervisor.scope(
        "group", owner="t", policy=ScopePolicy(strategy=strategy, backoff_base_s=0, **given)
    )

    def lives(name, fails_after, ends_in):
        starts = iter(range(100))

        async def work(pulse):
            diary.lines.append(name)
            first = next(starts) == 0
            try:
                await asyncio.sleep(fails_after if first and fails_after is not None else 1e6)
            except asyncio.CancelledError:
                await asyncio.sleep(ends_in)
                raise
            raise OSError(name)

        return work

    for name, fails_after, ends_in, most in members:
        work = lives(name, fails_after, ends_in)
        bench.supervisor.create(work, owner="t", name=name, scope=scope, policy=policy(max_restarts=most))


def test_two_failures_in_one_group_restart_are_answered_by_one_start(bench):
    diary = Diary()

    async def main():
        in_one_group(bench, diary, ("a", 1.5, 0, 5), ("b", None, 2, 5), ("c", 1.0, 0, 5))
        await asyncio.sleep(20)
        await bench.supervisor.cancel_all()

    bench.run(main())
    assert diary.lines == ["a", "b", "c", "a", "b", "c"]


def test_a_child_exhausted_in_a_group_restart_takes_those_along_that_were_stopped_already(bench):
    diary = Diary()

    async def main():
        in_one_group(bench, diary, ("a", 1.5, 0, 0), ("b", None, 2, 5), ("c", 1.0, 0, 5))
        await asyncio.sleep(20)
        await bench.supervisor.cancel_all()

    bench.run(main())
    assert diary.lines == ["a", "b", "c", "a", "b", "c"]
    assert bench.told.escalations == []


@pytest.mark.parametrize("strategy", Strategy)
def test_a_scope_that_gives_up_restarts_none_of_its_children_in_between(bench, strategy):
    diary = Diary()

    async def main():
        members = ("a", 1.0, 0, 0), ("b", 1.5, 0, 5), ("c", None, 3, 5)
        in_one_group(bench, diary, *members, strategy=strategy, budget_restarts=0)
        await asyncio.sleep(20)
        return bench.supervisor.snapshot()

    assert bench.run(main()) == ()
    assert diary.lines == ["a", "b", "c"]
    assert [one.task for one in bench.told.escalations] == ["group"]


def test_a_scope_that_was_about_to_give_up_does_not_once_everything_is_cancelled(bench):
    diary = Diary()

    async def main():
        in_one_group(bench, diary, ("a", 1.0, 0, 0), ("b", None, 3, 5), budget_restarts=0)
        await asyncio.sleep(2)
        await bench.supervisor.cancel_all()
        await asyncio.sleep(10)

    bench.run(main())
    assert diary.lines == ["a", "b"]
    assert bench.told.escalations == []


def test_a_scope_that_gave_up_takes_no_children(bench):
    diary = Diary()

    async def main():
        scope = grown(bench, Strategy.ONE_FOR_ALL, diary, fails_at=range(9), budget_restarts=0)
        await asyncio.sleep(20)
        assert [one.task for one in bench.told.escalations] == ["group"]
        with pytest.raises(RuntimeError, match="group is over"):
            bench.supervisor.create(forever, owner="test", scope=scope)

    bench.run(main())


def test_a_scope_that_is_over_takes_no_children(bench):
    async def main():
        scope = bench.supervisor.scope("g", owner="test")
        await bench.supervisor.cancel_all()
        with pytest.raises(RuntimeError, match="g is over"):
            bench.supervisor.create(forever, owner="test", scope=scope)

    bench.run(main())


def test_tracking_again_merges_and_what_ended_leaves(bench):
    async def main():
        task = asyncio.ensure_future(asyncio.sleep(1))
        bench.supervisor.track(task, {"a": 1, "b": 1}, name="plain")
        bench.supervisor.track(task, {"b": 2, "c": 3})
        (shown,) = bench.supervisor.snapshot()
        await task
        await asyncio.sleep(0)
        return shown.metadata, bench.supervisor.snapshot(), bench.supervisor.history()[-1].state

    assert bench.run(main()) == ({"a": 1, "b": 2, "c": 3}, (), State.FINISHED)


@pytest.mark.parametrize("wrong", [None, "task", 7, object(), []])
def test_only_tasks_threads_and_children_are_tracked(bench, wrong):
    with pytest.raises(TypeError, match="expected an asyncio task"):
        bench.supervisor.track(wrong)


def test_a_thread_is_stopped_by_its_own_stop_and_a_deaf_one_is_abandoned_with_its_stack():
    heard, released = threading.Event(), threading.Event()

    def obeys():
        heard.wait(20)

    def deaf():
        released.wait(20)

    async def main(bench):
        threads = [threading.Thread(target=one, name=one.__name__, daemon=True) for one in (obeys, deaf)]
        for thread in threads:
            thread.start()
        bench.supervisor.track(threads[0], stop=heard.set)
        bench.supervisor.track(threads[1])
        report = await bench.supervisor.cancel_all(0.3)
        (left,) = bench.supervisor.abandoned()
        released.set()
        threads[1].join()
        return report, left, bench.supervisor.abandoned()

    bench = Bench(clock=None)
    bench.supervisor.clock = SystemClock()
    bench.loop.close()
    report, left, later = asyncio.run(main(bench))
    assert (report.cancelled, report.abandoned) == (1, 1)
    assert report.elapsed_seconds <= 0.4
    assert left.name == "deaf"
    assert any(line.endswith(" deaf") for line in left.stack)
    assert later == ()


@pytest.mark.parametrize("deaf", [False, True])
def test_a_child_gets_sigterm_and_a_deaf_one_sigkill(deaf):
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" if deaf else ""
    code = f"{ignore}print(1, flush=True)\nimport time; time.sleep(60)"

    async def main(bench):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
            child.stdout.readline()
            bench.supervisor.track(child, name="child")
            report = await bench.supervisor.cancel_all(3)
            return report, child.wait(1)

    bench = Bench(policy=SupervisorPolicy(child_grace_s=0.3))
    bench.supervisor.clock = SystemClock()
    bench.loop.close()
    report, code = asyncio.run(main(bench))
    assert (report.cancelled, code) == (1, -9 if deaf else -15)
    assert report.elapsed_seconds < 2
    assert bench.supervisor.history()[-1].state is State.CANCELLED


def test_the_task_factory_tracks_plain_tasks_and_keeps_name_context_and_previous_factory(bench):
    seen = []
    word = contextvars.ContextVar("word", default="outer")

    def previous(loop, coro, **given):
        seen.append(given)
        return asyncio.Task(coro, loop=loop, **given)

    async def reads():
        await asyncio.sleep(1)
        return word.get()

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_task_factory(previous)
        bench.supervisor.install(loop)
        ours = loop.get_task_factory()
        bench.supervisor.install(loop)
        assert loop.get_task_factory() is ours
        context = contextvars.copy_context()
        context.run(word.set, "inner")
        task = asyncio.create_task(reads(), name="reader", context=context)
        (shown,) = bench.supervisor.snapshot()
        assert await task == "inner"
        bench.supervisor.uninstall()
        assert loop.get_task_factory() is previous
        untracked = asyncio.create_task(asyncio.sleep(0))
        assert bench.supervisor.snapshot() == ()
        await untracked
        loop.set_task_factory(None)
        return shown

    shown = bench.run(main())
    assert (shown.name, shown.kind, shown.owner) == ("reader", "task", "bench")
    assert shown.metadata == {"origin": "event_loop"}
    assert len(seen) == 2


def test_the_task_factory_serves_one_loop_only(bench):
    other = asyncio.new_event_loop()
    bench.supervisor.install(bench.loop)
    with pytest.raises(RuntimeError, match="another"):
        bench.supervisor.install(other)
    bench.supervisor.uninstall()
    assert bench.loop.get_task_factory() is None
    other.close()


class TornClock(EventClock):
    """A clock whose wall time a person may set."""

    shift = 0

    def now(self):
        return super().now() + self.shift


def test_ages_grow_though_the_wall_clock_is_set_back(benches):
    clock = TornClock(START)
    bench = benches(clock=clock)

    async def main():
        bench.supervisor.create(forever, owner="test", name="t", metadata={"k": 1}, policy=policy(hang_timeout_s=1e5))
        await asyncio.sleep(5)
        clock.shift = -3_600 * 10**9
        await asyncio.sleep(5)
        (shown,) = bench.supervisor.snapshot()
        await bench.supervisor.cancel_all()
        return shown

    shown = bench.run(main())
    assert (shown.age_seconds, shown.heartbeat_age_seconds) == pytest.approx((10, 10), abs=1e-3)
    assert (shown.created_at, shown.restart_limit) == (START, "unlimited")
    assert (shown.restarts, shown.last_exception) == (0, None)
    assert (shown.restart_window.restarts, shown.restart_window.used) == (5, 0)


def test_the_last_256_ended_tasks_are_kept_newest_last(bench):
    async def main():
        for n in range(1_000):
            await bench.supervisor.create(regular(lambda: asyncio.sleep(0)), owner="test", name=str(n)).wait()

    bench.run(main())
    assert [one.name for one in bench.supervisor.history()] == [str(n) for n in range(744, 1_000)]


def test_the_end_is_bounded_though_a_task_swallows_its_cancellation(caplog):
    async def main(bench):
        bench.supervisor.create(stubborn, owner="test", name="stuck", metadata={"m": 1})
        bench.supervisor.create(forever, owner="test", name="good")
        await asyncio.sleep(0.01)
        report = await bench.supervisor.cancel_all(0.3)
        left = bench.supervisor.abandoned()
        again = bench.supervisor.create(forever, owner="test", name="again")
        names = [one.name for one in bench.supervisor.snapshot()]
        again.cancel()
        await again.wait()
        return report, left, names

    bench = Bench()
    bench.supervisor.clock = SystemClock()
    bench.loop.close()
    loop = asyncio.new_event_loop()
    report, left, names = loop.run_until_complete(main(bench))
    assert (report.cancelled, report.abandoned) == (1, 1)
    assert 0.3 <= report.elapsed_seconds <= 0.4
    (stuck,) = left
    assert (stuck.name, stuck.metadata, stuck.ignored_cancellations) == ("stuck", {"m": 1}, 1)
    assert stuck.stack[-1].endswith(" sleep")
    assert names == ["again"]
    assert [one.levelname for one in caplog.records if one.message == "task_abandoned"] == ["ERROR"]
    assert [one.name for one in bench.supervisor.abandoned()] == ["stuck"]
    for task in asyncio.all_tasks(loop):
        task.get_coro().close()
        task._log_destroy_pending = False
    loop.close()


def test_an_abandoned_task_that_ends_after_all_leaves_the_list_and_is_recorded(bench):
    async def slow(pulse):
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            await asyncio.sleep(10)

    async def main():
        bench.supervisor.create(slow, owner="test", name="slow")
        await asyncio.sleep(1)
        report = await bench.supervisor.cancel_all(2)
        before = len(bench.supervisor.abandoned())
        await asyncio.sleep(9)
        return report.abandoned, before, len(bench.supervisor.abandoned())

    assert bench.run(main()) == (1, 1, 0)
    assert bench.supervisor.history()[-1].name == "slow"
    assert bench.told.kinds()[-1] == "ended"


def test_a_tracked_task_that_swallows_its_cancellation_is_abandoned_too(bench):
    async def main():
        task = asyncio.ensure_future(stubborn(None))
        bench.supervisor.track(task, name="foreign")
        await asyncio.sleep(1)
        report = await bench.supervisor.cancel_all(1)
        (left,) = bench.supervisor.abandoned()
        return report.abandoned, left.name

    assert bench.run(main()) == (1, "foreign")


def test_the_task_that_ends_all_others_lives_on(bench):
    async def ends_all(pulse):
        return await bench.supervisor.cancel_all()

    async def main():
        bench.supervisor.create(forever, owner="test")
        task = bench.supervisor.create(ends_all, owner="test")
        assert await task.wait() is State.FINISHED
        return task.result

    assert bench.run(main()).cancelled == 1


def test_two_ends_at_once_are_refused(bench):
    async def main():
        bench.supervisor.create(stubborn, owner="test")
        await asyncio.sleep(1)
        first = asyncio.ensure_future(bench.supervisor.cancel_all(1))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="under way"):
            await bench.supervisor.cancel_all()
        await first

    bench.run(main())
