"""Turn lines into evidence: redact, judge, count, time, and lay out one structured and one raw line for each.

Writer's layout of a structured line, keys in this order, no blanks between them:
{"timestamp","level","event","message","stream","payload":{"stream","ingested_at","monotonic_ns","structured"|"raw",
"truncated","original_bytes"}}. A JSON object is stored byte for byte as the command wrote it unless a secret had to go.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.redaction import may_hold_secret, redact
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.audit.classification import (
    CODE_FUTURE,
    FUTURE_SECONDS_MAX,
    INTERRUPTED,
    NO_LEVEL,
    OK_LEVELS,
    LineVerdict,
    classify_record,
    classify_text,
    may_hold_trace,
)
from tradeworthy.operations.dry_run.audit.fingerprints import mask
from tradeworthy.operations.dry_run.model import EPOCH, IncidentMetadata
from tradeworthy.operations.dry_run.plain_text import cleaned, continues, from_utf16
from tradeworthy.operations.dry_run.pump import Line

MESSAGE_CHARACTERS_MAX = 2_000
"""The header's message is cut here; the payload keeps the whole line."""
INCIDENT_CHARACTERS_MAX = 300
LEVEL_WORDS_MAX = 64
OTHER_LEVELS = "(other)"
HEARTBEAT = "heartbeat"
LINE = "line"
CONTINUED = "line.continued"
"""Event of a plain line that goes on with the one before it: frames of a trace, the rest of a printed document."""
TRUNCATED_CODE = "log.line.truncated"
STAMP_LENGTH = len("2026-01-05T00:00:00.000000Z")
STAMP = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z")
"""A stamp in the writer's own form, on a day that every month has: it can be stored and compared as text."""
TRACE_HINTS = (b"exc_", b"exception", b"stack", b"traceback", b"panic:", b"fatal error:", b"\\u")
NAMES_KEPT_MAX = 1_024
_quote = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(type=dict[str, Any]).decode

Report = Callable[[str, Severity, str, str, IncidentMetadata, int], None]
"""(code, severity, message, fingerprint, metadata, arrival in ns UTC) of a finding in a line."""


class _Ordinary(msgspec.Struct, gc=False):
    """The keys that decide about a line; one that has only the first four, in ordinary forms, needs no closer look."""

    timestamp: Any = None
    level: Any = None
    event: Any = None
    seq: Any = None
    message: Any = None
    msg: Any = None


_decode_ordinary = msgspec.json.Decoder(type=_Ordinary).decode


class Batch(NamedTuple):
    """Lines made ready for the disk; `moments` are arrivals, `beats` (arrival, number) of heartbeats."""

    structured: bytes
    raw: bytes
    lines: int
    moments: list[int]
    beats: list[tuple[int, int]]


