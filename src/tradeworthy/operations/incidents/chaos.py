"""A seeded campaign of failures, gateways and people against the alert path, on simulated time (IN-09)."""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from functools import partial
from random import Random

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.facts import Event, Fact, event_of
from tradeworthy.kernel.supervision import Escalated, Pulse, TaskSupervisor
from tradeworthy.kernel.supervision.simulated_loop import SimulatedLoop
from tradeworthy.operations.incidents.acts import Request, Verb
from tradeworthy.operations.incidents.channel import Sent
from tradeworthy.operations.incidents.lifecycle import IncidentBook, Mean, Phase
from tradeworthy.operations.incidents.model import Alert, AlertSeverity, Notice, Outcome, Receipt, Signal
from tradeworthy.operations.incidents.path import AlertPath
from tradeworthy.operations.incidents.path_model import PathPolicy
from tradeworthy.operations.incidents.people import Guards
from tradeworthy.trading.model import GuardLevel

WORLD = (
    ("venue.down", "venue.down", AlertSeverity.CRITICAL), ("feed.stale", "sensory.drift", AlertSeverity.WARNING),
    ("journal.slow", "journal.slow", AlertSeverity.ERROR), ("risk_limit.gross", "risk_breach", AlertSeverity.CRITICAL),
    ("system_failure.task", "system_failure", AlertSeverity.CRITICAL),
    ("reconciliation.break", "reconciliation.break", AlertSeverity.CRITICAL),
    ("disk.full", "system_failure", AlertSeverity.CRITICAL), ("bus.lag", "system_failure", AlertSeverity.WARNING),
)  # fmt: skip
"""What may fail: code, category and severity."""
SUBJECTS = ("okx", "bitget", "desk", "mm-1")


class ChaosPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How bad the campaign is.

    hours          of simulated time;  start  nanoseconds UTC
    failures_hour  on average;  failure_minutes  how long one lasts, on average
    outage_share   of the time that each channel does not take anything
    people         who look;  look_minutes  between two looks of a person, on average;  absent_share  of looks missed
    """

    hours: float = 4.0
    start: int = 1_700_000_000 * NANOS_PER_SECOND
    failures_hour: float = 4.0
    failure_minutes: float = 20.0
    outage_share: float = 0.1
    people: tuple[str, ...] = ("ada", "bob", "eve")
    look_minutes: float = 6.0
    absent_share: float = 0.3


class ChaosOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the campaign did; `digest` is over every fact of it, so that the same seed shows as the same outcome.

    unheard  critical alerts that no channel ever took;  holds  what the path asked of the guard, in order
    """

    seed: int
    failures: int
    alerts: int
    incidents: int
    acknowledged: int
    resolved: int
    messages: int
    undelivered: int
    unheard: int
    escalated: int
    holds: tuple[str, ...]
    mtta: Mean
    mttr: Mean
    digest: str


def simulate(
    seed: int, policy: PathPolicy, chaos: ChaosPolicy, *, before: Iterable[Fact] = ()
) -> ChaosOutcome:
    """Play a campaign against the path of a policy; nothing leaves the process.

    before  facts of a desk's journal, folded first: the campaign runs on a copy of its incidents
    """
    world = _World(seed, policy, chaos, before)
    return world.play()


class _Gateway:
    """Takes notices but for its outages."""

    def __init__(self, clock: EventClock, outages: Sequence[tuple[int, int]]) -> None:
        self._clock, self._outages = clock, outages

    async def send(self, notice: Notice, *, timeout_s: float) -> Sent:
        """Take a notice; raises `OSError` in an outage."""
        await asyncio.sleep(0.05)
        now = self._clock.now()
        if any(begin <= now < end for begin, end in self._outages):
            raise OSError("gateway is out")
        return Sent("chaos")


class _Record:
    def __init__(self, clock: EventClock) -> None:
        self.facts: list[Fact] = []
        self._clock = clock

    def tell_all(self, facts: Sequence[Fact]) -> Sequence[Event]:
        first, now = len(self.facts), self._clock.now()
        self.facts += facts
        return [
            event_of(one, source="chaos", key=str(first + place), ts_event=now, ts_init=now)
            for place, one in enumerate(facts)
        ]


class _Holds:
    """Notes what is asked of the guard."""

    def __init__(self, owner: str, told: list[str]) -> None:
        self._owner, self._told = owner, told

    def hold(self, code: str, evidence: str) -> None:
        self._told.append(f"+{self._owner}.{code}")

    def release(self, code: str) -> None:
        self._told.append(f"-{self._owner}.{code}")


class _TriggerHolds:
    def __init__(self, told: list[str]) -> None:
        self._told = told

    def hold(self, code: str, level: GuardLevel, scope: str, evidence: str, expires_at: int | None) -> None:
        self._told.append(f"+trigger.{code} {level.name.lower()} {scope}")

    def release(self, code: str, level: GuardLevel, scope: str) -> None:
        self._told.append(f"-trigger.{code} {scope}")


class _Nobody:
    def escalate(self, escalated: Escalated, cause: Event) -> None:
        raise AssertionError(f"no task of a campaign is given up, found {escalated.task}")


