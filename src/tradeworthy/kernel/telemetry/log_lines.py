"""One event becomes one JSON line: a chain of structlog processors, redaction last (LOG-01)."""

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from enum import Enum
from itertools import islice
from typing import Any

import msgspec
from structlog.contextvars import merge_contextvars

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.redaction import REDACTED, Secret, known_secrets, may_hold_secret, redact, scrub, trace_of
from tradeworthy.kernel.telemetry.log_policy import RESERVED

NANOS_PER_MICRO = 1_000
DEPTH_MAX = 8
ITEMS_MAX = 1_000
"""Bounds of one value in a line; what lies deeper or behind is told by its count."""
LEVEL_NAMES = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "critical"}
KNOWN_TEXTS_MAX = 4_096
"""Texts and sets of field names that are remembered as clean, before all are looked at again."""
RENAMED = "field_"
"""Put before a caller's field that has a reserved name."""
QUIET_LOGGER = "opentelemetry"
"""An exporter that is down is a metric (TRC-03), not an incident: its errors are warnings here."""

Fields = MutableMapping[str, Any]
TraceIds = Callable[[], tuple[str, str] | None]

_SIMPLE = (str, int, float, bool, type(None))
_EXEMPT = frozenset(RESERVED)
_CALLERS_OWN = frozenset({"correlation_id", "event", "message"})
_STANDARD = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"))
_STANDARD_COUNT = len(vars(logging.makeLogRecord({})))
_REPEATED = ("event", "logger", "level", "run_id", "environment", "tier", "release")
_encode = msgspec.json.Encoder().encode


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """A finished line. `data` is JSON without the newline, secrets taken out; `at` is nanoseconds UTC.

    quiet  written while an incident for another line was being opened; opens none itself
    """

    level: int
    at: int
    logger: str
    event: str
    data: bytes
    quiet: bool = False


