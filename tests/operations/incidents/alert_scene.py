"""A small alert path on a simulated loop: transports that take, refuse or hang, and a record that keeps facts."""

import asyncio
from random import Random

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import RetryLater
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.supervision import TaskSupervisor
from tradeworthy.kernel.supervision.simulated_loop import SimulatedLoop
from tradeworthy.operations.incidents.channel import Refused, Sent
from tradeworthy.operations.incidents.lifecycle import IncidentBook
from tradeworthy.operations.incidents.model import Signal
from tradeworthy.operations.incidents.path import AlertPath, PathPolicy
from tradeworthy.operations.incidents.people import Guards
from tradeworthy.operations.incidents.policy import AlertPolicy, ChannelPolicy, RulePolicy

START = 1_700_000_000 * NANOS_PER_SECOND
SECOND = NANOS_PER_SECOND


class Taking:
    """A gateway that takes everything, after `after_s`."""

    def __init__(self, after_s=0.0):
        self.notices = []
        self.after_s = after_s

    async def send(self, notice, *, timeout_s):
        await asyncio.sleep(self.after_s)
        self.notices.append(notice)
        return Sent(f"took-{len(self.notices)}")


class Failing:
    """A gateway that fails `times` times, then takes; `hang` never answers; `final` refuses."""

    def __init__(self, times=10**9, *, hang=False, final=False):
        self.left, self.hang, self.final = times, hang, final
        self.attempts = 0
        self.notices = []

    async def send(self, notice, *, timeout_s):
        self.attempts += 1
        if self.left > 0:
            self.left -= 1
            if self.hang:
                await asyncio.sleep(10**6)
            if self.final:
                raise Refused("HTTP 400")
            raise OSError("connection reset")
        self.notices.append(notice)
        return Sent()


class Record:
    """Keeps facts; `broken` takes none."""

    def __init__(self, clock):
        self.clock, self.facts, self.broken = clock, [], False

    def tell_all(self, facts):
        if self.broken:
            raise RetryLater("the disk is full")
        self.facts += facts
        now = self.clock.now()
        first = len(self.facts) - len(facts)
        events = [event_of(one, source="t", key=first + n, ts_event=now, ts_init=now) for n, one in enumerate(facts, 1)]
        return [msgspec.structs.replace(one, seq=first + n) for n, one in enumerate(events, 1)]

    def of(self, kind):
        return [one for one in self.facts if isinstance(one, kind)]


class Held:
    """A hold port that remembers."""

    def __init__(self):
        self.now, self.told = {}, []

    def hold(self, code, evidence):
        self.now[code] = evidence
        self.told.append(("hold", code))

    def release(self, code):
        self.now.pop(code, None)
        self.told.append(("release", code))


class Calm:
    """Nobody escalates in these scenes."""

    def __init__(self):
        self.escalated = []

    def escalate(self, escalated, cause):
        self.escalated.append(escalated)


class Scene:
    """A path with channels `one` and `two` unless others are given."""

    def __init__(self, transports=None, *, policy=None, canary=None, **kept):
        self.clock = EventClock(START)
        self.transports = {"one": Taking(), "two": Taking()} if transports is None else transports
        self.canary = Taking() if canary is None else canary
        self.record, self.pausing, self.reducing, self.calm = Record(self.clock), Held(), Held(), Calm()
        self.policy = policy or policy_of(tuple(self.transports))
        self.published = []
        self.loop = SimulatedLoop(self.clock)
        self.supervisor = TaskSupervisor(self.clock, Random(1), self.calm)
        self.incidents = IncidentBook(self.policy.incidents)
        self.path = AlertPath(
            self.clock, self.supervisor, Random(2), self.policy,
            transports=self.transports, canary=self.canary, record=self.record,
            incidents=self.incidents, guards=Guards(self.pausing, self.reducing), run_id="r",
            publish=lambda topic, event: self.published.append((topic, event)), **kept,
        )  # fmt: skip

    def run(self, play):
        """Run the path while `play` goes on, then end everything."""

        async def scene():
            self.supervisor.create(self.path.work, owner="alerts", name="alerts")
            try:
                return await play()
            finally:
                await self.supervisor.cancel_all(1.0)
                self.path.close()

        task = self.loop.run_until_complete
        try:
            return task(scene())
        finally:
            self.loop.close()

    def after(self, seconds, *signals):
        """Tell signals and let so many seconds go by."""

        async def play():
            for one in signals:
                self.path.tell(one)
            await asyncio.sleep(seconds)

        return self.run(play)


def policy_of(names=("one", "two"), *, rules=None, **changed):
    """Return policies with a file channel for each name, all of one rule."""
    from tradeworthy.operations.incidents.ladder_policy import EscalationPolicy, TierPolicy

    channels = tuple(ChannelPolicy(name=name, transport="file", destination=f"{name}.jsonl") for name in names)
    rules = rules or (RulePolicy(name="all", categories=("venue.", "risk.", "kill.", "alert_path.", "x."),
                                 channels=tuple(names), suppress_s=300),)  # fmt: skip
    tiers = tuple(TierPolicy(roles=(role,), channels=tuple(names)) for role in ("head", "risk", "legal"))
    return PathPolicy(
        alerts=AlertPolicy(channels=channels, rules=rules, default_channels=tuple(names)[:1], **changed),
        escalation=EscalationPolicy(tiers=tiers),
    )


def signal(code="venue.errors", *, severity=None, subject="okx", component="gateway", **changed):
    """Return an ordinary signal."""
    category = changed.pop("category", code)
    return Signal(
        code=code, category=category, message=f"{code} happened", component=component, subject=subject,
        severity=severity, **changed,
    )  # fmt: skip


