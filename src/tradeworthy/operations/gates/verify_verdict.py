"""Verify a signed verdict with nothing but the standard library: its signature, its id, its answer (GE-20).

Only `kernel/journal/verify.py` is imported, which is itself one file of the standard library.
"""

import base64
import hashlib
import json
from typing import Any

from tradeworthy.kernel.journal.verify import ed25519_valid, pre_authentication

PAYLOAD_TYPE = "application/vnd.tradeworthy.gate-verdict+json"
KEY_ID_DIGITS = 16
NOT_MET_ENDS_GO = "critical"


def payload_of(data: bytes) -> tuple[bytes, bytes, tuple[tuple[str, bytes], ...]]:
    """Return payload, signed message and signatures of an envelope; raises `ValueError` for what is none."""
    try:
        document: Any = json.loads(data)
        if set(document) != {"payload", "payloadType", "signatures"} or document["payloadType"] != PAYLOAD_TYPE:
            raise ValueError("expected the envelope of a verdict, found another document")
        payload = _bytes(document["payload"])
        if any(set(one) != {"keyid", "sig"} for one in document["signatures"]):
            raise ValueError("expected a key and a signature, found something else")
        signatures = tuple((str(one["keyid"]), _bytes(one["sig"])) for one in document["signatures"])
        again = json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    except (TypeError, KeyError, RecursionError) as problem:
        raise ValueError(f"expected the envelope of a verdict, found {problem!r}") from None
    if again != data:
        raise ValueError("expected the envelope's one canonical form, found another")
    return payload, pre_authentication(payload, PAYLOAD_TYPE), signatures


def problems_of(data: bytes, public_key: bytes, *, verdict_id: str = "", at: int | None = None) -> tuple[str, ...]:
    """Return everything that is wrong with a signed verdict; nothing is a verdict that this key signed.

    verdict_id  the id that it must have;  at  nanoseconds UTC, for which a GO must hold
    """
    try:
        payload, message, signatures = payload_of(data)
        verdict: Any = json.loads(payload)
        rows = verdict["rows"]
        ends = verdict["ends_first"]
        go = verdict["answer"] == "GO"
        unmet = [row["id"] for row in rows if row["grade"] == NOT_MET_ENDS_GO and not row["met"]]
        expires = None if ends is None else int(ends["at"])
        evaluated = int(verdict["evaluated_at"])
    except (ValueError, TypeError, KeyError) as problem:
        return (f"malformed: {problem}",)
    key_id = hashlib.sha256(public_key).hexdigest()[:KEY_ID_DIGITS]
    found = []
    if not signatures or any(
        key != key_id or not ed25519_valid(public_key, message, signature) for key, signature in signatures
    ):
        found.append("signature: this key did not sign it")
    if verdict_id and hashlib.sha256(payload).hexdigest() != verdict_id:
        found.append("id: its content is not what its id says")
    if go and (unmet or not rows):
        found.append(f"answer: GO with critical rows that are not met: {', '.join(unmet) or 'no rows'}")
    if at is not None and go and (at < evaluated or (expires is not None and at >= expires)):
        found.append("time: the GO does not hold then")
    return tuple(found)


def _bytes(text: Any) -> bytes:
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("expected canonical base64")
    return data
