"""Where a certificate's evidence lies: signed items, waivers and verified bundles, read and checked at the door.

A store is a folder: `context.json`, `items/*.dsse.json` (one signed item each), `waivers/*.dsse.json`, `bundles/*/`.
"""

from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.dsse import envelope, signature_valid
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.journal.verify import pre_authentication
from tradeworthy.operations.dry_run.model import Status
from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.build import read_manifest
from tradeworthy.operations.evidence.canonical import (
    Malformed,
    canonical_json,
    parse_canonical,
    sha256_hex,
    stamp_of,
    time_of,
    unbase64,
)
from tradeworthy.operations.evidence.certificate import (
    NANOS,
    Certificate,
    Context,
    EvidenceItem,
    WaiverInForce,
    certify,
)
from tradeworthy.operations.evidence.judge import Ask
from tradeworthy.operations.evidence.requirements import CertificatePolicy
from tradeworthy.operations.evidence.signatures import statement_bytes
from tradeworthy.operations.evidence.trust import TrustFile
from tradeworthy.operations.evidence.verify import verify
from tradeworthy.operations.evidence.waivers import waivers_in

ITEM = "urn:tradeworthy:evidence-item/v1"
CONTEXT, ITEMS, WAIVERS, BUNDLES = "context.json", "items", "waivers", "bundles"
ITEM_ROLES = (words.BUILDER, words.WITNESS, *words.HUMAN_ROLES)


class Store(NamedTuple):
    """Everything a certificate is a function of, but the time."""

    evidence: tuple[EvidenceItem, ...]
    waivers: tuple[WaiverInForce, ...]
    policy: CertificatePolicy
    context: Context

    def at(self, now: int) -> Certificate:
        """Return the certificate at a time."""
        return certify(self.evidence, self.waivers, self.policy, policy_hash(self.policy), self.context, now)

    def turning_points(self, until: int) -> list[int]:
        """Return the moments up to `until` at which the answer may change."""
        moments = {one.recorded_at for one in self.evidence} | {one.recorded_at for one in self.waivers}
        moments |= {one.expires_at for one in self.waivers}
        for one in list(moments):
            ends = self.at(one).ends_first
            while ends is not None and ends.at not in moments and ends.at <= until:
                moments.add(ends.at)
                ends = self.at(ends.at).ends_first
        return sorted(one for one in moments if one <= until)


def policy_hash(policy: CertificatePolicy) -> str:
    """Return the digest of a policy."""
    return sha256_hex(msgspec.json.encode(policy, order="sorted"))


def sealed_item(item: EvidenceItem, key: Ed25519PrivateKey) -> bytes:
    """Return an item, signed; whether it was signed is judged when it is read, never taken from it."""
    subject = [{"name": item.requirement, "digest": {"sha256": item.evidence_id}}]
    predicate = msgspec.to_builtins(msgspec.structs.replace(item, signed=False, signers=()))
    stated = {name: str(value) if name.endswith("_at") and value is not None else value
              for name, value in predicate.items()}  # fmt: skip
    return canonical_json(envelope(statement_bytes(subject, ITEM, stated), words.PAYLOAD, key))


def read_store(folder: Path, trust: TrustFile, policy: CertificatePolicy, *, at: int) -> Store:
    """Return a store whose signatures were checked; raises `UsageError` for what cannot be read."""
    try:
        context = msgspec.json.decode((folder / CONTEXT).read_bytes(), type=Context)
    except (OSError, msgspec.MsgspecError) as problem:
        raise UsageError(f"expected an evidence store with {CONTEXT} in {folder}, found {problem}") from None
    bundles = tuple(_of_bundle(path, trust, at) for path in sorted((folder / BUNDLES).glob("*/")))
    waivers = tuple(waivers_of(folder / WAIVERS, trust, context.release))
    return Store(items_in(folder, trust) + bundles, waivers, policy, context)


def items_in(folder: Path, trust: TrustFile) -> tuple[EvidenceItem, ...]:
    """Return the signed items of a store, each with who signed it; raises `UsageError` for a file that is none."""
    return tuple(read_item(path.read_bytes(), trust) for path in sorted((folder / ITEMS).glob("*.dsse.json")))


