"""The publisher: bus, else spool, else a typed error; never silent, and in order again (TEL-01, TEL-02)."""

import asyncio
import logging
import threading

import pytest
from telemetry_bench import TASKS, Heard

from tradeworthy.kernel import redaction
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal.files import OsFiles
from tradeworthy.kernel.telemetry import (
    DeadLettered,
    Flow,
    Publisher,
    PublisherPolicy,
    PublishFailed,
    PublishRefused,
    PublishTimeout,
    Spool,
    SpoolPolicy,
    Stage,
    UnknownTopic,
    message_of,
)


class FakeBus:
    """A first stage that takes, or fails as it is told; `drained` says that all is dealt with."""

    def __init__(self):
        self.taken = []
        self.error = None
        self.timeouts = []

    @property
    def running(self):
        return self.error is None

    def publish(self, message, *, timeout_s):
        self.timeouts.append(timeout_s)
        if self.error is not None:
            raise self.error
        self.taken.append(message.read(dict)["n"])

    async def drained(self, timeout_s):
        return self.running


class NoDisk(OsFiles):
    def create(self, path):
        raise OSError(30, "read-only file system")


@pytest.fixture
def spool(tmp_path, bench):
    made = Spool(tmp_path / "spool", bench.clock)
    yield made
    made.close()


def put(publisher, *numbers):
    for number in numbers:
        publisher.publish(TASKS, {"n": number}, source="test")


def warnings(caplog):
    return [one.message for one in caplog.records if one.levelno >= logging.WARNING]


def test_a_running_bus_gets_the_event_and_the_spool_nothing(bench, spool):
    bus = FakeBus()
    publisher = Publisher(bus, spool, bench.clock, run_id="r1")
    message = publisher.publish(TASKS, {"n": 1}, source="test")
    assert bus.taken == [1]
    assert bus.timeouts == [0.5]
    assert (message.event_id, message.topic, message.ts) == ("test:r1:1", TASKS, bench.clock.now())
    assert spool.backlog == 0
    assert not publisher.facts().failed_over


@pytest.mark.parametrize("error", [PublishRefused("full"), PublishTimeout("late"), TimeoutError("late")])
def test_a_stop_a_timeout_or_a_refusal_goes_to_the_spool_with_one_warning_an_outage(bench, spool, caplog, error):
    bus = FakeBus()
    publisher = Publisher(bus, spool, bench.clock, run_id="r1")
    for _ in range(2):
        bus.error = error
        put(publisher, 1, 2, 3)
        bus.error = None
        assert bench.run(publisher.replay()) == 3
    assert warnings(caplog) == ["publish_failed_over"] * 2
    assert bus.taken == [1, 2, 3, 1, 2, 3]
    facts = publisher.facts()
    assert (facts.outages_total, facts.spooled_total, facts.replayed_total, facts.failed_total) == (2, 6, 6, 0)


@pytest.mark.parametrize("error", [ValueError("defect"), OSError("broken"), KeyError("x")])
def test_any_other_exception_is_a_typed_error_at_once(bench, spool, error):
    bus = FakeBus()
    bus.error = error
    publisher = Publisher(bus, spool, bench.clock, run_id="r1")
    with pytest.raises(PublishFailed, match=TASKS) as caught:
        put(publisher, 1)
    assert (caught.value.topic, caught.value.stage) == (TASKS, Stage.PRIMARY)
    assert caught.value.__cause__ is error
    assert type(error).__name__ in caught.value.cause
    assert spool.backlog == 0
    assert publisher.facts().failed_total == 1


def test_an_unwritable_spool_is_an_error_that_names_the_topic(bench, tmp_path):
    spool = Spool(tmp_path, bench.clock, files=NoDisk())
    bus = FakeBus()
    bus.error = PublishRefused("stopped")
    publisher = Publisher(bus, spool, bench.clock, run_id="r1")
    with pytest.raises(PublishFailed, match=f"{TASKS}.*failover.*read-only") as caught:
        put(publisher, 1)
    assert caught.value.stage is Stage.FAILOVER
    assert publisher.facts().failed_total == 1


