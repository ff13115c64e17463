"""One message for what belongs together, and few messages in a storm (AR-10, AR-11)."""

from collections import deque
from typing import NamedTuple

from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.operations.incidents.model import Alert, AlertSeverity, Key
from tradeworthy.operations.incidents.policy import AlertPolicy

GROUPS_MAX = 4_096
"""Groups whose last message is remembered; the one that was quiet for longest gives way."""
RESERVED = 2
"""Messages of a storm's budget that are kept for digests."""


class Pending(NamedTuple):
    """An alert that is to leave, over these channels."""

    alert: Alert
    channels: tuple[str, ...]


class Page(NamedTuple):
    """One message to people: alerts of one category and subject, or a digest of a storm."""

    alerts: tuple[Pending, ...]
    digest: bool

    @property
    def worst(self) -> AlertSeverity:
        """The severity of the message."""
        return max(one.alert.severity for one in self.alerts)


class _Group:
    __slots__ = ("due", "pending", "sent", "urgent")

    def __init__(self) -> None:
        self.pending: dict[Key, Pending] = {}
        self.due: int | None = None
        self.sent: int | None = None
        self.urgent = False


class Groups:
    """Gather alerts by category and subject, and let them leave when they are due.

    At most `storm_pages_max` messages leave in `storm_window_s`: milder groups may use half of them, critical ones all
    but two; what is more is told in a digest that names every alert, at most one a `group_interval_s`.
    """

    def __init__(self, policy: AlertPolicy) -> None:
        self._policy = policy
        self._groups: dict[tuple[str, str], _Group] = {}
        self._digest: dict[Key, Pending] = {}
        self._digest_at: int | None = None
        self._pages: deque[int] = deque(maxlen=policy.storm_pages_max)

    @property
    def waiting(self) -> int:
        """Alerts that have not left yet."""
        return len(self._digest) + sum(len(one.pending) for one in self._groups.values())

    def add(self, alert: Alert, channels: tuple[str, ...], now: int, *, fresh: bool) -> None:
        """Let an alert leave with its group; a fresh critical one leaves at the next look.

        fresh  it is new, has risen or was released; a repeat waits for the group's interval
        """
        name = (alert.category, alert.subject)
        group = self._groups.get(name)
        if group is None:
            self._forget()
            group = self._groups[name] = _Group()
        before = group.pending.get(alert.key)
        both = channels if before is None else tuple(dict.fromkeys((*before.channels, *channels)))
        group.pending[alert.key] = Pending(alert, both)
        urgent = fresh and alert.firing and alert.severity is AlertSeverity.CRITICAL
        group.urgent |= urgent
        if urgent:
            due = now
        elif group.sent is None:
            due = now + nanos(self._policy.group_wait_s)
        else:
            due = max(now, group.sent + nanos(self._policy.group_interval_s))
        group.due = due if group.due is None else min(group.due, due)

    def drop(self, alerts: list[Alert]) -> None:
        """Take alerts back that have not left yet."""
        for alert in alerts:
            self._digest.pop(alert.key, None)
            group = self._groups.get((alert.category, alert.subject))
            if group is not None and group.pending.pop(alert.key, None) is not None and not group.pending:
                group.due, group.urgent = None, False

    def next_due(self) -> int | None:
        """Return when the next message may leave, in nanoseconds UTC."""
        times = [one.due for one in self._groups.values() if one.due is not None]
        if self._digest:
            times.append((self._digest_at or 0) + nanos(self._policy.group_interval_s) if self._digest_at else 0)
        return min(times, default=None)

    def leave(self, now: int) -> list[Page]:
        """Return the messages that leave now, critical ones first."""
        due = [one for one in self._groups.values() if one.due is not None and one.due <= now]
        due.sort(key=lambda one: (not one.urgent, one.due))
        found: list[Page] = []
        for group in due:
            alerts = tuple(group.pending.values())
            urgent, group.urgent = group.urgent, False
            group.pending, group.due, group.sent = {}, None, now
            if self._afford(now, urgent=urgent):
                found.append(self._page(alerts, now, digest=False))
            else:
                self._digest |= {one.alert.key: one for one in alerts}
        if self._digest and self._digest_may_leave(now):
            alerts, self._digest = tuple(self._digest.values()), {}
            self._digest_at = now
            found.append(self._page(alerts, now, digest=True))
        return found

    def _page(self, alerts: tuple[Pending, ...], now: int, *, digest: bool) -> Page:
        self._pages.append(now)
        first = sorted(alerts, key=lambda one: (-one.alert.severity.rank, not one.alert.firing, one.alert.since))
        return Page(tuple(first), digest)

    def _in_window(self, now: int) -> int:
        window = nanos(self._policy.storm_window_s)
        return sum(1 for at in self._pages if now - at < window)

    def _afford(self, now: int, *, urgent: bool) -> bool:
        most = self._policy.storm_pages_max
        return self._in_window(now) < (most - RESERVED if urgent else most // 2)

    def _digest_may_leave(self, now: int) -> bool:
        if self._in_window(now) >= self._policy.storm_pages_max:
            return False
        return self._digest_at is None or now - self._digest_at >= nanos(self._policy.group_interval_s)

    def _forget(self) -> None:
        if len(self._groups) < GROUPS_MAX:
            return
        idle = [(one.sent or 0, name) for name, one in self._groups.items() if not one.pending]
        if idle:
            del self._groups[min(idle)[1]]
            return
        for group in self._groups.values():  # all wait at once: that is a storm, and a digest names them
            self._digest |= group.pending
        self._groups.clear()
