"""Judge one line of output; the live monitor and the audit both ask here, so they agree on every line.

The judgement depends on the line, its stream and its arrival only, never on other lines: order does not matter.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.model import nanos_of

LEVEL_KEYS = ("level", "lvl", "severity", "severity_text")
EVENT_KEYS = ("event", "event_name", "msg", "message")
MESSAGE_KEYS = ("message", "msg", "event")
TIME_KEYS = ("timestamp", "ts", "@timestamp", "time")
TRACE_KEYS = frozenset({"exc_info", "exc_text", "exception", "stack", "stacktrace", "stack_trace", "traceback"})
FUTURE_SECONDS_MAX = 5.0
"""How far a line's own time may be ahead of its arrival."""
ERROR_LEVEL_MIN = 40
WARN_LEVEL_MIN = 30
DEPTH_MAX = 32
FINGERPRINT_CHARS_MAX = 200
SUMMARY_CHARS_MAX = 500
LEVELS = {
    "error": Severity.FAIL, "exception": Severity.FAIL, "critical": Severity.FAIL, "fatal": Severity.FAIL,
    "warning": Severity.WARN, "warn": Severity.WARN, "info": Severity.OK, "debug": Severity.OK, "trace": Severity.OK,
    "notice": Severity.OK,
}  # fmt: skip
_TRACE_LINE = re.compile(r"^(?:traceback \(most recent call last\)|panic:|fatal error:)", re.IGNORECASE | re.MULTILINE)
_TRACE_BODY = re.compile(
    r"traceback \(most recent call last\)|^\s*File \"|^\s+at \S|^goroutine \d|"
    r"^[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Warning)(?::|\s*$)",
    re.IGNORECASE | re.MULTILINE,
)
_TRACE_HINTS = (
    b"exc_", b"exception", b"stack", b"traceback", b"panic:", b"fatal error:",
)  # fmt: skip
_MASKED = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|0x[0-9a-fA-F]+|\b(?=\w*\d)\w{8,}\b|\d+")
_EPOCH_UNITS = ((10**11, NANOS_PER_SECOND), (10**14, 1_000_000), (10**17, 1_000), (10**20, 1))


class Hit(NamedTuple):
    """One thing that is wrong with a line; `fingerprint` is the text with digits and ids masked."""

    severity: Severity
    code: str
    fingerprint: str
    summary: str


class Reading(NamedTuple):
    """What a line says; `own_time` in ns UTC when it carries one, `naive` when that had no offset."""

    level: str
    event: str
    message: str
    own_time: int | None
    naive: bool
    hits: tuple[Hit, ...]

    @property
    def severity(self) -> Severity:
        return max((hit.severity for hit in self.hits), default=Severity.OK)


def may_hold_trace(lowered: bytes) -> bool:
    """Tell whether lower-cased bytes could hold a stack trace at all; the cheap question before the dear one."""
    return any(hint in lowered for hint in _TRACE_HINTS)


def read_object(
    document: Mapping[str, Any], *, stream: str, arrived: int | None, plain_severity: Severity, trace: bool = True,
) -> Reading:  # fmt: skip
    """Judge a line that was a JSON object.

    arrived         ns UTC of the harness's stamp; None leaves future times unjudged
    plain_severity  of a line on stderr that names no level
    trace           False when `may_hold_trace` ruled a trace out
    """
    level = _first(document, LEVEL_KEYS)
    event = _text(_first(document, EVENT_KEYS))
    message = _text(_first(document, MESSAGE_KEYS))
    own, naive = _own_time(document)
    word, severity, code = _judge_level(level, stream, plain_severity)
    hits: list[Hit] = []
    if severity is not Severity.OK:
        text = word if code == "log.level.unknown" else f"{event} {message}" if message != event else event
        hits.append(_hit(severity, code, text, f"{word}: {message or event}"))
    if trace and _holds_trace(document, 0):
        hits.append(_hit(Severity.FAIL, "log.stack_trace", f"{event} {message}", message or event or "stack trace"))
    if own is not None and arrived is not None and own - arrived > FUTURE_SECONDS_MAX * NANOS_PER_SECOND:
        ahead = (own - arrived) / NANOS_PER_SECOND
        hits.append(Hit(Severity.FAIL, "log.timestamp.future", "", f"{ahead:.1f} s ahead of its arrival: {event}"))
    return Reading(word, event, message, own, naive, tuple(hits))