def test_a_full_spool_is_an_error_and_what_it_holds_stays(bench, tmp_path):
    spool = Spool(tmp_path, bench.clock, policy=SpoolPolicy(bound_bytes=300, segment_bytes=300))
    bus = FakeBus()
    bus.error = PublishRefused("stopped")
    publisher = Publisher(bus, spool, bench.clock, run_id="r1")
    put(publisher, 0, 1)
    with pytest.raises(PublishFailed, match="room"):
        put(publisher, 2)
    bus.error = None
    bench.run(publisher.replay())
    assert bus.taken == [0, 1]


def test_while_the_spool_holds_events_new_ones_go_behind_them(bench, spool):
    bus = FakeBus()
    publisher = Publisher(bus, spool, bench.clock, run_id="r1")
    bus.error = PublishRefused("stopped")
    put(publisher, 1, 2)
    bus.error = None
    put(publisher, 3)  # the bus could take it, but two older ones wait
    assert bus.taken == []
    bench.run(publisher.replay())
    put(publisher, 4)
    assert bus.taken == [1, 2, 3, 4]
    assert spool.backlog == 0


def test_a_thread_that_waited_while_the_outage_ended_publishes_to_the_bus(bench, spool):
    bus = FakeBus()
    publisher = Publisher(bus, spool, bench.clock, run_id="r1")
    bus.error = PublishRefused("stopped")
    put(publisher, 1)
    bus.error = None
    wrapped = message_of(TASKS, {"n": 2}, event_id="test:2", source="test", ts=1)
    with publisher._lock:
        thread = threading.Thread(target=publisher.send, args=(wrapped,))
        thread.start()
        thread.join(0.1)
        assert thread.is_alive()
        bench.run(publisher.replay())
    thread.join()
    assert bus.taken == [1, 2]
    assert spool.backlog == 0


def test_a_bus_that_fails_in_the_middle_of_a_replay_gets_the_batch_again(bench, spool):
    class Tires(FakeBus):
        def publish(self, message, *, timeout_s):
            if len(self.taken) == 2:
                self.error = PublishRefused("tired")
            super().publish(message, timeout_s=timeout_s)

    bus = Tires()
    bus.error = PublishRefused("stopped")
    publisher = Publisher(bus, spool, bench.clock, run_id="r1")
    put(publisher, 1, 2, 3)
    bus.error = None
    assert bench.run(publisher.replay()) == 0
    assert (spool.backlog, publisher.facts().failed_over) == (3, True)
    bus.error, bus.taken = None, ["again"]
    bus.publish = lambda message, timeout_s: FakeBus.publish(bus, message, timeout_s=timeout_s)
    assert bench.run(publisher.replay()) == 3
    assert bus.taken == ["again", 1, 2, 3]


def test_restarting_the_real_bus_loses_nothing_and_keeps_the_order(bench, spool):
    heard = Heard(waits=0.01)

    async def scenario():
        publisher = Publisher(bench.bus, spool, bench.clock, run_id="r1", policy=PublisherPolicy(replay_batch=7))
        bench.bus.subscribe("one", heard, topics=["telemetry."])
        bench.bus.start()
        task = bench.supervisor.create(publisher.replays, owner="test")
        number = 0
        for _turn in range(3):
            for _ in range(20):
                put(publisher, number)
                number += 1
                await asyncio.sleep(0.001)
            await bench.bus.stop()
            for _ in range(20):
                put(publisher, number)
                number += 1
            assert spool.backlog > 0
            bench.bus.start()
            await asyncio.sleep(0.2)
        await asyncio.sleep(10)
        assert await bench.bus.drained(10)
        assert task.alive
        return number, publisher.facts()

    number, facts = bench.run(scenario())
    assert heard.numbers == list(range(number))
    assert (facts.failed_over, facts.spool.backlog_events) == (False, 0)