def read_item(data: bytes, trust: TrustFile) -> EvidenceItem:
    """Return a signed item with who signed it; raises `UsageError` when it is none."""
    try:
        document = parse_canonical(data, "envelope")
        payload = unbase64(document["payload"])
        statement: dict[str, Any] = msgspec.json.decode(payload)
        if statement["predicateType"] != ITEM:
            raise Malformed("another kind of statement")
        item = msgspec.convert(statement["predicate"], EvidenceItem, strict=False)
    except (Malformed, msgspec.MsgspecError, KeyError, TypeError) as problem:
        raise UsageError(f"expected a signed evidence item, found {problem}") from None
    message = pre_authentication(payload, words.PAYLOAD)
    when = stamp_of(item.recorded_at)
    signers = []
    for one in document["signatures"]:
        key = trust.key(one["keyid"])
        fits = key is not None and any(trust.may(key, role, when) for role in ITEM_ROLES)
        if key is not None and fits and signature_valid(bytes.fromhex(key.public_key), message, unbase64(one["sig"])):
            signers.append(key.holder)
    return msgspec.structs.replace(item, signed=bool(signers), signers=tuple(signers))


def _of_bundle(folder: Path, trust: TrustFile, at: int) -> EvidenceItem:
    """Return a dry run's bundle as evidence; a bundle that is not of class release, or not verified, does not pass."""
    data, manifest = read_manifest(folder)
    collected = max((nanos_of_stamp(one["collected_at"]) for one in manifest["entries"]), default=at)
    recorded = max((collected, *_signed_at(folder)))  # it counts from its last signature on
    verdict = verify(folder, Ask(stamp_of(max(at, recorded)), trust.encoded()))
    # expiry by its lifetime is the certificate's own to judge, so that it can be asked for any time
    wrong = [one for one in verdict.findings if one.severity == "fail" and one.code != "entry.expired"]
    release = manifest["run_class"] == "release" and not wrong
    status = Status(manifest["status"]) if release else Status.FAIL
    return EvidenceItem(
        requirement="dry_run", evidence_id=sha256_hex(data), status=status, provenance="measured",
        environment=manifest["environment"], collected_at=collected, recorded_at=recorded,
        hashes={name: value for name, value in manifest["hashes"].items() if value is not None},
        signed=not wrong, signers=tuple(sorted({key.holder for key in trust.keys if _signed(folder, key.key_id)})),
    )  # fmt: skip


def _signed_at(folder: Path) -> list[int]:
    """Return when each signature says that it was made; what is no signature says nothing."""
    moments = []
    for path in sorted((folder / "signatures").glob("*.dsse.json")):
        try:
            statement = msgspec.json.decode(unbase64(parse_canonical(path.read_bytes(), "envelope")["payload"]))
            moments.append(nanos_of_stamp(statement["predicate"]["signed_at"]))
        except (Malformed, msgspec.MsgspecError, KeyError, TypeError):
            continue
    return moments


def _signed(folder: Path, key_id: str) -> bool:
    return any((folder / "signatures").glob(f"*-{key_id}.dsse.json"))


def waivers_of(folder: Path, trust: TrustFile, scope: str) -> list[WaiverInForce]:
    """Return the waivers of a release that were valid when issued; their ends are the certificate's to judge."""
    found = []
    for path in sorted(folder.glob("*.dsse.json")) if folder.is_dir() else []:
        statement = msgspec.json.decode(unbase64(parse_canonical(path.read_bytes(), "envelope")["payload"]))
        issued = statement["predicate"]["issued_at"]
        one = next(one for one in waivers_in(folder, trust, at=issued) if one.waiver.issued_at == issued)
        if one.in_force and one.waiver.scope == scope:
            waiver = one.waiver
            start = nanos_of_stamp(waiver.issued_at)
            found.append(WaiverInForce(
                waiver_id=waiver.waiver_id, requirement=waiver.finding_code, issued_at=start, recorded_at=start,
                expires_at=nanos_of_stamp(waiver.expires_at),
            ))  # fmt: skip
    return found


def nanos_of_stamp(text: str) -> int:
    """Return a stamp as nanoseconds UTC."""
    return int(time_of(text).timestamp()) * NANOS
