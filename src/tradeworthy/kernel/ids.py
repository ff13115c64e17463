"""Ids are derived from inputs, never drawn: the same journal gives the same ids."""

import base64
import hashlib

CLIENT_ORDER_ID_LENGTH_MAX = 32


def digest_of(*parts: str | int) -> str:
    """Return the SHA-256 of `parts` joined by a unit separator, in lower-case hex."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()


def client_order_id(decision_id: str, leg: int, attempt: int) -> str:
    """Return `tw-` and base32 of the hash of decision, leg and attempt: 29 characters (OM-04)."""
    raw = hashlib.blake2b(f"{decision_id}\x1f{leg}\x1f{attempt}".encode(), digest_size=16).digest()
    return "tw-" + base64.b32encode(raw).decode().rstrip("=").lower()
