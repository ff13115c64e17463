"""Look at bytes in memory from compiled code: words, vectors, plain text, times and numbers of JSON."""

# Compiled functions are typed by their machine words:
# mypy: disable-error-code="call-arg, var-annotated"
import zlib
from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

DIGITS_MAX = 40
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


ZEROS, LOW_SEVEN, ABOVE_NINE = letters("0" * 8), 0x7F7F7F7F7F7F7F7F, 0x7676767676767676
HIGH = -0x7F7F7F7F7F7F7F80
"""What tells digits in a word: exclusive-or with zeros leaves 0 to 9 in each byte, more sets a high bit."""
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
        word = word_at(at) ^ ZEROS
        others = (((word & LOW_SEVEN) + ABOVE_NINE) | word) & HIGH
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
