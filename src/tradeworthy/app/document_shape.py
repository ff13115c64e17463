"""What is wrong with the form of a document: unknown keys and wrong types, all of them, each with its place."""

from collections.abc import Mapping
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from tradeworthy.trading.allocation.drawdown_tiers import TierPolicy
from tradeworthy.trading.allocation.static_split import AllocationPolicy
from tradeworthy.trading.execution.execution import ExecutionPolicy
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.strategies.catalogue import CATALOGUE

SECTIONS: Mapping[str, type[msgspec.Struct]] = {
    "risk": RiskPolicy, "allocation": AllocationPolicy, "drawdown_tiers": TierPolicy, "execution": ExecutionPolicy,
}  # fmt: skip
"""Sections that the document keeps as plain values, and the policies that read them."""


def faults_of(raw: object, document: type[msgspec.Struct]) -> list[str]:
    """Return every unknown, missing or mistyped key of a whole document in reading order, empty when it is sound."""
    found = _faults(raw, document, "", strict=False)
    if not isinstance(raw, Mapping):
        return found
    for section, policy in SECTIONS.items():
        if isinstance(raw.get(section), Mapping):
            found += _faults(raw[section], policy, section, strict=False)
    instances = raw.get("instances")
    for at, one in enumerate(instances if isinstance(instances, list | tuple) else ()):
        entry = CATALOGUE.get(str(one.get("strategy"))) if isinstance(one, Mapping) else None
        if entry is not None and isinstance(one.get("policy"), Mapping):
            found += _faults(one["policy"], entry.policy, f"{_of('instances', at, one)}.policy", strict=True)
    return found


def _faults(raw: object, kind: Any, place: str, *, strict: bool) -> list[str]:
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
        return [f"{place}: {str(problem).split(' - at ')[0]}, was {raw!r}"]
    return []


def _of_struct(raw: object, kind: type[msgspec.Struct], place: str, *, strict: bool) -> list[str]:
    if not isinstance(raw, Mapping):
        return [f"{place or 'the document'}: expected a table with keys, was {raw!r}"]
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
            found.append(f"{place or 'the document'}: unknown key {key!r}, {hint}")
    required = [one.encode_name for one in msgspec.structs.fields(kind) if one.required]
    return found + [f"{place or 'the document'}: expected the key {key!r}, found none" for key in required
                    if key not in raw]  # fmt: skip


def _of(place: str, at: int, one: object) -> str:
    """Return the place of a list's element: by its id or name where it has one, else by its number."""
    named = one.get("id") or one.get("name") if isinstance(one, Mapping) else None
    return f"{place}.{named}" if isinstance(named, str) else f"{place}[{at}]"
