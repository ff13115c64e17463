"""What is wrong with the form of a document: unknown keys and wrong types, all of them, each with its place."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from tradeworthy.app.configuration.sections import SECTIONS
from tradeworthy.kernel.redaction import REDACTED, is_reference, names_secret
from tradeworthy.trading.strategies.catalogue import CATALOGUE

SECRET_KEYS = ("credentials",)
"""Keys that name a secret, beside those whose name says so."""


class Fault(NamedTuple):
    """One thing that is wrong with the form of a document: where, what was expected, what was found."""

    path: str
    expected: str
    found: str

    def __str__(self) -> str:
        colon = "," if names_secret(self.path) else ":"  # what follows a secret's name and a colon is redacted
        return f"{self.path}{colon} expected {self.expected}, found {self.found}"


def faults_of(raw: object, document: type[msgspec.Struct]) -> list[Fault]:
    """Return every unknown, missing or mistyped key of a whole document in reading order, empty when it is sound."""
    found = _faults(raw, document, "", strict=False)
    if not isinstance(raw, Mapping):
        return found
    found += _plain_secrets(raw, "")
    for section, policy in SECTIONS.items():
        if isinstance(raw.get(section), Mapping):
            found += _faults(raw[section], policy, section, strict=False)
    instances = raw.get("instances")
    for at, one in enumerate(instances if isinstance(instances, list | tuple) else ()):
        entry = CATALOGUE.get(str(one.get("strategy"))) if isinstance(one, Mapping) else None
        if entry is not None and isinstance(one.get("policy"), Mapping):
            found += _faults(one["policy"], entry.policy, f"{_of('instances', at, one)}.policy", strict=True)
    return found


def faults_in(raw: object, policy: Any, section: str) -> list[Fault]:
    """Return what is wrong with the form of one section that `policy` reads."""
    return _faults(raw, policy, section, strict=False)


def _plain_secrets(raw: object, place: str) -> list[Fault]:
    """Find secrets that are written down where a reference `secret://NAME` must stand (CFG-03)."""
    if isinstance(raw, list | tuple):
        return [fault for at, one in enumerate(raw) for fault in _plain_secrets(one, _of(place, at, one))]
    if not isinstance(raw, Mapping):
        return []
    found = []
    for key, value in raw.items():
        at = f"{place}.{key}" if place else str(key)
        if (names_secret(str(key)) or key in SECRET_KEYS) and not isinstance(value, Mapping | list | tuple):
            if not (value == "" or is_reference(value)):
                found.append(Fault(at, "a reference secret://NAME", "plain text, which is not shown"))
        else:
            found += _plain_secrets(value, at)
    return found


def _faults(raw: object, kind: Any, place: str, *, strict: bool) -> list[Fault]:
    """Compare plain values with a type; `place` is the way to them from the document's root."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _of_struct(raw, kind, place, strict=strict)
    inner, origin = get_args(kind), get_origin(kind)
    if origin in (Union, UnionType) and isinstance(raw, Mapping):
        structs = [one for one in inner if isinstance(one, type) and issubclass(one, msgspec.Struct)]
        if len(structs) == 1:
            return _of_struct(raw, structs[0], place, strict=strict)
    if origin in (tuple, list) and isinstance(raw, list | tuple) and (origin is list or inner[1:] == (...,)):
        return [fault for at, one in enumerate(raw) for fault in _faults(one, inner[0], _of(place, at, one),
                                                                         strict=strict)]  # fmt: skip
    if origin is dict and isinstance(raw, Mapping):
        return [fault for key, one in raw.items() for fault in _faults(one, inner[1], f"{place}.{key}", strict=strict)]
    try:
        msgspec.convert(raw, kind, strict=strict)
    except msgspec.ValidationError as problem:
        return [Fault(place, _expected(kind, str(problem)), _shown(place, raw))]
    return []


def _expected(kind: Any, problem: str) -> str:
    """Return what a type takes: the words of a closed set, else what the parser says it expected."""
    told = problem.split(" - at ")[0]
    if get_origin(kind) is Literal:
        return f"one of {', '.join(repr(one) for one in get_args(kind))}"
    wanted = re.match(r"Expected `(.*)`, got ", told)
    return f"a value of type {wanted[1]}" if wanted else f"a sound value ({told[:1].lower()}{told[1:]})"


def _shown(place: str, raw: object) -> str:
    key = place.rpartition(".")[2]
    return REDACTED if names_secret(key) or key in SECRET_KEYS else repr(raw)


def _of_struct(raw: object, kind: type[msgspec.Struct], place: str, *, strict: bool) -> list[Fault]:
    if not isinstance(raw, Mapping):
        return [Fault(place or "the document", "a table with keys", _shown(place, raw))]
    hints = get_type_hints(kind)
    known = {one.encode_name: hints[one.name] for one in msgspec.structs.fields(kind)}
    found = []
    for key, value in raw.items():
        at = f"{place}.{key}" if place else str(key)
        if key in known:
            found += _faults(value, known[key], at, strict=strict)
        else:
            nearest = get_close_matches(str(key), known, n=1, cutoff=0.0)
            hint = f"the nearest known key is {nearest[0]!r}" if nearest else "there are no keys here"
            found.append(Fault(at, f"a known key ({hint})", f"the unknown key {str(key)!r}"))
    required = [one.encode_name for one in msgspec.structs.fields(kind) if one.required]
    return found + [Fault(f"{place}.{key}" if place else key, "a value", "none") for key in required if key not in raw]


def _of(place: str, at: int, one: object) -> str:
    """Return the place of a list's element: by its id or name where it has one, else by its number."""
    named = one.get("id") or one.get("name") if isinstance(one, Mapping) else None
    return f"{place}.{named}" if isinstance(named, str) else f"{place}[{at}]"
