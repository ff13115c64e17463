"""Sign a bundle as builder or as a person in a role; what is signed are bytes over digests (EV-04, DR-41)."""

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.dsse import envelope, key_id_of, signature_valid
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.build import read_manifest
from tradeworthy.operations.evidence.canonical import canonical_json, sha256_hex
from tradeworthy.operations.evidence.judge import SIGNATURES, Ask
from tradeworthy.operations.evidence.signatures import statement_bytes, subjects_of
from tradeworthy.operations.evidence.trust import TrustFile
from tradeworthy.operations.evidence.verify_bundle import verify_at


def sign(folder: Path, role: str, key: Ed25519PrivateKey, *, at: str, trust: TrustFile | None = None) -> Path:
    """Sign the bundle in `folder` as `role` and return the new signature's file.

    at     the time of signing, as a stamp
    trust  when given, a signature that it would not accept is refused, and one that is not distinct is too

    Raises `UsageError` with the reason; nothing is left behind then.
    """
    if role != words.BUILDER and role not in words.HUMAN_ROLES:
        raise UsageError(f"expected a role of {', '.join((words.BUILDER, *words.HUMAN_ROLES))}, found {role!r}")
    data, manifest = read_manifest(folder)
    public = key.public_key().public_bytes_raw()
    name = f"{SIGNATURES}{role}-{key_id_of(public)}.dsse.json"
    place = folder / name
    if place.exists():
        raise UsageError(f"this key signed as {role} already")
    predicate: dict[str, Any] = {"role": role, "signed_at": at, "run_id": manifest["run_id"]}
    if role == words.BUILDER:
        predicate |= {"run_class": manifest["run_class"], "merkle_root": manifest["tree"]["root"]}
        predicate |= {"hashes": manifest["hashes"]}
    kind = words.BUILD if role == words.BUILDER else words.SIGN_OFF
    payload = statement_bytes(subjects_of(manifest, sha256_hex(data), role), kind, predicate)
    place.parent.mkdir(exist_ok=True)
    write_durably(place, canonical_json(envelope(payload, words.PAYLOAD, key)))
    if trust is not None:
        verdict = verify_at(folder, Ask(at, trust.encoded()), signature_valid)
        against = [one for one in verdict.findings if one.where == name]
        if against:
            place.unlink()
            raise UsageError(f"refused: {'; '.join(f'{one.code}: {one.message}' for one in against)}")
    return place
