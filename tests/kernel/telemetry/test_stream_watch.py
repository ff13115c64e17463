"""An outside stream: ten seconds of silence pause the desk, its return ends that pause alone (TEL-07)."""

import asyncio

import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.telemetry import StreamPolicy, StreamWatch
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.model import GuardLevel, GuardReason


class GuardHold:
    """The guard itself, held in the name of `bus`, as the desk wires it."""

    def __init__(self):
        self.guard = Guard()

    def hold(self, code, evidence):
        self.guard.apply(GuardReason("bus", code, GuardLevel.PAUSED, "desk", True, None, evidence), 1)

    def release(self, code):
        self.guard.apply(GuardReason("bus", code, GuardLevel.PAUSED, "desk", False, None, ""), 2)

    def codes(self):
        return {(one.owner, one.code) for one in self.guard.reasons()}


@pytest.fixture
def held():
    return GuardHold()


def seconds(bench, count):
    bench.clock.sleep(round(count * NANOS_PER_SECOND))


def test_ten_seconds_pause_the_desk_and_a_nanosecond_less_does_not(bench, held):
    watch = StreamWatch("kafka", bench.clock, held)
    bench.clock.sleep(10 * NANOS_PER_SECOND - 1)
    watch.judge()
    assert held.guard.level is GuardLevel.RUNNING
    bench.clock.sleep(1)
    watch.judge()
    assert held.guard.level is GuardLevel.PAUSED
    assert held.codes() == {("bus", "outage_kafka")}
    assert watch.out


def test_the_return_ends_that_pause_alone_and_a_risk_pause_survives(bench, held):
    held.guard.apply(GuardReason("risk", "daily_loss", GuardLevel.PAUSED, "desk", True, None, ""), 1)
    kafka, redis = StreamWatch("kafka", bench.clock, held), StreamWatch("redis", bench.clock, held)
    seconds(bench, 10)
    kafka.judge()
    redis.judge()
    assert held.codes() == {("risk", "daily_loss"), ("bus", "outage_kafka"), ("bus", "outage_redis")}
    kafka.heard()
    kafka.judge()
    redis.judge()
    assert held.codes() == {("risk", "daily_loss"), ("bus", "outage_redis")}
    redis.heard()
    redis.judge()
    assert held.codes() == {("risk", "daily_loss")}
    assert held.guard.level is GuardLevel.PAUSED


def test_an_outage_is_asked_for_once_and_ended_once(bench):
    watch = StreamWatch("kafka", bench.clock, bench.desk)
    for _ in range(100):
        seconds(bench, 1)
        watch.judge()
    watch.heard()
    for _ in range(9):
        seconds(bench, 1)
        watch.judge()
    assert bench.desk.calls == [("hold", "outage_kafka"), ("release", "outage_kafka")]


def test_the_first_answer_of_a_new_run_ends_the_pause_that_the_last_one_left(bench, held):
    held.hold("outage_kafka", "of the last run")
    watch = StreamWatch("kafka", bench.clock, held)
    watch.judge()
    assert held.codes() == {("bus", "outage_kafka")}  # nothing was heard yet
    seconds(bench, 1)
    watch.heard()
    watch.judge()
    assert held.codes() == set()


def test_the_evidence_says_why_the_stream_was_lost(bench):
    watch = StreamWatch("kafka", bench.clock, bench.desk)
    seconds(bench, 4)
    watch.lost("connection reset by peer")
    seconds(bench, 6)
    watch.judge()
    assert "connection reset by peer for 10.000 s" in bench.desk.held["outage_kafka"]


def test_a_stream_that_is_heard_again_in_time_was_never_out(bench):
    watch = StreamWatch("kafka", bench.clock, bench.desk)
    for _ in range(5):
        seconds(bench, 9)
        watch.judge()
        watch.heard()
    assert ("hold", "outage_kafka") not in bench.desk.calls
    assert watch.facts().outages_total == 0


def test_silence_and_outages_are_facts(bench):
    watch = StreamWatch("kafka", bench.clock, bench.desk)
    seconds(bench, 25)
    watch.judge()
    seconds(bench, 5)
    facts = watch.facts()
    assert (facts.out, facts.silent_seconds, facts.outages_total, facts.outage_seconds_total) == (True, 30.0, 1, 30.0)
    watch.heard()
    watch.judge()
    seconds(bench, 3)
    facts = watch.facts()
    assert (facts.out, facts.silent_seconds, facts.outages_total, facts.outage_seconds_total) == (False, 3.0, 1, 30.0)


def test_the_watch_runs_as_a_task_of_the_supervisor(bench):
    watch = StreamWatch("kafka", bench.clock, bench.desk)

    async def scenario():
        task = bench.supervisor.create(watch.watch, owner="test")
        await asyncio.sleep(9.9)
        assert bench.desk.held == {}
        await asyncio.sleep(0.7)
        assert list(bench.desk.held) == ["outage_kafka"]
        watch.heard()
        await asyncio.sleep(0.6)
        assert bench.desk.held == {}
        task.cancel()

    bench.run(scenario())


@pytest.mark.parametrize("name", ["", "Kafka", "1st", "a b", "a.b"])
def test_a_name_that_is_no_code_is_refused(bench, name):
    with pytest.raises(ValueError, match="stream's name"):
        StreamWatch(name, bench.clock, bench.desk)


@pytest.mark.parametrize("given", [{"outage_s": 0.0}, {"poll_s": 0.0}, {"poll_s": 11.0}, {"outage_s": float("inf")}])
def test_a_watch_that_cannot_be_is_refused(given):
    with pytest.raises(ValueError, match="poll_s"):
        StreamPolicy(**given)
