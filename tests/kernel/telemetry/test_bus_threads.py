"""Publishing from other threads and from synchronous code: nothing is lost, nobody waits for a handler."""

import asyncio
import threading
from random import Random

import pytest
from telemetry_bench import TASKS, Desk

from tradeworthy.kernel.clock import NANOS_PER_MILLI, SystemClock
from tradeworthy.kernel.supervision import TaskSupervisor
from tradeworthy.kernel.telemetry import Bus, BusPolicy, BusStopped, PublishTimeout, message_of

CLOCK = SystemClock()


def message(thread, number):
    return message_of(TASKS, [thread, number], event_id=f"{thread}:{number}", source="test", ts=1)


def a_bus(**policy):
    return Bus(TaskSupervisor(CLOCK, Random(1), Desk()), CLOCK, Desk(), policy=BusPolicy(**policy))


def test_events_of_many_threads_all_arrive_each_threads_in_order():
    got = []

    async def handler(one):
        got.append(one.read(list))

    async def scenario():
        bus = a_bus(capacity_events=10_000)
        bus.subscribe("one", handler, topics=["telemetry."])
        bus.start()

        def publish(thread):
            for number in range(500):
                bus.publish(message(thread, number))

        threads = [threading.Thread(target=publish, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            await asyncio.sleep(0)
        await asyncio.sleep(0)  # lets the last wake-up in
        assert await bus.drained(10)
        await bus.stop()

    asyncio.run(scenario())
    assert len(got) == 2_000
    for thread in range(4):
        assert [n for t, n in got if t == thread] == list(range(500))


def test_a_thread_wakes_a_loop_that_sleeps():
    async def scenario():
        bus, got = a_bus(), asyncio.Event()

        async def handler(one):
            got.set()

        bus.subscribe("one", handler, topics=["telemetry."])
        bus.start()
        await asyncio.sleep(0.05)  # the loop has nothing to do but to wait for a file or a timer
        thread = threading.Timer(0.05, bus.publish, [message(0, 1)])
        thread.start()
        begun = CLOCK.monotonic()
        await asyncio.wait_for(got.wait(), 20)
        took = CLOCK.monotonic() - begun
        thread.join()
        await bus.stop()
        return took

    assert asyncio.run(scenario()) < 10_000 * NANOS_PER_MILLI


def test_a_synchronous_step_publishes_without_waiting_for_a_handler_or_for_the_loop():
    async def forever(one):
        await asyncio.Event().wait()

    async def scenario():
        bus = a_bus()
        bus.subscribe("stuck", forever, topics=["telemetry."])
        bus.start()
        await asyncio.sleep(0)
        ready = [message(0, number) for number in range(3_000)]
        begun = CLOCK.monotonic()
        for one in ready:  # no await: the loop cannot run in between
            bus.publish(one)
        took = CLOCK.monotonic() - begun
        facts = bus.facts()
        await bus.stop()
        return took, facts

    took, facts = asyncio.run(scenario())
    assert (facts.depth, facts.dropped) == (1_000, 2_000)
    assert took < 3_000 * NANOS_PER_MILLI  # far below a handler's wait, generous for a busy machine


def test_a_locked_bus_is_a_timeout_and_not_a_wait_for_ever():
    async def scenario():
        bus = a_bus()
        bus.start()
        bus._lock.acquire()
        try:
            with pytest.raises(PublishTimeout, match=TASKS):
                bus.publish(message(0, 1), timeout_s=0.01)
        finally:
            bus._lock.release()
        bus.publish(message(0, 2), timeout_s=0.01)
        await bus.stop()
        return bus.facts().published_total

    assert asyncio.run(scenario()) == 1


def test_after_the_loop_is_closed_a_thread_is_refused():
    bus = a_bus()

    async def handler(one):
        pass

    async def scenario():
        bus.subscribe("one", handler, topics=["telemetry."])
        bus.start()
        await asyncio.sleep(0)

    asyncio.run(scenario())
    caught = []

    def publish():
        try:
            bus.publish(message(0, 1))
        except BusStopped as error:
            caught.append(error)

    thread = threading.Thread(target=publish)
    thread.start()
    thread.join()
    assert len(caught) == 1
