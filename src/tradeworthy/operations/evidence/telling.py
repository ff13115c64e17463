"""What is told of the living certificate: each turn, and each louder notice of a coming end (EV-18)."""

import msgspec

from tradeworthy.operations.evidence.certificate import GOOD, Certificate, Context, Notice, Verdict, notice_of
from tradeworthy.operations.evidence.requirements import CertificatePolicy

TOPIC = "telemetry.evidence.certificate"
UNKNOWN = "unknown"
"""The verdict where the evidence could not be read, or was read too long ago: it is never GO."""
_LOUDNESS = (Notice.NONE, Notice.NOTICE, Notice.WARN, Notice.PAGE)


class CertificateTold(msgspec.Struct, frozen=True, kw_only=True):
    """The certificate as it stands from `evaluated_at` (ns UTC) on.

    verdict    GO, NO-GO or unknown;  turned  whether it is another answer than the one before
    notice     how loudly a coming end is told;  unmet  critical requirements with their status, `id status`
    ends_at    when a GO ends by itself, 0 = it does not, and by what
    """

    verdict: str
    turned: bool
    evaluated_at: int
    release: str
    tier: str
    environment: str
    policy_hash: str
    notice: str
    unmet: tuple[str, ...]
    waivers: tuple[str, ...]
    ends_at: int = 0
    ends_requirement: str = ""
    ends_reason: str = ""
    remedy: str = ""

    def in_words(self) -> str:
        """Return one line for people."""
        if self.verdict == Verdict.GO:
            ends = f", ends by {self.ends_requirement}: {self.remedy}" if self.ends_at else ""
            return f"{self.verdict} for {self.release}{ends}"
        return f"{self.verdict} for {self.release or 'this desk'}: {', '.join(self.unmet) or 'nothing could be read'}"


class CertificateTeller:
    """Compare what is with what was told last; asked at any moment, it tells only what is new."""

    def __init__(self, policy: CertificatePolicy) -> None:
        self._policy = policy
        self._last: CertificateTold | None = None

    def look(self, certificate: Certificate | None, context: Context | None, *, now: int) -> CertificateTold | None:
        """Return what is new, None when nothing is; a certificate that nobody has is `unknown`."""
        told = _told(certificate, context, self._policy, now)
        last = self._last
        turned = last is None or last.verdict != told.verdict
        louder = last is not None and _LOUDNESS.index(Notice(told.notice)) > _LOUDNESS.index(Notice(last.notice))
        other = last is not None and (last.unmet, last.ends_requirement) != (told.unmet, told.ends_requirement)
        self._last = told
        if not (turned or louder or other):
            return None
        return told if turned else msgspec.structs.replace(told, turned=False)


def _told(
    certificate: Certificate | None, context: Context | None, policy: CertificatePolicy, now: int
) -> CertificateTold:
    if certificate is None or context is None:
        return CertificateTold(
            verdict=UNKNOWN, turned=True, evaluated_at=now, release="", tier="", environment="", policy_hash="",
            notice=Notice.PAGE, unmet=(), waivers=(),
        )  # fmt: skip
    ends = certificate.ends_first
    return CertificateTold(
        verdict=certificate.verdict, turned=True, evaluated_at=certificate.evaluated_at, release=certificate.release,
        tier=certificate.tier, environment=certificate.environment, policy_hash=certificate.policy_hash,
        notice=notice_of(certificate, policy, context),
        unmet=tuple(
            f"{row.id} {row.status}" for row in certificate.requirements if row.critical and row.status not in GOOD
        ),
        waivers=certificate.waivers, ends_at=0 if ends is None else ends.at,
        ends_requirement="" if ends is None else ends.requirement, ends_reason="" if ends is None else ends.reason,
        remedy="" if ends is None else ends.remedy,
    )  # fmt: skip

