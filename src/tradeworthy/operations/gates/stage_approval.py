"""A person's approval of a policy's step: signed over policy, stage and evidence, never a typed name (PS-02)."""

from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.dsse import envelope, signature_valid
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.journal.verify import pre_authentication
from tradeworthy.operations.assessments.framework.canonical import canonical
from tradeworthy.operations.evidence.canonical import Malformed, canonical_json, parse_canonical, unbase64
from tradeworthy.operations.evidence.trust import TrustFile
from tradeworthy.operations.evidence.vocabulary import HUMAN_ROLES

PAYLOAD_TYPE = "application/vnd.tradeworthy.stage-approval+json"


class StageApproval(msgspec.Struct, frozen=True, kw_only=True):
    """What was approved, in which role, and when, as a stamp."""

    policy_id: str
    stage: str
    evidence_id: str
    role: str
    signed_at: str


def approve(approval: StageApproval, key: Ed25519PrivateKey) -> bytes:
    """Return the approval in a signed envelope."""
    return canonical_json(envelope(canonical(approval), PAYLOAD_TYPE, key))


def approver_of(data: bytes, trust: TrustFile, *, policy_id: str, stage: str, evidence_id: str) -> str:
    """Return who approved this very step; raises `InvalidInput` with the reason where nobody did."""
    try:
        document: dict[str, Any] = parse_canonical(data, "envelope")
        payload = unbase64(document["payload"])
        (one,) = document["signatures"]
        signature = unbase64(one["sig"])
        found = msgspec.json.decode(payload, type=StageApproval)
    except (Malformed, msgspec.MsgspecError, KeyError, TypeError, ValueError) as problem:
        raise InvalidInput(f"expected a signed approval of a stage, found {problem}") from None
    wanted = (policy_id, stage, evidence_id)
    if document["payloadType"] != PAYLOAD_TYPE or (found.policy_id, found.stage, found.evidence_id) != wanted:
        raise InvalidInput(f"expected an approval of {policy_id} to {stage} by {evidence_id[:16]}, found another")
    key = trust.key(one["keyid"])
    if key is None or found.role not in HUMAN_ROLES or not trust.may(key, found.role, found.signed_at):
        raise InvalidInput(f"the key {one['keyid']} may not approve as {found.role}")
    message = pre_authentication(payload, PAYLOAD_TYPE)
    if key.revoked_at is not None or not signature_valid(bytes.fromhex(key.public_key), message, signature):
        raise InvalidInput("the approval's signature does not hold, or its key was revoked")
    return key.holder
