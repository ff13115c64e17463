"""The compiled reader's kernel: checks every byte of a plain JSON line and counts it without making objects.

It takes only what it can judge alone: whole UTF-8 with the usual escapes, known OK levels, times in ISO and UTC or as
epochs, no key or text that could be a stack trace. Every other line is left, untouched, to `Tally.take`.
"""

# Compiled functions are typed by their machine words:
# mypy: disable-error-code="call-arg, var-annotated"
from typing import Any

from numba import njit

from tradeworthy.operations.dry_run.audit.compiled_head import ARRIVAL_SEEN as ARRIVAL_SEEN
from tradeworthy.operations.dry_run.audit.compiled_head import HEAD as HEAD
from tradeworthy.operations.dry_run.audit.compiled_head import OK_WORDS as OK_WORDS
from tradeworthy.operations.dry_run.audit.compiled_head import (
    OWN_SEEN,
    code_of_head,
    level_number,
    read_head,
    suspect,
)
from tradeworthy.operations.dry_run.audit.compiled_keys import (
    KEYS_A_SHAPE,
    SHAPE_KEY_BYTES_MAX,
    SHAPE_WORDS,
    SHAPES,
    code_of_keys,
    meaning_of,
    remember,
)
from tradeworthy.operations.dry_run.audit.compiled_text import (
    OPTIONS,
    byte_at,
    code_of_text,
    digits_end,
    equals,
    get,
    holds_escape,
    integer_at,
    letters,
    line_end,
    masked,
    number_end,
    put,
    skip,
    text_end,
    text_rest,
    word_at,
)
from tradeworthy.operations.dry_run.audit.compiled_times import NO_TIME, code_of_times, epoch_of, moment_of

CELLS_A_PAGE, PAGES, PAGES_BEFORE = 1_024, 320, 8
"""Room for 3.8 days at one cell a second, of which two hours may lie before the first line read."""
CELLS = PAGES * CELLS_A_PAGE
SPANS, BEATS = 8_192, 8_192
SLOTS, EVENTS_MAX, EVENT_BYTES_MAX = 2_048, 1_024, 32
DEPTH_MAX = 60
(
    RECORDS, MEASURED, ATTESTED, SPANS_USED, EVENTS_USED, FIRST_CELL, BEATS_USED, CELL, CELL_LOW, LATEST, AHEAD_MAX,
    WIDTH, LEVELS,
) = range(13)  # fmt: skip
BEATS_AT = 32
SPANS_AT = BEATS_AT + 2 * BEATS
NAMES_AT = SPANS_AT + 2 * SPANS
EVENTS_AT = NAMES_AT + 4 * SLOTS
CELLS_AT = EVENTS_AT + 2 * SLOTS
SHAPES_AT = CELLS_AT + 2 * CELLS
WORDS = SHAPES_AT + SHAPES * KEYS_A_SHAPE * SHAPE_WORDS
"""Places in the one memory that the kernel works on, in words of eight bytes."""
BEAT = "heartbeat"
_BEAT_HEAD, _BEAT_TAIL, _BEAT_BYTES = letters(BEAT), letters(BEAT[1:]), len(BEAT)
_TRUE, _FALSE, _NULL = (letters(one) for one in ("true", "false", "null"))
_FOUR, _FIVE = 0xFFFFFFFF, 0xFFFFFFFFFF


@njit(**OPTIONS)
def _add(state, place, more):  # type: ignore[no-untyped-def]  # pragma: no cover
    put(state, place, get(state, place) + more)


