"""The judgement of the bus (TEL-05): each edge and one below, and green again an hour later."""

import asyncio

import msgspec
import pytest
from telemetry_bench import Heard

from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.kernel.telemetry import BusFacts, BusHealthPolicy, DeliveryPolicy, judge_bus

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
HEALTHY = BusFacts(
    expected=True, running=True, depth=0, bound=1_000, published=9, dropped=0, handler_errors=0, subscribers=1,
    last_published_age_seconds=0.0, oldest_waiting_seconds=0.0, open_dead_letters=0, published_total=9,
    delivered_total=9, dropped_total=99, handler_errors_total=99, duplicates_total=0, dead_letters_total=0,
)  # fmt: skip


def judged(**changed):
    return worst(check.severity for check in judge_bus(msgspec.structs.replace(HEALTHY, **changed)))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, OK),
        ({"running": False}, FAIL),
        ({"expected": False, "running": False, "last_published_age_seconds": None, "subscribers": 0}, OK),
        ({"expected": False, "running": True, "dropped": 50}, OK),
        ({"depth": 99}, OK), ({"depth": 100}, WARN), ({"depth": 499}, WARN), ({"depth": 500}, FAIL),
        ({"dropped": 1}, WARN), ({"dropped": 4}, WARN), ({"dropped": 5}, FAIL),
        ({"handler_errors": 1}, WARN), ({"handler_errors": 2}, WARN), ({"handler_errors": 3}, FAIL),
        ({"subscribers": 0}, WARN),
        ({"last_published_age_seconds": 299.999}, OK), ({"last_published_age_seconds": 300.0}, WARN),
        ({"last_published_age_seconds": None}, UNKNOWN),
        ({"last_published_age_seconds": None, "dropped": 5}, FAIL),
    ],
)  # fmt: skip
def test_each_limit_is_breached_when_it_is_reached(changed, expected):
    assert judged(**changed) is expected


def test_each_check_names_what_was_observed_and_the_limit():
    by_code = {check.code: check for check in judge_bus(msgspec.structs.replace(HEALTHY, depth=500))}
    assert by_code["event_bus_health.depth"].observed == "500"
    assert by_code["event_bus_health.depth"].limit == "WARN from 100, FAIL from 500"
    assert list(by_code) == [
        f"event_bus_health.{name}" for name in ("running", "depth", "dropped", "handler_errors", "subscribers", "idle")
    ]


def test_limits_on_the_wrong_side_of_each_other_are_refused():
    with pytest.raises(ValueError, match="depth_warn"):
        BusHealthPolicy(depth_warn=501)
    with pytest.raises(ValueError, match="dropped_warn"):
        BusHealthPolicy(dropped_warn=0)
    with pytest.raises(ValueError, match="idle_seconds_warn"):
        BusHealthPolicy(idle_seconds_warn=0)


def test_a_bus_that_failed_is_green_61_minutes_later_while_its_totals_stay(benches):
    bench = benches(capacity_events=2, delivery=DeliveryPolicy(attempts=3))

    async def scenario():
        bench.bus.subscribe("fails", Heard(fails_at=(1,)), topics=["telemetry."])
        bench.bus.start()
        bench.publish(*range(8))  # before the handler could run: six are dropped
        await asyncio.sleep(1)
        bench.publish(1)
        await asyncio.sleep(1)
        bad = bench.bus.facts()
        await asyncio.sleep(61 * 60)
        bench.publish(100)
        await asyncio.sleep(0.1)
        good = bench.bus.facts()
        await bench.bus.stop()
        return bad, good, bench.bus.facts()

    bad, good, stopped = bench.run(scenario())
    severities = {check.code: check.severity for check in judge_bus(bad)}
    assert severities["event_bus_health.dropped"] is FAIL
    assert severities["event_bus_health.handler_errors"] is FAIL
    assert worst(check.severity for check in judge_bus(good)) is OK
    assert (good.dropped, good.handler_errors) == (0, 0)
    assert (good.dropped_total, good.handler_errors_total, good.dead_letters_total) == (6, 3, 1)
    assert worst(check.severity for check in judge_bus(stopped)) is FAIL


def test_a_new_bus_that_published_nothing_is_unknown(bench):
    async def scenario():
        bench.bus.subscribe("one", Heard(), topics=["telemetry."])
        bench.bus.start()
        return bench.bus.facts()

    assert worst(check.severity for check in judge_bus(bench.run(scenario()))) is UNKNOWN
