"""Keep malformed input with its bytes, its source and the reason (JR-02)."""

import base64
import hashlib
from pathlib import Path

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal.codec import decode_event
from tradeworthy.kernel.journal.records import InputQuarantined
from tradeworthy.kernel.redaction import redact

QUARANTINE_BYTES_MAX = 1 << 20


class Quarantine:
    """One line a refused input in `quarantine.jsonl`: stamp, source, reason, size, and the first MiB in base64.

    Everything is redacted before it is written; `sha256` is that of the bytes kept.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "quarantine.jsonl"
        self.count = 0

    def put(self, raw: bytes, reason: str, *, ts: int = 0, source: str = "") -> InputQuarantined:
        """Append one record and return the fact to journal; the refused bytes themselves never get a journal line."""
        kept = redact(raw)[:QUARANTINE_BYTES_MAX]
        reason, source, digest = redact(reason), redact(source), hashlib.sha256(kept).hexdigest()
        record = {
            "ts": ts, "source": source, "reason": reason, "size": len(raw), "sha256": digest,
            "bytes": base64.b64encode(kept).decode(),
        }  # fmt: skip
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(record) + b"\n")
        self.count += 1
        return InputQuarantined(source, reason, len(raw), digest)

    def admit(self, raw: bytes, *, ts: int = 0, source: str = "") -> Event | None:
        """Return the event in `raw`, or quarantine it and return None."""
        try:
            return decode_event(raw)
        except InvalidInput as error:
            self.put(raw, str(error), ts=ts, source=source)
            return None
