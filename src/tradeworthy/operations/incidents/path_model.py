"""What the path of an alert is made with, what it says of itself, and which topic hears of which of its facts."""

from typing import NamedTuple, Protocol

import msgspec

from tradeworthy.kernel.facts import Fact
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.channel import ChannelFacts
from tradeworthy.operations.incidents.escalation import Escalated
from tradeworthy.operations.incidents.ladder_policy import EscalationPolicy, reachable
from tradeworthy.operations.incidents.latency import AlertLatency, Quantile
from tradeworthy.operations.incidents.model import Alert, AlertAcknowledged, Receipt, Silence
from tradeworthy.operations.incidents.policy import AlertPolicy, IncidentPolicy

EVENTS, DELIVERIES, INCIDENTS = "telemetry.alerts.event", "telemetry.alerts.delivery", "telemetry.incidents.event"


class PathPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The three policies of the path; its ladder asks over channels that there are."""

    alerts: AlertPolicy = AlertPolicy()
    escalation: EscalationPolicy = EscalationPolicy()
    incidents: IncidentPolicy = IncidentPolicy()

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "escalation", reachable(self.alerts, self.escalation))


class PathFacts(NamedTuple):
    """The path at this moment: what AS-32 judges. `nobody` counts notices that reached no channel at all."""

    running: bool
    channels: tuple[ChannelFacts, ...]
    firing: int
    waiting: int
    taken: int
    sent: int
    undelivered: int
    nobody: int
    suppressed: int
    inhibited: int
    overflowed: int
    unrecorded: int
    canary_missing: int
    canary_age_ns: int
    generation: Quantile
    receipt: Quantile
    severity: Severity
    generated: int = 0


class AlertMeter(Protocol):
    """Who measures the path: each alert that was made, and the path every few seconds."""

    def generated(self, seconds: float) -> None: ...
    def path(self, facts: PathFacts) -> None: ...


class Unmeasured:
    """Nobody measures."""

    def generated(self, seconds: float) -> None:
        """Leave it."""

    def path(self, facts: PathFacts) -> None:
        """Leave it."""


def topic_of(payload: Fact) -> str | None:
    """Return the topic that hears of a fact, None where none does."""
    if isinstance(payload, (Alert, AlertAcknowledged, Silence, Escalated)):
        return EVENTS
    if isinstance(payload, (Receipt, AlertLatency)):
        return DELIVERIES
    return INCIDENTS if payload.kind.startswith("incident.") else None