@njit(**OPTIONS)
def _event_slot(at, length, state):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the place where an event is counted, a new one when there is room, else -1."""
    if length > EVENT_BYTES_MAX:
        return -1
    w0 = masked(word_at(at), length)
    w1 = masked(word_at(at + 8), length - 8) if length > 8 else 0
    w2 = masked(word_at(at + 16), length - 16) if length > 16 else 0
    w3 = masked(word_at(at + 24), length - 24) if length > 24 else 0
    mixed = w0 * 0x2545F4914F6CDD1D ^ w1 * 0x1B873593CC9E2D51 ^ w2 * 0x27D4EB2F165667C5 ^ w3 * 0x165667B19E3779F9
    slot = (mixed ^ (mixed >> 29) ^ (mixed >> 47) ^ length) & (SLOTS - 1)
    while True:
        place, name = EVENTS_AT + 2 * slot, NAMES_AT + 4 * slot
        known = get(state, place + 1)
        if known == 0:
            if get(state, EVENTS_USED) >= EVENTS_MAX:
                return -1
            _add(state, EVENTS_USED, 1)
            put(state, name, w0)
            put(state, name + 1, w1)
            put(state, name + 2, w2)
            put(state, name + 3, w3)
            put(state, place + 1, length)
            return place
        head_equal = known == length and get(state, name) == w0 and get(state, name + 1) == w1
        if head_equal and get(state, name + 2) == w2 and get(state, name + 3) == w3:
            return place
        slot = (slot + 1) & (SLOTS - 1)


@njit(**OPTIONS)
def _read_line(at, state):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Count one line and return the address after its end; 0, with nothing counted, when it is not a plain one."""
    level, own, arrival, event, event_bytes = -1, NO_TIME, NO_TIME, 0, 0
    seq_line, seq_inner, seq_payload, odd_seq = 0, 0, 0, False
    body = read_head(at, state)
    if body != 0:
        at, depth, kinds, opened, in_payload, saw_payload = body, 2, 3, False, True, True
        level, own, arrival = get(state, HEAD), get(state, HEAD + 1), get(state, HEAD + 2)
        event, event_bytes = get(state, HEAD + 3), get(state, HEAD + 4)
    elif byte_at(at) == 123:
        at, depth, kinds, opened, in_payload, saw_payload = at + 1, 1, 1, True, False, False
    else:
        return 0
    in_structured, saw_structured = False, False
    keys = 0
    shapes = KEYS_A_SHAPE * ((word_at(event) * 0x2545F4914F6CDD1D) >> 32 & (SHAPES - 1)) if body != 0 else 0
    while depth > 0:
        what = 0
        at = skip(at)
        if opened and byte_at(at) == (125 if kinds & 1 else 93):
            closing = True
        else:
            closing = False
            if kinds & 1:
                if byte_at(at) != 34:
                    return 0
                shape = SHAPES_AT + SHAPE_WORDS * (shapes | keys & (KEYS_A_SHAPE - 1))
                keys += 1
                known = get(state, shape + 5) if equals(at, state + 8 * shape) | get(state, shape + 4) == _FOUR else 0
                if known != 0:
                    what = known >> 8
                    at += known & 0xFF
                else:
                    key = at + 1
                    at = text_end(key)
                    if byte_at(at) != 34:
                        at = text_rest(at)
                        if at == 0 or holds_escape(key, at):
                            return 0
                    length = at - key
                    what = meaning_of(key, length)
                    if what < 0:
                        return 0
                    at += 1
                    begin = at
                    at = skip(at)
                    if byte_at(at) != 58:
                        return 0
                    at += 1
                    if at - 1 == begin and length + 3 <= SHAPE_KEY_BYTES_MAX:
                        remember(key - 1, length + 3, what, state + 8 * shape)
                if what == 5 or what == 7:
                    what = what if depth == 2 and in_payload else 0
                elif what == 6:
                    what = 6 if depth == 1 or (depth == 2 and in_payload) or (depth == 3 and in_structured) else 0
                elif depth != 1:
                    what = 0
                at = skip(at)
            opened = False
            first = byte_at(at)
            if first == 34:
                text = at + 1
                at = text_end(text)
                if byte_at(at) != 34:
                    if what == 1 or what == 2 or what == 5:
                        return 0
                    at = text_rest(at)
                    if at == 0 or (what == 3 and holds_escape(text, at)):
                        return 0
                if suspect(text):
                    return 0
                if what == 1:
                    if level >= 0:
                        return 0
                    level = level_number(text, at - text)
                    if level < 0:
                        return 0
                elif what == 2:
                    if own != NO_TIME:
                        return 0
                    own = moment_of(text, at, state + 8 * OWN_SEEN)
                    if own == NO_TIME:
                        return 0
                elif what == 5:
                    if arrival != NO_TIME:
                        return 0
                    arrival = moment_of(text, at, state + 8 * ARRIVAL_SEEN)
                    if arrival == NO_TIME:
                        return 0
                elif what == 3:
                    if event != 0:
                        return 0
                    event, event_bytes = text, at - text
                elif what == 4 or what == 7:
                    return 0
                elif what == 6:
                    odd_seq = True
                at += 1
            elif what == 6:
                begin = at
                at = number_end(at)
                if at == 0:
                    return 0
                odd_seq = odd_seq or digits_end(begin) != at
                if depth == 1:
                    odd_seq, seq_line = odd_seq or seq_line != 0, begin
                elif depth == 2:
                    odd_seq, seq_payload = odd_seq or seq_payload != 0, begin
                else:
                    odd_seq, seq_inner = odd_seq or seq_inner != 0, begin
            elif what == 2 or what == 5:
                begin = at
                at = number_end(begin)
                if at == 0:
                    return 0
                moment = epoch_of(begin, at)
                if moment == NO_TIME or (own if what == 2 else arrival) != NO_TIME:
                    return 0
                if what == 2:
                    own = moment
                else:
                    arrival = moment
            elif what != 0 and what != 4 and what != 7:
                return 0
            elif first == 123 or first == 91:
                if depth >= DEPTH_MAX:
                    return 0
                if what == 4:
                    if saw_payload or first != 123:
                        return 0
                    saw_payload, in_payload = True, True
                elif what == 7:
                    if saw_structured or first != 123:
                        return 0
                    saw_structured, in_structured = True, True
                kinds = kinds << 1 | (1 if first == 123 else 0)
                depth += 1
                opened = True
                at += 1
                continue
            elif what == 4:
                return 0
            elif (first == 116 and word_at(at) & _FOUR == _TRUE) or (first == 110 and word_at(at) & _FOUR == _NULL):
                at += 4
            elif first == 102 and word_at(at) & _FIVE == _FALSE:
                at += 5
            else:
                at = number_end(at)
                if at == 0:
                    return 0
        while depth > 0:
            if not closing:
                at = skip(at)
                sign = byte_at(at)
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
            elif depth == 2:
                in_structured = False
    at = skip(at)
    if byte_at(at) != 10 or level < 0:
        return 0
    moment = own if arrival == NO_TIME else arrival
    if moment == NO_TIME or moment > get(state, LATEST) or own > moment + get(state, AHEAD_MAX):
        return 0
    low, width = get(state, CELL_LOW), get(state, WIDTH)
    if moment < low or moment >= low + width:
        cell = moment // width
        if get(state, FIRST_CELL) < 0:
            put(state, FIRST_CELL, max(0, cell // CELLS_A_PAGE - PAGES_BEFORE) * CELLS_A_PAGE)
        number = cell - get(state, FIRST_CELL)
        if number < 0 or number >= CELLS:
            return 0
        put(state, CELL_LOW, cell * width)
        put(state, CELL, CELLS_AT + 2 * number)
    if event_bytes > 0:
        seq = -1
        if event_bytes == _BEAT_BYTES and word_at(event) == _BEAT_HEAD and word_at(event + 1) == _BEAT_TAIL:
            begin = seq_line if seq_line != 0 else seq_inner if seq_inner != 0 else seq_payload
            if begin != 0:
                seq = integer_at(begin)
                if seq < 0:
                    return 0
            if odd_seq or get(state, BEATS_USED) >= BEATS:
                return 0
        place = _event_slot(event, event_bytes, state)
        if place < 0:
            return 0
        if seq >= 0:
            beat = BEATS_AT + 2 * get(state, BEATS_USED)
            put(state, beat, moment)
            put(state, beat + 1, seq)
            _add(state, BEATS_USED, 1)
        _add(state, place, 1)
    _add(state, RECORDS, 1)
    _add(state, LEVELS + level, 1)
    _add(state, ATTESTED if arrival == NO_TIME else MEASURED, 1)
    cell = get(state, CELL)
    if moment < get(state, cell):
        put(state, cell, moment)
    if moment > get(state, cell + 1):
        put(state, cell + 1, moment)
    return at + 1


def _compile(code: int) -> Any:
    """Return the compiled scan. Its cache is renewed when what a closure holds changes: `code` stands for the
    other files, which the cache would not look at.
    """

    @njit(cache=True, **OPTIONS)
    def scan_lines(base, start, stop, state):  # type: ignore[no-untyped-def]  # pragma: no cover
        """Read the lines from `start` to `stop` and return how far it came: to `stop`, or until the spans are full."""
        at = base + start + (code - code)
        end = base + stop
        while at < end:
            after = _read_line(at, state)
            if after == 0:
                after = line_end(at) + 1
                used = get(state, SPANS_USED)
                put(state, SPANS_AT + 2 * used, at - base)
                put(state, SPANS_AT + 2 * used + 1, after - 1 - base)
                put(state, SPANS_USED, used + 1)
                if used + 1 == SPANS:
                    return after - base
            at = after
        return at - base

    return scan_lines


scan = _compile(code_of_text() ^ code_of_times() ^ code_of_head() ^ code_of_keys())
