"""The bus: bounds, isolation, order, poison, swaps and its own supervision (TEL-03, TEL-04, TEL-06)."""

import asyncio
import contextlib

import pytest
from telemetry_bench import TASKS, Heard

from tradeworthy.kernel.supervision import State
from tradeworthy.kernel.telemetry import (
    BusPolicy,
    BusStopped,
    DeliveryPolicy,
    Flow,
    HandlerStuck,
    UnknownTopic,
    message_of,
)

RISK = "telemetry.risk.policy"


async def stubborn(message):
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(1e6)


def test_each_subscriber_gets_its_topics_in_order_once(bench):
    all_of_it, risk = Heard(), Heard()

    async def scenario():
        bench.bus.subscribe("all", all_of_it, topics=["telemetry."])
        bench.bus.subscribe("risk", risk, topics=["telemetry.risk."])
        bench.bus.start()
        bench.publish(1, 2)
        bench.publish(3, topic=RISK)
        bench.publish(4)
        assert await bench.bus.drained(1.0)

    bench.run(scenario())
    assert all_of_it.numbers == [1, 2, 3, 4]
    assert risk.numbers == [3]


def test_a_slow_handler_harms_itself_alone_and_its_drops_are_the_oldest(benches):
    bench = benches(capacity_events=10)
    slow, quick = Heard(waits=1.0), Heard()

    async def scenario():
        bench.bus.subscribe("slow", slow, topics=["telemetry."])
        bench.bus.subscribe("quick", quick, topics=["telemetry."])
        bench.bus.start()
        begun = bench.loop.time()
        for number in range(30):
            bench.publish(number)
            await asyncio.sleep(0.001)
        assert quick.numbers == list(range(30))
        assert bench.loop.time() - begun < 0.1
        assert await bench.bus.drained(60)

    bench.run(scenario())
    assert slow.numbers == [0, *range(20, 30)]  # the first was in its hand, nineteen gave way
    by_name = {one.name: one for one in bench.bus.subscribers()}
    assert (by_name["slow"].dropped, by_name["quick"].dropped) == (19, 0)
    assert bench.bus.facts().dropped == 19


def test_a_queue_holds_its_bound_and_one_more_drops_one(benches):
    bench = benches(capacity_events=3)
    heard = Heard()

    async def scenario():
        bench.bus.subscribe("one", heard, topics=["telemetry."])
        bench.bus.start()
        bench.publish(0, 1, 2)
        full = bench.bus.facts()
        bench.publish(3)
        over = bench.bus.facts()
        assert await bench.bus.drained(1.0)
        return full, over

    full, over = bench.run(scenario())
    assert (full.depth, full.dropped, full.bound) == (3, 0, 3)
    assert (over.depth, over.dropped, over.bound) == (3, 1, 3)
    assert heard.numbers == [1, 2, 3]


def test_a_raising_handler_harms_itself_alone(bench):
    bad, good = Heard(fails_at=range(100)), Heard()

    async def scenario():
        bench.bus.subscribe("bad", bad, topics=["telemetry."])
        bench.bus.subscribe("good", good, topics=["telemetry."])
        bench.bus.start()
        bench.publish(1, 2, 3)
        assert await bench.bus.drained(10)

    bench.run(scenario())
    assert good.numbers == [1, 2, 3]
    assert bad.calls == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert bench.desk.escalations == []
    assert bench.bus.facts().handler_errors == 9


def test_the_third_failure_at_one_event_makes_a_dead_letter_with_its_cause_and_the_next_is_delivered(bench):
    heard = Heard(fails_at=(2,))

    async def scenario():
        bench.bus.subscribe("one", heard, topics=["telemetry."])
        bench.bus.start()
        bench.publish(1, 2, 3)
        assert await bench.bus.drained(10)

    bench.run(scenario())
    assert heard.numbers == [1, 3]
    (letter,) = bench.bus.dead_letters()
    assert (letter.message.read(dict), letter.subscriber, letter.attempts) == ({"n": 2}, "one", 3)
    assert (letter.error, letter.cause) == ("ValueError", "cannot take 2")
    (journaled,) = bench.desk.facts("bus.dead_letter")
    assert (journaled.event_id, journaled.topic, journaled.cause) == ("test:2", TASKS, "cannot take 2")
    assert bench.desk.held == {}  # telemetry pauses nobody