class Recorder:
    """Record lines of both streams; `wall_at` maps a monotonic moment to the run's steady wall clock.

    plain_severity  of unstructured text on stderr
    report          hears findings; None when the live monitor is off
    """

    def __init__(
        self, *, wall_at: Callable[[int], int], now: Callable[[], int], plain_severity: Severity, report: Report,
        monitor: bool = True,
    ) -> None:  # fmt: skip
        self._wall_at = wall_at
        self._now = now
        self._plain = plain_severity
        self._report = report
        self._monitor = monitor
        self._second = -1
        self._prefix = ""
        self._heads: dict[tuple[str, str], bytes] = {}
        self._begun: set[str] = set()
        self.line_counts: Counter[str] = Counter()
        self.level_counts: Counter[str] = Counter()
        self.invalid_utf8 = 0
        self.truncated = 0
        self.naive_times = 0
        self.first_line: int | None = None
        self.last_line: int | None = None

    def take(self, lines: list[Line]) -> Batch:
        """Return the lines as evidence."""
        structured: list[bytes] = []
        raw: list[bytes] = []
        moments: list[int] = []
        beats: list[tuple[int, int]] = []
        joined = b"\n".join([line.data for line in lines])
        if b"\0" in joined:
            lines = [_in_utf8(line) for line in lines]
            joined = b"\n".join([line.data for line in lines])
        suspicious = may_hold_secret(joined)
        lowered = joined.lower()
        traceless = not any(hint in lowered for hint in TRACE_HINTS)
        plain = traceless and not suspicious
        del joined, lowered
        moment, wall, tail, latest = -1, 0, b"", ""
        for line in lines:
            if line.monotonic != moment:
                moment = line.monotonic
                moments.append(moment)
                wall = self._wall_at(moment)
                arrived = self._iso(wall)
                latest = self._iso(wall + round(FUTURE_SECONDS_MAX * NANOS_PER_SECOND))
                tail = b'"ingested_at":"%b","monotonic_ns":%d,"structured":' % (arrived.encode(), moment)
            if plain:
                entry = self._ordinary(line, tail, latest, beats)
                if entry is not None:
                    structured.append(entry)
                    raw.append(line.data)
                    continue
            data, document, text, verdict = self._judge(line, suspicious, traceless)
            if document is not None and verdict.event == HEARTBEAT and type(document.get("seq")) is int:
                beats.append((moment, document["seq"]))
            structured.append(self._layout(line, data, document, text, verdict, wall, arrived))
            raw.append(data)
            self._count(line, verdict)
            if self._monitor:
                self._tell(line, verdict, wall)
            if line.truncated:
                self._tell_truncated(line)
        if lines:
            if self.first_line is None:
                self.first_line = self._wall_at(lines[0].monotonic)
            self.last_line = wall
            raw.append(b"")
        return Batch(b"".join(structured), b"\n".join(raw), len(lines), moments, beats)

    def _ordinary(self, line: Line, tail: bytes, latest: str, beats: list[tuple[int, int]]) -> bytes | None:
        """Lay out a line of the commonest form without a full parse; None sends it the long way.

        tail    the payload's part that depends on the arrival only
        latest  the latest own stamp that is not from the future
        """
        data = line.data
        if not (data.startswith(b"{") and data.endswith(b"}")) or line.original_bytes != len(data):
            return None
        try:
            found = _decode_ordinary(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        level, event, own = found.level, found.event, found.timestamp
        if level not in OK_LEVELS or type(event) is not str or not event or found.message is not None:
            return None
        if type(own) is not str or own > latest or STAMP.fullmatch(own) is None or found.msg is not None:
            return None
        stream = line.stream
        head = self._heads.get((event, stream))
        if head is None:
            name = _quote(event if len(event) <= MESSAGE_CHARACTERS_MAX else event[:MESSAGE_CHARACTERS_MAX])
            quoted = stream.encode()
            head = b'"event":%b,"message":%b,"stream":"%b","payload":{"stream":"%b",' % (
                _quote(event), name, quoted, quoted,
            )  # fmt: skip
            if len(self._heads) < NAMES_KEPT_MAX:
                self._heads[(event, stream)] = head
        if self._begun:
            self._begun.discard(stream)
        self.line_counts[stream] += 1
        self.level_counts[level] += 1
        if event == HEARTBEAT and type(found.seq) is int:
            beats.append((line.monotonic, found.seq))
        return b'{"timestamp":"%b","level":"%b",%b%b%b}}\n' % (own.encode(), level.encode(), head, tail, data)

    def _judge(
        self, line: Line, suspicious: bool, traceless: bool
    ) -> tuple[bytes, dict[str, Any] | None, str, LineVerdict]:
        """Return (bytes to store, the parsed object or None, the text when there is none, the verdict)."""
        data = line.data[:-1] if line.data.endswith(b"\r") else line.data
        document = _object_of(data) if data[:1] == b"{" or data.lstrip()[:1] == b"{" else None
        if suspicious and may_hold_secret(data):
            if document is not None:
                document = redact(document)
                data = _quote(document)
            else:
                data = redact(data)
        if document is not None:
            self._begun.discard(line.stream)
            try:
                data.decode()
            except UnicodeDecodeError:
                self.invalid_utf8 += 1
                data = _quote(document)
            suspect = not traceless and may_hold_trace(data)
            verdict = classify_record(document, stream=line.stream, plain_severity=self._plain, suspect=suspect)
            return data, document, "", verdict
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.invalid_utf8 += 1
            text = data.decode("utf-8", "replace")
            data = text.encode()
        return data, None, text, self._judge_text(line, text)

    def _judge_text(self, line: Line, text: str) -> LineVerdict:
        """Judge a plain line; one that goes on with the line before it has no finding of its own."""
        if line.parting:
            return LineVerdict(Severity.OK, "info", INTERRUPTED, cleaned(text))
        stream = line.stream
        verdict = classify_text(text, stream=stream, plain_severity=self._plain)
        if not verdict.message.strip():
            return verdict
        if verdict.level == NO_LEVEL and stream in self._begun and continues(verdict.message):
            return LineVerdict(Severity.OK, "info", CONTINUED, verdict.message)
        self._begun.add(stream)
        return verdict

    def _layout(
        self, line: Line, data: bytes, document: dict[str, Any] | None, text: str, verdict: LineVerdict, wall: int,
        arrived: str,
    ) -> bytes:  # fmt: skip
        own = verdict.own_ns
        timestamp = arrived if own is None else self._iso(own)
        level = self._level(verdict, line.stream)
        event = _quote(verdict.event or LINE)
        message = verdict.message
        quoted = _quote(message if len(message) <= MESSAGE_CHARACTERS_MAX else message[:MESSAGE_CHARACTERS_MAX])
        body = b'"raw":' + _quote(text) if document is None else b'"structured":' + data.strip()
        cut = b',"truncated":true,"original_bytes":%d' % line.original_bytes if line.truncated else b""
        stream, stamped = line.stream.encode(), arrived.encode()
        return (
            b'{"timestamp":"%b","level":%b,"event":%b,"message":%b,"stream":"%b",'
            b'"payload":{"stream":"%b","ingested_at":"%b","monotonic_ns":%d,%b%b}}\n'
        ) % (timestamp.encode(), _quote(level), event, quoted, stream, stream, stamped, line.monotonic, body, cut)

    def _level(self, verdict: LineVerdict, stream: str) -> str:
        if verdict.level != NO_LEVEL:
            return verdict.level
        if stream != "stderr" or self._plain is Severity.OK:
            return "info"
        return "error" if self._plain is Severity.FAIL else "warning"

    def _count(self, line: Line, verdict: LineVerdict) -> None:
        self.line_counts[line.stream] += 1
        self.naive_times += verdict.naive
        level = self._level(verdict, line.stream)
        known = level in self.level_counts or len(self.level_counts) < LEVEL_WORDS_MAX
        self.level_counts[level if known else OTHER_LEVELS] += 1

    def _tell(self, line: Line, verdict: LineVerdict, wall: int) -> None:
        if verdict.code and verdict.severity is not Severity.OK:
            text = cleaned(f"{verdict.event}: {verdict.message}" if verdict.event else verdict.message)
            fingerprint = verdict.level if verdict.code.startswith("log.level") else mask(text)
            self._report(
                verdict.code, verdict.severity, text[:INCIDENT_CHARACTERS_MAX] or verdict.code, fingerprint,
                IncidentMetadata(component=f"log.{line.stream}", observed=verdict.level, unit="level"), wall,
            )  # fmt: skip
        if verdict.own_ns is not None:
            ahead = (verdict.own_ns - max(wall, self._now())) / NANOS_PER_SECOND
            if ahead > FUTURE_SECONDS_MAX:
                self._report(
                    CODE_FUTURE, Severity.FAIL, f"a line is stamped {ahead:.1f} s ahead of its arrival", "",
                    IncidentMetadata(
                        component=f"log.{line.stream}", observed=round(ahead, 3), limit=FUTURE_SECONDS_MAX, unit="s"
                    ), wall,
                )  # fmt: skip

    def _tell_truncated(self, line: Line) -> None:
        self.truncated += 1
        self._report(
            TRUNCATED_CODE, Severity.WARN, f"a line of {line.original_bytes} bytes was cut to {len(line.data)}", "",
            IncidentMetadata(
                component=f"log.{line.stream}", observed=line.original_bytes, limit=len(line.data), unit="bytes"
            ), self._wall_at(line.monotonic),
        )  # fmt: skip

    def _iso(self, nanos: int) -> str:
        """Return RFC 3339 UTC with microseconds; the part up to the second is kept for the next call."""
        second, rest = divmod(nanos, NANOS_PER_SECOND)
        if second != self._second:
            self._second = second
            self._prefix = (EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._prefix}.{rest // 1_000:06d}Z"


def _in_utf8(line: Line) -> Line:
    """Return a line of UTF-16 as UTF-8, so that its level and its secrets are found; any other as it is."""
    data = from_utf16(line.data)
    if data is None:
        return line
    return line._replace(data=data, original_bytes=len(data) + max(0, line.original_bytes - len(line.data)))


def _object_of(data: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a line; what only lenient readers accept (NaN, bad UTF-8) is still one."""
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        found = json.loads(data.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
