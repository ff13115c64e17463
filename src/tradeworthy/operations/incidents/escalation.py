"""Who is asked next while nobody answers, on which channels, and after how long (AR-18)."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.operations.incidents.ladder_policy import EscalationPolicy, TierPolicy
from tradeworthy.operations.incidents.model import Alert, AlertAcknowledged, AlertSeverity, Key

SESSION_DAYS_AHEAD = 8
NOBODY = TierPolicy(roles=(), channels=())


@fact("alert.escalated")
class Escalated(Fact, frozen=True):
    """A tier was asked, or nobody answered at all (`tier` 0)."""

    alert: str
    tier: int
    roles: tuple[str, ...]
    at: int


class Step(NamedTuple):
    """What is due for an alert: ask tiers 1 to 3, or tier 0: nobody answered, so the guard reduces."""

    alert: Alert
    tier: int
    roles: tuple[str, ...]
    channels: tuple[str, ...]
    due: int


class _Climb:
    __slots__ = ("alert", "begun", "done", "tiers")

    def __init__(self, alert: Alert, begun: int, tiers: list[tuple[int, int]]) -> None:
        self.alert, self.begun, self.tiers = alert, begun, tiers
        self.done: set[int] = set()


class Ladder:
    """Climb for every alert that people must answer; pure: the clock comes as an argument, nanoseconds UTC."""

    def __init__(self, policy: EscalationPolicy) -> None:
        self._policy = policy
        self._climbs: dict[Key, _Climb] = {}
        self._told: dict[str, Alert] = {}
        self.refused = 0

    @property
    def climbing(self) -> tuple[str, ...]:
        """The ids of the alerts that climb."""
        return tuple(one.alert.id for one in self._climbs.values())

    @property
    def carried(self) -> tuple[tuple[Alert, int], ...]:
        """The alerts that climb, each with when its climb begins: in the future where somebody took it."""
        return tuple((one.alert, one.begun) for one in self._climbs.values())

    def fold(self, told: Fact) -> None:
        """Take one fact of the journal: what climbed when a process ended climbs on, at the same moments."""
        match told:
            case Alert() if not told.firing:
                self._told.pop(told.id, None)
                self.resolve(told.key)
            case Alert() if told.severity >= AlertSeverity.ERROR:
                self._told[told.id] = told
                known = self._climbs.get(told.key)
                waits = told.severity is AlertSeverity.ERROR and self.session_from(told.at) > told.at
                if waits or (known is not None and told.severity > known.alert.severity):
                    self._restore(told)
            case Escalated() if (alert := self._told.get(told.alert)) is not None:
                known = self._climbs.get(alert.key)
                if known is None:
                    known = self._restore(alert)
                known.done.add(told.tier)
            case AlertAcknowledged() if (alert := self._told.get(told.alert)) is not None:
                self.acknowledge(alert, told.at)
            case _:
                pass

    @property
    def unanswered(self) -> bool:
        """Whether an alert that still climbs came to the end of the ladder."""
        return any(0 in one.done for one in self._climbs.values())

    def begin(self, alert: Alert, now: int) -> list[Step]:
        """Start for a `critical` at once, for an `error` in session, else when the next session begins.

        A rise from error to critical starts anew; a repeat does not. Returns the steps that the alert's first message
        takes along.
        """
        if alert.severity < AlertSeverity.ERROR or not alert.firing:
            return []
        known = self._climbs.get(alert.key)
        if known is not None and known.alert.severity >= alert.severity:
            return []
        if known is None and len(self._climbs) >= self._policy.open_max:
            milder = next((key for key, one in self._climbs.items() if one.alert.severity < alert.severity), None)
            if milder is None:
                self.refused += 1
                return []
            del self._climbs[milder]
        begun = now if alert.severity is AlertSeverity.CRITICAL else self.session_from(now)
        climb = self._climbs[alert.key] = _Climb(alert, begun, self._tiers_of(alert))
        return self._due(climb, now)

    def acknowledge(self, alert: Alert, now: int) -> bool:
        """Stop for `ack_hold_s`; what is not resolved by then climbs again from tier 1."""
        known = self._climbs.get(alert.key)
        if known is None:
            return False
        known.begun = now + nanos(self._policy.ack_hold_s)
        known.done.clear()
        return True

    def resolve(self, key: Key) -> None:
        """End it."""
        self._climbs.pop(key, None)

    def tick(self, now: int) -> list[Step]:
        """Return what is due, oldest first; each step once a climb."""
        found = [step for climb in self._climbs.values() for step in self._due(climb, now)]
        return sorted(found, key=lambda one: (one.due, one.tier or 9))

    def next_due(self) -> int | None:
        """Return when the next step is due."""
        times = [
            climb.begun + after for climb in self._climbs.values() for tier, after in climb.tiers
            if tier not in climb.done
        ]  # fmt: skip
        return min(times, default=None)

    def session_from(self, now: int) -> int:
        """Return `now` inside a session, else when the next one begins."""
        policy = self._policy
        moment = datetime.fromtimestamp(now / NANOS_PER_SECOND, UTC)
        for ahead in range(SESSION_DAYS_AHEAD):
            day = (moment + timedelta(days=ahead)).replace(hour=0, minute=0, second=0, microsecond=0)
            if day.weekday() not in policy.session_weekdays:
                continue
            midnight = round(day.timestamp()) * NANOS_PER_SECOND
            start = midnight + nanos(policy.session_start_hour * 3_600)
            if now < midnight + nanos(policy.session_end_hour * 3_600):
                return max(now, start)
        raise AssertionError("a policy has a session in every week")

    def _restore(self, alert: Alert) -> _Climb:
        begun = alert.at if alert.severity is AlertSeverity.CRITICAL else self.session_from(alert.at)
        climb = self._climbs[alert.key] = _Climb(alert, begun, self._tiers_of(alert))
        return climb

    def _due(self, climb: _Climb, now: int) -> list[Step]:
        found = []
        for tier, after in climb.tiers:
            due = climb.begun + after
            if tier in climb.done or now < due:
                continue
            climb.done.add(tier)
            asked = self._policy.tiers[tier - 1] if tier else NOBODY
            found.append(Step(climb.alert, tier, asked.roles, asked.channels, due))
        return found

    def _tiers_of(self, alert: Alert) -> list[tuple[int, int]]:
        policy = self._policy
        second, third = nanos(policy.tier_2_after_s), nanos(policy.tier_3_after_s)
        if alert.code.startswith(policy.both_codes):
            second = 0
        if alert.code.startswith(policy.legal_codes):
            third = 0
        return [(1, 0), (2, second), (3, third), (0, nanos(policy.no_answer_reducing_s))]
