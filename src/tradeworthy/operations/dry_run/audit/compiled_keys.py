"""The keys of a line: what each means, and those of earlier lines, by which the next is known without a look at it."""

# Compiled functions are typed by their machine words:
# mypy: disable-error-code="call-arg, var-annotated"
import zlib
from pathlib import Path

from numba import njit

from tradeworthy.operations.dry_run.audit.compiled_text import OPTIONS, letters, masked, put, word_at

SHAPES, KEYS_A_SHAPE, SHAPE_WORDS, SHAPE_KEY_BYTES_MAX = 8, 16, 8, 32
"""Lines of one event mostly have the same keys in the same order: so many shapes, keys of each and bytes of a key."""
_LEVEL, _LVL, _SEVERITY, _SEVERITY_TEXT_TAIL = (letters(one) for one in ("level", "lvl", "severity", "ity_text"))
_TS, _TIME, _TIMESTAMP, _AT_TIMESTAMP = (letters(one) for one in ("ts", "time", "timestamp", "@timestamp"))
_AT_TIMESTAMP_TAIL, _TIMESTAMP_TAIL = letters("imestamp"), letters("imestamp")
_EVENT, _PAYLOAD, _INGESTED, _INGESTED_TAIL = (letters(one) for one in ("event", "payload", "ingested", "ested_at"))
_EXC_INFO, _EXC_TEXT, _EXCEPTION = (letters(one) for one in ("exc_info", "exc_text", "exception"))
_STACK, _STACKTRACE, _STACK_TRACE, _TRACEBACK = (
    letters(one) for one in ("stack", "stacktrace", "stack_trace", "traceback")
)
_SEQ, _STRUCTURED, _STRUCTURED_TAIL = letters("seq"), letters("structured"), letters("ructured")
_FOUR = 0xFFFFFFFF


@njit(**OPTIONS)
def meaning_of(key, length):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return what a key means: 1 level, 2 own time, 3 event, 4 payload, 5 arrival, 6 number, 7 what was wrapped.

    0 is any other key, -1 one that a stack trace may stand under. Where it stands is for the caller to ask.
    """
    name = masked(word_at(key), length)
    if length == 5:
        return 1 if name == _LEVEL else 3 if name == _EVENT else -1 if name == _STACK else 0
    if length == 9:
        if name == _TIMESTAMP and word_at(key + 1) == _TIMESTAMP_TAIL:
            return 2
        return -1 if name in (_EXCEPTION, _TRACEBACK) else 0
    if length == 8:
        return 1 if name == _SEVERITY else -1 if name in (_EXC_INFO, _EXC_TEXT) else 0
    if length == 11:
        if name == _INGESTED and word_at(key + 3) == _INGESTED_TAIL:
            return 5
        return -1 if name == _STACK_TRACE else 0
    if length == 10:
        if name == _STRUCTURED and word_at(key + 2) == _STRUCTURED_TAIL:
            return 7
        if name == _AT_TIMESTAMP and word_at(key + 2) == _AT_TIMESTAMP_TAIL:
            return 2
        return -1 if name == _STACKTRACE else 0
    if length == 7 and name == _PAYLOAD:
        return 4
    if (length == 2 and name == _TS) or (length == 4 and name == _TIME):
        return 2
    if length == 3:
        return 6 if name == _SEQ else 1 if name == _LVL else 0
    if length == 13 and name == _SEVERITY and word_at(key + 5) == _SEVERITY_TEXT_TAIL:
        return 1
    return 0


@njit(**OPTIONS)
def remember(at, length, what, shape):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Remember the bytes of a key with its quotes and its colon, and what it means, for the next line of this shape."""
    for place in range(4):
        put(shape, place, word_at(at + 8 * place))
    put(shape, 4, _FOUR & ~((1 << length) - 1))
    put(shape, 5, what << 8 | length)


def code_of_keys() -> int:
    """Return a number that changes with this file."""
    return zlib.crc32(Path(__file__).read_bytes())
