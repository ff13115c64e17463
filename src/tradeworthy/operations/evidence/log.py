"""The evidence log: bundle ids in an append-only Merkle log; forks and rollbacks show (EV-06).

A log is a folder: `bundles.jsonl` holds one id a line, `head.dsse.json` the newest signed head, `heads/` all of them.
"""

from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.dsse import envelope, signature_valid
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.journal.verify import pre_authentication
from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.canonical import (
    Malformed,
    canonical_json,
    parse_canonical,
    require_shape,
    unbase64,
)
from tradeworthy.operations.evidence.signatures import statement_bytes
from tradeworthy.operations.evidence.tree import consistency_path, inclusion_path, root_of
from tradeworthy.operations.evidence.trust import TrustFile

BUNDLES, HEAD, HEADS = "bundles.jsonl", "head.dsse.json", "heads"


class LogHead(NamedTuple):
    """How many bundles a log holds and their root; `SIZE:ROOT` is what others remember."""

    size: int
    root: str

    def __str__(self) -> str:
        return f"{self.size}:{self.root}"


class LogFinding(NamedTuple):
    """What is wrong with a log."""

    code: str
    message: str


def ids_of(log: Path) -> list[str]:
    """Return the bundle ids, oldest first; raises `UsageError` for a line that is none."""
    path = log / BUNDLES
    ids = path.read_text().splitlines() if path.is_file() else []
    try:
        for one in ids:
            require_shape(one, "hex")
    except Malformed:
        raise UsageError(f"expected a bundle id on each line of {path}, found something else") from None
    return ids


def head_of(log: Path) -> LogHead:
    """Return the head that the ids give."""
    ids = ids_of(log)
    return LogHead(len(ids), root_of(ids))


def append(log: Path, bundle_id: str, key: Ed25519PrivateKey, *, at: str) -> LogHead:
    """Add a bundle and sign the new head; one that is in the log already is not added again.

    Raises `UsageError` when the log does not fit its own last head.
    """
    log.mkdir(parents=True, exist_ok=True)
    (log / HEADS).mkdir(exist_ok=True)
    ids = ids_of(log)
    _require_own_head(log, ids)
    if bundle_id not in ids:
        ids.append(bundle_id)
        write_durably(log / BUNDLES, ("\n".join(ids) + "\n").encode())
    head = LogHead(len(ids), root_of(ids))
    signed = signed_head(head, key, at=at)
    write_durably(log / HEADS / f"{head.size:08d}.dsse.json", signed)
    write_durably(log / HEAD, signed)
    return head


def signed_head(head: LogHead, key: Ed25519PrivateKey, *, at: str) -> bytes:
    """Return the envelope of a signed head."""
    subject = [{"name": "evidence-log", "digest": {"sha256": head.root}}]
    predicate = {"role": words.LOG_KEEPER, "signed_at": at, "size": head.size}
    return canonical_json(envelope(statement_bytes(subject, words.LOG_HEAD, predicate), words.PAYLOAD, key))


def prove(log: Path, bundle_id: str, *, since: LogHead | None = None) -> bytes:
    """Return the proof that the log holds a bundle and continues an earlier head.

    Raises `UsageError` when it does not hold it, or never had that head.
    """
    ids = ids_of(log)
    if bundle_id not in ids:
        raise UsageError(f"the log does not hold bundle {bundle_id[:16]}")
    before = since or LogHead(0, root_of([]))
    if before.size > len(ids) or root_of(ids[: before.size]) != before.root:
        raise UsageError(f"the log never had the head {before}: it was forked or rolled back")
    return log_proof(ids, ids.index(bundle_id), before, (log / HEAD).read_bytes())


def log_proof(ids: list[str], index: int, since: LogHead, head: bytes) -> bytes:
    """Return the proof document that lies in a bundle as `log.json`."""
    return canonical_json({
        "schema": "evidence.log_proof@1", "index": index, "inclusion": inclusion_path(ids, index),
        "since": {"size": since.size, "root": since.root}, "consistency": consistency_path(ids, since.size),
        "head": msgspec.json.decode(head),
    })  # fmt: skip


def anchor(log: Path, second: Path) -> Path:
    """Copy the newest head to a second place, under its size; raises `UsageError` when that place knows another log."""
    ids = ids_of(log)
    _require_own_head(log, ids)
    findings = compare(log, second)
    if findings:
        raise UsageError("; ".join(one.message for one in findings))
    second.mkdir(parents=True, exist_ok=True)
    place = second / f"{len(ids):08d}.dsse.json"
    write_durably(place, (log / HEAD).read_bytes())
    return place


def compare(log: Path, second: Path) -> list[LogFinding]:
    """Compare a log with the heads that a second place remembers: a fork or a rollback is found."""
    ids = ids_of(log)
    found = []
    for path in sorted(second.glob("*.dsse.json")) if second.is_dir() else []:
        size, root = _told(path.read_bytes())
        if size > len(ids):
            found.append(LogFinding("log.rolled_back", f"{path.name} knew {size} bundles, the log holds {len(ids)}"))
        elif root_of(ids[:size]) != root:
            found.append(LogFinding("log.forked", f"the first {size} bundles are not those that {path.name} knew"))
    return found


def verify_log(log: Path, trust: TrustFile) -> list[LogFinding]:
    """Check every kept head: signed by a log keeper, and a beginning of the log."""
    ids = ids_of(log)
    found = compare(log, log / HEADS)
    for path in [*sorted((log / HEADS).glob("*.dsse.json")), log / HEAD]:
        if not path.is_file() or not _signed(path.read_bytes(), trust):
            found.append(LogFinding("log.signature", f"{path.name} is not signed by a trusted log keeper"))
    if (log / HEAD).is_file() and _told((log / HEAD).read_bytes()) != (len(ids), root_of(ids)):
        found.append(LogFinding("log.head", "the newest head is not that of the log"))
    return found


def _require_own_head(log: Path, ids: list[str]) -> None:
    path = log / HEAD
    if not path.is_file() and not ids:
        return
    if not path.is_file() or _told(path.read_bytes()) != (len(ids), root_of(ids)):
        raise UsageError(f"the log in {log} does not fit its newest signed head: it was changed, forked or rolled back")


def _told(data: bytes) -> tuple[int, str]:
    try:
        statement: dict[str, Any] = msgspec.json.decode(unbase64(parse_canonical(data, "envelope")["payload"]))
        return int(statement["predicate"]["size"]), str(statement["subject"][0]["digest"]["sha256"])
    except (Malformed, msgspec.MsgspecError, LookupError, TypeError, ValueError):
        raise UsageError("expected a signed head of an evidence log, found something else") from None


def _signed(data: bytes, trust: TrustFile) -> bool:
    document = parse_canonical(data, "envelope")
    payload = unbase64(document["payload"])
    message = pre_authentication(payload, words.PAYLOAD)
    at = str(msgspec.json.decode(payload)["predicate"]["signed_at"])
    for one in document["signatures"]:
        key = trust.key(one["keyid"])
        if key is not None and trust.may(key, words.LOG_KEEPER, at):
            return signature_valid(bytes.fromhex(key.public_key), message, unbase64(one["sig"]))
    return False
