"""The compiled reader's kernel: checks every byte of a plain JSON line and counts it without making objects.

It takes only what it can judge alone: ASCII without escapes, known OK levels, ISO times in UTC, no key or text that
could be a stack trace. Every other line is left, untouched, to `Tally.take`. All compiled code stands in this file,
because its cache is renewed when this file changes, not when another does.
"""

# Compiled functions are typed by their machine words:
# mypy: disable-error-code="call-arg, var-annotated"
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

CELLS_A_PAGE, PAGES, PAGES_BEFORE = 1_024, 320, 8
"""Room for 3.8 days at one cell a second, of which two hours may lie before the first line read."""
CELLS = PAGES * CELLS_A_PAGE
SPANS = 65_536
SLOTS, EVENTS_MAX, EVENT_BYTES_MAX = 2_048, 1_024, 32
DEPTH_MAX = 60
DIGITS_MAX = 40
NO_TIME = -1
RECORDS, MEASURED, ATTESTED, SPANS_USED, EVENTS_USED, FIRST_CELL, LEVELS = 0, 1, 2, 3, 4, 5, 8
OK_WORDS = ("info", "debug", "trace", "notice")
BEAT = "heartbeat"
_VECTOR = 32


def _letters(text: str) -> int:
    """Return up to eight characters as the number that one look into memory gives."""
    return int.from_bytes(text.encode().ljust(8, b"\0")[:8], "little", signed=True)


@intrinsic
def _word_at(_context, address):  # type: ignore[no-untyped-def]
    """Load eight bytes from anywhere."""

    def generate(_context, builder, _signature, args):  # type: ignore[no-untyped-def]
        return builder.load(builder.inttoptr(args[0], ir.IntType(64).as_pointer()), align=1)

    return types.int64(types.int64), generate


@intrinsic
def _byte_at(_context, address):  # type: ignore[no-untyped-def]
    """Load one byte."""

    def generate(_context, builder, _signature, args):  # type: ignore[no-untyped-def]
        return builder.zext(builder.load(builder.inttoptr(args[0], ir.IntType(8).as_pointer())), ir.IntType(64))

    return types.int64(types.int64), generate


@intrinsic
def _stops(_context, address):  # type: ignore[no-untyped-def]
    """Return a bit for each of 32 bytes that ends plain text: a quote, a backslash, a control, or not ASCII."""

    def generate(_context, builder, _signature, args):  # type: ignore[no-untyped-def]
        vector = ir.VectorType(ir.IntType(8), _VECTOR)
        data = builder.load(builder.inttoptr(args[0], vector.as_pointer()), align=1)
        quote, escape, control = (ir.Constant(vector, [ir.IntType(8)(one)] * _VECTOR) for one in (34, 92, 32))
        found = builder.or_(builder.icmp_unsigned("==", data, quote), builder.icmp_unsigned("==", data, escape))
        found = builder.or_(found, builder.icmp_signed("<", data, control))
        return builder.zext(builder.bitcast(found, ir.IntType(_VECTOR)), ir.IntType(64))

    return types.int64(types.int64), generate


@intrinsic
def _lowest(_context, bits):  # type: ignore[no-untyped-def]
    """Return the position of the lowest set bit."""

    def generate(_context, builder, _signature, args):  # type: ignore[no-untyped-def]
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


_ZONE_SIX, _SIX = _letters("+00:00"), 0xFFFFFFFFFFFF
_OPTIONS: Any = {"nogil": True, "cache": True, "error_model": "numpy", "boundscheck": False}


@njit(inline="always")
def _masked(word, length):  # type: ignore[no-untyped-def]  # pragma: no cover
    return word if length >= 8 else word & ((1 << (8 * length)) - 1)


