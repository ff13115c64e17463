"""A bus under a supervisor on a simulated loop, and what it asked of the desk and told the journal."""

import asyncio
from random import Random

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.supervision import TaskSupervisor
from tradeworthy.kernel.supervision.simulated_loop import SimulatedLoop
from tradeworthy.kernel.telemetry import Bus, BusPolicy, message_of

START = 1_000 * NANOS_PER_SECOND
TASKS = "telemetry.runtime.tasks"


class Desk:
    """Keep what telemetry holds the desk for, every call, every journaled fact and every escalation."""

    def __init__(self):
        self.held = {}
        self.calls = []
        self.events = []
        self.escalations = []

    def hold(self, code, evidence):
        self.calls.append(("hold", code))
        self.held[code] = evidence

    def release(self, code):
        self.calls.append(("release", code))
        self.held.pop(code, None)

    def escalate(self, escalated, cause):
        self.escalations.append(escalated)

    def facts(self, kind):
        return [event.payload for event in self.events if event.kind == kind]


class BusBench:
    """One bus; `run` drives a coroutine to its end in simulated time."""

    def __init__(self, **policy):
        self.clock = EventClock(START)
        self.desk = Desk()
        self.supervisor = TaskSupervisor(self.clock, Random(3), self.desk, sink=self.desk.events.append)
        self.loop = SimulatedLoop(self.clock)
        self.bus = Bus(self.supervisor, self.clock, self.desk, policy=BusPolicy(**policy))

    def run(self, work):
        return self.loop.run_until_complete(work)

    def message(self, number, topic=TASKS):
        return message_of(topic, {"n": number}, event_id=f"test:{number}", source="test", ts=self.clock.now())

    def publish(self, *numbers, topic=TASKS):
        for number in numbers:
            self.bus.publish(self.message(number, topic))

    def tasks_alive(self):
        return [task for task in asyncio.all_tasks(self.loop) if not task.done()]

    def close(self):
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.wait(left, timeout=0))
        self.loop.close()


class Heard:
    """A handler that writes down what it got; it fails or waits where told."""

    def __init__(self, *, fails_at=(), error=ValueError, waits=0.0):
        self.numbers = []
        self.calls = []
        self.fails_at, self.error, self.waits = fails_at, error, waits

    async def __call__(self, message):
        number = message.read(dict)["n"]
        self.calls.append(number)
        if self.waits:
            await asyncio.sleep(self.waits)
        if number in self.fails_at:
            raise self.error(f"cannot take {number}")
        self.numbers.append(number)
