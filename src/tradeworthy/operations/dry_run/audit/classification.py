"""Tell how bad one line is; the live monitor and the audit both ask here, so they agree on the same line."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.model import NANOS_PER_MICRO, nanos_of
from tradeworthy.operations.dry_run.plain_text import LEVELS, cleaned, level_in, tells_of_crash

LEVEL_KEYS = ("level", "lvl", "severity", "severity_text")
FOREIGN_LEVEL_KEYS = (
    "levelname", "log.level", "loglevel", "level_name", "severityText", "SeverityText", "Level", "LogLevel", "@l",
)
"""Where other programs say their level; asked when none of `LEVEL_KEYS` does."""
TIME_KEYS = ("timestamp", "ts", "@timestamp", "time")
MESSAGE_KEYS = ("message", "msg", "event")
TRACE_KEYS = frozenset({"exc_info", "exc_text", "exception", "stack", "stacktrace", "stack_trace", "traceback"})
OK_LEVELS = ("info", "debug", "trace", "notice")
WARN_LEVELS = ("warning", "warn")
FAIL_LEVELS = (
    "error", "exception", "critical", "fatal", "err", "crit", "severe", "panic", "dpanic", "emerg", "emergency",
    "alert",
)
NUMBER_WARN, NUMBER_FAIL = 30, 40
NODE_KEYS, NODE_STEP = frozenset({"pid", "hostname", "time"}), 10
"""Loggers of Node (pino, bunyan) have these keys, and numbers one step above those of Python: 30 is information."""
NO_LEVEL = "none"
INTERRUPTED = "line.interrupted"
"""Event of a plain line of the trace that the harness's own signal caused; the harness alone gives it to one."""
CODE_ERROR, CODE_WARNING, CODE_PLAIN = "log.error", "log.warning", "log.plain_stderr"
CODE_TRACE, CODE_LEVEL, CODE_FUTURE = "log.stack_trace", "log.level.unknown", "log.timestamp.future"
FUTURE_SECONDS_MAX = 5.0
"""A line's own time may be so far ahead of its arrival."""

_SEVERITIES = dict.fromkeys(OK_LEVELS, Severity.OK) | dict.fromkeys(WARN_LEVELS, Severity.WARN)
_SEVERITIES |= dict.fromkeys(FAIL_LEVELS, Severity.FAIL)
_TRACE_LINE = re.compile(r"^[ \t]*(?:traceback \(most recent call last\)|panic:|fatal error:)", re.I | re.M)
_TRACE_FIELD = re.compile(
    r"^[ \t]*(?:traceback \(most recent call last\)|panic:|fatal error:|file \".+\", line \d|at \S.*[:(]\d"
    r"|goroutine \d|caused by:|\(?<class '|[\w.]*(?:error|exception|interrupt)\b(?:[:(]|\s*$))", re.I | re.M,
)  # fmt: skip
_FRAME_KEYS = frozenset({"filename", "file", "lineno", "line", "function", "frames", "frame", "exc_type", "exc_value"})
_SUSPECTS = (b"exc_", b"exception", b"stack", b"traceback", b"panic:", b"fatal error:", b"\\u")
_ISO = re.compile(
    r"\s*(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9})\d*)?\s*([Zz]|[+-]\d\d:?\d\d|[+-]\d\d)?\s*", re.A,
)  # fmt: skip
_MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:", re.A)
MINUTES_REMEMBERED = 64
LATEST_NANOS = nanos_of(datetime(2200, 1, 1, tzinfo=UTC))
_EPOCH_UNITS = ((1e11, NANOS_PER_SECOND), (1e14, NANOS_PER_MILLI), (1e17, NANOS_PER_MICRO), (1e19, 1))
"""Below so large a number the unit is s, ms, us, ns; holds from 1973 to 5138."""