def test_two_failures_at_an_event_are_no_poison(bench):
    tries = iter([ValueError(), ValueError(), None])

    async def shaky(message):
        if (error := next(tries)) is not None:
            raise error

    async def scenario():
        bench.bus.subscribe("one", shaky, topics=["telemetry."])
        bench.bus.start()
        bench.publish(1)
        assert await bench.bus.drained(10)

    bench.run(scenario())
    assert bench.bus.dead_letters() == ()
    assert bench.bus.facts().delivered_total == 1


@pytest.mark.parametrize("topic", [RISK, "telemetry.compliance.trade", "telemetry.execution.dropcopy"])
def test_poison_in_a_flow_of_risk_compliance_or_execution_pauses_the_desk_until_it_is_settled(bench, topic):
    family = topic.split(".")[1]

    async def scenario():
        bench.bus.subscribe("one", Heard(fails_at=(1, 2)), topics=["telemetry."])
        bench.bus.start()
        bench.publish(1, 2, topic=topic)
        assert await bench.bus.drained(10)

    bench.run(scenario())
    assert bench.desk.calls == [("hold", f"poison_{family}")]  # two letters, one reason
    assert "test:1" in bench.desk.held[f"poison_{family}"]
    assert bench.bus.facts().open_dead_letters == 2
    assert bench.bus.settle(Flow(family), by="risk.officer") == 2
    assert bench.desk.held == {}
    assert bench.bus.facts().open_dead_letters == 0
    assert bench.desk.facts("bus.settled")[0].by == "risk.officer"
    assert bench.bus.dead_letters() == ()
    assert bench.bus.settle(Flow(family), by="risk.officer") == 0


def test_a_pause_that_an_earlier_run_left_is_ended_by_settling_its_flow(bench):
    bench.desk.held["poison_risk"] = "of the last run"
    assert bench.bus.settle(Flow.RISK, by="risk.officer") == 0
    assert bench.desk.held == {}


def test_a_dead_letter_in_the_journal_shows_the_beginning_of_its_payload(bench):
    async def fails(message):
        raise ValueError("token=abcdefgh is bad")

    async def scenario():
        bench.bus.subscribe("one", fails, topics=["telemetry."])
        bench.bus.start()
        bench.bus.publish(message_of(TASKS, {"x": "y" * 9_000}, event_id="big:1", source="test", ts=1))
        assert await bench.bus.drained(10)

    bench.run(scenario())
    (journaled,) = bench.desk.facts("bus.dead_letter")
    assert journaled.payload == ('{"x":"' + "y" * 9_000)[:4_096]
    assert "abcdefgh" not in journaled.cause


def test_a_handler_of_a_guarded_flow_pauses_the_desk_by_any_topic(bench):
    async def scenario():
        bench.bus.subscribe("limits", Heard(fails_at=(1,)), topics=[TASKS], flow=Flow.RISK)
        bench.bus.start()
        bench.publish(1)
        assert await bench.bus.drained(10)

    bench.run(scenario())
    assert list(bench.desk.held) == ["poison_risk"]


def test_a_handler_that_takes_too_long_or_cancels_itself_has_failed(benches):
    bench = benches(delivery=DeliveryPolicy(handler_timeout_s=2.0, retry_delay_s=0.0))

    async def cancels(message):
        raise asyncio.CancelledError

    async def scenario():
        bench.bus.subscribe("late", Heard(waits=2.5), topics=["telemetry."])
        bench.bus.subscribe("quits", cancels, topics=["telemetry."])
        bench.bus.start()
        bench.publish(1)
        assert await bench.bus.drained(10)

    bench.run(scenario())
    assert [(one.subscriber, one.error) for one in bench.bus.dead_letters()] == [
        ("quits", "CancelledError"), ("late", "TimeoutError"),
    ]  # fmt: skip
    assert bench.bus.running


