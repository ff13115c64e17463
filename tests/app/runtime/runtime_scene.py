"""An application on a simulated loop: its life's journal, a guard door that remembers, orders that obey or do not."""

import asyncio
from random import Random

from tradeworthy.app.runtime.application import Application
from tradeworthy.app.runtime.life import Life
from tradeworthy.app.runtime.policy import ShutdownPolicy
from tradeworthy.app.runtime.workload import Workload
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.supervision import TaskSupervisor
from tradeworthy.kernel.supervision.notify import ServiceNotify
from tradeworthy.kernel.supervision.simulated_loop import SimulatedLoop

START = 1_000 * NANOS_PER_SECOND


class Orders:
    """Working orders of a venue; `left` are told look by look, the last for ever. None: nobody can tell."""

    def __init__(self, *left, log=None):
        self.looks, self.log = list(left) or [0], [] if log is None else log

    def pause(self):
        self.log.append("pause")

    def withdraw(self, reason):
        if self.log[-1:] != ["withdraw"]:
            self.log.append("withdraw")

    def working(self):
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def left(self):
        return tuple(f"small-{number}" for number in range(self.looks[0] or 0))


class Scene:
    """One application with nothing in it yet; `run` drives it to its end in simulated time."""

    def __init__(self, folder, *, orders=None, environ=None, policy=None, sealed=True):
        self.clock = EventClock(START)
        self.loop = SimulatedLoop(self.clock)
        self.life = Life(folder, self.clock, run_id="life")
        self.log, self.escalations = [], []
        self.orders, self._sealed = orders, sealed
        if orders is not None:
            orders.log = self.log
        self.supervisor = TaskSupervisor(self.clock, Random(7), self, run_id="life", sink=self.life.accept)
        self.application = Application(
            clock=self.clock, life=self.life, supervisor=self.supervisor, orders=orders, seal=self.seal,
            policy=policy or ShutdownPolicy(), service=ServiceNotify(None), environ=environ or {},
            farewell=lambda: self.log.append("farewell"),
        )  # fmt: skip

    def seal(self, reason):
        self.log.append("seal")
        if isinstance(self._sealed, Exception):
            raise self._sealed
        return self._sealed

    def escalate(self, escalated, cause):
        self.escalations.append(escalated)

    def add(self, name, work, kind=None, **given):
        self.application.add(Workload(name, kind or name, f"{name} of a test", work, **given))

    def at(self, seconds, act):
        """Do something after so many seconds of the run."""
        self.loop.call_later(seconds, act)

    def run(self, timeout_s=None):
        try:
            return self.loop.run_until_complete(self.application.run(timeout_s))
        finally:
            left = asyncio.all_tasks(self.loop)
            for task in left:
                task.cancel()
            if left:
                self.loop.run_until_complete(asyncio.wait(left, timeout=0))
            self.loop.close()

    def seconds(self):
        return (self.clock.monotonic() - START) / NANOS_PER_SECOND

    def events(self):
        return list(read(self.life.directory))

    def told(self, kind):
        return [event.payload for event in self.events() if event.kind == kind]

    def steps(self):
        return {one.step: one for one in self.told("runtime.shutdown_step")}


async def forever(pulse):
    while True:
        pulse.beat()
        await asyncio.sleep(1)


def lasting(seconds):
    async def work(pulse):
        for _ in range(round(seconds)):
            pulse.beat()
            await asyncio.sleep(1)

    return work


def failing(times, then=forever, log=None):
    """Return a factory whose first attempts raise."""
    left = [times]

    async def work(pulse):
        if log is not None:
            log.append("attempt")
        await asyncio.sleep(0.5)
        if left[0]:
            left[0] -= 1
            raise RuntimeError("broken on purpose")
        return await then(pulse)

    return work


async def stubborn(pulse):
    """Swallow every cancellation."""
    while True:
        try:
            await asyncio.sleep(3_600)
        except asyncio.CancelledError:
            continue
