"""The outcome digest: SHA-256 over every outcome's full canonical bytes (RP-02)."""

import hashlib
from collections.abc import Sequence

import msgspec

from tradeworthy.kernel.facts import Fact


class OutcomeDigest:
    """Fold outcomes into one hash; an outcome without facts is told by the gap between causes."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(b"tw-outcome-v1")
        self._encoder = msgspec.json.Encoder()
        self._buffer = bytearray()
        self.outcomes = 0

    def add(self, cause: str, facts: Sequence[Fact]) -> None:
        """Add the facts that the event `cause` led to."""
        buffer, encode_into = self._buffer, self._encoder.encode_into
        buffer += cause.encode()
        for fact in facts:
            buffer += _PREFIX[fact.__class__]
            encode_into(fact, buffer, -1)
        buffer += b"\n\n"
        self.outcomes += 1
        if len(buffer) > _FLUSH_BYTES:
            self._hash.update(buffer)
            buffer.clear()

    def hexdigest(self) -> str:
        """Return the digest so far in lower-case hex."""
        self._hash.update(self._buffer)
        self._buffer.clear()
        return self._hash.hexdigest()


class _Prefixes(dict[type[Fact], bytes]):
    """What stands before each fact of a kind, worked out once."""

    def __missing__(self, cls: type[Fact]) -> bytes:
        prefix = self[cls] = b"\n%s " % cls.kind.encode()
        return prefix


_FLUSH_BYTES = 65_536
_PREFIX = _Prefixes()
