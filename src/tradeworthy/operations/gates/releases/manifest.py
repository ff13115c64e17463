"""The release manifest: a digest of every part, signed; what changed afterwards is named (GT-13)."""

from collections.abc import Mapping
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.dsse import envelope, signature_valid
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.journal.verify import pre_authentication
from tradeworthy.kernel.report import Check, Report, address
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.canonical import canonical
from tradeworthy.operations.evidence.canonical import Malformed, canonical_json, parse_canonical, unbase64
from tradeworthy.operations.evidence.release import Proof
from tradeworthy.operations.evidence.trust import TrustFile
from tradeworthy.operations.evidence.vocabulary import BUILDER

PARTS = ("code", "lock", "configuration", "limits", "models", "schemas", "policy", "build")
"""Every part of a release; `build` is its image or wheel, `policy` the tables of all gates."""
PAYLOAD_TYPE = "application/vnd.tradeworthy.release+json"


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What a release is made of: the SHA-256 of each part, and of each file of the parts that are files."""

    schema: Literal["tradeworthy.release/1"] = "tradeworthy.release/1"
    release: str
    author: str
    made_at: str
    parts: dict[str, str]
    files: dict[str, str]

    def __post_init__(self) -> None:
        missing = sorted(set(PARTS) - {name for name, digest in self.parts.items() if digest})
        strange = sorted(set(self.parts) - set(PARTS))
        if missing or strange:
            raise InvalidInput(f"expected the parts {', '.join(PARTS)}, missing {missing}, found {strange}")


def digest_of_files(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 over names and digests of files, in the order of their names."""
    return address(canonical({name: address(data) for name, data in sorted(files.items())}))


def signed(release: Release, key: Ed25519PrivateKey) -> bytes:
    """Return the manifest in a signed envelope."""
    return canonical_json(envelope(canonical(release), PAYLOAD_TYPE, key))


def opened(data: bytes, trust: TrustFile) -> tuple[Release, str]:
    """Return a manifest and who signed it; raises `InvalidInput` where nobody who may build did."""
    try:
        document = parse_canonical(data, "envelope")
        payload = unbase64(document["payload"])
        (one,) = document["signatures"]
        signature = unbase64(one["sig"])
        release = msgspec.json.decode(payload, type=Release)
    except (Malformed, msgspec.MsgspecError, KeyError, TypeError, ValueError) as problem:
        raise InvalidInput(f"expected a signed release manifest, found {problem}") from None
    key = trust.key(one["keyid"])
    right = document["payloadType"] == PAYLOAD_TYPE and key is not None and trust.may(key, BUILDER, release.made_at)
    if key is None or not right:
        raise InvalidInput(f"expected the signature of a trusted builder, found the key {one['keyid']}")
    message = pre_authentication(payload, PAYLOAD_TYPE)
    if not signature_valid(bytes.fromhex(key.public_key), message, signature):
        raise InvalidInput("the release manifest's signature does not hold")
    return release, key.holder


def changed(release: Release, parts: Mapping[str, str], files: Mapping[str, str]) -> tuple[str, ...]:
    """Return every part and file that is not as released, by name."""
    told = [f"{name}: expected {release.parts[name][:16]}, found {parts.get(name, '')[:16] or 'nothing'}"
            for name in PARTS if parts.get(name) != release.parts[name]]  # fmt: skip
    for name in sorted(release.files.keys() | files.keys()):
        if release.files.get(name) != files.get(name):
            word = "gone" if name not in files else "new" if name not in release.files else "changed"
            told.append(f"{name}: {word}")
    return tuple(told)


def release_report(
    release: Release | None, parts: Mapping[str, str], files: Mapping[str, str], proofs: Mapping[Proof, Severity | None]
) -> Report:
    """Return whether this release may go: nothing changed since, and what must be proved with it is."""
    checks = [Check("release.manifest", Severity.UNKNOWN if release is None else Severity.OK,
                    "none" if release is None else release.release, "a signed manifest")]  # fmt: skip
    for told in () if release is None else changed(release, parts, files):
        checks.append(Check("release.changed", Severity.FAIL, told, "as released", told))
    for proof in Proof:
        found = proofs.get(proof)
        word = Severity.UNKNOWN if found is None else found
        checks.append(Check(f"release.{proof.value}", word, "not proved" if found is None else found.name, "proved"))
    return Report(name="release-check", title="Release", sources=(), checks=tuple(checks))