class Chain:
    """Make lines of one run.

    constants  the reserved fields that stay the same for the whole run
    context    fields of every line beside them
    trace_ids  trace and span id in force where the line is logged, None outside a span
    """

    def __init__(
        self, constants: Mapping[str, str | None], context: Mapping[str, Any], trace_ids: TraceIds, text_max: int
    ) -> None:
        self._constants, self._trace_ids, self._text_max = dict(constants), trace_ids, text_max
        self._context = {key: plain(value, text_max) for key, value in context.items()}
        self._stamped = (-1, "")
        self._known_clean: dict[str | tuple[str, ...], None] = {}
        self._secrets = known_secrets()
        self.processors = (merge_contextvars, self._plain, self._identified, self._redacted)

    def bare(self) -> "Chain":
        """Return the chain without what others bring into it, for lines that tell of a failing chain."""
        return Chain(self._constants, {}, lambda: None, self._text_max)

    def line(self, level: int, at: int, logger: str, fields: Fields, *, quiet: bool = False) -> LogLine:
        """Return the line of `fields`, which hold at least `event` and `message`."""
        name = LEVEL_NAMES.get(level) or LEVEL_NAMES[max(10, min(50, level // 10 * 10))]
        fields["_at"] = at
        found: Any = fields
        for processor in self.processors:
            found = processor(logger, name, found)
        event, data = found
        return LogLine(level, at, logger, event, data, quiet)

    def stamp(self, at: int) -> str:
        """Return nanoseconds UTC as text with microseconds."""
        second, nanos = divmod(at, NANOS_PER_SECOND)
        known, prefix = self._stamped
        if second != known:
            prefix = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
            self._stamped = (second, prefix)
        return f"{prefix}{nanos // NANOS_PER_MICRO:06d}Z"

    def _plain(self, logger: Any, name: str, fields: Fields) -> Fields:
        text_max = self._text_max
        for key, value in fields.items():
            kind = type(value)
            if kind not in _SIMPLE or (kind is str and len(value) > text_max):
                fields[key] = plain(value, text_max)
        return fields

    def _identified(self, logger: Any, name: str, fields: Fields) -> Fields:
        ids = self._trace_ids()
        trace_id, span_id = (None, None) if ids is None else ids
        document: dict[str, Any] = {
            "timestamp": self.stamp(fields.pop("_at")), "level": name, "event": fields.pop("event"),
            "message": fields.pop("message"), "logger": logger, **self._constants, "trace_id": trace_id,
            "span_id": span_id, "correlation_id": fields.pop("correlation_id", None), **self._context,
        }  # fmt: skip
        for key, value in fields.items():
            document[key if key not in _EXEMPT else f"{RENAMED}{key}"] = value
        return document

    def _redacted(self, logger: Any, name: str, fields: Fields) -> tuple[str, bytes]:
        try:
            data = _encode(fields)
        except (UnicodeEncodeError, OverflowError, msgspec.MsgspecError):
            fields = {plain(key, self._text_max): plain(value, self._text_max) for key, value in fields.items()}
            data = _encode(fields)
        if self._suspect(fields):
            fields = {**without_secrets(fields), "timestamp": fields["timestamp"], "level": name}
            data = _encode(fields)
        return str(fields["event"]), data

    def _suspect(self, fields: Fields) -> bool:
        """Tell whether a line could hold a secret; what is the same in line after line is looked at once."""
        if self._secrets != known_secrets() or len(self._known_clean) > KNOWN_TEXTS_MAX:
            self._known_clean, self._secrets = {}, known_secrets()
        clean, names = self._known_clean, tuple(fields)
        if names not in clean:
            if may_hold_secret("\n".join(names).encode("utf-8", "surrogatepass")):
                return True
            clean[names] = None
        texts, numbers = [], self._secrets > 0
        for value in fields.values():
            kind = type(value)
            if kind is str:
                if value not in clean:
                    texts.append(value)
            elif kind not in _SIMPLE:
                texts.append(_encode(value).decode())
            elif numbers and value is not None:
                texts.append(str(value))
        told = "\n".join(texts)
        if may_hold_secret(told.encode("utf-8", "surrogatepass")) or ("\\" in told and numbers):
            return True
        for key in _REPEATED:
            if type(fields.get(key)) is str:
                clean[fields[key]] = None
        return False


def without_secrets(value: Any) -> Any:
    """Return what JSON can write without secrets, those in keys and in numbers included; whole values only change."""
    match value:
        case Mapping():
            return {redact(key): without_secrets(item) for key, item in redact(value).items()}
        case list():
            return [without_secrets(item) for item in value]
        case int() | float() if not isinstance(value, bool):
            told = str(value).encode()
            return value if scrub(told) == told else REDACTED
        case _:
            return redact(value)


def plain(value: Any, text_max: int, depth: int = 0) -> Any:
    """Return a value as JSON can write it: bytes as text, errors with their message, the unknown as its `repr`.

    A text that is cut has its secrets taken out first, so that no half of one stays.
    """
    match value:
        case None | bool():
            return value
        case str():
            text = value.encode("utf-8", "backslashreplace").decode()
            return text if len(text) <= text_max else f"{redact(text)[:text_max]}… cut from {len(text)}"
        case Enum():
            return plain(value.value, text_max, depth)
        case int():
            return int(value) if -(1 << 63) <= value < 1 << 64 else str(value)
        case float():
            return float(value)
        case bytes() | bytearray() | memoryview():
            return plain(bytes(value).decode("utf-8", "backslashreplace"), text_max)
        case Secret():
            return str(value)
        case BaseException():
            return plain(f"{type(value).__name__}: {redact(str(value))}", text_max)
    if depth >= DEPTH_MAX:
        return f"<{type(value).__name__}, deeper than {DEPTH_MAX}>"
    match value:
        case msgspec.Struct():
            return {name: plain(getattr(value, name), text_max, depth + 1) for name in value.__struct_fields__}
        case Mapping():
            found = {
                str(plain(key, text_max, depth + 1)): plain(item, text_max, depth + 1)
                for key, item in islice(tuple(value.items()), ITEMS_MAX)
            }
            return found if len(value) <= ITEMS_MAX else {**found, "…": f"{len(value) - ITEMS_MAX} more"}
        case list() | tuple() | set() | frozenset():
            items = [plain(item, text_max, depth + 1) for item in islice(tuple(value), ITEMS_MAX)]
            return items if len(value) <= ITEMS_MAX else [*items, f"… {len(value) - ITEMS_MAX} more"]
    try:
        return plain(str(value), text_max)
    except Exception as error:  # a broken __str__ must not cost the line
        return f"<{type(value).__name__}, unprintable: {type(error).__name__}>"


def fields_of(record: logging.LogRecord) -> Fields:
    """Return a record's fields, whether structlog made it or the standard library (`extra` becomes fields)."""
    fields: Fields
    if isinstance(record.msg, dict):
        fields = dict(record.msg)
        fields["event"] = str(fields.get("event", ""))
        fields.setdefault("message", fields["event"])
        told = fields.pop("exc_info", None)
    else:
        try:
            message = record.getMessage()
        except Exception as error:  # a wrong format string must not cost the line
            message = f"{record.msg} {record.args!r} ({type(error).__name__}: {error})"
        fields = {"event": str(record.msg), "message": message}
        for key, value in islice(record.__dict__.items(), _STANDARD_COUNT, None):
            if key not in _STANDARD:
                fields[key if key not in _CALLERS_OWN or key == "correlation_id" else f"{RENAMED}{key}"] = value
        told = record.exc_info
    raised = sys.exc_info()[1] if told is True else told[1] if isinstance(told, tuple) else told
    if isinstance(raised, BaseException):
        fields["exception"] = trace_of(raised)
    if record.stack_info:
        fields["stack"] = record.stack_info
    return fields


def level_of(record: logging.LogRecord) -> int:
    """Return a record's level; exporters' own errors count as warnings."""
    if record.levelno > logging.WARNING and record.name.startswith(QUIET_LOGGER):
        return logging.WARNING
    return record.levelno
