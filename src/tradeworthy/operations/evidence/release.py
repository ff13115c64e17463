"""May this release go: what is there is what the signed manifest names, and what must be proved with it is (EV-14)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.dsse import envelope, signature_valid
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.journal.verify import pre_authentication
from tradeworthy.operations.dry_run.model import Finding, Status
from tradeworthy.operations.dry_run.release_manifest import ReleaseDigests, ReleaseManifest
from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.canonical import Malformed, canonical_json, parse_canonical, sha256_hex, unbase64
from tradeworthy.operations.evidence.certificate import EvidenceItem
from tradeworthy.operations.evidence.signatures import statement_bytes
from tradeworthy.operations.evidence.trust import TrustFile

RELEASE = "urn:tradeworthy:release/v1"
SIGNATURE_SUFFIX = ".dsse.json"
"""A manifest's signature lies beside it, under its name with this after it."""
PROVED_HASHES = {"code": "code", "config": "configuration", "limits": "limits", "models": "models"}
"""Which digest of a manifest each hash of a proof must equal."""


class Proof(StrEnum):
    """What must have been proved with the very release before it is let go."""

    START_UP = "start_up"
    HARD_STOP_DRILL = "hard_stop_drill"
    MONITORING = "monitoring"
    ALERT_DELIVERY = "alert_delivery"


def sealed_release(data: bytes, key: Ed25519PrivateKey, *, at: str) -> bytes:
    """Return the signature of a manifest's bytes, as an envelope of its own; `at` is the time of signing, a stamp."""
    manifest = msgspec.json.decode(data, type=ReleaseManifest)
    subject = [{"name": manifest.release, "digest": {"sha256": sha256_hex(data)}}]
    predicate = {"release": manifest.release, "author": manifest.author, "signed_at": at}
    return canonical_json(envelope(statement_bytes(subject, RELEASE, predicate), words.PAYLOAD, key))


def signer_of(data: bytes, seal: bytes, trust: TrustFile) -> str:
    """Return which builder signed these bytes of a manifest; raises `InvalidInput` when none of the trust file did."""
    try:
        document = parse_canonical(seal, "envelope")
        payload = unbase64(document["payload"])
        statement: dict[str, Any] = msgspec.json.decode(payload)
        if statement["predicateType"] != RELEASE or document["payloadType"] != words.PAYLOAD:
            raise Malformed("another kind of statement")
        named, when = statement["subject"][0]["digest"]["sha256"], statement["predicate"]["signed_at"]
    except (Malformed, msgspec.MsgspecError, KeyError, IndexError, TypeError) as problem:
        raise InvalidInput(f"expected the signature of a release manifest, found {problem}") from None
    if named != sha256_hex(data):
        raise InvalidInput(f"the signature is over the manifest {named}, this one is {sha256_hex(data)}")
    message = pre_authentication(payload, words.PAYLOAD)
    for one in document["signatures"]:
        key = trust.key(one["keyid"])
        if (
            key is not None and trust.may(key, words.BUILDER, when)
            and signature_valid(bytes.fromhex(key.public_key), message, unbase64(one["sig"]))
        ):  # fmt: skip
            return key.holder
    raise InvalidInput("no builder of the trust file signed this manifest")


def changed_parts(manifest: ReleaseManifest, found: ReleaseDigests) -> tuple[tuple[str, str], ...]:
    """Return each part that is not as the manifest names it, with both digests; an unnamed part is not as named."""
    told = []
    for name in ReleaseDigests.__struct_fields__:
        expected, seen = getattr(manifest.digests, name), getattr(found, name)
        if expected is None or expected != seen:
            told.append((name, f"expected {expected or 'a named digest'}, found {seen or 'nothing known'}"))
    return tuple(told)


def proofs_of(items: Iterable[EvidenceItem], manifest: ReleaseManifest, *, now: int) -> dict[Proof, Status]:
    """Return how each proof stands by its newest signed item; what is not about this very release says nothing."""
    known = [one for one in items if one.recorded_at <= now]
    found = {}
    for proof in Proof:
        mine = [one for one in known if one.requirement == proof.value]
        newest = max(mine, key=lambda one: (one.recorded_at, one.collected_at, one.evidence_id), default=None)
        if newest is not None:
            found[proof] = newest.status if _counts(newest, manifest) else Status.UNKNOWN
    return found


def _counts(item: EvidenceItem, manifest: ReleaseManifest) -> bool:
    same = all(
        item.hashes.get(name) == getattr(manifest.digests, part) for name, part in PROVED_HASHES.items()
    )
    return item.signed and same and item.provenance == "measured" and item.collected_at <= item.recorded_at


def judge_release(
    manifest: ReleaseManifest | None, found: ReleaseDigests, proofs: Mapping[Proof, Status], *, signer: str | None
) -> tuple[Finding, ...]:
    """Return why this release may not go; an empty answer is go.

    found    digests of what is there to run;  proofs  how each proof stands; an absent one is not proved
    signer   who signed the manifest, None when nobody that is trusted did
    """
    if manifest is None:
        return (_finding("release.manifest", "there is no release manifest"),)
    unproved = [proof.value for proof in Proof if proofs.get(proof) is not Status.PASS]
    unsigned = "no builder of the trust file signed the release manifest"
    return (
        *(() if signer is not None else (_finding("release.unsigned", unsigned),)),
        *(_finding("release.changed", f"{part}: {told}", part=part) for part, told in changed_parts(manifest, found)),
        *(_finding("release.proof", f"{name} is not proved with this release", proof=name) for name in unproved),
    )


def _finding(code: str, message: str, **metadata: str) -> Finding:
    return Finding(severity=Status.FAIL, code=code, message=message, metadata=dict(metadata))
