"""Random lives of a bus: every event is delivered, dropped, buried, let go or waits; nobody gets one twice or late."""

import asyncio
from random import Random

import pytest
from telemetry_bench import BusBench, Heard

from tradeworthy.kernel.telemetry import DeliveryPolicy


def lives(seed):
    """Run one random life and return the bench, the handlers by subscriber and how many events were published."""
    random = Random(seed)
    bench = BusBench(capacity_events=random.choice([1, 3, 20]), delivery=DeliveryPolicy(retry_delay_s=0.01))
    handlers, published = {}, 0

    def handler(name):
        made = Heard(waits=random.choice([0.0, 0.01, 0.3]), fails_at=frozenset(random.sample(range(200), 20)))
        handlers.setdefault(name, []).append(made)
        return made

    async def scenario():
        nonlocal published
        for name in "abc":
            bench.bus.subscribe(name, handler(name), topics=["telemetry."])
        bench.bus.start()
        for _ in range(random.randint(5, 40)):
            match random.choice(["publish", "publish", "publish", "wait", "swap", "restart"]):
                case "publish":
                    for _ in range(random.randint(1, 8)):
                        bench.publish(published)
                        published += 1
                case "wait":
                    await asyncio.sleep(random.choice([0.0, 0.005, 0.5]))
                case "swap":
                    name = random.choice("abc")
                    await bench.bus.swap(name, handler(name))
                case "restart":
                    await bench.bus.stop()
                    assert bench.tasks_alive() == [asyncio.current_task()]
                    bench.bus.start()
            assert len(bench.bus.task_snapshots()) == 3
        assert await bench.bus.drained(600)
        await bench.bus.stop()
        assert bench.tasks_alive() == [asyncio.current_task()]

    try:
        bench.run(scenario())
    finally:
        bench.close()
    return bench, handlers, published


def holds(seed):
    bench, handlers, published = lives(seed)
    dead = {(one.subscriber, one.message.read(dict)["n"]) for one in bench.bus.dead_letters()}
    for facts in bench.bus.subscribers():
        got = [number for one in handlers[facts.name] for number in one.numbers]
        assert got == sorted(set(got)), f"seed {seed}: {facts.name} got an event twice or out of order"
        buried = {number for name, number in dead if name == facts.name}
        assert not buried & set(got)
        assert len(got) == facts.delivered
        assert facts.delivered + facts.dropped + facts.dead_letters == published, f"seed {seed}: {facts}"
    assert bench.bus.facts().delivered_total == sum(one.delivered for one in bench.bus.subscribers())
    assert bench.desk.escalations == []


@pytest.mark.parametrize("seed", range(60))
def test_no_event_is_lost_without_a_count_in_a_random_life(seed):
    holds(seed)


@pytest.mark.proof
def test_no_event_is_lost_without_a_count_in_five_thousand_random_lives():
    for seed in range(1_000, 6_000):
        holds(seed)
