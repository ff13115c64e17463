"""Times of a line in ISO and as epochs, from bytes in memory."""

# Compiled functions are typed by their machine words:
# mypy: disable-error-code="call-arg, var-annotated"
import zlib
from pathlib import Path

import numpy as np
from numba import njit

from tradeworthy.operations.dry_run.audit.classification import LATEST_NANOS
from tradeworthy.operations.dry_run.audit.compiled_text import (
    ABOVE_NINE,
    HIGH,
    LOW_SEVEN,
    OPTIONS,
    ZEROS,
    byte_at,
    digits_end,
    get,
    integer_at,
    letters,
    put,
    word_at,
)

NO_TIME = -1
_STAMP_SIGNS, _STAMP_SECOND = letters("\x7f\0\0\x7f") | 0x80000080, letters(":\0\0.")
_STAMP_ENDS, _STAMP_FRACTION = letters("\x7f" + 6 * "\0" + "\x7f") | -0x7FFFFFFFFFFFFF80, letters("." + 6 * "\0" + "Z")
_ZONE_SIX, _SIX, _EVEN = letters("+00:00"), 0xFFFFFFFFFFFF, 0x00FF00FF00FF


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
            word = (word_at(at) ^ ZEROS) & _SIX
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
    digits = ((fraction >> 8) & _SIX) ^ (ZEROS & _SIX)
    if ((digits & LOW_SEVEN) + (ABOVE_NINE & _SIX) | digits) & HIGH != 0 or tens < 0 or tens > 5:
        return NO_TIME
    if ones < 0 or ones > 9:
        return NO_TIME
    pairs = (digits & _EVEN) * 10 + ((digits >> 8) & _EVEN)
    micros = (pairs & 0xFF) * 10_000 + ((pairs >> 16) & 0xFF) * 100 + ((pairs >> 32) & 0xFF)
    return get(seen, 2) + (tens * 10 + ones) * 1_000_000_000 + micros * 1_000


def code_of_times() -> int:
    """Return a number that changes with this file."""
    return zlib.crc32(Path(__file__).read_bytes())
