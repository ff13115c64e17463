"""Sign-off: people in their roles sign the bundle that a verdict rests on, never the word GO (GE-21)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.dsse import envelope, signature_valid
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.journal.verify import pre_authentication
from tradeworthy.operations.evidence.canonical import Malformed, canonical_json, parse_canonical, unbase64
from tradeworthy.operations.evidence.signatures import statement_bytes
from tradeworthy.operations.evidence.trust import TrustFile
from tradeworthy.operations.evidence.vocabulary import HUMAN_ROLES, LIVE_QUORUM, PAYLOAD, SIGN_OFF
from tradeworthy.operations.gates.named import TIERS
from tradeworthy.operations.gates.store import GivenVerdict

ROLES = ("strategy_owner", "risk", "operations")
MIDDLE, SUFFIX = ".sign-off.", ".dsse.json"


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """One person's signature over a bundle, as it was found; `problem` is empty where it counts."""

    role: str
    holder: str
    key_id: str
    signed_at: str
    problem: str = ""


def roles_of(tier: str) -> tuple[str, ...]:
    """Return the roles that must sign: three, and with money two more."""
    return ROLES if tier == TIERS[0] else (*ROLES, *LIVE_QUORUM)


def sign(
    folder: Path, given: GivenVerdict, role: str, key: Ed25519PrivateKey, trust: TrustFile, *, at: str,
    barred: Iterable[str] = (),
) -> Path:  # fmt: skip
    """Sign the verdict's bundle as `role` and return the signature's file in the gate's folder.

    at      the time of signing, as a stamp
    barred  who may not sign: the author of the change and the operator of the run

    Raises `UsageError` with the reason for a signature that would not count; nothing is written then.
    """
    predicate = {"role": role, "signed_at": at, "gate": given.verdict.gate, "bundle_id": given.verdict.bundle_id}
    subject = [{"name": given.verdict.gate, "digest": {"sha256": given.verdict_id}}]
    data = canonical_json(envelope(statement_bytes(subject, SIGN_OFF, predicate), PAYLOAD, key))
    found = read(data, given, trust, barred=barred)
    others = [one for one in signatures(folder, given, trust, barred=barred) if not one.problem]
    problem = found.problem
    if not problem and any(one.role == role for one in others):
        problem = f"{role} signed already"
    if not problem and any(found.holder == one.holder or found.key_id == one.key_id for one in others):
        problem = f"{found.holder} signed already in another role"
    if problem:
        raise UsageError(f"the signature is refused: {problem}")
    place = folder / f"{given.verdict_id}{MIDDLE}{role}-{found.key_id}{SUFFIX}"
    write_durably(place, data)
    return place


def signatures(
    folder: Path, given: GivenVerdict, trust: TrustFile, *, barred: Iterable[str] = ()
) -> tuple[Signature, ...]:
    """Return every signature over a verdict's bundle, those that do not count with their reason."""
    barred = tuple(barred)
    paths = sorted(folder.glob(f"{given.verdict_id}{MIDDLE}*{SUFFIX}"))
    return tuple(read(one.read_bytes(), given, trust, barred=barred) for one in paths)


def lacking(
    folder: Path, given: GivenVerdict, trust: TrustFile, *, barred: Iterable[str] = ()
) -> tuple[str, ...]:
    """Return the roles that did not sign yet; a person counts in one role only, a revoked key in none."""
    signed: dict[str, str] = {}
    for one in signatures(folder, given, trust, barred=barred):
        if not one.problem and one.holder not in signed.values():
            signed.setdefault(one.role, one.holder)
    return tuple(role for role in roles_of(given.verdict.context.binding.tier) if role not in signed)


def read(data: bytes, given: GivenVerdict, trust: TrustFile, *, barred: Iterable[str] = ()) -> Signature:
    """Return a signature with what is wrong with it."""
    try:
        document = parse_canonical(data, "envelope")
        payload = unbase64(document["payload"])
        statement: Any = msgspec.json.decode(payload)
        (one,) = document["signatures"]
        signature = unbase64(one["sig"])
        about, role = statement["predicate"], str(statement["predicate"]["role"])
        at, subject = str(about["signed_at"]), statement["subject"][0]["digest"]["sha256"]
        right = statement["predicateType"] == SIGN_OFF and subject == given.verdict_id
        right = right and about["bundle_id"] == given.verdict.bundle_id
    except (Malformed, msgspec.MsgspecError, KeyError, TypeError, ValueError, IndexError) as problem:
        return Signature(role="", holder="", key_id="", signed_at="", problem=f"it is no sign-off: {problem}")
    key = trust.key(one["keyid"])
    holder = "" if key is None else key.holder
    reason = ""
    if not right:
        reason = "it is over another bundle"
    elif key is None or role not in HUMAN_ROLES or not trust.may(key, role, at) or key.revoked_at is not None:
        reason = f"the key {one['keyid']} may not sign as {role}"
    elif not signature_valid(bytes.fromhex(key.public_key), pre_authentication(payload, PAYLOAD), signature):
        reason = "the signature does not hold"
    elif holder in barred:
        reason = f"{holder} wrote the change or ran it"
    return Signature(role=role, holder=holder, key_id=one["keyid"], signed_at=at, problem=reason)
