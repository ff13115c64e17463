"""A supervisor on a simulated loop, and what it told the journal and the desk."""

import asyncio
from random import Random

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.supervision import TaskPolicy, TaskSupervisor
from tradeworthy.kernel.supervision.simulated_loop import SimulatedLoop

START = 1_000 * NANOS_PER_SECOND


class Told:
    """Keep events and escalations as they come."""

    def __init__(self):
        self.events = []
        self.escalations = []

    def escalate(self, escalated, cause):
        self.escalations.append(escalated)

    def kinds(self):
        return [event.kind.removeprefix("supervision.") for event in self.events]


class Bench:
    """One supervisor, its clock and loop; `run` drives a coroutine to its end in simulated time."""

    def __init__(self, seed=7, clock=None, **options):
        self.clock = clock or EventClock(START)
        self.told = Told()
        self.supervisor = TaskSupervisor(
            self.clock, Random(seed), self.told, sink=self.told.events.append, namespace="bench", **options
        )
        self.loop = SimulatedLoop(self.clock)

    def run(self, work):
        return self.loop.run_until_complete(work)

    def seconds(self):
        return (self.clock.monotonic() - START) / NANOS_PER_SECOND

    def close(self):
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.wait(left, timeout=0))
        self.loop.close()


def policy(**given):
    return TaskPolicy(**{"backoff_base_s": 0.0, **given})
