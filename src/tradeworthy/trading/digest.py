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
        buffer, encode = self._buffer, self._encoder.encode
        buffer += cause.encode()
        for fact in facts:
            buffer += b"\n" + fact.kind.encode() + b" " + encode(fact)
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


_FLUSH_BYTES = 65_536
