"""Every alert that holds, and what becomes of a signal: told, counted, explained, silenced, held (AR-09 to AR-13)."""

from collections import OrderedDict, deque
from typing import NamedTuple

import msgspec

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.kernel.words import Word
from tradeworthy.operations.incidents.catalogue import CONSEQUENCES, NEVER_SILENCED, explains, runbook_of, severity_of
from tradeworthy.operations.incidents.model import Alert, AlertSeverity, AlertState, Key, Signal, Silence
from tradeworthy.operations.incidents.policy import AlertPolicy
from tradeworthy.operations.incidents.routing import Routing

SILENCES_MAX = 64


class Why(Word):
    """What became of a signal."""

    NEW = "new"
    RISEN = "risen"
    REPEATED = "repeated"
    RELEASED = "released"
    RESOLVED = "resolved"
    SUPPRESSED = "suppressed"
    INHIBITED = "inhibited"
    SILENCED = "silenced"
    FLAPPING = "flapping"
    BELOW = "below"
    OVERFLOWED = "overflowed"
    NOTHING = "nothing"


FRESH = frozenset({Why.NEW, Why.RISEN, Why.RESOLVED})
"""What changed an alert, whether it is told or not."""


class Verdict(NamedTuple):
    """What became of one signal: the alert as it stands, and the channels that are to be told; none: nobody.

    changed  whether the alert is another one than before, and so is journaled
    """

    why: Why
    alert: Alert | None = None
    channels: tuple[str, ...] = ()
    changed: bool = False


class _Known:
    """One alert with its memory."""

    __slots__ = ("acked_until", "alert", "avoid", "changes", "channels", "held", "root", "sent", "silenced")

    def __init__(self, alert: Alert, flap_count: int) -> None:
        self.alert = alert
        self.avoid: tuple[str, ...] = ()
        self.channels: dict[str, None] = {}
        self.changes: deque[int] = deque(maxlen=flap_count)
        self.held: Alert | None = None
        self.root: Key | None = None
        self.sent: dict[str, int] = {}
        self.acked_until = 0
        self.silenced = False