class LineVerdict(msgspec.Struct, frozen=True):
    """What one line says. `code` is empty when the line is fine; `own_ns` is its own time, None when it has none."""

    severity: Severity
    level: str
    event: str
    message: str
    code: str = ""
    own_ns: int | None = None
    naive: bool = False


def classify_record(
    record: dict[str, Any], *, stream: str = "stdout", plain_severity: Severity = Severity.FAIL, suspect: bool = True
) -> LineVerdict:
    """Judge a parsed JSON line; `suspect=False` promises that no trace can be in it (see `may_hold_trace`)."""
    level, severity = level_of(record)
    own, naive = time_of(record)
    event = record.get("event")
    name = event if isinstance(event, str) else ""
    message = _message_of(record)
    code = ""
    if severity is None:
        severity, code = Severity.WARN, CODE_LEVEL
    elif level == NO_LEVEL and stream == "stderr":
        severity, code = plain_severity, CODE_PLAIN
    elif severity is not Severity.OK:
        code = CODE_ERROR if severity is Severity.FAIL else CODE_WARNING
    raw = _raw_of(record)
    if code and raw:
        code = classify_text(raw, stream=stream, plain_severity=severity).code or code
    if suspect and not (raw and name == INTERRUPTED) and holds_trace(record):
        severity, code = Severity.FAIL, CODE_TRACE
    return LineVerdict(severity, level, name, message, code, own, naive)


def classify_text(text: str, *, stream: str, plain_severity: Severity = Severity.FAIL) -> LineVerdict:
    """Judge a line that is no JSON object: by the level it states, else text on stderr is `plain_severity`.

    A stack trace or the last words of a program are FAIL on any stream. The message is the text without colours.
    """
    seen = cleaned(text)
    if _TRACE_LINE.search(seen) or tells_of_crash(seen):
        return LineVerdict(Severity.FAIL, "error", "", seen, CODE_TRACE)
    word = level_in(seen)
    if word is not None:
        severity = _SEVERITIES[word]
        code = "" if severity is Severity.OK else CODE_ERROR if severity is Severity.FAIL else CODE_WARNING
        return LineVerdict(severity, word, "", seen, code)
    if stream == "stderr" and seen.strip():
        return LineVerdict(plain_severity, NO_LEVEL, "", seen, CODE_PLAIN if plain_severity else "")
    return LineVerdict(Severity.OK, NO_LEVEL if seen.strip() else "info", "", seen)


def level_of(record: dict[str, Any]) -> tuple[str, Severity | None]:
    """Return the lower-case level word and its severity, None for a word that nobody knows."""
    for key in LEVEL_KEYS:
        value = record.get(key)
        if isinstance(value, str) and value.strip():
            word = value.strip().lower()
            if not word.isdecimal():
                return word, _SEVERITIES.get(word)
            value = int(word)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _level_of_number(value, step=NODE_STEP if record.keys() >= NODE_KEYS else 0)
    for key in FOREIGN_LEVEL_KEYS:
        value = record.get(key)
        if isinstance(value, str) and value.strip():
            word = value.strip().lower()
            word = LEVELS.get(word, word)
            return word, _SEVERITIES.get(word)
    return NO_LEVEL, Severity.OK


def time_of(record: dict[str, Any]) -> tuple[int | None, bool]:
    """Return the first usable time of a record in nanoseconds, and whether it was naive."""
    for key in TIME_KEYS:
        value = record.get(key)
        if value is not None:
            found = parse_time(value)
            if found[0] is not None:
                return found
    return None, False


def parse_time(value: object) -> tuple[int | None, bool]:
    """Return nanoseconds UTC of ISO text or of an epoch in s, ms, us or ns by size; None when it is neither.

    A time before 1970 or after 2199 is no time of a log.
    """
    found, naive = _any_time(value)
    if found is None or not 0 <= found < LATEST_NANOS:
        return None, False
    return found, naive


