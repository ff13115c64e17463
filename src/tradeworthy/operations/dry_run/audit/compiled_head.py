"""The head of a line as the writer lays it out, read without looking for keys; and what both ways of reading share."""

# Compiled functions are typed by their machine words:
# mypy: disable-error-code="call-arg, var-annotated"
import zlib
from pathlib import Path

from numba import njit

from tradeworthy.operations.dry_run.audit.compiled_text import (
    OPTIONS,
    begins_trace,
    blanks_end,
    byte_at,
    equals,
    holds_escape,
    letters,
    masked,
    number_end,
    put,
    text_end,
    text_rest,
    word_at,
)
from tradeworthy.operations.dry_run.audit.compiled_times import NO_TIME, micros_of, moment_of

OWN_SEEN, ARRIVAL_SEEN, HEAD = 20, 23, 26
"""Places in the kernel's memory, in words: the last minutes seen, and where a head's values are put."""
OK_WORDS = ("info", "debug", "trace", "notice")
_INFO, _DEBUG, _TRACE, _NOTICE = (letters(one) for one in OK_WORDS)
_INFO_UPPER, _DEBUG_UPPER, _TRACE_UPPER, _NOTICE_UPPER = (letters(one.upper()) for one in OK_WORDS)
_FIVE_BYTES, _INFO_END = 0xFFFFFFFFFF, letters('info"')
STAMP_BYTES = 27
_STAMP_ALL = (1 << STAMP_BYTES) - 1
_STDOUT, _STDERR, _SIX_BYTES = letters("stdout"), letters("stderr"), 0xFFFFFFFFFFFF
_HEAD = (
    '{"timestamp":"', '","level":"', '","event":"', '","message":"', '","stream":"', '","payload":{"stream":"',
    '","ingested_at":"', '","monotonic_ns":',
)
"""What the writer puts between the values of a line, up to the payload's own content."""
(
    (_H0, _T0), (_H1, _T1), (_H2, _T2), (_H3, _T3), (_H4, _T4), (_H5, _T5), (_H6, _T6), (_H7, _T7),
) = ((letters(one), letters(one[-8:])) for one in _HEAD)  # fmt: skip
_M5, _M6, _M7 = (letters(one[8:]) for one in _HEAD[5:])
"""Between its first and its last eight bytes what is longer than sixteen has more."""


@njit(**OPTIONS)
def level_number(at, length):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the number of an OK level in lower or upper case, -1 for any other word."""
    if length < 4 or length > 6:
        return -1
    word = masked(word_at(at), length)
    if word in (_INFO, _INFO_UPPER):
        return 0
    if word in (_DEBUG, _DEBUG_UPPER):
        return 1
    if word in (_TRACE, _TRACE_UPPER):
        return 2
    if word in (_NOTICE, _NOTICE_UPPER):
        return 3
    return -1


@njit(**OPTIONS)
def _stamp_end(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the end of a time as the writer spells it, with microseconds or none."""
    return at + 27 if byte_at(at + 26) == 90 else at + 20


@njit(**OPTIONS)
def suspect(text):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Tell whether a text begins as a stack trace does."""
    first = byte_at(text)
    return begins_trace(blanks_end(text) if first == 32 or first == 92 else text)


@njit(**OPTIONS)
def read_head(at, state):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Read a line's head in the writer's own layout; return where its payload goes on, 0 for any other layout.

    Level, own time, arrival, event and its length are put at HEAD.
    """
    if word_at(at) != _H0 or word_at(at + 6) != _T0:
        return 0
    at += 14
    stamp, end = at, at + STAMP_BYTES
    own = micros_of(at, state + 8 * OWN_SEEN)
    if own == NO_TIME:
        end = _stamp_end(at)
        own = moment_of(at, end, state + 8 * OWN_SEEN)
    if own == NO_TIME or word_at(end) != _H1 or word_at(end + 3) != _T1:
        return 0
    at = end + 11
    end, level = at + 4, 0
    if word_at(at) & _FIVE_BYTES != _INFO_END:
        end = text_end(at)
        if byte_at(end) != 34:
            return 0
        level = level_number(at, end - at)
    if level < 0 or word_at(end) != _H2 or word_at(end + 3) != _T2:
        return 0
    at = end + 11
    end = text_end(at)
    if byte_at(end) != 34:
        end = text_rest(end)
        if end == 0 or holds_escape(at, end):
            return 0
    if suspect(at):
        return 0
    event, event_bytes = at, end - at
    if word_at(end) != _H3 or word_at(end + 5) != _T3:
        return 0
    at = end + 13
    end = text_end(at)
    if byte_at(end) != 34:
        end = text_rest(end)
        if end == 0:
            return 0
    if suspect(at) or word_at(end) != _H4 or word_at(end + 4) != _T4:
        return 0
    at = end + 12
    stream = word_at(at) & _SIX_BYTES
    if (stream != _STDOUT and stream != _STDERR) or word_at(at + 6) != _H5:
        return 0
    if word_at(at + 14) != _M5 or word_at(at + 21) != _T5 or word_at(at + 29) & _SIX_BYTES != stream:
        return 0
    at += 35
    if word_at(at) != _H6 or word_at(at + 8) != _M6 or word_at(at + 9) != _T6:
        return 0
    at += 17
    end = at + STAMP_BYTES
    if equals(at, stamp) & _STAMP_ALL == _STAMP_ALL and byte_at(end - 1) == 90:
        arrival = own
    else:
        arrival = micros_of(at, state + 8 * ARRIVAL_SEEN)
        if arrival == NO_TIME:
            end = _stamp_end(at)
            arrival = moment_of(at, end, state + 8 * ARRIVAL_SEEN)
    if arrival == NO_TIME or word_at(end) != _H7 or word_at(end + 8) != _M7 or word_at(end + 9) != _T7:
        return 0
    end = number_end(end + 17)
    if end == 0 or byte_at(end) != 44:
        return 0
    put(state, HEAD, level)
    put(state, HEAD + 1, own)
    put(state, HEAD + 2, arrival)
    put(state, HEAD + 3, event)
    put(state, HEAD + 4, event_bytes)
    return end + 1


def code_of_head() -> int:
    """Return a number that changes with this file."""
    return zlib.crc32(Path(__file__).read_bytes())
