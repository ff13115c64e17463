"""How the desk logs: typed defaults, and what the environment's variables change of them (LOG-02 to LOG-04)."""

import json
import logging
from collections.abc import Mapping

import msgspec

LEVELS = {
    "debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR,
    "critical": logging.CRITICAL,
}  # fmt: skip
_ALSO = {"warn": "warning", "fatal": "critical", "trace": "debug"}
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
RESERVED = (
    "timestamp", "level", "event", "message", "logger", "run_id", "environment", "tier", "release", "trace_id",
    "span_id", "correlation_id",
)  # fmt: skip
"""The fields of every line; no context and no caller overrides them."""
KIBIBYTE = 1_024


class LogPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How lines are made, queued and kept.

    level                `debug` to `critical`; lines below it are not made
    structured           JSON on the stream; False writes words for people there, files stay JSON
    context              fields of every line, beside the reserved ones
    directory, file_name where the current file lies; an empty directory leaves it to `open_logs`
    retention_days       rotated files kept, one a day with lines
    capture              loggers whose lines are taken; those of others than the desk from WARNING on
    queue_lines          lines that wait for the writer; more drops the lowest level first, never an ERROR
    linger_s             how long the writer lets lines gather; an ERROR is written at once
    errors_held          ERROR lines held while nothing can be written; past it they count as lost
    kept_lines           last lines kept in memory for the forensic snapshot
    text_characters_max  longer texts in a line are cut
    unrouted_repeat_s    the same event of the same logger opens one incident in this time
    close_timeout_s      how long `close` waits for the writer
    """

    level: str = "info"
    structured: bool = True
    context: dict[str, str | int | float | bool | None] = {}
    directory: str = ""
    file_name: str = "tradeworthy.jsonl"
    retention_days: int = 7
    capture: tuple[str, ...] = ("tradeworthy", "asyncio", "uvicorn", "litestar", "opentelemetry")
    queue_lines: int = 10_000
    linger_s: float = 0.05
    errors_held: int = 100_000
    kept_lines: int = 1_000
    text_characters_max: int = 16 * KIBIBYTE
    unrouted_repeat_s: float = 60.0
    close_timeout_s: float = 2.0

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ValueError(f"level must be one of {', '.join(LEVELS)}, was {self.level!r}")
        if self.retention_days < 1 or self.queue_lines < 1 or self.kept_lines < 1:
            raise ValueError("retention_days, queue_lines and kept_lines must be at least 1")
        if not self.file_name.endswith(".jsonl") or "/" in self.file_name:
            raise ValueError(f"file_name must be a plain name ending in .jsonl, was {self.file_name!r}")


def with_variables(policy: LogPolicy, variables: Mapping[str, str]) -> tuple[LogPolicy, tuple[str, ...]]:
    """Return the policy as variables change it, and one text for each variable that was ignored (LOG-03).

    `RUNTIME_LOG_LEVEL` wins over `LOG_LEVEL`. Texts name the key, what was expected and what stays; a context's
    value is not repeated, it may be a secret that was put there by mistake.
    """
    problems: list[str] = []
    level = policy.level
    for key in ("LOG_LEVEL", "RUNTIME_LOG_LEVEL"):
        word = variables.get(key, "").strip().lower()
        if word:
            known = _ALSO.get(word, word)
            if known in LEVELS:
                level = known
            else:
                problems.append(f"{key} must be one of {', '.join(LEVELS)}, was {word!r}; {level} stays")
    structured = policy.structured
    word = variables.get("RUNTIME_LOG_STRUCTURED", "").strip().lower()
    if word in _TRUE or word in _FALSE:
        structured = word in _TRUE
    elif word:
        problems.append(f"RUNTIME_LOG_STRUCTURED must be true or false, was {word!r}; {structured} stays")
    context, found = _context(variables.get("RUNTIME_LOG_CONTEXT", ""))
    problems += found
    days = policy.retention_days
    word = variables.get("LOG_RETENTION_DAYS", "").strip()
    if word:
        if word.isascii() and word.isdigit() and int(word) >= 1:
            days = int(word)
        else:
            problems.append(f"LOG_RETENTION_DAYS must be a whole number from 1, was {word!r}; {days} stays")
    changed = msgspec.structs.replace(
        policy, level=level, structured=structured, context={**policy.context, **context},
        directory=variables.get("LOG_DIR", "").strip() or policy.directory, retention_days=days,
    )  # fmt: skip
    return changed, tuple(problems)


def _context(text: str) -> tuple[dict[str, str | int | float | bool | None], list[str]]:
    if not text.strip():
        return {}, []
    try:
        found = json.loads(text)
    except ValueError:
        return {}, ["RUNTIME_LOG_CONTEXT must be a JSON object, was no JSON; ignored"]
    if not isinstance(found, dict):
        return {}, [f"RUNTIME_LOG_CONTEXT must be a JSON object, was {type(found).__name__}; ignored"]
    kept: dict[str, str | int | float | bool | None] = {}
    problems = []
    for name, value in found.items():
        if name in RESERVED:
            problems.append(f"RUNTIME_LOG_CONTEXT names the reserved field {name!r}; it is ignored")
        elif isinstance(value, str | int | float | bool | None):
            kept[name] = value
        else:
            problems.append(f"RUNTIME_LOG_CONTEXT.{name} must be a plain value, was {type(value).__name__}; ignored")
    return kept, problems
