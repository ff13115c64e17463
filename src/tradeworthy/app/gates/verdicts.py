"""What the runtime asks before it goes live or to a higher tier: the verdict of a gate, and where it is read today."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

import tradeworthy
from tradeworthy.app import identity
from tradeworthy.app.config import Document
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import DeskError
from tradeworthy.operations.evidence.certificate import GOOD, Certificate, Context, Verdict
from tradeworthy.operations.evidence.certificate_store import read_store
from tradeworthy.operations.evidence.requirements import ALL_HASHES, STANDARD, CertificatePolicy
from tradeworthy.operations.evidence.trust import read_trust
from tradeworthy.operations.health.policy import HealthPolicy


class GateAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be let go: a release by its hashes, on a tier, in an environment."""

    release: str
    tier: str
    environment: str
    hashes: dict[str, str]


class GateAnswer(msgspec.Struct, frozen=True):
    """Whether it may go; `why` in words, empty for a GO."""

    go: bool
    why: str = ""


class GateVerdicts(Protocol):
    """Whoever knows the gate's verdict; what it does not know is no GO."""

    def answer(self, ask: GateAsk) -> GateAnswer: ...


NO_EVIDENCE = "no verdict: health.evidence_store and health.evidence_trust name no evidence"


class NoVerdicts:
    """Nobody holds evidence for this desk; `why` says where it would be."""

    def __init__(self, why: str = NO_EVIDENCE) -> None:
        self._why = why

    def answer(self, ask: GateAsk) -> GateAnswer:
        """Refuse."""
        return GateAnswer(False, self._why)


class CertificateVerdicts:
    """Read the certificate of an evidence store anew at each question; what cannot be read is no GO.

    folder  the evidence store;  trust  the file of trusted keys
    """

    def __init__(self, folder: Path, trust: Path, clock: Clock, *, policy: CertificatePolicy = STANDARD) -> None:
        self._folder, self._trust, self._clock, self._policy = folder, trust, clock, policy

    def answer(self, ask: GateAsk) -> GateAnswer:
        """Return GO where the certificate says so now, for this very release, tier and environment."""
        now = self._clock.now()
        try:
            known = read_store(self._folder, read_trust(self._trust), self._policy, at=now)
        except (DeskError, OSError) as problem:
            return GateAnswer(False, f"no verdict: {problem}")
        another = _another(known.context, ask)
        if another:
            return GateAnswer(False, f"the verdict is for another {', '.join(another)}")
        certificate = known.at(now)
        if certificate.verdict is Verdict.GO:
            return GateAnswer(True)
        return GateAnswer(False, f"{certificate.verdict}: {_bad(certificate)}")


def ask_of(document: Document, *, tier: str, code: str) -> GateAsk:
    """Return the question of a document's start; `code` is what `identity.code_hash` returned."""
    found: Mapping[str, str | None] = msgspec.to_builtins(identity.hashes_of_document(document, code))
    hashes = {name: value for name in ALL_HASHES if (value := found.get(name)) is not None}
    return GateAsk(
        release=tradeworthy.__version__, tier=tier, environment=document.desk.environment, hashes=hashes
    )  # fmt: skip


def verdicts_of(policy: HealthPolicy, clock: Clock) -> GateVerdicts:
    """Return whoever knows the verdict of a desk: the evidence that `/certificate` answers from."""
    if not policy.evidence_store:
        return NoVerdicts()
    return CertificateVerdicts(Path(policy.evidence_store), Path(policy.evidence_trust), clock)


def _another(context: Context, ask: GateAsk) -> list[str]:
    """Return what of the certificate's subject is not what is asked for."""
    found = [name for name in ("release", "tier", "environment") if getattr(context, name) != getattr(ask, name)]
    return found + [name for name in ALL_HASHES if context.hashes.get(name) != ask.hashes.get(name)]


def _bad(certificate: Certificate) -> str:
    rows = [f"{row.id} {row.status}" for row in certificate.requirements if row.critical and row.status not in GOOD]
    return ", ".join(rows) or "nothing critical is required"
