"""Keep malformed input with its bytes and the reason (JR-02)."""

import base64
from pathlib import Path

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal.codec import decode_event
from tradeworthy.kernel.redaction import redact

QUARANTINE_BYTES_MAX = 1 << 20


class Quarantine:
    """One line a refused input in `quarantine.jsonl`: stamp, reason, size, and the first MiB in base64, redacted."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "quarantine.jsonl"
        self.count = 0

    def put(self, raw: bytes, reason: str, *, ts: int = 0) -> None:
        """Append one record."""
        kept = redact(raw)[:QUARANTINE_BYTES_MAX]
        record = {"ts": ts, "reason": redact(reason), "size": len(raw), "bytes": base64.b64encode(kept).decode()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(record) + b"\n")
        self.count += 1

    def admit(self, raw: bytes, *, ts: int = 0) -> Event | None:
        """Return the event in `raw`, or quarantine it and return None."""
        try:
            return decode_event(raw)
        except InvalidInput as error:
            self.put(raw, str(error), ts=ts)
            return None