def test_a_repeat_of_an_event_id_is_known_and_not_handled(bench):
    heard = Heard()

    async def scenario():
        bench.bus.subscribe("one", heard, topics=["telemetry."])
        bench.bus.start()
        bench.publish(1, 2, 1)
        assert await bench.bus.drained(10)

    bench.run(scenario())
    assert heard.numbers == [1, 2]
    assert bench.bus.facts().duplicates_total == 1


def test_a_stopped_bus_refuses_and_what_waited_comes_first_after_the_next_start(bench):
    heard = Heard(waits=1.0)

    async def scenario():
        with pytest.raises(BusStopped):
            bench.publish(0)
        bench.bus.subscribe("one", heard, topics=["telemetry."])
        bench.bus.start()
        bench.publish(1, 2, 3)
        await asyncio.sleep(0.5)  # the first is in hand
        await bench.bus.stop()
        assert bench.tasks_alive() == [asyncio.current_task()]
        with pytest.raises(BusStopped):
            bench.publish(4)
        bench.bus.start()
        bench.bus.start()
        bench.publish(5)
        assert await bench.bus.drained(10)
        assert len(bench.bus.task_snapshots()) == 1

    bench.run(scenario())
    assert heard.numbers == [1, 2, 3, 5]


def test_an_event_in_hand_at_a_stop_is_the_oldest_and_gives_way_in_a_full_queue(benches):
    bench = benches(capacity_events=3)

    async def scenario():
        bench.bus.subscribe("one", Heard(waits=5.0), topics=["telemetry."])
        bench.bus.start()
        bench.publish(0)
        await asyncio.sleep(1)
        bench.publish(1, 2, 3)
        await bench.bus.stop()

    bench.run(scenario())
    assert [one.event_id for one in bench.bus.take_undelivered()] == ["test:1", "test:2", "test:3"]
    assert bench.bus.facts().dropped == 1


def test_a_handler_that_keeps_the_cancellation_to_itself_does_not_go_on_with_the_next_event(bench):
    calls = []

    async def keeps(message):
        calls.append(message.event_id)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(100)

    async def scenario():
        bench.bus.subscribe("one", keeps, topics=["telemetry."])
        bench.bus.start()
        bench.publish(1, 2)
        await asyncio.sleep(1)
        begun = bench.loop.time()
        await bench.bus.stop()
        assert bench.loop.time() - begun < 0.1
        assert bench.tasks_alive() == [asyncio.current_task()]

    bench.run(scenario())
    assert calls == ["test:1"]
    assert bench.supervisor.abandoned() == ()


def test_a_stop_and_start_in_the_middle_of_a_swap_leave_one_task(bench):
    async def slow_to_go(message):
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(2)

    new = Heard()

    async def scenario():
        bench.bus.subscribe("one", slow_to_go, topics=["telemetry."])
        bench.bus.subscribe("two", Heard(), topics=["telemetry."])
        bench.bus.start()
        bench.publish(1)
        await asyncio.sleep(1)
        swap = bench.supervisor.create(lambda pulse: bench.bus.swap("one", new), owner="test")
        stop = bench.supervisor.create(lambda pulse: bench.bus.stop(), owner="test")
        await asyncio.sleep(0.5)
        with pytest.raises(RuntimeError, match="stop of the bus under way"):
            bench.bus.start()
        await stop.wait()
        bench.bus.start()
        await swap.wait()
        assert await bench.bus.drained(10)
        await bench.bus.stop()
        assert bench.tasks_alive() == [asyncio.current_task()]

    bench.run(scenario())
    assert new.numbers == [1]