def test_what_comes_twice_reaches_a_subscriber_once(bench, spool):
    heard = Heard()

    async def scenario():
        publisher = Publisher(bench.bus, spool, bench.clock, run_id="r1")
        bench.bus.subscribe("one", heard, topics=["telemetry."])
        bench.bus.start()
        put(publisher, 1, 2)
        assert await bench.bus.drained(1)
        for number in (1, 2, 3):  # as after a crash between delivery and acknowledgement
            spool.append(
                message_of(TASKS, {"n": number}, event_id=f"test:r1:{number}", source="test", ts=bench.clock.now())
            )
        again = Publisher(bench.bus, spool, bench.clock, run_id="r2")
        assert again.facts().failed_over
        assert await again.replay() == 3

    bench.run(scenario())
    assert heard.numbers == [1, 2, 3]


def test_what_a_stopped_bus_did_not_deliver_is_kept_for_the_next_process(bench, tmp_path):
    spool = Spool(tmp_path, bench.clock)
    first, second = Heard(waits=1.0), Heard()

    async def scenario():
        publisher = Publisher(bench.bus, spool, bench.clock, run_id="r1")
        bench.bus.subscribe("one", first, topics=["telemetry."])
        bench.bus.start()
        put(publisher, 1, 2, 3)
        await asyncio.sleep(1.5)
        await bench.bus.stop()
        publisher.keep(bench.bus.take_undelivered())
        spool.close()
        await bench.bus.unsubscribe("one")
        later = Spool(tmp_path, bench.clock)
        bench.bus.subscribe("one", second, topics=["telemetry."])
        bench.bus.start()
        assert await Publisher(bench.bus, later, bench.clock, run_id="r2").replay() == 2
        later.close()

    bench.run(scenario())
    assert (first.numbers, second.numbers) == ([1], [2, 3])


def test_the_length_of_an_outage_is_a_fact(bench, spool):
    bus = FakeBus()
    publisher = Publisher(bus, spool, bench.clock, run_id="r1")
    bus.error = PublishRefused("token=abcdefgh stopped")
    put(publisher, 1)
    bench.clock.sleep(12 * 1_000_000_000)
    facts = publisher.facts()
    assert (facts.failed_over, facts.failover_seconds) == (True, 12.0)
    assert "stopped" in facts.cause
    assert "abcdefgh" not in facts.cause
    bus.error = None
    bench.run(publisher.replay())
    facts = publisher.facts()
    assert (facts.failed_over, facts.failover_seconds, facts.cause) == (False, 0.0, "")


def test_what_may_not_travel_is_refused_before_any_stage(bench, spool):
    bus = FakeBus()
    publisher = Publisher(bus, spool, bench.clock, run_id="r1")
    with pytest.raises(UnknownTopic):
        publisher.publish("telemetry.nobody.knows", {}, source="test")
    with pytest.raises(InvalidInput):
        publisher.publish(TASKS, {"n": float("nan")}, source="test")
    assert bus.timeouts == []


def test_an_accepted_event_keeps_its_id_and_a_given_id_is_used(bench, spool):
    publisher = Publisher(bench.bus, spool, bench.clock, run_id="r1")
    fact = DeadLettered(TASKS, "a:1", "someone", Flow.RISK, 3, "KeyError", "x")
    event = event_of(fact, source="bus", key=1, ts_event=7, ts_init=7)
    accepted = type(event)(1, *[getattr(event, name) for name in event.__struct_fields__[1:]])
    assert publisher.publish(TASKS, accepted, source="journal").event_id == "bus:1"
    assert publisher.publish(TASKS, {}, source="judge", event_id="sha256:ab").event_id == "sha256:ab"


def test_no_secret_reaches_the_bus_or_the_spool(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(redaction, "_known", {})
    redaction.register("canary-secret-4711")
    spool = Spool(tmp_path, bench.clock)
    publisher = Publisher(bench.bus, spool, bench.clock, run_id="r1")  # the bus is stopped
    message = publisher.publish(TASKS, {"note": "canary-secret-4711", "password": "hunter2hunter2"}, source="test")
    spool.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for data in (stored, bytes(message.payload)):
        assert b"canary" not in data
        assert b"hunter2" not in data


@pytest.mark.parametrize(
    "given", [{"timeout_s": 0.0}, {"replay_interval_s": 0.0}, {"replay_wait_s": 0.0}, {"replay_batch": 0}]
)
def test_a_policy_of_nothing_is_refused(given):
    with pytest.raises(ValueError, match=next(iter(given))):
        PublisherPolicy(**given)
