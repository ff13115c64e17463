"""What a release is made of, measured: the digests that its manifest names (EV-14, GT-13)."""

import hashlib
import re
from pathlib import Path

import msgspec

from tradeworthy.app.config import Document
from tradeworthy.app.gates.desk_gates import report_of
from tradeworthy.app.identity import code_hash, hashes_of_document
from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.snapshot import decode
from tradeworthy.operations.dry_run.model import Hashes, status_of
from tradeworthy.operations.dry_run.release_manifest import ReleaseDigests
from tradeworthy.operations.evidence.canonical import sha256_hex
from tradeworthy.operations.evidence.certificate import EvidenceItem
from tradeworthy.operations.evidence.certificate_store import policy_hash
from tradeworthy.operations.evidence.requirements import STANDARD
from tradeworthy.operations.gates.named import GATES
from tradeworthy.operations.gates.reading import of_snapshot

BLOCK_BYTES = 1_048_576
IMAGE = re.compile(r"sha256:[0-9a-f]{64}")
ARTEFACTS = "artefacts"
"""Where an evidence store keeps what its items are about, by digest."""


def digests_of(document: Document, *, image: str, lock: Path, schemas: Path) -> ReleaseDigests:
    """Return the digests of what is there.

    image    a wheel's file, or the digest `sha256:…` of an image;  lock  the file of pinned packages
    schemas  the folder of shipped schemas
    Raises `UsageError` for a part that is not there.
    """
    hashes = hashes_of_document(document, code_hash())
    return ReleaseDigests(
        code=str(hashes.code), configuration=str(hashes.config), limits=str(hashes.limits), models=str(hashes.models),
        image=image if IMAGE.fullmatch(image) else _of_file(Path(image), "a wheel, or the digest sha256:… of an image"),
        lock=_of_file(lock, "a file of pinned packages"), schemas=_of_schemas(schemas), policy=_policy(),
    )  # fmt: skip


def item_of(data: bytes, requirement: str, hashes: Hashes, *, environment: str, now: int) -> EvidenceItem:
    """Return a report or a snapshot as evidence of a requirement; its status is its own, nobody types it.

    hashes  of the release that it was made with;  now  ns UTC, when it reaches the evidence
    Raises `UsageError` for bytes that are neither, or that were altered.
    """
    known = {name: one for name, one in msgspec.structs.asdict(hashes).items() if one is not None}
    try:
        snapshot = of_snapshot(decode(data))
    except InvalidInput:
        report = report_of(data)
        return EvidenceItem(
            requirement=requirement, evidence_id=sha256_hex(data), status=status_of(report.severity),
            provenance="measured", environment=environment, collected_at=now, recorded_at=now, hashes=known,
        )  # fmt: skip
    made_for = {name: one for name, one in snapshot.hashes.items() if name in known}
    return EvidenceItem(
        requirement=requirement, evidence_id=sha256_hex(data),
        status=status_of(Severity.UNKNOWN if snapshot.status is None else snapshot.status),
        provenance=snapshot.provenance, environment=snapshot.environment, collected_at=snapshot.stamp,
        recorded_at=now, hashes={**known, **made_for}, ends_at=snapshot.ends_at, end_reason=snapshot.end_reason,
    )  # fmt: skip


def keep(store: Path, item: EvidenceItem, sealed: bytes, data: bytes) -> Path:
    """Lay a sealed item and what it is about into an evidence store; returns the item's file."""
    for folder in (store / ARTEFACTS, store / "items"):
        folder.mkdir(parents=True, exist_ok=True)
    write_durably(store / ARTEFACTS / item.evidence_id, data)
    place = store / "items" / f"{item.requirement}-{item.recorded_at}-{item.evidence_id[:12]}.dsse.json"
    write_durably(place, sealed)
    return place


def _policy() -> str:
    tables = msgspec.json.encode(GATES, order="sorted")
    return sha256_hex(tables + policy_hash(STANDARD).encode())


def _of_schemas(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    if not files:
        raise UsageError(f"expected a folder of schemas, found none at {folder}")
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _of_file(path: Path, what: str) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    except OSError as problem:
        raise UsageError(f"expected {what}, found none at {path}: {problem.strerror or problem}") from None
    return digest.hexdigest()
