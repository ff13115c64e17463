"""Publishing put together: start, outage, stop, the next run, the kill of a process, other bounds while running."""

import asyncio

import pytest
from telemetry_bench import TASKS, Heard

from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.kernel.telemetry import (
    KILL_PATTERNS,
    BusHealthPolicy,
    BusPolicy,
    BusStopped,
    PublisherPolicy,
    PublishFailed,
    Publishing,
    PublishingPolicy,
    SpoolFull,
    SpoolPolicy,
)


def built(bench, folder, run_id="r1", **policy):
    return Publishing(
        bench.supervisor, bench.clock, bench.desk, folder, run_id=run_id, policy=PublishingPolicy(**policy)
    )


def put(publishing, *numbers, topic=TASKS):
    for number in numbers:
        publishing.publisher.publish(topic, {"n": number}, source="test")


def test_from_before_the_start_to_the_next_run_nothing_is_missing_and_the_order_is_kept(bench, tmp_path):
    heard, later = Heard(waits=0.5), Heard()

    async def first_run():
        publishing = built(bench, tmp_path)
        publishing.bus.subscribe("one", heard, topics=["telemetry."])
        put(publishing, 0, 1)  # before the start: to the spool
        publishing.start()
        publishing.start()
        await asyncio.sleep(2)
        put(publishing, 2, 3, 4)
        assert {one.name for one in publishing.bus.task_snapshots()} == {"event_bus.one", "event_bus.spool_replay"}
        await asyncio.sleep(1.2)
        await publishing.stop()
        await publishing.stop()
        assert bench.tasks_alive() == [asyncio.current_task()]
        with pytest.raises(PublishFailed, match="is closed"):
            put(publishing, 99)

    async def second_run():
        publishing = built(bench, tmp_path, run_id="r2")
        publishing.bus.subscribe("one", later, topics=["telemetry."])
        publishing.start()
        put(publishing, 5)
        await asyncio.sleep(2)
        assert publishing.publisher.facts().spool.backlog_events == 0
        await publishing.stop()

    bench.run(first_run())
    bench.run(second_run())
    assert heard.numbers == [0, 1, 2, 3]
    assert later.numbers == [4, 5]


def test_after_everything_was_cancelled_a_stop_still_keeps_what_waited(bench, tmp_path):
    later = Heard()

    async def scenario():
        publishing = built(bench, tmp_path)
        publishing.bus.subscribe("one", Heard(waits=10.0), topics=["telemetry."])
        publishing.start()
        put(publishing, 1, 2)
        await asyncio.sleep(1)
        await bench.supervisor.cancel_all()
        put(publishing, 3)
        await publishing.stop()
        again = built(bench, tmp_path, run_id="r2")
        again.bus.subscribe("one", later, topics=["telemetry."])
        again.start()
        await asyncio.sleep(2)
        await again.stop()

    bench.run(scenario())
    assert sorted(later.numbers) == [1, 2, 3]


def test_a_kill_over_the_bus_reaches_its_subscriber_by_each_of_its_topics(bench, tmp_path):
    kills = Heard()

    async def scenario():
        publishing = built(bench, tmp_path)
        publishing.bus.subscribe("kill_switch", kills, topics=KILL_PATTERNS)
        publishing.start()
        put(publishing, 1, topic="risk.halt")
        put(publishing, 2, topic="compliance.halt")
        put(publishing, 3, topic="runtime.kill_switch")
        put(publishing, 4, topic="telemetry.risk.policy")
        assert await publishing.bus.drained(1)
        await publishing.stop()

    bench.run(scenario())
    assert kills.numbers == [1, 2, 3]


def test_an_outside_stream_is_watched_under_the_supervisor(bench, tmp_path):
    async def scenario():
        publishing = built(bench, tmp_path)
        watch = publishing.watch_stream("kafka")
        with pytest.raises(ValueError, match="is watched"):
            publishing.watch_stream("kafka")
        assert "event_bus.stream.kafka" in {one.name for one in bench.supervisor.snapshot()}
        await asyncio.sleep(11)
        assert list(bench.desk.held) == ["outage_kafka"]
        watch.heard()
        await asyncio.sleep(1)
        assert bench.desk.held == {}
        await publishing.stop()
        await bench.supervisor.cancel_all()

    bench.run(scenario())


def test_other_bounds_are_adopted_while_running(bench, tmp_path):
    async def scenario():
        publishing = built(bench, tmp_path)
        publishing.bus.subscribe("slow", Heard(waits=100.0), topics=["telemetry."])
        publishing.start()
        put(publishing, *range(20))
        await asyncio.sleep(0.1)
        assert worst(check.severity for check in publishing.health()) is Severity.OK
        publishing.adopt(PublishingPolicy(
            bus=BusPolicy(capacity_events=5), spool=SpoolPolicy(bound_bytes=10, segment_bytes=10),
            publisher=PublisherPolicy(replay_batch=5), bus_health=BusHealthPolicy(dropped_warn=1, dropped_fail=15),
        ))  # fmt: skip
        put(publishing, 20)
        facts = publishing.bus.facts()
        assert (facts.depth, facts.dropped, facts.bound) == (5, 15, 5)
        assert worst(check.severity for check in publishing.health()) is Severity.FAIL
        with pytest.raises(SpoolFull):
            publishing.spool.append(bench.message(99))
        await publishing.bus.stop()
        publishing.bus.take_undelivered()
        await publishing.stop()
        with pytest.raises(BusStopped):
            bench.bus.create_background_task(lambda pulse: None, name="late")

    bench.run(scenario())


def test_a_replay_that_would_push_its_own_events_out_is_refused():
    with pytest.raises(ValueError, match="replay_batch"):
        PublishingPolicy(bus=BusPolicy(capacity_events=99))
    assert PublishingPolicy(bus=BusPolicy(capacity_events=100)).publisher.replay_batch == 100