class AlertBook:
    """Keep alerts by their keys; `now` is nanoseconds UTC and never goes back by more than clocks do.

    run_id  makes the ids of this life its own
    """

    def __init__(self, policy: AlertPolicy, routing: Routing, *, run_id: str) -> None:
        self._policy, self._routing, self._run_id = policy, routing, run_id
        self._known: OrderedDict[Key, _Known] = OrderedDict()
        self._roots: dict[str, dict[Key, None]] = {}
        self._below: dict[Key, dict[Key, None]] = {}
        self._silences: dict[str, Silence] = {}
        self._carried: dict[Key, None] = {}
        self._number = 0
        self.overflowed = 0

    @property
    def firing(self) -> tuple[Alert, ...]:
        """Every alert that holds, worst first."""
        found = [one.alert for one in self._known.values() if one.alert.firing]
        return tuple(sorted(found, key=lambda one: (-one.severity.rank, one.since, one.id)))

    @property
    def silences(self) -> tuple[Silence, ...]:
        """Every silence that was given and not forgotten."""
        return tuple(self._silences.values())

    def take(self, signal: Signal, now: int) -> Verdict:
        """Take one signal."""
        if not signal.firing:
            return self._clear(signal.key, now)
        severity = severity_of(signal, self._policy.severities)
        self._carried.pop(signal.key, None)
        known = self._known.get(signal.key)
        if known is None:
            if len(self._known) >= self._policy.active_max and not self._make_room(severity):
                self.overflowed += 1
                return Verdict(Why.OVERFLOWED)
            known = _Known(self._alert_of(signal, severity, now), self._policy.flap_count)
            self._known[signal.key] = known
            why = Why.NEW
        else:
            self._known.move_to_end(signal.key)
            why = self._renew(known, signal, severity, now)
        known.avoid = signal.avoid
        if why is Why.NEW:
            known.changes.append(now)
        return self._judge(known, why, now)

    def restore(self, alert: Alert, acked_until: int) -> None:
        """Carry an alert of an earlier process on; those who were told of it are told of its end."""
        known = _Known(alert, self._policy.flap_count)
        known.acked_until = acked_until
        known.sent[""] = alert.at
        for route in self._routing.routes(alert.category, alert.severity):
            known.sent[route.rule] = alert.at
            known.channels |= dict.fromkeys(route.channels)
        known.changes.append(alert.at)
        self._known[alert.key] = known
        self._carried[alert.key] = None
        if alert.code in CONSEQUENCES:
            self._roots.setdefault(alert.subject, {})[alert.key] = None

    def carried(self, key: Key) -> bool:
        """Tell whether an alert is of an earlier process, and nothing has signalled it in this one."""
        return key in self._carried

    def resolve(self, key: Key, now: int) -> Verdict:
        """Clear an alert, by its source or by hand."""
        return self._clear(key, now)

    def tick(self, now: int) -> list[Verdict]:
        """Return what time alone brings: repeats, flapping that ended, silences that ran out; forget what is over."""
        found: list[Verdict] = []
        window = nanos(self._policy.flap_window_s)
        self._silences = {key: one for key, one in self._silences.items() if one.until > now}
        for key, known in tuple(self._known.items()):
            if known.held is not None and now - known.changes[-1] >= window:
                known.held = None
                found.append(self._over(known, now))
            elif not known.alert.firing:
                if now - known.alert.at >= window:
                    self._forget(key)
            elif known.silenced and not any(one.covers(known.alert, now) for one in self._silences.values()):
                found.append(self._judge(known, Why.RELEASED, now))
            elif known.root is None and known.acked_until <= now and self._due(known, now):
                found.append(self._judge(known, Why.REPEATED, now, routes_due=True))
        return found

    def told(self, alert: Alert, now: int) -> None:
        """Note that an alert left for its channels."""
        known = self._known.get(alert.key)
        if known is not None:
            known.sent |= {"": now}

    def acknowledge(self, alert_id: str, until: int) -> Alert | None:
        """Take an alert until then: it is not repeated; returns it, None where no such alert holds."""
        for known in self._known.values():
            if known.alert.id == alert_id and known.alert.firing:
                known.acked_until = until
                return known.alert
        return None

    def silence(self, silence: Silence) -> None:
        """Keep matching alerts back; raises `UsageError` for what may not be silenced (AR-12)."""
        longest = nanos(self._policy.silence_max_hours * 3_600)
        if not silence.owner or not silence.reason:
            raise UsageError("a silence needs an owner and a reason, found an empty one")
        if not silence.codes:
            raise UsageError("a silence names the codes that it covers, found none")
        if any(one.startswith(silence.codes) or silence.codes.startswith(one) for one in NEVER_SILENCED):
            raise UsageError(f"{silence.codes!r}: alerts of {', '.join(NEVER_SILENCED)} are never silenced")
        if not 0 < silence.until - silence.since <= longest:
            raise UsageError(f"a silence lasts at most {self._policy.silence_max_hours:g} h and ends after it begins")
        if len(self._silences) >= SILENCES_MAX and silence.id not in self._silences:
            raise UsageError(f"expected at most {SILENCES_MAX} silences at once")
        self._silences[silence.id] = silence

    def hidden_by(self, alert: Alert) -> tuple[Alert, ...]:
        """Return the firing alerts that this one explains."""
        below = (self._known.get(key) for key in self._below.get(alert.key, ()))
        return tuple(one.alert for one in below if one is not None and one.root == alert.key and one.alert.firing)

    def flapping(self, key: Key) -> bool:
        """Tell whether an alert is held open because it came and went too often."""
        known = self._known.get(key)
        return known is not None and known.held is not None

    def _alert_of(self, signal: Signal, severity: AlertSeverity, now: int) -> Alert:
        self._number += 1
        clean: Signal = msgspec.structs.replace(
            signal, message=str(redact(signal.message)), observed=str(redact(signal.observed)),
            tags=tuple((key, str(redact({key: value})[key])) for key, value in signal.tags),
            subject=str(redact(signal.subject)),
        )  # fmt: skip
        return Alert(
            id=f"{self._run_id}:{self._number}", code=clean.code, category=clean.category, severity=severity,
            component=clean.component, subject=clean.subject, message=clean.message, state=AlertState.FIRING,
            since=now, at=now, observed=clean.observed, limit=clean.limit,
            runbook=clean.runbook or runbook_of(clean.code), owner=clean.owner, tags=clean.tags, cause=clean.cause,
        )  # fmt: skip

    def _renew(self, known: _Known, signal: Signal, severity: AlertSeverity, now: int) -> Why:
        before = known.alert
        if not before.firing:
            known.alert = self._alert_of(signal, severity, now)
            return Why.NEW
        if known.held is not None:
            known.held = None
            known.changes.append(now)
        risen = severity > before.severity
        known.alert = msgspec.structs.replace(
            before, count=before.count + 1, severity=max(severity, before.severity), at=now if risen else before.at,
            message=str(redact(signal.message)), observed=str(redact(signal.observed)),
        )  # fmt: skip
        return Why.RISEN if risen else Why.REPEATED

    def _judge(self, known: _Known, why: Why, now: int, *, routes_due: bool = False) -> Verdict:
        alert = known.alert
        changed = why in FRESH
        if alert.code in CONSEQUENCES:
            self._roots.setdefault(alert.subject, {})[alert.key] = None
        known.root = None
        root = next((key for key in self._roots.get(alert.subject, ()) if self._explained_by(key, alert)), None)
        if root is not None:
            self._put_below(known, root)
            return Verdict(Why.INHIBITED, alert, (), changed)
        known.silenced = any(one.covers(alert, now) for one in self._silences.values())
        if known.silenced:
            return Verdict(Why.SILENCED, alert, (), changed)
        routes = self._routing.routes(alert.category, alert.severity)
        channels: dict[str, None] = {}
        for route in routes:
            last = known.sent.get(route.rule)
            if last is None or why in (Why.RISEN, Why.RELEASED) or routes_due or now - last >= nanos(route.suppress_s):
                known.sent[route.rule] = now
                channels |= {name: None for name in route.channels if name not in known.avoid}
        if not routes:
            return Verdict(Why.BELOW, alert, (), changed)
        if not channels:
            return Verdict(Why.SUPPRESSED, alert, (), changed)
        known.channels |= channels
        return Verdict(why, alert, tuple(channels), changed)

    def released(self, root: Alert, now: int) -> list[Verdict]:
        """Return what a root no longer explains and still holds, to be told now."""
        below = self._below.pop(root.key, {})
        freed = [known for key in below if (known := self._known.get(key)) is not None and known.root == root.key]
        return [self._judge(one, Why.RELEASED, now) for one in freed if one.alert.firing]

    def explained(self, root: Alert) -> list[Alert]:
        """Put the alerts that a new root explains below it; returns them, so that none of them leaves."""
        if root.code not in CONSEQUENCES or not root.firing:
            return []
        found = [one for one in self._known.values() if one.alert.firing and explains(root, one.alert)]
        for one in found:
            self._put_below(one, root.key)
        return [one.alert for one in found]

    def _put_below(self, known: _Known, root: Key) -> None:
        known.root = root
        self._below.setdefault(root, {})[known.alert.key] = None

    def _explained_by(self, key: Key, alert: Alert) -> bool:
        root = self._known.get(key)
        return root is not None and explains(root.alert, alert)

    def _clear(self, key: Key, now: int) -> Verdict:
        known = self._known.get(key)
        if known is None or not known.alert.firing or known.held is not None:
            return Verdict(Why.NOTHING)
        known.changes.append(now)
        if self._flaps(known, now):
            known.held = known.alert
            return Verdict(Why.FLAPPING, known.alert)
        return self._over(known, now)

    def _over(self, known: _Known, now: int) -> Verdict:
        known.alert = msgspec.structs.replace(known.alert, state=AlertState.RESOLVED, at=now)
        if known.root is not None:
            self._below.get(known.root, {}).pop(known.alert.key, None)
        channels, known.channels, known.root = tuple(known.channels), {}, None
        roots = self._roots.get(known.alert.subject, {})
        roots.pop(known.alert.key, None)
        if not roots:
            self._roots.pop(known.alert.subject, None)
        return Verdict(Why.RESOLVED, known.alert, channels, True)

    def _flaps(self, known: _Known, now: int) -> bool:
        window, count = nanos(self._policy.flap_window_s), self._policy.flap_count
        return len(known.changes) == count and now - known.changes[0] < window

    def _due(self, known: _Known, now: int) -> bool:
        last = known.sent.get("")
        critical = known.alert.severity is AlertSeverity.CRITICAL
        repeat = self._policy.repeat_critical_s if critical else self._policy.repeat_s
        return last is not None and now - last >= nanos(repeat)

    def _make_room(self, severity: AlertSeverity) -> bool:
        """Forget one alert that is over, else the oldest that is milder than a critical newcomer."""
        gone = next((key for key, one in self._known.items() if not one.alert.firing), None)
        if gone is None and severity is AlertSeverity.CRITICAL:
            milder = (key for key, one in self._known.items() if one.alert.severity < severity)
            gone = next((key for key in milder if key.code not in CONSEQUENCES), None)
        if gone is None:
            return False
        self._forget(gone)
        return True

    def _forget(self, key: Key) -> None:
        known = self._known.pop(key)
        self._carried.pop(key, None)
        if known.root is not None:
            self._below.get(known.root, {}).pop(key, None)