def _any_time(value: object) -> tuple[int | None, bool]:
    if isinstance(value, str):
        if value[-1:] == "Z" and (short := _short_time(value)) is not None:
            return short, False
        match = _ISO.fullmatch(value)
        if match is None:
            return None, False
        date, clock, fraction, zone = match.groups()
        try:
            moment = datetime.fromisoformat(f"{date}T{clock}{'+00:00' if zone in (None, 'Z', 'z') else zone}")
        except ValueError:
            return None, False
        return nanos_of(moment.astimezone(UTC)) + int((fraction or "0").ljust(9, "0")), zone is None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _EPOCH_UNITS[-1][0]:
        unit = next(unit for limit, unit in _EPOCH_UNITS if value < limit)
        return int(value * unit) if isinstance(value, int) else round(value * unit), False
    return None, False


def _short_time(value: str) -> int | None:
    """Return the time of `YYYY-MM-DDTHH:MM:SS[.f]Z` with the minute remembered; None for any other form."""
    second, fraction = value[17:19], value[20:-1]
    if len(value) == 20:
        fraction = "0"
    elif value[19:20] != "." or len(fraction) > 9:
        return None
    if not (second.isdecimal() and fraction.isdecimal() and second.isascii() and fraction.isascii() and second < "60"):
        return None
    minute = _minute(value[:17])
    return None if minute is None else minute + int(second) * NANOS_PER_SECOND + int(fraction.ljust(9, "0"))


@lru_cache(maxsize=MINUTES_REMEMBERED)
def _minute(text: str) -> int | None:
    """Return the nanoseconds of `YYYY-MM-DDTHH:MM:`."""
    if _MINUTE.fullmatch(text) is None:
        return None
    try:
        return nanos_of(datetime.fromisoformat(f"{text}00+00:00"))
    except ValueError:
        return None


def may_hold_trace(line: bytes) -> bool:
    """Tell cheaply whether a line could hold a stack trace; a false alarm only costs time."""
    lower = line.lower()
    for one in _SUSPECTS:  # noqa: SIM110  half the cost of a generator, and this runs for every line
        if one in lower:
            return True
    return False


def holds_trace(value: Any) -> bool:
    """Tell whether a trace stands under a trace key at any depth, or any text has a line that begins like one."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            if any(key in TRACE_KEYS and _is_trace(one[key]) for key in one):
                return True
            pending.extend(one.values())
        elif isinstance(one, list):
            pending.extend(one)
        elif isinstance(one, str) and _TRACE_LINE.search(one):
            return True
    return False


def _level_of_number(value: float, *, step: int) -> tuple[str, Severity]:
    """Return the level of a number, which is so much higher than Python's; a shifted one is given as a word."""
    severity = (
        Severity.FAIL if value >= NUMBER_FAIL + step else Severity.WARN if value >= NUMBER_WARN + step else Severity.OK
    )
    if step:
        return {Severity.FAIL: "error", Severity.WARN: "warning"}.get(severity, "info"), severity
    return f"{value:g}", severity


def _message_of(record: dict[str, Any]) -> str:
    """Return what a record says: its own message, else that of its fields or of its error."""
    places = (record, *(inner for key in ("fields", "error", "err") if isinstance(inner := record.get(key), dict)))
    return next(
        (text for place in places for key in MESSAGE_KEYS if isinstance(text := place.get(key), str) and text), ""
    )


def _raw_of(record: dict[str, Any]) -> str:
    """Return the plain line that the harness wrapped, empty when this is no such record."""
    payload = record.get("payload")
    raw = payload.get("raw") if isinstance(payload, dict) else None
    return raw if isinstance(raw, str) else ""


def _is_trace(value: Any) -> bool:
    """Tell whether the value of a trace key holds one: frames, or text that reads like one; a flag or a name is not."""
    match value:
        case str():
            return _TRACE_FIELD.search(value) is not None
        case list():
            return any(_is_trace(one) for one in value)
        case dict():
            return any(key in _FRAME_KEYS or _is_trace(one) for key, one in value.items())
        case _:
            return False