class _World:
    def __init__(self, seed: int, policy: PathPolicy, chaos: ChaosPolicy, before: Iterable[Fact]) -> None:
        self._seed, self._chaos, self._random = seed, chaos, Random(seed)
        self._clock = EventClock(chaos.start)
        self._loop = SimulatedLoop(self._clock)
        self._supervisor = TaskSupervisor(self._clock, Random(seed + 1), _Nobody())
        self._record = _Record(self._clock)
        self._incidents = IncidentBook(policy.incidents)
        for one in before:
            self._incidents.fold(one)
        self._known = {one.id for one in self._incidents.all}
        self._holds: list[str] = []
        gateways = {one.name: _Gateway(self._clock, self._outages()) for one in policy.alerts.channels}
        self._path = AlertPath(
            self._clock, self._supervisor, Random(seed + 2), policy, transports=gateways,
            canary=_Gateway(self._clock, ()), record=self._record, incidents=self._incidents,
            guards=Guards(
                _Holds("alert_path", self._holds), _Holds("escalation", self._holds), _TriggerHolds(self._holds)
            ), run_id=f"chaos-{seed}",
        )  # fmt: skip
        self._failures = 0
        self._acts = 0

    def play(self) -> ChaosOutcome:
        async def campaign() -> None:
            self._supervisor.create(self._path.work, owner="alerts", name="alerts")
            people = [
                self._supervisor.create(partial(self._look_after, name), owner="chaos", name=f"chaos.{name}")
                for name in self._chaos.people
            ]
            world = self._supervisor.create(self._world, owner="chaos", name="chaos.world")
            await asyncio.sleep(self._chaos.hours * 3_600)
            for one in (*people, world):
                one.cancel()
            await self._supervisor.cancel_all(1.0)
            self._path.close()

        try:
            self._loop.run_until_complete(campaign())
        finally:
            self._loop.close()
        return self._outcome()

    async def _world(self, pulse: Pulse) -> None:
        """Let things fail and heal for ever."""
        rate = self._chaos.failures_hour / 3_600
        healing: list[asyncio.Handle] = []
        while True:
            await asyncio.sleep(self._random.expovariate(rate))
            code, category, severity = self._random.choice(WORLD)
            subject = self._random.choice(SUBJECTS)
            self._failures += 1
            signal = Signal(
                code=code, category=category, severity=severity, subject=subject, component=code.partition(".")[0],
                message=f"{code} of {subject}", cause=f"chaos:{self._failures}",
            )  # fmt: skip
            self._path.tell(signal)
            lasts = self._random.expovariate(1 / (self._chaos.failure_minutes * 60))
            over = msgspec.structs.replace(signal, firing=False)
            healing.append(self._loop.call_later(lasts, self._path.tell, over))

    async def _look_after(self, name: str, pulse: Pulse) -> None:
        """Look now and then; take what is open, resolve what is taken and healed."""
        random = Random(f"{self._seed}:{name}")
        while True:
            await asyncio.sleep(random.expovariate(1 / (self._chaos.look_minutes * 60)))
            if random.random() < self._chaos.absent_share:
                continue
            firing = {one.id for one in self._path.book.firing}
            for one in self._incidents.all:
                if one.phase is Phase.OPEN:
                    self._act(Request(id=self._name(), verb=Verb.ACK, person=name, target=one.id))
                elif one.phase is Phase.ACKNOWLEDGED and one.opened.alert not in firing:
                    self._act(Request(
                        id=self._name(), verb=Verb.MOVE, person=name, target=one.id, phase=Phase.RESOLVED
                    ))  # fmt: skip

    def _act(self, request: Request) -> None:
        self._path.act(request)

    def _name(self) -> str:
        self._acts += 1
        return f"chaos-{self._acts}"

    def _outages(self) -> list[tuple[int, int]]:
        """Return hours of which a share is an outage."""
        found, at, hour = [], self._chaos.start, 3_600 * NANOS_PER_SECOND
        for _ in range(round(self._chaos.hours) + 1):
            length = round(hour * self._random.random() * 2 * self._chaos.outage_share)
            begin = at + round((hour - length) * self._random.random())
            found.append((begin, begin + length))
            at += hour
        return found

    def _outcome(self) -> ChaosOutcome:
        facts = self._record.facts
        alerts = {one.id: one for one in facts if isinstance(one, Alert)}
        receipts = [one for one in facts if isinstance(one, Receipt)]
        heard = {name for one in receipts if one.outcome is Outcome.ACCEPTED for name in one.alerts}
        critical = {one.id for one in alerts.values() if one.severity is AlertSeverity.CRITICAL}
        told = {name for one in receipts for name in one.alerts}
        own = [one for one in self._incidents.all if one.id not in self._known]
        means = self._incidents.means(self._clock.now())
        digest = hashlib.sha256()
        for one in facts:
            digest.update(one.kind.encode() + msgspec.json.encode(one) + b"\n")
        facts_path = self._path.facts()
        return ChaosOutcome(
            seed=self._seed, failures=self._failures, alerts=len(alerts), incidents=len(own),
            acknowledged=sum(one.acknowledged_at is not None for one in own),
            resolved=sum(one.resolved_at is not None for one in own), messages=facts_path.sent,
            undelivered=facts_path.undelivered, unheard=len((critical & told) - heard),
            escalated=sum(one.kind == "alert.escalated" for one in facts), holds=tuple(self._holds),
            mtta=means.mtta, mttr=means.mttr, digest=digest.hexdigest(),
        )  # fmt: skip
