"""The vocabulary of alerts: what is signalled, what is told, and the receipt for it (AR-01, AR-08)."""

from typing import NamedTuple

import msgspec

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.words import Word


class AlertSeverity(Word):
    """How urgent an alert is for people, least first; they compare."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Place on the ladder, 0 for info."""
        return _RANKS[self]

    def __lt__(self, other: "AlertSeverity") -> bool:
        return self.rank < other.rank

    def __le__(self, other: "AlertSeverity") -> bool:
        return self.rank <= other.rank

    def __gt__(self, other: "AlertSeverity") -> bool:
        return self.rank > other.rank

    def __ge__(self, other: "AlertSeverity") -> bool:
        return self.rank >= other.rank


_RANKS = {one: rank for rank, one in enumerate(AlertSeverity)}
OF_FINDING = {
    Severity.OK: AlertSeverity.INFO, Severity.WARN: AlertSeverity.WARNING, Severity.UNKNOWN: AlertSeverity.ERROR,
    Severity.FAIL: AlertSeverity.CRITICAL,
}  # fmt: skip
"""What the framework's severities are for people; OK resolves."""


class AlertState(Word):
    """Whether the condition holds."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Key(NamedTuple):
    """What makes two alerts the same one (AR-09)."""

    code: str
    component: str
    subject: str


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """Something a source has to say; the path makes an alert of it, or counts it.

    severity     explicit; None takes the code's own, else that of `finding`
    finding      the framework's severity where a finding is the source; OK resolves
    cause        what the source rests on, e.g. `journal:812`; equal causes may hide a critical consequence
    accepted_at  monotonic nanoseconds when the event behind it was accepted, None: when the path took the signal
    avoid        channels that must not carry it, because it tells of them
    """

    code: str
    category: str
    message: str
    component: str = "desk"
    subject: str = "desk"
    severity: AlertSeverity | None = None
    finding: Severity | None = None
    observed: str = ""
    limit: str = ""
    runbook: str = ""
    owner: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    cause: str = ""
    firing: bool = True
    accepted_at: int | None = None
    avoid: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """Code, component and subject."""
        return Key(self.code, self.component, self.subject)


@fact("alert.event")
class Alert(Fact, frozen=True, kw_only=True):
    """One alert as it stands: raised, grown worse or resolved. Times are nanoseconds UTC.

    count  how often it was signalled since it began;  since  when it began;  at  when it came to stand like this
    """

    id: str
    code: str
    category: str
    severity: AlertSeverity
    component: str
    subject: str
    message: str
    state: AlertState
    since: int
    at: int
    count: int = 1
    observed: str = ""
    limit: str = ""
    runbook: str = ""
    owner: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    cause: str = ""

    @property
    def key(self) -> Key:
        """Code, component and subject."""
        return Key(self.code, self.component, self.subject)

    @property
    def firing(self) -> bool:
        """Whether the condition holds."""
        return self.state is AlertState.FIRING


class Purpose(Word):
    """Why a notice leaves."""

    ALERT = "alert"
    RESOLVED = "resolved"
    DIGEST = "digest"
    ESCALATION = "escalation"
    TEST = "test"
    CANARY = "canary"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What one channel is handed: one message about one or several alerts, without secrets.

    id           the same for every attempt and channel: receivers drop repeats by it
    dedup        the same for every notice about the same thing: a ticket is kept by it
    hidden       consequences that the alerts explain, as `code component`
    accepted_at, generated_at  monotonic nanoseconds: the event was accepted, the alert was made
    """

    id: str
    purpose: Purpose
    severity: AlertSeverity
    title: str
    text: str
    dedup: str
    at: int
    alerts: tuple[Alert, ...] = ()
    hidden: tuple[str, ...] = ()
    accepted_at: int = 0
    generated_at: int = 0


class Outcome(Word):
    """How a notice ended on one channel; there is nothing in between."""

    ACCEPTED = "accepted"
    UNDELIVERED = "undelivered"


@fact("alert.delivery")
class Receipt(Fact, frozen=True, kw_only=True):
    """What became of one notice on one channel. Accepted by a gateway is not read by a person.

    provider_id  how the gateway calls it;  latency_ns  from the notice to this;  reason  why it was not delivered
    event_ns     from the event behind the notice to this;  dedup  of the notice: what it was about
    """

    notice: str
    channel: str
    outcome: Outcome
    purpose: Purpose
    severity: AlertSeverity
    alerts: tuple[str, ...]
    attempts: int
    latency_ns: int
    at: int
    provider_id: str = ""
    reason: str = ""
    event_ns: int = 0
    dedup: str = ""


@fact("alert.acknowledged")
class AlertAcknowledged(Fact, frozen=True):
    """A person took an alert; escalation waits."""

    alert: str
    person: str
    at: int


@fact("alert.path_opened")
class PathOpened(Fact, frozen=True):
    """A process of the desk runs the path from now on; what fired before is of an earlier one.

    carried  ids of alerts of earlier processes that still climb
    """

    run_id: str
    at: int
    channels: tuple[str, ...]
    carried: tuple[str, ...] = ()


@fact("alert.counted")
class AlertsCounted(Fact, frozen=True):
    """What the path took and told since the last of these, by what became of it; nothing is dropped unseen."""

    at: int
    taken: int
    sent: int
    suppressed: int
    inhibited: int
    silenced: int
    overflowed: int


@fact("alert.silence")
class Silence(Fact, frozen=True, kw_only=True):
    """A waiver that keeps matching alerts from being sent until `until` (AR-12); nanoseconds UTC.

    codes  prefix of the codes;  component, subject  empty for all
    """

    id: str
    codes: str
    owner: str
    reason: str
    since: int
    until: int
    component: str = ""
    subject: str = ""

    def covers(self, alert: Alert, now: int) -> bool:
        """Tell whether an alert is kept back now."""
        return (
            self.since <= now < self.until and alert.code.startswith(self.codes)
            and self.component in ("", alert.component) and self.subject in ("", alert.subject)
        )  # fmt: skip
