"""Everything that leaves: pages, tests, canaries and calls to the next tier, each over its channels, with its times."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from random import Random

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.supervision import Criticality, Scope, TaskPolicy, TaskSupervisor
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.operations.incidents.channel import Channel, Transport
from tradeworthy.operations.incidents.escalation import Step
from tradeworthy.operations.incidents.flights import Flights
from tradeworthy.operations.incidents.grouping import Page
from tradeworthy.operations.incidents.latency import LatencyLedger
from tradeworthy.operations.incidents.model import Alert, AlertSeverity, Notice, Purpose, Receipt
from tradeworthy.operations.incidents.notices import bare, escalation_of, notice_of
from tradeworthy.operations.incidents.policy import AlertPolicy, ChannelPolicy

OWNER = "alerts"
TESTS_MAX = 64
"""Receipts of test alerts that stay readable."""


class Outbox:
    """Hold the channels, and hand notices to them.

    transports  a way out for each channel by name, or why there is none
    canary      the way that canaries take where the policy names no channel
    tell        hears of every receipt
    hidden_by   what an alert explains
    """

    def __init__(
        self, clock: Clock, random: Random, policy: AlertPolicy, *, transports: Mapping[str, Transport | str],
        canary: Transport, tell: Callable[[Receipt], None], hidden_by: Callable[[Alert], tuple[Alert, ...]],
        run_id: str,
    ) -> None:  # fmt: skip
        self._clock, self._policy, self._heard, self._run_id = clock, policy, tell, run_id
        self._hidden_by = hidden_by
        self.ledger = LatencyLedger()
        self.flights = Flights()
        self.tests: deque[Receipt] = deque(maxlen=TESTS_MAX)
        self.channels: dict[str, Channel] = {
            one.name: self._channel(one, transports.get(one.name, "no destination is configured"), random)
            for one in policy.channels
        }
        if policy.canary_channel:
            self.canary = self.channels[policy.canary_channel]
        else:
            self.canary = self._channel(ChannelPolicy(name="canary", transport="file"), canary, random)
        self._tier_waiting: dict[int, dict[str, Step]] = {}
        self._tier_sent: dict[int, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._scope: Scope | None = None
        self._notices = 0

    @property
    def all(self) -> tuple[Channel, ...]:
        """Every channel, that of the canary included."""
        return tuple(dict.fromkeys((*self.channels.values(), self.canary)))

    @property
    def running(self) -> bool:
        """Whether channels have their tasks."""
        return self._loop is not None

    def start(self, supervisor: TaskSupervisor) -> None:
        """Give each channel a task of its own; again does nothing."""
        self._loop = asyncio.get_running_loop()
        if self._scope is not None:
            return
        self._scope = supervisor.scope(OWNER, owner=OWNER)
        for channel in self.all:
            supervisor.create(
                channel.work, owner=OWNER, name=f"{OWNER}.{channel.name}", criticality=Criticality.OPTIONAL,
                scope=self._scope, policy=TaskPolicy(max_restarts=None),
            )  # fmt: skip

    def stop(self, reason: str) -> None:
        """Settle every notice that waits as undelivered."""
        self._loop = None
        for channel in self.all:
            channel.give_up(reason)

    def takes(self, name: str, severity: AlertSeverity) -> bool:
        """Tell whether a channel is meant for a severity."""
        return severity >= self.channels[name].policy.min_severity

    def page(self, page: Page, accepted: int, generated: int, now: int) -> None:
        """Tell people of a page; its times are monotonic nanoseconds of its first alert."""
        number = self._next()
        found: dict[str, Notice] = {}
        for name in dict.fromkeys(name for one in page.alerts for name in one.channels):
            notice = notice_of(
                page, name, number=number, now=now, accepted=accepted, generated=generated, hidden_by=self._hidden_by
            )
            if notice is not None:
                found[name] = notice
        if not found:
            return
        first = next(iter(found.values()))
        self.flights.generated += 1
        if first.severity is AlertSeverity.CRITICAL and not page.digest:
            # milder ones wait in their group on purpose, which is no latency
            self.ledger.left(number, first.purpose.value, accepted, generated, self._clock.monotonic())
        self._hand_over(found)

    def bare(self, purpose: Purpose, title: str, channel: Channel, accepted: int, now: int) -> None:
        """Send a canary or a heartbeat."""
        generated = self._clock.monotonic()
        notice = bare(purpose, title, number=self._next(), now=now, accepted=accepted, generated=generated)
        self.ledger.left(notice.id, purpose.value, accepted, generated, self._clock.monotonic())
        channel.put(notice)

    def test(self, alert: Alert, now: int) -> None:
        """Send a test alert over every channel, whatever its least severity is."""
        mono = self._clock.monotonic()
        notice = Notice(
            id=self._next(), purpose=Purpose.TEST, severity=AlertSeverity.CRITICAL,
            title="[TEST] test of the alert path", text=f"{alert.message}; id {alert.id}", dedup=f"test|{alert.id}",
            at=now, alerts=(alert,), accepted_at=mono, generated_at=mono,
        )  # fmt: skip
        self.ledger.left(notice.id, notice.purpose.value, mono, mono, self._clock.monotonic())
        self._hand_over(dict.fromkeys(self.channels, notice))

    def escalate(self, steps: Iterable[Step], now: int) -> None:
        """Ask the next tiers; what is due within `group_wait_s` of a call to a tier goes with its next one."""
        for step in steps:
            self._tier_waiting.setdefault(step.tier, {})[step.alert.id] = step
        for tier, waiting in tuple(self._tier_waiting.items()):
            last = self._tier_sent.get(tier)
            if last is not None and now - last < nanos(self._policy.group_wait_s):
                continue
            self._tier_sent[tier] = now
            del self._tier_waiting[tier]
            asked = next(iter(waiting.values()))
            alerts = (one.alert for one in waiting.values())
            notice = escalation_of(alerts, tier, asked.roles, number=self._next(), now=now)
            self._hand_over({name: notice for name in asked.channels if self.takes(name, notice.severity)})

    def taken(self, alert: Alert) -> None:
        """Ask nobody else about an alert that a person took."""
        for waiting in self._tier_waiting.values():
            waiting.pop(alert.id, None)
        self._tier_waiting = {tier: one for tier, one in self._tier_waiting.items() if one}

    def _hand_over(self, notices: Mapping[str, Notice]) -> None:
        for name, notice in notices.items():
            self.flights.left(notice, name)
        for name, notice in notices.items():
            self.channels[name].put(notice)

    def _tell(self, receipt: Receipt) -> None:
        if receipt.purpose is Purpose.TEST:
            self.tests.append(receipt)
        self._heard(receipt)

    def _channel(self, policy: ChannelPolicy, way: Transport | str, random: Random) -> Channel:
        own, bounds = Random(random.getrandbits(64)), self._policy
        if isinstance(way, str):
            return Channel(policy, None, self._clock, own, bounds, self._tell, problem=way)
        return Channel(policy, way, self._clock, own, bounds, self._tell)

    def _next(self) -> str:
        self._notices += 1
        return f"{self._run_id}:n{self._notices}"
