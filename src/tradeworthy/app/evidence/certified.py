"""The living certificate of a desk, told: to its topic, and to people when a GO ends or is about to (EV-18)."""

import logging
from collections.abc import Callable

from tradeworthy.app.config import Document
from tradeworthy.app.identity import hashes_of_document
from tradeworthy.kernel.errors import DeskError
from tradeworthy.operations.evidence.certificate import Notice, Verdict
from tradeworthy.operations.evidence.telling import TOPIC, CertificateTold
from tradeworthy.operations.incidents.model import AlertSeverity, Signal

LOG = logging.getLogger("tradeworthy.evidence")
SOURCE, CATEGORY, RUNBOOK = "operations/evidence", "gate", "final_dry_run.md"
LAPSED, ENDS = "certificate.lapsed", "certificate.ends"
LOUDNESS = {
    Notice.NONE: AlertSeverity.INFO, Notice.NOTICE: AlertSeverity.INFO, Notice.WARN: AlertSeverity.WARNING,
    Notice.PAGE: AlertSeverity.CRITICAL,
}  # fmt: skip


class CertificateVoice:
    """Take what is new of a certificate.

    publish  takes topic and fact;  tell  takes signals for people
    """

    def __init__(self, publish: Callable[[str, CertificateTold], object], tell: Callable[[Signal], object]) -> None:
        self._publish, self._tell = publish, tell
        self._stood = False

    def __call__(self, told: CertificateTold) -> None:
        """Publish it, and tell people of a GO that ended, that came back, or whose end comes near."""
        try:
            self._publish(TOPIC, told)
        except (DeskError, OSError) as problem:
            LOG.warning("certificate_unpublished", extra={"problem": str(problem)})
        for one in self._signals(told):
            self._tell(one)

    def _signals(self, told: CertificateTold) -> list[Signal]:
        go, stood = told.verdict == Verdict.GO, self._stood
        self._stood = self._stood or go
        if told.turned and stood:
            severity = AlertSeverity.INFO if go else AlertSeverity.CRITICAL
            return [_signal(LAPSED, told, severity, firing=not go)]
        if go:
            notice = Notice(told.notice)
            return [_signal(ENDS, told, LOUDNESS[notice], firing=notice is not Notice.NONE)]
        return []


def running_hashes(document: Callable[[], Document], code: str) -> Callable[[], dict[str, str]]:
    """Return what tells the hashes of the document in force now; the same document is hashed once."""
    known: list[tuple[Document, dict[str, str]]] = []

    def running() -> dict[str, str]:
        now = document()
        if not known or known[0][0] is not now:
            found = hashes_of_document(now, code)
            known[:] = [(now, {name: str(getattr(found, name)) for name in found.__struct_fields__})]
        return known[0][1]

    return running


def _signal(code: str, told: CertificateTold, severity: AlertSeverity, *, firing: bool) -> Signal:
    return Signal(
        code=code, category=CATEGORY, message=told.in_words(), component="certificate", severity=severity,
        subject=told.release or "desk", runbook=RUNBOOK, owner="operations", firing=firing,
    )  # fmt: skip
