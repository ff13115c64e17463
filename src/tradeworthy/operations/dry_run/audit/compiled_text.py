"""Look at bytes in memory from compiled code: words, vectors, plain text, times and numbers of JSON."""

# Compiled functions are typed by their machine words:
# mypy: disable-error-code="call-arg, var-annotated"
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from tradeworthy.operations.dry_run.audit.classification import LATEST_NANOS

DIGITS_MAX = 40
NO_TIME = -1
_VECTOR = 32


def letters(text: str) -> int:
    """Return up to eight characters as the number that one look into memory gives."""
    return int.from_bytes(text.encode().ljust(8, b"\0")[:8], "little", signed=True)


@intrinsic
def word_at(_context, address):  # type: ignore[no-untyped-def]
    """Load eight bytes from anywhere."""

    def generate(_context, builder, _signature, args):  # type: ignore[no-untyped-def]
        return builder.load(builder.inttoptr(args[0], ir.IntType(64).as_pointer()), align=1)

    return types.int64(types.int64), generate


@intrinsic
def get(_context, base, place):  # type: ignore[no-untyped-def]
    """Load a word of the memory at `base`; unlike an array it costs no count of references."""

    def generate(_context, builder, _signature, args):  # type: ignore[no-untyped-def]
        words = builder.inttoptr(args[0], ir.IntType(64).as_pointer())
        return builder.load(builder.gep(words, [args[1]]))

    return types.int64(types.int64, types.int64), generate


