"""Which change of an assessment's limits narrows what passes: a live gate reads them, a looser one is grave (FW-19)."""

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from tradeworthy.operations.assessments.framework.limits import Direction, Limit
from tradeworthy.operations.assessments.framework.registry import registry

SECTION = "assessments."
LOWER_IS_TIGHTER = frozenset({"period_s", "age_max_s", "fact_age_max_s", "future_offset_s"})
"""Fields of every policy whose fall narrows what passes."""


def default_of(field: str) -> Any:
    """Return what a field is where the document says nothing, as plain data; None for one that there is not."""
    _, name, key, *bound = field.split(".")
    if name not in registry():
        return None
    policy = registry().get(name).policy
    value = getattr(policy, key, None)
    if isinstance(value, Limit):
        value = getattr(value, bound[0], None) if len(bound) == 1 else None
    return msgspec.to_builtins(value)


def tightens(field: str, before: Any, after: Any) -> bool:
    """Tell whether a change surely lets less pass; absent stands for the default, and what nobody can tell is looser.

    field  `assessments.NAME.LIMIT.warn` or `.fail`, or a number of the policy
    """
    default = default_of(field)
    try:
        old, new = (Decimal(str(default if one is None else one)) for one in (before, after))
    except InvalidOperation:  # a bound that was not drawn, and is now
        return (default if before is None else before) is None and _drawn(field)
    if not (old.is_finite() and new.is_finite()):
        return False
    direction = _direction(field)
    if direction is None:
        return field.rpartition(".")[2] in LOWER_IS_TIGHTER and new < old
    return new > old if direction is Direction.FLOOR else new < old


def _drawn(field: str) -> bool:
    return _direction(field) is not None and field.rpartition(".")[2] in ("warn", "fail")


def _direction(field: str) -> Direction | None:
    _, name, key, *_ = (*field.split("."), "")
    limit = getattr(registry().get(name).policy, key, None) if name in registry() else None
    return limit.direction if isinstance(limit, Limit) else None
