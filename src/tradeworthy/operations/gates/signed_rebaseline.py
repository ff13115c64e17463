"""A count is begun anew by the keys of two people, and the event carries their signatures (GE-22)."""

from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.dsse import envelope, key_id_of, signature_valid
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.journal.verify import pre_authentication
from tradeworthy.operations.assessments.framework.canonical import canonical
from tradeworthy.operations.evidence.canonical import Malformed, canonical_json, parse_canonical, stamp_of, unbase64
from tradeworthy.operations.evidence.trust import TrustedKey, TrustFile
from tradeworthy.operations.evidence.vocabulary import HUMAN_ROLES
from tradeworthy.operations.gates.maturity import Rebaselined

PAYLOAD_TYPE = "application/vnd.tradeworthy.rebaseline+json"
PEOPLE = 2


def rebaseline(
    *, source: str, counted: int, at: int, reason: str, keys: tuple[Ed25519PrivateKey, ...], trust: TrustFile
) -> Rebaselined:
    """Return the event, signed by each key; raises `InvalidInput` without two people of the trust file.

    counted  what the count was;  at  nanoseconds UTC
    """
    found = [trust.key(key_id_of(one.public_key().public_bytes_raw())) for one in keys]
    holders = tuple(one.holder for one in found if one is not None)
    if len({one.casefold() for one in holders}) < PEOPLE:
        raise InvalidInput(f"a count is begun anew by the keys of two people of the trust file, found {holders}")
    told = Rebaselined(source, counted, at, reason, holders)
    signed = canonical_json(envelope(_payload(told), PAYLOAD_TYPE, *keys)).decode()
    told = msgspec.structs.replace(told, envelope=signed)
    signers_of(told, trust)
    return told


def signers_of(told: Rebaselined, trust: TrustFile) -> tuple[str, ...]:
    """Return who signed this very event; raises `InvalidInput` with the reason where that is not two people."""
    try:
        document: dict[str, Any] = parse_canonical(told.envelope.encode(), "envelope")
        payload = unbase64(document["payload"])
        pairs = [(one["keyid"], unbase64(one["sig"])) for one in document["signatures"]]
    except (Malformed, KeyError, TypeError, ValueError) as problem:
        raise InvalidInput(f"expected an event that two people signed, found {problem}") from None
    if document["payloadType"] != PAYLOAD_TYPE or payload != _payload(told):
        raise InvalidInput("the signatures are over another event")
    message, people = pre_authentication(payload, PAYLOAD_TYPE), []
    for key_id, signature in pairs:
        key = trust.key(key_id)
        if key is None or not _person(key, trust, told.at):
            raise InvalidInput(f"the key {key_id} is no person's key that counts at {stamp_of(told.at)}")
        if not signature_valid(bytes.fromhex(key.public_key), message, signature):
            raise InvalidInput(f"the signature of {key.holder} does not hold")
        people.append(key.holder)
    if len({one.casefold() for one in people}) < PEOPLE or tuple(people) != told.people:
        raise InvalidInput(f"expected the signatures of {told.people}, found {tuple(people)}")
    return tuple(people)


def _payload(told: Rebaselined) -> bytes:
    return canonical(msgspec.structs.replace(told, envelope=""))


def _person(key: TrustedKey, trust: TrustFile, at: int) -> bool:
    return any(trust.may(key, role, stamp_of(at)) for role in key.roles if role in HUMAN_ROLES)
