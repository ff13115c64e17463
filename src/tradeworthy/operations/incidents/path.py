"""The way of an alert: taken from any thread, journaled, told, received, climbed; one supervised task (AR-02)."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from random import Random

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import DeskError, UsageError
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision import TaskSupervisor
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.kernel.supervision.task import Pulse
from tradeworthy.operations.incidents.acts import Answer, Record, Request
from tradeworthy.operations.incidents.book import AlertBook, Verdict, Why
from tradeworthy.operations.incidents.channel import Transport
from tradeworthy.operations.incidents.drills import DRILL_CODE, force_failure
from tradeworthy.operations.incidents.escalation import Escalated, Ladder, Step
from tradeworthy.operations.incidents.grouping import Groups, Page
from tradeworthy.operations.incidents.latency import CanaryLost, CanaryWatch
from tradeworthy.operations.incidents.lifecycle import IncidentBook, Phase
from tradeworthy.operations.incidents.model import (
    Alert,
    AlertsCounted,
    AlertSeverity,
    Outcome,
    Purpose,
    Receipt,
    Signal,
    Silence,
)
from tradeworthy.operations.incidents.outbox import Outbox
from tradeworthy.operations.incidents.path_model import AlertMeter, Unmeasured, topic_of
from tradeworthy.operations.incidents.path_model import PathFacts as PathFacts
from tradeworthy.operations.incidents.path_model import PathPolicy as PathPolicy
from tradeworthy.operations.incidents.people import (
    HELD_CANARY,
    HELD_NO_ANSWER,
    HELD_UNDELIVERED,
    Acting,
    Guards,
    People,
)
from tradeworthy.operations.incidents.regulatory import Brought
from tradeworthy.operations.incidents.routing import Routing
from tradeworthy.operations.incidents.tickets import Scene, scene_of
from tradeworthy.operations.incidents.triggers import Triggers
from tradeworthy.operations.incidents.unrouted import UNROUTED

CANARY, UNDELIVERED = "alert_path.canary", "alert_path.undelivered"
NOBODY_CODE, CANARY_LOST = "alert_path.undelivered_everywhere", "alert_path.canary_lost"
TURN_SIGNALS = 500
"""Signals of one turn, so that the loop belongs to others in between."""
TICK_NS = 5 * NANOS_PER_SECOND
"""How often what time alone brings is looked at."""
TIMES_MAX = 8_192
"""Alerts whose times are kept until they leave."""
TURN_S = 0.5
"""The longest wait of a turn: what people ask is looked at as often."""
JUDGED = "snapshot:"
"""How the cause of a finding begins."""
LOG = logging.getLogger("tradeworthy.alerts")


class AlertPath:
    """Take signals, tell people, keep receipts, climb and open incidents.

    transports  a way out for each channel by name, or why there is none
    canary      the way that canaries take where the policy names no channel
    record      journals facts, durable before anything is sent; where it fails, alerts leave all the same
    incidents   the book, folded from the journal already
    publish     tells telemetry of an accepted event; what it raises is its own matter
    asked       what people asked for since the last call;  answer  takes what became of each
    delivered   hears of each accepted receipt: channel, and seconds from the notice
    ladder      folded from the journal: what climbed in the last process climbs on
    meter       measures the path, each 5 s, and each alert that was made
    scene       what the desk holds now, for an incident at a phase; None: nobody looks
    silences    of the last process that still hold
    looks       what time alone brings outside the path, e.g. a gap in the roster; asked each 5 s
    """

    def __init__(
        self, clock: Clock, supervisor: TaskSupervisor, random: Random, policy: PathPolicy, *,
        transports: Mapping[str, Transport | str], canary: Transport, record: Record, incidents: IncidentBook,
        guards: Guards, run_id: str, publish: Callable[[str, Event], None] = lambda topic, event: None,
        asked: Callable[[], tuple[Request, ...]] = tuple, answer: Callable[[Answer], None] = lambda answer: None,
        delivered: Callable[[str, float], None] = lambda channel, seconds: None, ladder: Ladder | None = None,
        looks: Callable[[int], Brought] = lambda now: Brought((), ()), meter: AlertMeter | None = None,
        scene: Scene | None = None, silences: Iterable[Silence] = (),
    ) -> None:  # fmt: skip
        self._clock, self._supervisor, self._policy, self._guards = clock, supervisor, policy, guards
        self._record, self._publish, self._asked, self._answer = record, publish, asked, answer
        self._delivered = delivered
        self.routing = Routing(policy.alerts)
        self.book = AlertBook(policy.alerts, self.routing, run_id=run_id)
        self.incidents = incidents
        self.ladder = ladder or Ladder(policy.escalation)
        self._groups = Groups(policy.alerts)
        self.outbox = Outbox(
            clock, random, policy.alerts, transports=transports, canary=canary, tell=self._on_receipt,
            hidden_by=self.book.hidden_by, run_id=run_id,
        )  # fmt: skip
        self._canary = CanaryWatch(policy.alerts, clock.monotonic())
        self._heartbeat_at = clock.monotonic()
        self._inbox: deque[tuple[Signal, int]] = deque()
        self._lock = threading.Lock()
        self._ready: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._facts: list[Fact] = []
        self._times: dict[str, tuple[int, int]] = {}
        self._hold_at: int | None = None
        self._tick_at = clock.monotonic()
        self._broken: dict[str, None] = {}
        self._counts = dict.fromkeys(Why, 0)
        self._taken = self._overflowed = self._unrecorded = self._told_unrouted = 0
        self._people = People(
            clock, self.book, self.ladder, incidents, guards, Acting(
                self._facts_append, self._keep, self._apply_now, self.outbox.test, self.outbox.taken,
                lambda: self._canary.lost, lambda drill: force_failure(supervisor, drill),
            ), ack_hold_s=policy.escalation.ack_hold_s,
        )  # fmt: skip
        self._counted = AlertsCounted(0, 0, 0, 0, 0, 0, 0)
        self._looks, self._meter, self._scene = looks, meter or Unmeasured(), scene
        for silence in silences:
            with suppress(UsageError):  # what may not be silenced any more is told
                self.book.silence(silence)
        self._triggers = Triggers()
        self._carry_on()

    # what sources call

    def tell(self, signal: Signal) -> None:
        """Take a signal, from any thread; a full inbox counts what is not critical, and says so."""
        accepted = self._clock.monotonic() if signal.accepted_at is None else signal.accepted_at
        with self._lock:
            if len(self._inbox) >= self._policy.alerts.inbox_max and signal.severity is not AlertSeverity.CRITICAL:
                self._overflowed += 1
                return
            self._inbox.append((signal, accepted))
        loop, ready = self._loop, self._ready
        if loop is not None and ready is not None and not ready.is_set():
            try:
                loop.call_soon_threadsafe(ready.set)
            except RuntimeError:  # the loop is closed: the last turn of `close` takes what is left
                return

    async def work(self, pulse: Pulse) -> None:
        """Run the path for ever: the factory of its supervised task; a new attempt goes on where one broke."""
        self._loop, self._ready = asyncio.get_running_loop(), asyncio.Event()
        self.outbox.start(self._supervisor)
        while True:
            pulse.beat()
            self._ready.clear()
            self.turn()
            if self._inbox:
                await asyncio.sleep(0)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(self._wait_s()):  # `wait_for` may lose a cancellation to a result
                    await self._ready.wait()

    def close(self, reason: str = "the process ends") -> None:
        """Take what is left, and settle every notice that waits: nothing ends without a receipt."""
        self._loop = self._ready = None
        self.turn()
        self.outbox.stop(reason)
        self._keep()

    def turn(self) -> None:
        """Do what is due now: journal first, then tell."""
        now, mono = self._clock.now(), self._clock.monotonic()
        for _ in range(min(len(self._inbox), TURN_SIGNALS)):
            with self._lock:
                signal, accepted = self._inbox.popleft()
            self._take(signal, accepted, now)
        for asked in self._asked():
            self._answer(self.act(asked))
        if mono >= self._tick_at:
            self._tick_at = mono + TICK_NS
            self._meter.path(self.facts())
            for verdict in self.book.tick(now):
                self._apply(verdict, mono, now)
            brought = self._looks(now)
            self._facts += brought.facts
            for signal in brought.signals:
                self._take(signal, mono, now)
        self._watch_itself(now, mono)
        steps = self.ladder.tick(now)
        pages = self._groups.leave(now)
        self._keep()
        for page in pages:
            self._tell_people(page, now)
        self._climb(steps, now)

    def act(self, asked: Request) -> Answer:
        """Do what a person asks, journal it, and answer."""
        return self._people.act(asked)

    def facts(self) -> PathFacts:
        """Return the path at this moment."""
        outbox, reached = self.outbox, self.outbox.flights
        severity = outbox.ledger.severity(self._policy.alerts)
        reachable = any(one.configured for one in outbox.channels.values())
        if self._canary.lost or self._hold_at is not None or not reachable:
            severity = Severity.FAIL
        return PathFacts(
            outbox.running, tuple(one.facts() for one in outbox.all), len(self.book.firing),
            self._groups.waiting + len(self._inbox), self._taken, reached.sent, reached.undelivered, reached.nobody,
            self._counts[Why.SUPPRESSED], self._counts[Why.INHIBITED], self._overflowed + self.book.overflowed,
            self._unrecorded, self._canary.missing, self._canary.age(self._clock.monotonic()),
            outbox.ledger.generation(), outbox.ledger.receipt(), severity, reached.generated,
        )  # fmt: skip

    # signals

    def _take(self, signal: Signal, accepted: int, now: int) -> None:
        if signal.code == CANARY:
            self.outbox.bare(Purpose.CANARY, "canary", self.outbox.canary, accepted, now)
            return
        self._taken += 1
        signal = self._trigger(signal, now)
        finding_ok = signal.finding is Severity.OK and signal.severity is None
        if signal.firing and finding_ok:
            signal = msgspec.structs.replace(signal, firing=False)
        self._apply(self.book.take(signal, now), accepted, now)
        if len(self.routing.unrouted) > self._told_unrouted:
            category = tuple(self.routing.unrouted)[self._told_unrouted]
            self._told_unrouted += 1
            self.tell(Signal(
                code="alert_path.unrouted_category", category="alert_path.routing", subject=category,
                message=f"no rule names the category {category!r}; the default channels were told",
            ))  # fmt: skip

    def _trigger(self, signal: Signal, now: int) -> Signal:
        """Do what the trigger matrix says, and let the alert say whom it is for."""
        told, acts = self._triggers.take(signal, now)
        port = self._guards.triggers
        for one in acts:
            if port is None:
                continue
            if one.active:
                port.hold(one.code, one.level, one.scope, one.evidence, one.expires_at)
            else:
                port.release(one.code, one.level, one.scope)
        return told

    def _carry_on(self) -> None:
        """Take what still climbs over from the last process."""
        now = self._clock.now()
        for alert, begun in self.ladder.carried:
            self.book.restore(alert, max(0, begun) if begun > now else 0)
        for alert, _ in self.ladder.carried:
            for other in self.book.explained(alert):
                self.ladder.resolve(other.key)
        if self.ladder.unanswered and self._guards.escalation is not None:
            self._guards.escalation.hold(HELD_NO_ANSWER, "nobody answered in the last process")
        for one in self.incidents.severe():
            if one.phase is Phase.OPEN:
                self._people.block(one.id)

    def _apply(self, verdict: Verdict, accepted: int, now: int) -> None:
        self._counts[verdict.why] += 1
        alert = verdict.alert
        if alert is None:
            return
        if verdict.changed:
            self._facts.append(alert)
        channels = verdict.channels
        if verdict.why is Why.RESOLVED:
            self.ladder.resolve(alert.key)
            for freed in self.book.released(alert, now):
                self._apply(freed, accepted, now)
        elif verdict.why in (Why.NEW, Why.RISEN, Why.RELEASED):
            explained = self.book.explained(alert)
            self._groups.drop(explained)
            for other in explained:
                self.ladder.resolve(other.key)
            channels = (*channels, *self._first_steps(alert, now))
            self._open_incident(alert, now)
        elif verdict.why in (Why.INHIBITED, Why.FLAPPING):
            self._groups.drop([alert])
            if verdict.why is Why.INHIBITED:
                self.ladder.resolve(alert.key)
        if channels:
            while len(self._times) >= TIMES_MAX:
                del self._times[next(iter(self._times))]
            made = self._clock.monotonic()
            if alert.id not in self._times:
                self._times[alert.id] = accepted, made
                self._meter.generated((made - accepted) / NANOS_PER_SECOND)
            fresh = verdict.why is not Why.REPEATED
            self._groups.add(alert, tuple(dict.fromkeys(channels)), now, fresh=fresh)
            self.book.told(alert, now)

    def _first_steps(self, alert: Alert, now: int) -> list[str]:
        """Return the channels of the tiers that are asked with the first message."""
        if alert.code.startswith(UNDELIVERED):
            return []  # the ladder would climb over the channel that is broken
        found: list[str] = []
        for step in self.ladder.begin(alert, now):
            self._facts.append(Escalated(alert.id, step.tier, step.roles, now))
            found += [name for name in step.channels if self.outbox.takes(name, alert.severity)]
        return found

    def _open_incident(self, alert: Alert, now: int) -> None:
        if alert.severity >= self._policy.incidents.open_from or alert.code == UNROUTED:
            opened = self.incidents.open_for(alert, now)
            if opened is not None:
                self._fold(opened)
                if not alert.cause.startswith(JUDGED):  # a judgement stops nothing by itself: its gate does
                    self._people.block(opened.incident)

    def _fold(self, told: Fact) -> None:
        self.incidents.fold(told)
        self._facts_append(told)

    # telling

    def _tell_people(self, page: Page, now: int) -> None:
        times = [self._times.pop(one.alert.id, None) for one in page.alerts]
        mono = self._clock.monotonic()
        accepted, generated = min((one for one in times if one is not None), default=(mono, mono))
        self.outbox.page(page, accepted, generated, now)

    def _climb(self, steps: list[Step], now: int) -> None:
        for step in steps:
            self._facts.append(Escalated(step.alert.id, step.tier, step.roles, now))
            if step.tier == 0 and self._guards.escalation is not None and step.alert.code != DRILL_CODE:
                said = f"alert {step.alert.id} {step.alert.code}: nobody answered"
                self._guards.escalation.hold(HELD_NO_ANSWER, said)
        self.outbox.escalate((one for one in steps if one.tier), now)

    def _on_receipt(self, receipt: Receipt) -> None:
        self._facts.append(receipt)
        accepted = receipt.outcome is Outcome.ACCEPTED
        mono, now = self._clock.monotonic(), self._clock.now()
        if accepted:
            self._delivered(receipt.channel, receipt.latency_ns / NANOS_PER_SECOND)
            row = self.outbox.ledger.received(receipt.notice, mono, now)
            if row is not None:
                self._facts.append(row)
        if receipt.purpose is Purpose.CANARY:
            if accepted and receipt.channel == self.outbox.canary.name and self._canary.came(mono):
                self._facts.append(CanaryLost(0, now))
                self.tell(Signal(code=CANARY_LOST, category=CANARY_LOST, message="canaries come back", firing=False))
            return
        landed = self.outbox.flights.landed(receipt)
        if accepted:
            self._hold_at = None
            if self._broken.pop(receipt.channel, False) is None:
                self.tell(self._channel_signal(receipt, firing=False))
        elif receipt.channel not in self._broken or receipt.severity is AlertSeverity.CRITICAL:
            self._broken[receipt.channel] = None
            self.tell(self._channel_signal(receipt, firing=True))
        unheard = landed.nobody and landed.purpose not in (Purpose.RESOLVED, Purpose.TEST)
        if unheard and landed.severity is AlertSeverity.CRITICAL:
            self._hold_at = self._hold_at or mono + nanos(self._policy.alerts.undelivered_hold_s)

    def _channel_signal(self, receipt: Receipt, *, firing: bool) -> Signal:
        said = f"channel {receipt.channel}: {receipt.reason or 'it takes notices again'}"
        return Signal(
            code=UNDELIVERED, category=UNDELIVERED, component=receipt.channel, subject=receipt.channel, message=said,
            firing=firing, avoid=(receipt.channel,), severity=AlertSeverity.WARNING,
        )  # fmt: skip

    # watching itself

    def _watch_itself(self, now: int, mono: int) -> None:
        if self._canary.due(mono):
            if self._canary.missing:
                self._facts.append(CanaryLost(self._canary.missing, now))
            if self._canary.missing == self._policy.alerts.canary_missing_fail:
                said = f"{self._canary.missing} canaries did not come back over {self.outbox.canary.name}"
                self._pause(HELD_CANARY, said)
                self.tell(Signal(
                    code=CANARY_LOST, category=CANARY_LOST, message=said, avoid=(self.outbox.canary.name,)
                ))  # fmt: skip
            self.tell(Signal(code=CANARY, category=CANARY, message="canary"))
            self._count(now)
        beat_to = self._policy.alerts.dead_man_channel
        if beat_to and mono >= self._heartbeat_at:
            self._heartbeat_at = mono + nanos(self._policy.alerts.dead_man_period_s)
            said = f"heartbeat; page after {self._policy.alerts.dead_man_timeout_s:g} s of silence"
            self.outbox.bare(Purpose.CANARY, said, self.outbox.channels[beat_to], mono, now)
        if self._hold_at is not None and mono >= self._hold_at:
            self._hold_at = None
            said = "a critical alert reached no channel"
            self._pause(HELD_UNDELIVERED, said)
            self.tell(Signal(code=NOBODY_CODE, category=NOBODY_CODE, message=said))

    def _pause(self, code: str, said: str) -> None:
        LOG.error("alert_path_lost", extra={"code": code, "said": said})
        if self._guards.alert_path is not None:
            self._guards.alert_path.hold(code, said)

    def _count(self, now: int) -> None:
        counts = self._counts
        told = AlertsCounted(
            now, self._taken, self.outbox.flights.sent, counts[Why.SUPPRESSED], counts[Why.INHIBITED],
            counts[Why.SILENCED], self._overflowed + self.book.overflowed,
        )  # fmt: skip
        if msgspec.structs.replace(told, at=0) != msgspec.structs.replace(self._counted, at=0):
            self._counted = told
            self._facts.append(told)

    # parts

    def _facts_append(self, told: Fact) -> None:
        self._facts.append(told)
        held = scene_of(self._scene, told, self._clock.now())
        if held is not None:
            self._facts.append(held)
            self.incidents.fold(held)

    def _apply_now(self, verdict: Verdict) -> None:
        self._apply(verdict, self._clock.monotonic(), self._clock.now())

    def _keep(self) -> None:
        """Journal what happened; where that fails, say so and go on: people must hear of it (FW-23)."""
        facts, self._facts = self._facts, []
        if not facts:
            return
        try:
            events = self._record.tell_all(facts)
        except DeskError as problem:
            self._unrecorded += len(facts)
            LOG.critical("alerts_unrecorded", extra={"facts": len(facts), "error": str(problem)})
            return
        for event in events:
            topic = topic_of(event.payload)
            if topic is not None:
                try:
                    self._publish(topic, event)
                except DeskError as problem:
                    LOG.warning("alert_not_published", extra={"topic": topic, "error": str(problem)})

    def _wait_s(self) -> float:
        due = [one for one in (self._groups.next_due(), self.ladder.next_due()) if one is not None]
        wait = TURN_S
        if due:
            wait = min(wait, (min(due) - self._clock.now()) / NANOS_PER_SECOND)
        wait = min(wait, (self._canary.next_at - self._clock.monotonic()) / NANOS_PER_SECOND)
        return max(wait, 0.001)
