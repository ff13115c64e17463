"""What the pipeline asks of the rooms beside it: a journal, telemetry, alerts, gates, and the desk's halt."""

from typing import Protocol

import msgspec

from tradeworthy.kernel.severity import Severity


class AlertEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that rose to the policy's threshold, or one that is gone (FW-29).

    active     False resolves it;  category and component route it
    journaled  False where the journal itself is what failed, and the alert took the direct path
    """

    key: str
    active: bool
    assessment: str
    code: str
    component: str
    category: str
    severity: Severity
    message: str
    runbook: str
    owner: str
    snapshot: str
    ts: int
    journaled: bool = True


class AlertPort(Protocol):
    """Take alerts and resolves, in order; raises when none of its channels could."""

    def alert(self, event: AlertEvent) -> None: ...


class GatePort(Protocol):
    """Mark the verdicts that cite an assessment as to be judged again."""

    def renewed(self, assessment: str, snapshot: str) -> None: ...


class HaltPort(Protocol):
    """Stop the desk, in the journal's name."""

    def halt(self, reason: str) -> None: ...


class PublishPort(Protocol):
    """Publish a payload on a registered topic; raises `PublishFailed`. `failed_over` says that the spool stands in."""

    def publish(self, topic: str, payload: object, *, event_id: str) -> None: ...
    @property
    def failed_over(self) -> bool: ...


class JournalPort(Protocol):
    """Append snapshots once each, by id; `commit` makes them durable. Both raise when they could not."""

    def append(self, snapshot_id: str, assessment: str, body: bytes, ts: int) -> None: ...
    def commit(self) -> None: ...