def test_what_a_stopped_bus_holds_can_be_taken_once_in_order(bench):
    async def scenario():
        bench.bus.subscribe("one", Heard(waits=1.0), topics=["telemetry."])
        bench.bus.subscribe("two", Heard(waits=1.0), topics=["telemetry.risk."])
        bench.bus.start()
        bench.publish(1)
        bench.publish(2, topic=RISK)
        bench.publish(3)
        with pytest.raises(RuntimeError, match="stopped"):
            bench.bus.take_undelivered()
        await asyncio.sleep(0.5)
        await bench.bus.stop()

    bench.run(scenario())
    assert [message.event_id for message in bench.bus.take_undelivered()] == ["test:1", "test:2", "test:3"]
    assert bench.bus.take_undelivered() == ()


def test_a_swap_cancels_the_old_handler_and_leaks_no_task_and_no_event(bench):
    old, new = Heard(waits=5.0), Heard()

    async def scenario():
        bench.bus.subscribe("one", old, topics=["telemetry."])
        bench.bus.start()
        bench.publish(1, 2, 3)
        await asyncio.sleep(1)
        before = len(bench.tasks_alive())
        swap = bench.supervisor.create(lambda pulse: bench.bus.swap("one", new), owner="test")
        bench.publish(4)  # while it is swapped
        await swap.wait()
        assert await bench.bus.drained(10)
        assert len(bench.tasks_alive()) == before

    bench.run(scenario())
    assert (old.numbers, old.calls) == ([], [1])
    assert new.numbers == [1, 2, 3, 4]
    assert bench.bus.facts().handler_errors == 0


def test_a_hundred_swaps_and_starts_leave_one_task(bench):
    async def scenario():
        bench.bus.subscribe("one", Heard(waits=1.0), topics=["telemetry."])
        for number in range(50):
            bench.bus.start()
            bench.publish(number)
            await asyncio.sleep(0)
            await bench.bus.swap("one", Heard(waits=1.0))
            await bench.bus.stop()
        assert bench.tasks_alive() == [asyncio.current_task()]
        assert len(bench.supervisor._scopes) <= 1
        bench.bus.start()
        assert len(bench.bus.task_snapshots()) == 1

    bench.run(scenario())


def test_a_handler_that_ignores_its_cancellation_is_off_the_bus_after_a_swap(bench):
    async def scenario():
        bench.bus.subscribe("stuck", stubborn, topics=["telemetry."])
        bench.bus.subscribe("good", Heard(), topics=["telemetry."])
        bench.bus.start()
        bench.publish(1)
        await asyncio.sleep(0.1)
        with pytest.raises(HandlerStuck, match="stuck"):
            await bench.bus.swap("stuck", Heard())
        assert [one.name for one in bench.bus.subscribers()] == ["good"]
        assert [one.state for one in bench.supervisor.abandoned()] == [State.ABANDONED]

    bench.run(scenario())


def test_a_stop_is_bounded_though_a_handler_ignores_it_and_no_second_one_starts_beside_it(bench):
    async def scenario():
        bench.bus.subscribe("stuck", stubborn, topics=["telemetry."])
        bench.bus.start()
        bench.publish(1)
        await asyncio.sleep(0.1)
        begun = bench.loop.time()
        await bench.bus.stop()
        assert bench.loop.time() - begun <= 6.0
        bench.bus.start()
        assert bench.bus.task_snapshots() == ()
        with pytest.raises(BusStopped):
            bench.publish(2)

    bench.run(scenario())


def test_when_all_tasks_are_cancelled_the_bus_says_that_it_stands_and_starts_again(bench):
    heard = Heard()

    async def scenario():
        bench.bus.subscribe("one", heard, topics=["telemetry."])
        bench.bus.start()
        await bench.supervisor.cancel_all()
        assert not bench.bus.running
        with pytest.raises(BusStopped):
            bench.publish(1)
        bench.bus.start()
        bench.publish(2)
        assert await bench.bus.drained(10)

    bench.run(scenario())
    assert heard.numbers == [2]


