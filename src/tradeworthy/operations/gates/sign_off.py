"""Sign-off: people in their roles sign the bundle that a verdict rests on, never the word GO (GE-21).

A decision's file and a page that a committee read are signed the same way, over their digest (GT-07, GT-15).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.dsse import envelope, signature_valid
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.journal.verify import pre_authentication
from tradeworthy.kernel.report import address
from tradeworthy.operations.evidence.canonical import Malformed, canonical_json, parse_canonical, unbase64
from tradeworthy.operations.evidence.signatures import statement_bytes
from tradeworthy.operations.evidence.trust import TrustFile
from tradeworthy.operations.evidence.vocabulary import HUMAN_ROLES, LIVE_QUORUM, PAYLOAD, SIGN_OFF
from tradeworthy.operations.gates.named import TIERS
from tradeworthy.operations.gates.store import GivenVerdict

ROLES = ("strategy_owner", "risk", "operations")
DECISIONS = ("GO", "HOLD")
MIDDLE, SUFFIX = ".sign-off.", ".dsse.json"


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """One person's signature over a bundle, as it was found; `problem` is empty where it counts."""

    role: str
    holder: str
    key_id: str
    signed_at: str
    problem: str = ""


class Subject(NamedTuple):
    """What is signed: its name and digest, what a signature says of it, and the roles that must sign."""

    name: str
    digest: str
    about: dict[str, str]
    roles: tuple[str, ...]


def of_verdict(given: GivenVerdict) -> Subject:
    """Return what a sign-off of a verdict is over: its bundle."""
    about = {"gate": given.verdict.gate, "bundle_id": given.verdict.bundle_id}
    return Subject(given.verdict.gate, given.verdict_id, about, roles_of(given.verdict.context.binding.tier))


def of_document(place: Path, decision: str) -> Subject:
    """Return what people sign of a file that they read: its bytes, and what they decided by it.

    Raises `UsageError` for a file that cannot be read, and for a GO under a decision whose own word is another.
    """
    try:
        data = place.read_bytes()
    except OSError as problem:
        raise UsageError(f"cannot read the document {place}: {problem.strerror}") from None
    if decision not in DECISIONS:
        raise UsageError(f"expected a decision of {', '.join(DECISIONS)}, found {decision!r}")
    if place.suffix == ".json":
        try:
            own = msgspec.json.decode(data, type=dict[str, Any]).get("decision", decision)
        except msgspec.MsgspecError as problem:
            raise UsageError(f"{place}: expected a decision's JSON, found {problem}") from None
        if own != decision:
            raise UsageError(f"{place.name} says {own}, so nobody signs {decision} over it")
    return Subject(place.name, address(data), {"document": place.name, "decision": decision}, ROLES)


def roles_of(tier: str) -> tuple[str, ...]:
    """Return the roles that must sign: three, and with money two more."""
    return ROLES if tier == TIERS[0] else (*ROLES, *LIVE_QUORUM)


def sign(
    folder: Path, subject: Subject, role: str, key: Ed25519PrivateKey, trust: TrustFile, *, at: str,
    barred: Iterable[str] = (),
) -> Path:  # fmt: skip
    """Sign a subject as `role` and return the signature's file in `folder`.

    at      the time of signing, as a stamp
    barred  who may not sign: the author of the change and the operator of the run

    Raises `UsageError` with the reason for a signature that would not count; nothing is written then.
    """
    predicate = {"role": role, "signed_at": at, **subject.about}
    named = [{"name": subject.name, "digest": {"sha256": subject.digest}}]
    data = canonical_json(envelope(statement_bytes(named, SIGN_OFF, predicate), PAYLOAD, key))
    found = read(data, subject, trust, barred=barred)
    others = [one for one in signatures(folder, subject, trust, barred=barred) if not one.problem]
    problem = found.problem
    if not problem and any(one.role == role for one in others):
        problem = f"{role} signed already"
    if not problem and any(found.holder == one.holder or found.key_id == one.key_id for one in others):
        problem = f"{found.holder} signed already in another role"
    if problem:
        raise UsageError(f"the signature is refused: {problem}")
    place = folder / f"{subject.digest}{MIDDLE}{role}-{found.key_id}{SUFFIX}"
    write_durably(place, data)
    return place


def signatures(
    folder: Path, subject: Subject, trust: TrustFile, *, barred: Iterable[str] = ()
) -> tuple[Signature, ...]:
    """Return every signature over a subject, those that do not count with their reason."""
    barred = tuple(barred)
    paths = sorted(folder.glob(f"{subject.digest}{MIDDLE}*{SUFFIX}"))
    return tuple(read(one.read_bytes(), subject, trust, barred=barred) for one in paths)


def lacking(
    folder: Path, subject: Subject, trust: TrustFile, *, barred: Iterable[str] = ()
) -> tuple[str, ...]:
    """Return the roles that did not sign yet; a person counts in one role only, a revoked key in none."""
    signed: dict[str, str] = {}
    for one in signatures(folder, subject, trust, barred=barred):
        if not one.problem and one.holder not in signed.values():
            signed.setdefault(one.role, one.holder)
    return tuple(role for role in subject.roles if role not in signed)


def read(data: bytes, subject: Subject, trust: TrustFile, *, barred: Iterable[str] = ()) -> Signature:
    """Return a signature with what is wrong with it."""
    try:
        document = parse_canonical(data, "envelope")
        payload = unbase64(document["payload"])
        statement: Any = msgspec.json.decode(payload)
        (one,) = document["signatures"]
        signature = unbase64(one["sig"])
        about, role = statement["predicate"], str(statement["predicate"]["role"])
        at, digest = str(about["signed_at"]), statement["subject"][0]["digest"]["sha256"]
        right = statement["predicateType"] == SIGN_OFF and digest == subject.digest
        right = right and all(about[name] == value for name, value in subject.about.items())
    except (Malformed, msgspec.MsgspecError, KeyError, TypeError, ValueError, IndexError) as problem:
        return Signature(role="", holder="", key_id="", signed_at="", problem=f"it is no sign-off: {problem}")
    key = trust.key(one["keyid"])
    holder = "" if key is None else key.holder
    reason = ""
    if not right:
        reason = "it is over another bundle, or another decision"
    elif key is None or role not in HUMAN_ROLES or not trust.may(key, role, at) or key.revoked_at is not None:
        reason = f"the key {one['keyid']} may not sign as {role}"
    elif not signature_valid(bytes.fromhex(key.public_key), pre_authentication(payload, PAYLOAD), signature):
        reason = "the signature does not hold"
    elif holder in barred:
        reason = f"{holder} wrote the change or ran it"
    return Signature(role=role, holder=holder, key_id=one["keyid"], signed_at=at, problem=reason)
