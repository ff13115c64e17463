"""One way for every snapshot: redact, journal, render, publish, alert, gate; nothing before the journal (FW-23)."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.kernel.redaction import may_hold_secret, redact
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.telemetry.publisher import PublishFailed
from tradeworthy.operations.assessments.framework.assessment import Assessment, of_framework
from tradeworthy.operations.assessments.framework.finding import Finding
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy
from tradeworthy.operations.assessments.framework.ports import (
    AlertEvent,
    AlertPort,
    GatePort,
    HaltPort,
    JournalPort,
    PublishPort,
)
from tradeworthy.operations.assessments.framework.snapshot import Snapshot, encode, sealed, with_id

Redaction = Callable[[Any], Any]
Renderer = Callable[[bytes], str]


class Emitted(msgspec.Struct, frozen=True):
    """What became of a snapshot: itself as journaled, its pages by name, and what the way found beside it."""

    snapshot: Snapshot
    pages: dict[str, str]
    findings: tuple[Finding, ...]
    undelivered: tuple[str, ...] = ()

    @property
    def status(self) -> Severity:
        """The snapshot's status, or what happened on the way where that is worse."""
        return max((self.snapshot.status, *(one.severity for one in self.findings)))


class Pipeline:
    """Bring snapshots out. Every part is passed in.

    renderers  page name to renderer of the canonical JSON;  cleaned  the one redaction
    """

    def __init__(
        self, journal: JournalPort, publisher: PublishPort, alerts: AlertPort, gates: GatePort, halt: HaltPort, *,
        renderers: Mapping[str, Renderer], cleaned: Redaction = redact,
    ) -> None:  # fmt: skip
        self._journal, self._publisher, self._alerts, self._gates, self._halt = journal, publisher, alerts, gates, halt
        self._renderers, self._cleaned = dict(renderers), cleaned
        self._active: dict[str, AlertEvent] = {}

    def restore(self, snapshot: Snapshot, policy: AssessmentPolicy) -> None:
        """Take what was alerted before this process began, so that its end is told too."""
        for found in snapshot.findings:
            if found.severity >= policy.alert_from:
                event = _alert(snapshot, found)
                self._active[event.key] = event

    def emit(self, assessment: Assessment, taken: Snapshot, policy: AssessmentPolicy) -> Emitted:
        """Bring one snapshot out; raises `HaltTrading` where the journal did not accept it."""
        snapshot = self.prepare(assessment, taken, policy)
        self.commit(assessment, snapshot)
        return self.release(assessment, snapshot, policy)

    def prepare(self, assessment: Assessment, taken: Snapshot, policy: AssessmentPolicy) -> Snapshot:
        """Redact a snapshot and hand it to the journal; nothing leaves before `commit`. Raises `HaltTrading`."""
        snapshot = self._redacted(assessment, taken, policy)
        body, at = encode(snapshot), snapshot.generated_at
        self._journaled(lambda: self._journal.append(snapshot.id, assessment.name, body, at), assessment, snapshot)
        return snapshot

    def commit(self, assessment: Assessment, snapshot: Snapshot) -> None:
        """Make everything that was prepared durable at once, `snapshot` the last of it; raises `HaltTrading`."""
        self._journaled(self._journal.commit, assessment, snapshot)

    def release(self, assessment: Assessment, snapshot: Snapshot, policy: AssessmentPolicy) -> Emitted:
        """Render, publish and alert a snapshot that is durable, and mark what cites it."""
        findings: list[Finding] = []
        body = encode(snapshot)
        pages = self._rendered(assessment, body, findings)
        self._published(assessment, snapshot, findings)
        undelivered = self._alerted(snapshot, findings, policy)
        self._marked(assessment, snapshot, findings)
        return Emitted(snapshot, pages, tuple(findings), undelivered)

    def _redacted(self, assessment: Assessment, taken: Snapshot, policy: AssessmentPolicy) -> Snapshot:
        try:
            body = encode(taken)
            if self._cleaned is redact and not may_hold_secret(body):
                return taken
            clean = self._cleaned(msgspec.json.decode(body))
            return with_id(msgspec.convert({**clean, "id": ""}, Snapshot))
        except Exception as problem:  # whatever it is, what could not be cleaned stays here
            said = f"{type(problem).__name__} while it was cleaned; the snapshot is withheld"
            finding = of_framework(assessment, "redaction_failed", Severity.FAIL, said)
            return sealed(
                assessment, (finding,), policy, taken.generated_at, environment=taken.environment,
                code_version=taken.code_version, inputs_hash=taken.inputs_hash,
            )  # fmt: skip

    def _journaled(self, act: Callable[[], object], assessment: Assessment, snapshot: Snapshot) -> None:
        try:
            act()
        except Exception as problem:  # no reaction without the journal: the desk stops, people hear it directly
            said = f"the journal of assessments took no snapshot: {redact(problem)}"
            stalled = AlertEvent(
                key="journal_stalled", active=True, assessment=assessment.name, code="journal_stalled",
                component="journal", category="operations", severity=Severity.FAIL, message=said,
                runbook="runbooks/journal.md", owner=assessment.owner, snapshot=snapshot.id, ts=snapshot.generated_at,
                journaled=False,
            )  # fmt: skip
            try:
                self._alerts.alert(stalled)
            finally:
                self._halt.halt(said)
            raise HaltTrading(said) from problem

    def _rendered(self, assessment: Assessment, body: bytes, findings: list[Finding]) -> dict[str, str]:
        pages = {}
        for name, render in self._renderers.items():
            try:
                pages[name] = render(body)
            except Exception as problem:  # the JSON stands; the page is told as missing
                said = f"{name}: {redact(problem)}"
                findings.append(of_framework(assessment, "render_failed", Severity.WARN, said, name))
        return pages

    def _published(self, assessment: Assessment, snapshot: Snapshot, findings: list[Finding]) -> None:
        try:
            self._publisher.publish(assessment.topic, snapshot, event_id=f"{assessment.name}:{snapshot.id}")
        except PublishFailed as problem:
            findings.append(of_framework(assessment, "publish_failed", Severity.FAIL, str(problem),
                problem.stage.value))
            return
        if self._publisher.failed_over:
            said = "the bus did not take it; the spool brings it again"
            findings.append(of_framework(assessment, "publish_failed", Severity.WARN, said, "primary"))

    def _marked(self, assessment: Assessment, snapshot: Snapshot, findings: list[Finding]) -> None:
        try:
            self._gates.renewed(assessment.name, snapshot.id)
        except Exception as problem:  # a verdict that is not judged again ends by itself: no GO outlives it
            said = f"no gate was told of the snapshot: {redact(str(problem))}"
            findings.append(of_framework(assessment, "gate_unmarked", Severity.WARN, said, "gate"))

    def _alerted(self, snapshot: Snapshot, findings: list[Finding], policy: AssessmentPolicy) -> tuple[str, ...]:
        """Raise what rose or grew worse, resolve what is gone; returns the keys that reached nobody."""
        now = {
            one.key: one
            for one in (_alert(snapshot, found) for found in (*snapshot.findings,
                *findings) if found.severity >= policy.alert_from)
        }
        before = {key: one for key, one in self._active.items() if one.assessment == snapshot.assessment}
        events = [one for key, one in now.items() if key not in before or before[key].severity is not one.severity]
        events += [
            msgspec.structs.replace(one, active=False, snapshot=snapshot.id, ts=snapshot.generated_at)
            for key, one in before.items() if key not in now
        ]  # fmt: skip
        undelivered = []
        for event in events:
            try:
                self._alerts.alert(event)
            except Exception:  # told to the caller, and tried again with the next snapshot
                undelivered.append(event.key)
                continue
            if event.active:
                self._active[event.key] = event
            else:
                self._active.pop(event.key)
        return tuple(undelivered)


def _alert(snapshot: Snapshot, found: Finding) -> AlertEvent:
    return AlertEvent(
        key="|".join(found.key), active=True, assessment=snapshot.assessment, code=found.code,
        component=found.component, category=found.category.value, severity=found.severity, message=found.message,
        runbook=found.runbook, owner=found.owner, snapshot=snapshot.id, ts=snapshot.generated_at,
    )  # fmt: skip