def test_a_subscriber_joins_and_leaves_a_running_bus(bench):
    early, late = Heard(), Heard()

    async def scenario():
        bench.bus.subscribe("early", early, topics=["telemetry."])
        bench.bus.start()
        bench.publish(1)
        bench.bus.subscribe("late", late, topics=["telemetry."])
        bench.publish(2)
        assert await bench.bus.drained(10)
        await bench.bus.unsubscribe("early")
        bench.publish(3)
        assert await bench.bus.drained(10)
        assert [one.name for one in bench.bus.task_snapshots()] == ["event_bus.late"]

    bench.run(scenario())
    assert (early.numbers, late.numbers) == ([1, 2], [2, 3])


def test_a_name_that_is_taken_one_too_many_and_an_unknown_topic_are_refused(benches):
    bench = benches(subscribers_max=1)
    with pytest.raises(UnknownTopic):
        bench.bus.subscribe("one", Heard(), topics=["telemetry.nobody.knows"])
    bench.bus.subscribe("one", Heard(), topics=["telemetry."])
    with pytest.raises(ValueError, match="'one' is on the bus"):
        bench.bus.subscribe("one", Heard(), topics=["telemetry."])
    with pytest.raises(ValueError, match="at most 1"):
        bench.bus.subscribe("two", Heard(), topics=["telemetry."])


@pytest.mark.parametrize(
    "given", [{"capacity_events": 0}, {"dead_letters": 0}, {"remembered_ids": 0}, {"stop_timeout_s": 0.0}]
)
def test_a_bound_of_nothing_is_refused(given):
    with pytest.raises(ValueError, match=next(iter(given))):
        BusPolicy(**given)


@pytest.mark.parametrize("given", [{"attempts": 0}, {"retry_delay_s": -1.0}, {"handler_timeout_s": 0.0}])
def test_a_way_to_serve_that_cannot_be_is_refused(given):
    with pytest.raises(ValueError, match=next(iter(given))):
        DeliveryPolicy(**given)


def test_jobs_run_in_the_scope_of_the_bus_are_shown_with_it_and_end_with_it(bench):
    async def job(pulse):
        await asyncio.sleep(1e6)

    async def scenario():
        with pytest.raises(BusStopped):
            bench.bus.create_background_task(job, name="early")
        bench.bus.subscribe("one", Heard(), topics=["telemetry."])
        bench.bus.start()
        task = bench.bus.create_background_task(job, name="replay")
        assert [one.name for one in bench.bus.task_snapshots()] == ["event_bus.one", "event_bus.replay"]
        assert {one.owner for one in bench.bus.task_snapshots()} == {"event_bus"}
        await bench.bus.stop()
        assert task.state is State.CANCELLED
        assert bench.bus.task_snapshots() == ()

    bench.run(scenario())


def test_the_age_of_the_oldest_event_shows_a_stalled_subscriber(bench):
    async def scenario():
        bench.bus.subscribe("slow", Heard(waits=20.0), topics=["telemetry."])
        bench.bus.start()
        bench.publish(1)
        await asyncio.sleep(5)
        return bench.bus.facts()

    facts = bench.run(scenario())
    assert facts.oldest_waiting_seconds == pytest.approx(5.0, abs=0.01)
    assert facts.last_published_age_seconds == pytest.approx(5.0, abs=0.01)
    assert bench.run(bench.bus.drained(1.0)) is False


def test_publishing_and_handling_open_spans_with_depth_and_lag(bench):
    seen = []

    def spans(name, **attributes):
        seen.append((name, attributes))
        return contextlib.nullcontext()

    bus = type(bench.bus)(bench.supervisor, bench.clock, bench.desk, spans=spans)

    async def scenario():
        bus.subscribe("one", Heard(waits=1.0), topics=["telemetry."])
        bus.start()
        bus.publish(bench.message(1))
        bus.publish(bench.message(2))
        assert await bus.drained(10)

    bench.run(scenario())
    assert [name for name, _ in seen] == ["event_bus.publish"] * 2 + ["event_bus.handle"] * 2
    assert seen[2][1] == {"topic": TASKS, "subscriber": "one", "queue_depth": 1, "dispatch_lag_seconds": 0.0}
    assert seen[3][1]["dispatch_lag_seconds"] == pytest.approx(1.0, abs=0.01)
