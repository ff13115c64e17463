"""Findings and names in bounded memory, with exact counts that do not depend on the order of lines.

Of more than `kept_max` different ones those with the smallest hash stay. One that stays was never thrown out before,
so its count is exact whatever came first.
"""

import hashlib
import heapq
import re
from functools import lru_cache

from tradeworthy.kernel.redaction import redact
from tradeworthy.operations.dry_run.model import Json, LogIncident, Status, stamp

MASKED_CHARACTERS_MAX = 300
NAMES_REMEMBERED = 256
_IDS = re.compile(
    r"0x[0-9a-fA-F]+|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|\b(?=[a-fA-F]*\d)[0-9a-fA-F]{8,}\b|\d+"
)
_MIXED = re.compile(r"\b(?=\w*#)[\w#]*[A-Za-z_]\w*#[\w#]*\b")


def mask(text: str) -> str:
    """Return text with digits and ids masked, so that repetitions of one message are one finding."""
    return _MIXED.sub("#", _IDS.sub("#", text[:MASKED_CHARACTERS_MAX]))


def fingerprint_of(*parts: str) -> str:
    """Return 16 hex digits that name one kind of finding."""
    return hashlib.blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()


@lru_cache(maxsize=NAMES_REMEMBERED)
def _name_of(code: str, event: str, message: str) -> str:
    """Return the fingerprint of a finding; most findings of a log say one of a few things."""
    return fingerprint_of(code, event, mask(message))


class _Kept:
    """One fingerprint: its count, first and last time, and the example seen first."""

    __slots__ = ("code", "count", "event", "first", "last", "message", "severity")

    def __init__(self, severity: Status, code: str, event: str, message: str) -> None:
        self.severity, self.code, self.event, self.message = severity, code, event, message
        self.count = 0
        self.first: int | None = None
        self.last: int | None = None


class Fingerprints:
    """Findings by fingerprint; `dropped` counts the lines of those that did not stay."""

    def __init__(self, *, kept_max: int) -> None:
        self._kept_max = kept_max
        self._kept: dict[str, _Kept] = {}
        self._largest: list[str] = []
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(
        self, severity: Status, code: str, event: str, message: str, moment: int | None, *, by_event: bool = False
    ) -> None:
        """Count one finding; `by_event` takes the event's name instead of the message as what makes it the same."""
        name = _name_of(code, event, "" if by_event else message[:MASKED_CHARACTERS_MAX])
        self._join(name, _Kept(severity, code, event, message), 1, moment, moment)

    def merge(self, other: "Fingerprints") -> None:
        """Take over the findings of another part of the log."""
        self.dropped += other.dropped
        for name, one in other._kept.items():
            self._join(name, one, one.count, one.first, one.last)

    def incidents(self) -> tuple[LogIncident, ...]:
        """Return each finding once, the earliest first."""
        found = sorted(self._kept.items(), key=lambda item: (item[1].first is None, item[1].first or 0, item[0]))
        return tuple(
            LogIncident(
                severity=one.severity, occurred_at=None if one.first is None else stamp(one.first),
                last_at=None if one.last is None else stamp(one.last), count=one.count,
                summary=str(redact(one.message[:MASKED_CHARACTERS_MAX])), fingerprint=name, metadata=_context(one),
            )
            for name, one in found
        )  # fmt: skip

    def _join(self, name: str, one: _Kept, count: int, first: int | None, last: int | None) -> None:
        kept = self._kept.get(name)
        if kept is None:
            if len(self._kept) >= self._kept_max:
                if name > _word(self._largest[0]):
                    self.dropped += count
                    return
                out = self._kept.pop(_word(heapq.heappop(self._largest)))
                self.dropped += out.count
            heapq.heappush(self._largest, _word(name))
            kept = self._kept[name] = _Kept(one.severity, one.code, one.event, one.message)
        kept.count += count
        if first is not None:
            earlier = kept.first is None or first < kept.first
            if earlier or (first == kept.first and one.message < kept.message):
                kept.first, kept.event, kept.message = first, one.event, one.message
        elif kept.first is None and one.message < kept.message:
            kept.message, kept.event = one.message, one.event
        if last is not None and (kept.last is None or last > kept.last):
            kept.last = last


_FLIP = str.maketrans("0123456789abcdef", "fedcba9876543210")


def _word(name: str) -> str:
    """Return the mirror image of a fingerprint; the smallest mirror is the largest name, as a heap needs it."""
    return name.translate(_FLIP)


def _context(one: _Kept) -> Json:
    return {"code": one.code} | ({"event": one.event} if one.event else {})


class Names:
    """Counts by name, bounded like the fingerprints; `other` counts the names that did not stay."""

    def __init__(self, *, kept_max: int) -> None:
        self._kept_max = kept_max
        self._counts: dict[str, int] = {}
        self._hashes: list[tuple[str, str]] = []
        self.other = 0

    def add(self, name: str, count: int = 1) -> None:
        """Count a name; one beyond the bound stays only when its hash is among the smallest."""
        if name in self._counts:
            self._counts[name] += count
            return
        key = _word(fingerprint_of(name))
        if len(self._counts) >= self._kept_max:
            if key < self._hashes[0][0]:
                self.other += count
                return
            self.other += self._counts.pop(heapq.heappop(self._hashes)[1])
        heapq.heappush(self._hashes, (key, name))
        self._counts[name] = count

    def merge(self, other: "Names") -> None:
        """Take over the counts of another part of the log."""
        self.other += other.other
        for name, count in other._counts.items():
            self.add(name, count)

    def counts(self) -> dict[str, int]:
        """Return the counts by name, sorted, and `(other)` where names were left out."""
        kept = dict(sorted(self._counts.items()))
        return kept | ({"(other)": self.other} if self.other else {})
