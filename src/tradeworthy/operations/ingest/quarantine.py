"""Refused lines of a feed, each kept once however often the feed is read."""

import hashlib
from pathlib import Path

import msgspec

from tradeworthy.kernel.journal import Quarantine
from tradeworthy.kernel.journal.quarantine import QUARANTINE_BYTES_MAX
from tradeworthy.kernel.redaction import redact

FILE = "quarantine.jsonl"


class _Kept(msgspec.Struct, frozen=True):
    source: str
    sha256: str


class FeedQuarantine:
    """Keep what a source could not use, with its bytes and the reason, in `quarantine.jsonl` of a folder.

    at     the cycle's time, nanoseconds UTC;  count  every refusal of this reading, also of lines kept before
    """

    def __init__(self, folder: Path, source: str, at: int) -> None:
        self._file, self._source, self._at = Quarantine(folder), source, at
        self._known = {one.sha256 for one in _kept_in(folder / FILE) if one.source == source}
        self.count = 0

    def put(self, raw: bytes, reason: str) -> None:
        """Keep a refused line, unless its bytes are there."""
        self.count += 1
        digest = hashlib.sha256(redact(raw)[:QUARANTINE_BYTES_MAX]).hexdigest()
        if digest not in self._known:
            self._known.add(digest)
            self._file.put(raw, reason, ts=self._at, source=self._source)


def _kept_in(path: Path) -> list[_Kept]:
    """Return what the file holds; a line cut off by a crash is kept again."""
    if not path.exists():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        try:
            found.append(msgspec.json.decode(line, type=_Kept))
        except msgspec.MsgspecError:
            continue
    return found