@njit(**_OPTIONS)
def _text_end(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return where the quote that ends plain text stands, 0 when the text is not plain."""
    while True:
        stops = _stops(at)
        if stops != 0:
            stop = at + _lowest(stops)
            return stop if _byte_at(stop) == 34 else 0
        at += 32


@njit(**_OPTIONS)
def _line_end(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    while _byte_at(at) != 10:
        at += 1
    return at


@njit(**_OPTIONS)
def _skip(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return where the blanks end."""
    while _byte_at(at) == 32 or _byte_at(at) == 9 or _byte_at(at) == 13:
        at += 1
    return at


@njit(**_OPTIONS)
def _minute(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the nanoseconds of `YYYY-MM-DDTHH:MM`, -1 when it is no date from 1970 to 2199."""
    digits = (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15)
    for place in digits:
        if _byte_at(at + place) < 48 or _byte_at(at + place) > 57:
            return -1
    if _byte_at(at + 4) != 45 or _byte_at(at + 7) != 45 or _byte_at(at + 10) != 84 or _byte_at(at + 13) != 58:
        return -1
    year = (_byte_at(at) * 1000 + _byte_at(at + 1) * 100 + _byte_at(at + 2) * 10 + _byte_at(at + 3)) - 48 * 1111
    month = _byte_at(at + 5) * 10 + _byte_at(at + 6) - 528
    day = _byte_at(at + 8) * 10 + _byte_at(at + 9) - 528
    hour = _byte_at(at + 11) * 10 + _byte_at(at + 12) - 528
    minute = _byte_at(at + 14) * 10 + _byte_at(at + 15) - 528
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = 31
    if month == 2:
        days = 29 if leap else 28
    elif month == 4 or month == 6 or month == 9 or month == 11:
        days = 30
    if year < 1970 or year > 2199 or month < 1 or month > 12 or day < 1 or day > days or hour > 23 or minute > 59:
        return -1
    shifted = year - 1 if month <= 2 else year
    of_era = shifted % 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    day_number = shifted // 400 * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
    return ((day_number * 24 + hour) * 60 + minute) * 60_000_000_000


@njit(**_OPTIONS)
def _moment_of(at, end, dates, cache):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the nanoseconds of an ISO time in UTC, -1 for any other text; the last minute seen is remembered."""
    if end - at < 20:
        return NO_TIME
    date, clock = _word_at(at), _word_at(at + 8)
    if date != dates[cache] or clock != dates[cache + 1]:
        minute = _minute(at)
        if minute < 0:
            return NO_TIME
        dates[cache], dates[cache + 1], dates[cache + 2] = date, clock, minute
    tens, ones = _byte_at(at + 17) - 48, _byte_at(at + 18) - 48
    if _byte_at(at + 16) != 58 or tens < 0 or tens > 5 or ones < 0 or ones > 9:
        return NO_TIME
    nanos = dates[cache + 2] + (tens * 10 + ones) * 1_000_000_000
    at += 19
    if _byte_at(at) == 46:
        at += 1
        unit = 100_000_000
        begin = at
        while unit > 0:
            digit = _byte_at(at) - 48
            if digit < 0 or digit > 9:
                break
            nanos += digit * unit
            unit //= 10
            at += 1
        if at == begin:
            return NO_TIME
    if (_byte_at(at) == 90 and at + 1 == end) or (at + 6 == end and _word_at(at) & _SIX == _ZONE_SIX):
        return nanos
    return NO_TIME


@njit(**_OPTIONS)
def _number_end(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the end of a short number without exponent, 0 for any other."""
    begin = at
    if _byte_at(at) == 45:
        at += 1
    first = _byte_at(at)
    if first < 48 or first > 57:
        return 0
    at += 1
    if first != 48:
        while 48 <= _byte_at(at) <= 57:
            at += 1
    if _byte_at(at) == 46:
        at += 1
        digits = at
        while 48 <= _byte_at(at) <= 57:
            at += 1
        if at == digits:
            return 0
    return at if at - begin <= DIGITS_MAX else 0


_LEVEL, _LVL, _SEVERITY, _SEVERITY_TEXT_TAIL = (_letters(one) for one in ("level", "lvl", "severity", "ity_text"))
_TS, _TIME, _TIMESTAMP, _AT_TIMESTAMP = (_letters(one) for one in ("ts", "time", "timestamp", "@timestamp"))
_AT_TIMESTAMP_TAIL, _TIMESTAMP_TAIL = _letters("imestamp"), _letters("imestamp")
_EVENT, _PAYLOAD, _INGESTED, _INGESTED_TAIL = (_letters(one) for one in ("event", "payload", "ingested", "ested_at"))
_EXC_INFO, _EXC_TEXT, _EXCEPTION = (_letters(one) for one in ("exc_info", "exc_text", "exception"))
_STACK, _STACKTRACE, _STACK_TRACE, _TRACEBACK = (
    _letters(one) for one in ("stack", "stacktrace", "stack_trace", "traceback")
)
_INFO, _DEBUG, _TRACE, _NOTICE = (_letters(one) for one in OK_WORDS)
_INFO_UPPER, _DEBUG_UPPER, _TRACE_UPPER, _NOTICE_UPPER = (_letters(one.upper()) for one in OK_WORDS)
_BEAT_HEAD, _BEAT_TAIL, _BEAT_BYTES = _letters(BEAT), _letters(BEAT[1:]), len(BEAT)
_TRUE, _FALSE, _NULL = (_letters(one) for one in ("true", "false", "null"))
_TRAC, _PANI, _FATA, _LOWER_FOUR = (_letters(one) for one in ("trac", "pani", "fata", "    "))
_FOUR, _FIVE = 0xFFFFFFFF, 0xFFFFFFFFFF


@njit(**_OPTIONS)
def _level_number(at, length):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the number of an OK level in lower or upper case, -1 for any other word."""
    if length < 4 or length > 6:
        return -1
    word = _masked(_word_at(at), length)
    if word in (_INFO, _INFO_UPPER):
        return 0
    if word in (_DEBUG, _DEBUG_UPPER):
        return 1
    if word in (_TRACE, _TRACE_UPPER):
        return 2
    if word in (_NOTICE, _NOTICE_UPPER):
        return 3
    return -1


@njit(**_OPTIONS)
def _event_slot(at, length, counts, words, event_counts):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the slot of an event's name, a new one when there is room, else -1."""
    if length > EVENT_BYTES_MAX:
        return -1
    w0 = _masked(_word_at(at), length)
    w1 = _masked(_word_at(at + 8), length - 8) if length > 8 else 0
    w2 = _masked(_word_at(at + 16), length - 16) if length > 16 else 0
    w3 = _masked(_word_at(at + 24), length - 24) if length > 24 else 0
    mixed = w0 * 0x2545F4914F6CDD1D ^ w1 * 0x1B873593CC9E2D51 ^ w2 * 0x27D4EB2F165667C5 ^ w3 * 0x165667B19E3779F9
    slot = (mixed ^ (mixed >> 29) ^ (mixed >> 47) ^ length) & (SLOTS - 1)
    while True:
        if event_counts[2 * slot + 1] == 0:
            if counts[EVENTS_USED] >= EVENTS_MAX:
                return -1
            counts[EVENTS_USED] += 1
            words[4 * slot], words[4 * slot + 1], words[4 * slot + 2], words[4 * slot + 3] = w0, w1, w2, w3
            event_counts[2 * slot + 1] = length
            return slot
        if (
            event_counts[2 * slot + 1] == length and words[4 * slot] == w0 and words[4 * slot + 1] == w1
            and words[4 * slot + 2] == w2 and words[4 * slot + 3] == w3
        ):
            return slot
        slot = (slot + 1) & (SLOTS - 1)


@njit(**_OPTIONS)
def _read_line(at, latest, ahead_max, width, counts, cells, dates, words, event_counts):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Count one line and return the address after its end; 0, with nothing counted, when it is not a plain one."""
    if _byte_at(at) != 123:
        return 0
    at += 1
    depth, kinds, opened = 1, 1, True  # kinds: a bit a level, 1 for an object
    in_payload = False
    level, own, arrival = -1, NO_TIME, NO_TIME
    event, event_bytes, saw_payload = 0, 0, False
    while depth > 0:
        what = 0
        at = _skip(at)
        if opened and _byte_at(at) == (125 if kinds & 1 else 93):
            closing = True
        else:
            closing = False
            if kinds & 1:
                if _byte_at(at) != 34:
                    return 0
                key = at + 1
                at = _text_end(key)
                if at == 0:
                    return 0
                length = at - key
                head = _masked(_word_at(key), length)
                if length == 5:
                    if head == _LEVEL:
                        what = 1
                    elif head == _EVENT:
                        what = 3
                    elif head == _STACK:
                        return 0
                elif length == 9:
                    if head == _TIMESTAMP and _word_at(key + 1) == _TIMESTAMP_TAIL:
                        what = 2
                    elif head in (_EXCEPTION, _TRACEBACK):
                        return 0
                elif length == 8:
                    if head == _SEVERITY:
                        what = 1
                    elif head in (_EXC_INFO, _EXC_TEXT):
                        return 0
                elif length == 11:
                    if head == _INGESTED and _word_at(key + 3) == _INGESTED_TAIL:
                        what = 5
                    elif head == _STACK_TRACE:
                        return 0
                elif length == 7:
                    if head == _PAYLOAD:
                        what = 4
                elif length == 10:
                    if head == _AT_TIMESTAMP and _word_at(key + 2) == _AT_TIMESTAMP_TAIL:
                        what = 2
                    elif head == _STACKTRACE:
                        return 0
                elif (length == 2 and head == _TS) or (length == 4 and head == _TIME):
                    what = 2
                elif (length == 3 and head == _LVL) or (
                    length == 13 and head == _SEVERITY and _word_at(key + 5) == _SEVERITY_TEXT_TAIL
                ):
                    what = 1
                if depth != (2 if what == 5 else 1) or (what == 5 and not in_payload):
                    what = 0
                at += 1
                at = _skip(at)
                if _byte_at(at) != 58:
                    return 0
                at += 1
                at = _skip(at)
            opened = False
            first = _byte_at(at)
            if first == 34:
                text = at + 1
                at = _text_end(text)
                if at == 0:
                    return 0
                start = (_word_at(text) | _LOWER_FOUR) & _FOUR
                if start in (_TRAC, _PANI, _FATA) or _byte_at(text) == 32:
                    return 0
                if what == 1:
                    if level >= 0:
                        return 0
                    level = _level_number(text, at - text)
                    if level < 0:
                        return 0
                elif what == 2:
                    if own != NO_TIME:
                        return 0
                    own = _moment_of(text, at, dates, 0)
                    if own == NO_TIME:
                        return 0
                elif what == 5:
                    if arrival != NO_TIME:
                        return 0
                    arrival = _moment_of(text, at, dates, 3)
                    if arrival == NO_TIME:
                        return 0
                elif what == 3:
                    if event != 0:
                        return 0
                    event, event_bytes = text, at - text
                elif what == 4:
                    return 0
                at += 1
            elif what != 0 and what != 4:
                return 0
            elif first == 123 or first == 91:
                if depth >= DEPTH_MAX:
                    return 0
                if what == 4:
                    if saw_payload or first != 123:
                        return 0
                    saw_payload, in_payload = True, True
                kinds = kinds << 1 | (1 if first == 123 else 0)
                depth += 1
                opened = True
                at += 1
                continue
            elif what == 4:
                return 0
            elif (first == 116 and _word_at(at) & _FOUR == _TRUE) or (first == 110 and _word_at(at) & _FOUR == _NULL):
                at += 4
            elif first == 102 and _word_at(at) & _FIVE == _FALSE:
                at += 5
            else:
                at = _number_end(at)
                if at == 0:
                    return 0
        while depth > 0:
            if not closing:
                at = _skip(at)
                sign = _byte_at(at)
                if sign == 44:
                    at += 1
                    break
                if sign != (125 if kinds & 1 else 93):
                    return 0
            closing, opened = False, False
            at += 1
            kinds >>= 1
            depth -= 1
            if depth == 1:
                in_payload = False
    at = _skip(at)
    if _byte_at(at) != 10 or level < 0:
        return 0
    moment = own if arrival == NO_TIME else arrival
    if moment == NO_TIME or moment > latest or own > moment + ahead_max:
        return 0
    cell = moment // width
    if counts[FIRST_CELL] < 0:
        counts[FIRST_CELL] = max(0, cell // CELLS_A_PAGE - PAGES_BEFORE) * CELLS_A_PAGE
    cell -= counts[FIRST_CELL]
    if cell < 0 or cell >= CELLS:
        return 0
    if event_bytes > 0:
        if event_bytes == _BEAT_BYTES and _word_at(event) == _BEAT_HEAD and _word_at(event + 1) == _BEAT_TAIL:
            return 0
        slot = _event_slot(event, event_bytes, counts, words, event_counts)
        if slot < 0:
            return 0
        event_counts[2 * slot] += 1
    counts[RECORDS] += 1
    counts[LEVELS + level] += 1
    counts[ATTESTED if arrival == NO_TIME else MEASURED] += 1
    if moment < cells[2 * cell]:
        cells[2 * cell] = moment
    if moment > cells[2 * cell + 1]:
        cells[2 * cell + 1] = moment
    return at + 1


@njit(**_OPTIONS)
def scan(base, start, stop, latest, ahead_max, width, counts, cells, spans, dates, words, event_counts):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Read the lines from `start` to `stop` and return how far it came: to `stop`, or until the spans are full."""
    at = base + start
    end = base + stop
    while at < end:
        after = _read_line(at, latest, ahead_max, width, counts, cells, dates, words, event_counts)
        if after == 0:
            after = _line_end(at) + 1
            used = counts[SPANS_USED]
            spans[2 * used], spans[2 * used + 1] = at - base, after - 1 - base
            counts[SPANS_USED] = used + 1
            if used + 1 == SPANS:
                return after - base
        at = after
    return at - base