def read_text(text: str, *, stream: str, plain_severity: Severity) -> Reading:
    """Judge a line of plain text."""
    word, severity, code = _judge_level(None, stream, plain_severity)
    hits: list[Hit] = []
    if _TRACE_LINE.search(text):
        hits.append(_hit(Severity.FAIL, "log.stack_trace", text, text))
    elif severity is not Severity.OK:
        hits.append(_hit(severity, code, text, text))
    return Reading(word, "", text, None, False, tuple(hits))


def fingerprint_of(text: str) -> str:
    """Return `text` with digits and ids masked, so that repetitions of one finding meet."""
    return _MASKED.sub("#", text[: 2 * FINGERPRINT_CHARS_MAX])[:FINGERPRINT_CHARS_MAX]


def parse_time(value: Any) -> tuple[int, bool] | None:
    """Return (ns UTC, was naive) of ISO text or an epoch in s, ms, us or ns by its size; None when it is neither."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        if not text.replace(".", "", 1).isdigit():
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                return None
            naive = moment.tzinfo is None
            return nanos_of(moment.replace(tzinfo=UTC) if naive else moment), naive
        value = float(text) if "." in text else int(text)
    if isinstance(value, int | float) and 0 < value < _EPOCH_UNITS[-1][0]:
        for below, unit in _EPOCH_UNITS:
            if value < below:
                return int(value * unit), False
    return None


def _judge_level(level: Any, stream: str, plain_severity: Severity) -> tuple[str, Severity, str]:
    """Return the word to store, its severity and the code of a hit."""
    if level is None or level == "":
        if stream != "stderr" or plain_severity is Severity.OK:
            return "info", Severity.OK, ""
        return ("error" if plain_severity is Severity.FAIL else "warning"), plain_severity, "log.stderr.plain"
    if isinstance(level, str):
        word = level.strip().lower()
        known = LEVELS.get(word)
        if known is not None:
            return word, known, _LEVEL_CODES[known]
        if not word.isdigit():
            return word[:40], Severity.WARN, "log.level.unknown"
        level = int(word)
    if isinstance(level, int | float) and not isinstance(level, bool):
        severity = Severity.FAIL if level >= ERROR_LEVEL_MIN else Severity.WARN
        severity = severity if level >= WARN_LEVEL_MIN else Severity.OK
        return f"{level:g}", severity, _LEVEL_CODES[severity]
    return str(level)[:40].lower(), Severity.WARN, "log.level.unknown"


_LEVEL_CODES = {Severity.OK: "", Severity.WARN: "log.warning", Severity.FAIL: "log.error"}


def _hit(severity: Severity, code: str, text: str, summary: str) -> Hit:
    return Hit(severity, code, fingerprint_of(text), summary[:SUMMARY_CHARS_MAX])


def _first(document: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    for key in keys:
        value = document.get(key)
        if value is not None:
            return value
    return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _own_time(document: Mapping[str, Any]) -> tuple[int | None, bool]:
    for key in TIME_KEYS:
        found = parse_time(document.get(key))
        if found is not None:
            return found
    return None, False


def _holds_trace(value: Any, depth: int) -> bool:
    """Look at any depth for a trace under a known key, or for text with a line that begins one."""
    if depth > DEPTH_MAX:
        return False
    if isinstance(value, str):
        return _TRACE_LINE.search(value) is not None
    if isinstance(value, Mapping):
        return any(
            (isinstance(key, str) and key.lower() in TRACE_KEYS and _is_trace(item)) or _holds_trace(item, depth + 1)
            for key, item in value.items()
        )
    if isinstance(value, list):
        return any(_holds_trace(item, depth + 1) for item in value)
    return False


def _is_trace(value: Any) -> bool:
    """Tell a trace from a mere word: frames, an exception's own line, or a structure of frames."""
    if isinstance(value, str):
        return _TRACE_BODY.search(value) is not None
    if isinstance(value, Mapping):
        return bool(value.keys() & {"frames", "exc_type", "filename", "lineno"}) or any(map(_is_trace, value.values()))
    if isinstance(value, list):
        return any(_is_trace(one) for one in _strings_or_maps(value))
    return False


def _strings_or_maps(values: list[Any]) -> Iterator[Any]:
    return (one for one in values if isinstance(one, str | Mapping | list))