@intrinsic
def put(_context, base, place, value):  # type: ignore[no-untyped-def]
    """Store a word in the memory at `base`."""

    def generate(context, builder, _signature, args):  # type: ignore[no-untyped-def]
        words = builder.inttoptr(args[0], ir.IntType(64).as_pointer())
        builder.store(args[2], builder.gep(words, [args[1]]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def byte_at(_context, address):  # type: ignore[no-untyped-def]
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
def equals(_context, address, other):  # type: ignore[no-untyped-def]
    """Return a bit for each of 32 bytes that is the same at both places."""

    def generate(_context, builder, _signature, args):  # type: ignore[no-untyped-def]
        vector = ir.VectorType(ir.IntType(8), _VECTOR)
        one, two = (builder.load(builder.inttoptr(place, vector.as_pointer()), align=1) for place in args)
        same = builder.icmp_unsigned("==", one, two)
        return builder.zext(builder.bitcast(same, ir.IntType(_VECTOR)), ir.IntType(64))

    return types.int64(types.int64, types.int64), generate


@intrinsic
def _lowest(_context, bits):  # type: ignore[no-untyped-def]
    """Return the position of the lowest set bit."""

    def generate(_context, builder, _signature, args):  # type: ignore[no-untyped-def]
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


_ZEROS, _LOW_SEVEN, _ABOVE_NINE = letters("0" * 8), 0x7F7F7F7F7F7F7F7F, 0x7676767676767676
_HIGH, _EVEN = -0x7F7F7F7F7F7F7F80, 0x00FF00FF00FF
_ZONE_SIX, _SIX = letters("+00:00"), 0xFFFFFFFFFFFF
_STAMP_SIGNS, _STAMP_SECOND = letters("\x7f\0\0\x7f") | 0x80000080, letters(":\0\0.")
_STAMP_ENDS, _STAMP_FRACTION = letters("\x7f" + 6 * "\0" + "\x7f") | -0x7FFFFFFFFFFFFF80, letters("." + 6 * "\0" + "Z")
_TRAC, _PANI, _FATA, _LOWER_FOUR = (letters(one) for one in ("trac", "pani", "fata", "    "))
_FOUR = 0xFFFFFFFF
OPTIONS: Any = {"nogil": True, "error_model": "numpy", "boundscheck": False}
"""Without a cache of their own: what is kept is the whole scan, which is made of all of them."""


@njit(inline="always")
def masked(word, length):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the first `length` bytes of a word, the others zero."""
    return word if length >= 8 else word & ((1 << (8 * length)) - 1)


@njit(**OPTIONS)
def text_end(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return where plain text stops; when it is plain to its end, a quote stands there, which the caller checks.

    The check is the caller's, because a branch is predicted, while a choice of results waits for the byte.
    """
    while True:
        stops = _stops(at)
        if stops != 0:
            return at + _lowest(stops)
        at += 32


@njit(**OPTIONS)
def blanks_end(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return where the blanks at the begin of a line of text end: spaces, and tabs as JSON writes them."""
    while True:
        if byte_at(at) == 32:
            at += 1
        elif byte_at(at) == 92 and byte_at(at + 1) == 116:
            at += 2
        else:
            return at


@njit(**OPTIONS)
def begins_trace(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Tell whether a line of text begins as the first line of a stack trace does."""
    start = (word_at(at) | _LOWER_FOUR) & _FOUR
    return start in (_TRAC, _PANI, _FATA)


@njit(**OPTIONS)
def _hex_at(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the value of four hexadecimal digits, -1 for anything else."""
    value = 0
    for place in range(at, at + 4):
        digit = byte_at(place)
        if 48 <= digit <= 57:
            digit -= 48
        elif 97 <= (digit | 32) <= 102:
            digit = (digit | 32) - 87
        else:
            return -1
        value = value * 16 + digit
    return value


@njit(**OPTIONS)
def _numbered_end(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the end of a character by its number, or of a pair of surrogates; 0 for ASCII and what folds into it."""
    value = _hex_at(at + 2)
    if value < 128 or value in (0x130, 0x131, 0x17F, 0x212A) or 0xDC00 <= value <= 0xDFFF:
        return 0
    if value < 0xD800 or value > 0xDBFF:
        return at + 6
    if byte_at(at + 6) != 92 or byte_at(at + 7) != 117:
        return 0
    low = _hex_at(at + 8)
    return at + 12 if 0xDC00 <= low <= 0xDFFF else 0


@njit(**OPTIONS)
def _beyond_ascii_end(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the end of one character of whole UTF-8 beyond ASCII, 0 for other bytes and for what folds into ASCII."""
    lead, second = byte_at(at), byte_at(at + 1)
    if second < 0x80 or second > 0xBF:
        return 0
    if lead < 0xE0:
        folds = (lead == 0xC4 and (second == 0xB0 or second == 0xB1)) or (lead == 0xC5 and second == 0xBF)
        return 0 if lead < 0xC2 or folds else at + 2
    third = byte_at(at + 2)
    if third < 0x80 or third > 0xBF:
        return 0
    if lead < 0xF0:
        shortest = lead == 0xE0 and second < 0xA0
        surrogate = lead == 0xED and second > 0x9F
        folds = lead == 0xE2 and second == 0x84 and third == 0xAA
        return 0 if shortest or surrogate or folds else at + 3
    fourth = byte_at(at + 3)
    if fourth < 0x80 or fourth > 0xBF or lead > 0xF4:
        return 0
    return 0 if (lead == 0xF0 and second < 0x90) or (lead == 0xF4 and second > 0x8F) else at + 4


@njit(**OPTIONS)
def text_rest(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return where text ends that is more than plain from `at` on, 0 for one that the general parser must look at.

    Taken are the escapes of JSON but for controls and ASCII by number, and whole UTF-8. Left are texts with a line
    that could begin a stack trace, and letters that fold into ASCII ones.
    """
    while True:
        byte = byte_at(at)
        if byte == 34:
            return at
        if byte >= 128:
            at = _beyond_ascii_end(at)
        elif byte == 92:
            sign = byte_at(at + 1)
            if sign == 110:
                at = blanks_end(at + 2)
                if begins_trace(at):
                    return 0
            elif sign == 117:
                at = _numbered_end(at)
            elif sign in (34, 92, 47, 98, 102, 114, 116):
                at += 2
            else:
                return 0
        else:
            return 0
        if at == 0:
            return 0
        if byte_at(at) < 128:
            at = text_end(at)


@njit(**OPTIONS)
def holds_escape(at, end):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Tell whether a text holds an escape, so that its bytes are not its characters."""
    while at < end:
        if byte_at(at) == 92:
            return True
        at += 1
    return False


@njit(**OPTIONS)
def line_end(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return where the next line end stands."""
    while byte_at(at) != 10:
        at += 1
    return at


@njit(**OPTIONS)
def skip(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return where the blanks end."""
    while byte_at(at) <= 32:
        if byte_at(at) != 32 and byte_at(at) != 9 and byte_at(at) != 13:
            return at
        at += 1
    return at


@njit(**OPTIONS)
def digits_end(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return where a run of digits ends, eight bytes a step."""
    while True:
        word = word_at(at) ^ _ZEROS
        others = (((word & _LOW_SEVEN) + _ABOVE_NINE) | word) & _HIGH
        if others != 0:
            return at + (_lowest(others) >> 3)
        at += 8


@njit(**OPTIONS)
def integer_at(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the value of a run of digits, -1 when it is none or longer than 18."""
    stop = digits_end(at)
    if stop == at or stop - at > 18:
        return -1
    value = 0
    for place in range(at, stop):
        value = value * 10 + byte_at(place) - 48
    return value


@njit(**OPTIONS)
def epoch_of(at, end):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the nanoseconds of a positive number that is a time in s, ms, us or ns by its size, -1 for any other.

    A fraction becomes the nearest binary number first, as the general parser has it; at most nine digits of one after
    at least 2**20 are worked out so, in whole numbers.
    """
    stop = digits_end(at)
    whole = integer_at(at)
    if whole < 0:
        return NO_TIME
    if stop == end:
        if whole == 0:
            return NO_TIME
        unit = 1_000_000_000
        if whole >= 100_000_000_000_000_000:
            unit = 1
        elif whole >= 100_000_000_000_000:
            unit = 1_000
        elif whole >= 100_000_000_000:
            unit = 1_000_000
        return whole * unit if whole < LATEST_NANOS // unit else NO_TIME
    if byte_at(stop) != 46:
        return NO_TIME
    places = end - stop - 1
    if digits_end(stop + 1) != end or places > 9 or whole < 1 << 20 or whole >= 100_000_000_000:
        return NO_TIME
    fraction, power = 0, 1
    for place in range(stop + 1, end):
        fraction = fraction * 10 + byte_at(place) - 48
        power *= 10
    scale = 32
    while whole >> (53 - scale) != 0:
        scale -= 1
    scaled = (fraction << scale) // power
    rest = 2 * ((fraction << scale) - scaled * power)
    if rest > power or (rest == power and scaled & 1):
        scaled += 1
    value = np.float64((whole << scale) + scaled) / np.float64(1 << scale)
    nanos = np.rint(value * 1e9)
    return np.int64(nanos) if nanos < LATEST_NANOS else NO_TIME


@njit(**OPTIONS)
def _minute(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the nanoseconds of `YYYY-MM-DDTHH:MM`, -1 when it is no date from 1970 to 2199."""
    digits = (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15)
    for place in digits:
        if byte_at(at + place) < 48 or byte_at(at + place) > 57:
            return -1
    if byte_at(at + 4) != 45 or byte_at(at + 7) != 45 or byte_at(at + 10) != 84 or byte_at(at + 13) != 58:
        return -1
    year = (byte_at(at) * 1000 + byte_at(at + 1) * 100 + byte_at(at + 2) * 10 + byte_at(at + 3)) - 48 * 1111
    month = byte_at(at + 5) * 10 + byte_at(at + 6) - 528
    day = byte_at(at + 8) * 10 + byte_at(at + 9) - 528
    hour = byte_at(at + 11) * 10 + byte_at(at + 12) - 528
    minute = byte_at(at + 14) * 10 + byte_at(at + 15) - 528
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


@njit(**OPTIONS)
def moment_of(at, end, seen):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the nanoseconds of an ISO time in UTC, -1 for any other text; `seen` is where the last minute stays."""
    if end - at < 20:
        return NO_TIME
    date, clock = word_at(at), word_at(at + 8)
    if date != get(seen, 0) or clock != get(seen, 1):
        minute = _minute(at)
        if minute < 0:
            return NO_TIME
        put(seen, 0, date)
        put(seen, 1, clock)
        put(seen, 2, minute)
    tens, ones = byte_at(at + 17) - 48, byte_at(at + 18) - 48
    if byte_at(at + 16) != 58 or tens < 0 or tens > 5 or ones < 0 or ones > 9:
        return NO_TIME
    nanos = get(seen, 2) + (tens * 10 + ones) * 1_000_000_000
    at += 19
    if byte_at(at) == 46:
        at += 1
        stop = digits_end(at)
        length = stop - at
        if length == 6:
            word = (word_at(at) ^ _ZEROS) & _SIX
            pairs = (word & _EVEN) * 10 + ((word >> 8) & _EVEN)
            micros = (pairs & 0xFF) * 10_000 + ((pairs >> 16) & 0xFF) * 100 + ((pairs >> 32) & 0xFF)
            nanos += micros * 1_000
        elif length < 1 or length > 9:
            return NO_TIME
        else:
            unit = 100_000_000
            for place in range(at, stop):
                nanos += (byte_at(place) - 48) * unit
                unit //= 10
        at = stop
    if (byte_at(at) == 90 and at + 1 == end) or (at + 6 == end and word_at(at) & _SIX == _ZONE_SIX):
        return nanos
    return NO_TIME


@njit(**OPTIONS)
def micros_of(at, seen):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the nanoseconds of `YYYY-MM-DDTHH:MM:SS.ffffffZ` in a minute that was seen last, -1 for any other text.

    The length is fixed, so what comes after it can be looked at before this is worked out.
    """
    second, fraction = word_at(at + 16), word_at(at + 19)
    if second & _STAMP_SIGNS != _STAMP_SECOND or fraction & _STAMP_ENDS != _STAMP_FRACTION:
        return NO_TIME
    if word_at(at) != get(seen, 0) or word_at(at + 8) != get(seen, 1):
        return NO_TIME
    tens, ones = ((second >> 8) & 0xFF) - 48, ((second >> 16) & 0xFF) - 48
    digits = ((fraction >> 8) & _SIX) ^ (_ZEROS & _SIX)
    if ((digits & _LOW_SEVEN) + (_ABOVE_NINE & _SIX) | digits) & _HIGH != 0 or tens < 0 or tens > 5:
        return NO_TIME
    if ones < 0 or ones > 9:
        return NO_TIME
    pairs = (digits & _EVEN) * 10 + ((digits >> 8) & _EVEN)
    micros = (pairs & 0xFF) * 10_000 + ((pairs >> 16) & 0xFF) * 100 + ((pairs >> 32) & 0xFF)
    return get(seen, 2) + (tens * 10 + ones) * 1_000_000_000 + micros * 1_000


@njit(**OPTIONS)
def number_end(at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the end of a short number without exponent, 0 for any other."""
    begin = at
    if byte_at(at) == 45:
        at += 1
    first = byte_at(at)
    if first < 48 or first > 57:
        return 0
    at = at + 1 if first == 48 else digits_end(at)
    if byte_at(at) == 46:
        digits = at + 1
        at = digits_end(digits)
        if at == digits:
            return 0
    return at if at - begin <= DIGITS_MAX else 0


def code_of_text() -> int:
    """Return a number that changes with this file."""
    return zlib.crc32(Path(__file__).read_bytes())
