"""Ids are derived from inputs, never drawn: the same journal gives the same ids."""

import hashlib

CLIENT_ORDER_ID_LENGTH_MAX = 32
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_BASE32_PAIRS = tuple(high + low for high in _BASE32 for low in _BASE32)  # two characters are ten bits
_PADDING_BITS = 2  # 128 bits fill 26 characters of five but for two
_PAIR_SHIFTS = tuple(range(120, -1, -10))


def digest_of(*parts: str | int) -> str:
    """Return the SHA-256 of `parts` joined by a unit separator, in lower-case hex."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()


def client_order_id(decision_id: str, leg: int, attempt: int) -> str:
    """Return `tw-` and base32 of the hash of decision, leg and attempt: 29 characters (OM-04)."""
    raw = hashlib.blake2b(f"{decision_id}\x1f{leg}\x1f{attempt}".encode(), digest_size=16).digest()
    bits = int.from_bytes(raw, "big") << _PADDING_BITS
    return "tw-" + "".join([_BASE32_PAIRS[bits >> shift & 1023] for shift in _PAIR_SHIFTS])
