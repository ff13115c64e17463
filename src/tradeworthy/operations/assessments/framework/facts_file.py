"""A file of facts, as people and other programs bring them (FW-05): read as it is, faults named, nothing replaced."""

import json
from typing import Any

import msgspec

from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.assessments.framework.values import Observation

FIELDS = frozenset(Observation.__struct_fields__)


def facts_in(data: bytes, name: str) -> tuple[Observation, ...]:
    """Return the facts of one assessment: `{"facts": [...]}`, or `{"facts": {NAME: [...]}}`.

    NaN and infinity are read as such, so that the door can refuse them by name. Raises `UsageError` naming the field.
    """
    try:
        plain = json.loads(data)
        rows = plain["facts"]
    except (ValueError, TypeError, KeyError) as problem:
        raise UsageError(f'expected a file of {{"facts": [...]}}, found {type(problem).__name__}: {problem}') from None
    if isinstance(rows, dict):
        rows = rows.get(name, [])
    if not isinstance(rows, list):
        raise UsageError(f"facts: expected a list, found {type(rows).__name__}")
    return tuple(_observation(row, at) for at, row in enumerate(rows))


def _observation(row: Any, at: int) -> Observation:
    where = f"facts[{at}]"
    if not isinstance(row, dict):
        raise UsageError(f"{where}: expected an object, found {type(row).__name__}")
    unknown = sorted(set(row) - FIELDS)
    if unknown:
        raise UsageError(f"{where}: expected fields of {', '.join(sorted(FIELDS))}, found {unknown[0]!r}")
    value = row.get("value")
    plain = {**row, "value": None}
    try:
        return msgspec.structs.replace(msgspec.convert(plain, Observation), value=value)
    except msgspec.ValidationError as problem:
        raise UsageError(f"{where} {row.get('name', '')}: {problem}") from None
