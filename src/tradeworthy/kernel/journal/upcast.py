"""Old majors stay readable (JR-02): a stored payload is lifted, major by major, to the kind's current schema.

The journal's bytes never change; lifting happens while reading. A minor version only adds fields with defaults and
needs no upcaster. The door takes the current major only.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import KINDS

Payload = dict[str, Any]
Upcaster = Callable[[Payload], Payload]
U = TypeVar("U", bound=Upcaster)
_STEPS: dict[str, Upcaster] = {}
_MARKS: dict[bytes, None] = {}


def upcaster(old: str) -> Callable[[U], U]:
    """Register a function that turns a payload of `kind@major` into that of the next major; one for each."""
    kind, at, major = old.partition("@")
    if not kind or not at or not major.isdecimal():
        raise ValueError(f"an upcaster is named kind@major, was {old!r}")

    def register(function: U) -> U:
        if old in _STEPS:
            raise ValueError(f"{old!r} has an upcaster already, {_STEPS[old].__qualname__}")
        _STEPS[old] = function
        _MARKS[b'"schema":"%s.' % old.encode()] = None
        return function

    return register


def lifted(lines: bytes) -> bytes:
    """Return `lines` with each payload of an old major in its kind's current schema; lines without one as they are."""
    if not any(mark in lines for mark in _MARKS):
        return lines
    return b"".join(map(_lift, lines.splitlines(keepends=True)))


def _lift(line: bytes) -> bytes:
    if not any(mark in line for mark in _MARKS):
        return line
    fields = msgspec.json.decode(line)
    current = KINDS[fields["kind"]].schema if fields["kind"] in KINDS else fields["schema"]
    wanted, major = int(_major(current)), int(_major(fields["schema"]))
    while major < wanted:
        step = _STEPS.get(f"{fields['kind']}@{major}")
        if step is None:
            raise InvalidInput(f"expected an upcaster from {fields['kind']}@{major} to {major + 1}, found none")
        fields["payload"] = step(fields["payload"])
        major += 1
        fields["schema"] = current
    return msgspec.json.encode(fields) + b"\n"


def _major(schema: str) -> str:
    return schema.partition("@")[2].partition(".")[0]
