"""Random crash schedules on a simulated clock: no task leaks, order is kept, no budget is exceeded (SUP-21)."""

import asyncio

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from supervision_bench import Bench

from tradeworthy.kernel.supervision import Criticality, RestartType, ScopePolicy, State, Strategy, TaskPolicy

RUN_S = 130.0
WAYS = ("crash", "end", "hang", "swallow", "slow", "factory", "beat")

attempts = st.lists(st.tuples(st.sampled_from(WAYS), st.integers(1, 20_000)), min_size=1, max_size=8)
policies = st.builds(
    TaskPolicy,
    restart=st.sampled_from(RestartType),
    max_restarts=st.none() | st.integers(0, 6),
    backoff_base_s=st.sampled_from([0.0, 0.1, 5.0]),
    hang_timeout_s=st.none() | st.sampled_from([0.5, 3.0]),
    deadline_s=st.none() | st.sampled_from([2.0, 30.0]),
)
tasks = st.tuples(attempts, policies, st.sampled_from(Criticality), st.integers(0, 2))
schedules = st.tuples(
    st.integers(0, 2**32), st.lists(tasks, min_size=1, max_size=6),
    st.lists(st.tuples(st.sampled_from(Strategy), st.integers(0, 3)), min_size=2, max_size=2), st.booleans(),
)  # fmt: skip


class World:
    """The workloads of one schedule, and what they saw."""

    def __init__(self):
        self.living = {}
        self.doubled = []
        self.released = False
        self.cancelled = []
        self.noting = False

    def factory(self, name, script):
        n = 0

        def make(pulse):
            nonlocal n
            way, millis = script[n % len(script)]
            n += 1
            if way == "factory":
                raise ConnectionError(name)
            return self.attempt(name, way, millis / 1_000, pulse)

        return make

    async def attempt(self, name, way, seconds, pulse):
        self.living[name] = self.living.get(name, 0) + 1
        if self.living[name] > 1:
            self.doubled.append(name)
        try:
            await self.live(way, seconds, pulse)
        except asyncio.CancelledError:
            if self.noting:
                self.cancelled.append(name)
            if way == "slow":
                await asyncio.sleep(seconds / 10)
            raise
        finally:
            self.living[name] -= 1

    async def live(self, way, seconds, pulse):
        for _ in range(100 if way == "beat" else 0):
            pulse.beat()
            await asyncio.sleep(0.4)
        while way == "swallow" and not self.released:
            try:
                await asyncio.sleep(5 + seconds)
            except asyncio.CancelledError:
                if self.released:
                    raise
        await asyncio.sleep(1e9 if way in ("hang", "slow") else seconds)
        if way == "crash":
            raise OSError("crash")


def check(schedule):
    seed, planned, given_scopes, nested = schedule
    bench, world = Bench(seed=seed), World()
    supervisor = bench.supervisor
    order = []

    async def main():
        scopes = [None]
        for n, (strategy, budget) in enumerate(given_scopes):
            parent = scopes[-1] if nested else None
            policy = ScopePolicy(strategy=strategy, budget_restarts=budget)
            scopes.append(supervisor.scope(f"scope{n}", owner="t", policy=policy, parent=parent))
        made = []
        for n, (script, policy, criticality, home) in enumerate(planned):
            made.append(
                supervisor.create(
                    world.factory(str(n), script), owner="t", name=str(n), criticality=criticality, policy=policy,
                    scope=scopes[home],
                )
            )  # fmt: skip
        await asyncio.sleep(RUN_S)
        order.extend(one.name for one in supervisor._root.leaves())
        world.noting = True
        alive = sum(task.alive for task in made)
        report = await supervisor.cancel_all(5)
        world.noting = False
        assert supervisor.snapshot() == ()
        assert report.elapsed_seconds <= 5.1
        assert all(task.done.done() and not task.alive for task in made)
        assert report.cancelled + report.finished + report.failed + report.abandoned >= alive
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert len(left) == len(supervisor.abandoned())
        world.released = True
        await asyncio.sleep(60)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(60)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert supervisor.abandoned() == ()
        states = {one.state for one in supervisor.history()}
        assert states <= {State.FINISHED, State.FAILED, State.CANCELLED, State.ABANDONED}

    try:
        bench.run(main())
        assert world.doubled == []
        assert world.cancelled == [name for name in reversed(order) if name in world.cancelled]
        starts_keep_their_order(bench.told.events, planned)
        budgets_hold(bench.told.events, planned)
    finally:
        bench.close()


def starts_keep_their_order(events, planned):
    by_cause = {}
    for event in events:
        if event.kind == "supervision.restarted":
            by_cause.setdefault(event.causation_id, []).append(event.payload.task)
    for names in by_cause.values():
        homes = [[n for n in names if planned[int(n)][3] == home] for home in range(3)]
        assert all(group == sorted(group, key=int) for group in homes)


def budgets_hold(events, planned):
    for n, (_, policy, _, home) in enumerate(planned):
        if home:
            continue  # a scope that starts again gives its children new windows
        stamps = [e.ts_event for e in events if e.kind == "supervision.restarted" and e.payload.task == str(n)]
        limit = policy.max_restarts
        assert limit is None or len(stamps) <= limit
        failures = [e.ts_event for e in events if e.kind in ("supervision.failed", "supervision.hung")
                    and e.payload.task == str(n)]  # fmt: skip
        for first in failures:
            window = [ts for ts in failures if first <= ts < first + round(policy.budget_window_s * 1e9)]
            assert len(window) <= policy.budget_restarts + 1


def test_two_nested_groups_that_fail_while_one_is_being_stopped_run_each_task_once():
    """The schedule by which the proof once found two living attempts of one task."""
    given = TaskPolicy(restart=RestartType.PERMANENT, backoff_base_s=0.0)
    planned = [([(way, n + 1)], given, Criticality.OPTIONAL, home)
               for n, (way, home) in enumerate((("crash", 1), ("crash", 2), ("swallow", 2)))]  # fmt: skip
    check((0, planned, [(Strategy.ONE_FOR_ALL, 0), (Strategy.ONE_FOR_ALL, 0)], True))
    timed = msgspec.structs.replace(given, deadline_s=2.0)
    planned[1] = ([("hang", 1)], timed, Criticality.OPTIONAL, 2)
    check((0, planned, [(Strategy.ONE_FOR_ONE, 1), (Strategy.ONE_FOR_ALL, 0)], True))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(schedules)
def test_no_schedule_of_crashes_leaks_a_task(schedule):
    check(schedule)


@pytest.mark.proof
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(schedules)
def test_ten_thousand_schedules_of_crashes_leak_no_task(schedule):
    check(schedule)
