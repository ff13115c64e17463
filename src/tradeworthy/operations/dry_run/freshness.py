"""How fresh an evidence file is (DR-09): the older of file time and newest content time, judged in episodes."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.audit.classification import FUTURE_SECONDS_MAX, parse_time
from tradeworthy.operations.dry_run.model import DOCUMENT_BYTES_MAX, PLACEHOLDER
from tradeworthy.operations.dry_run.policy import SECONDS_PER_MINUTE, FreshnessPolicy

TAIL_BYTES = 65_536
TAIL_LINES = 32
"""The newest entry is looked for among so many last lines."""
CONTENT_KEYS = ("recorded_at", "generated_at")


class Freshness(NamedTuple):
    """One look at a file; `content` is None for missing, empty, unreadable and placeholder files."""

    file_time: int | None
    content: int | None


class FreshnessVerdict(NamedTuple):
    """What the look means; `age_seconds` is None when the content is from the future."""

    severity: Severity
    age_seconds: float | None
    limit_seconds: float | None
    message: str


def look(path: Path) -> Freshness:
    """Read the times of an evidence file: JSON Lines by their tail, one JSON document as a whole."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            start = max(0, status.st_size - TAIL_BYTES)
            file.seek(start)
            tail = file.read(TAIL_BYTES)
            content = _newest_line(tail, whole=start == 0)
            if content is None and status.st_size <= DOCUMENT_BYTES_MAX:
                file.seek(0)
                content = _newest_of_document(file.read())
    except OSError:
        return Freshness(None, None)
    return Freshness(status.st_mtime_ns, content)


def judge(
    name: str, seen: Freshness, policy: FreshnessPolicy, *, now: int, since_start_seconds: float
) -> FreshnessVerdict:
    """Judge one look; reached limits are breached, content ahead of `now` by more than 5 s is FAIL."""
    if seen.content is not None and seen.content - now > FUTURE_SECONDS_MAX * NANOS_PER_SECOND:
        ahead = (seen.content - now) / NANOS_PER_SECOND
        message = f"{name} is stamped {ahead:.1f} s in the future"
        return FreshnessVerdict(Severity.FAIL, None, FUTURE_SECONDS_MAX, message)
    if seen.file_time is None or seen.content is None:
        age, what = since_start_seconds, f"{name} has no entry since the start"
    else:
        age = max(0.0, (now - min(seen.file_time, seen.content)) / NANOS_PER_SECOND)
        what = f"{name} is {age:.0f} s old"
    for severity, minutes in ((Severity.FAIL, policy.fail_minutes), (Severity.WARN, policy.warn_minutes)):
        if minutes is not None and age >= minutes * SECONDS_PER_MINUTE:
            limit = minutes * SECONDS_PER_MINUTE
            return FreshnessVerdict(severity, age, limit, f"{what}, limit {limit:g} s")
    return FreshnessVerdict(Severity.OK, age, None, f"{name} is fresh")


def _newest_line(tail: bytes, *, whole: bool) -> int | None:
    lines = tail.split(b"\n")
    times: list[int] = []
    for line in (lines if whole else lines[1:])[-TAIL_LINES:]:
        if line.strip():
            try:
                found = _time_of(msgspec.json.decode(line))
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            if found is not None:
                times.append(found)
    return max(times, default=None)


def _newest_of_document(data: bytes) -> int | None:
    try:
        document = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    entries = document.get("entries") if isinstance(document, dict) else document
    times = [_time_of(one) for one in entries] if isinstance(entries, list) else []
    return max((one for one in (*times, _time_of(document)) if one is not None), default=None)


def _time_of(document: Any) -> int | None:
    if not isinstance(document, dict) or document.get("status") == PLACEHOLDER:
        return None
    found = (parse_time(document[key])[0] for key in CONTENT_KEYS if document.get(key) is not None)
    return max((one for one in found if one is not None), default=None)
