"""The policy of an assessment: typed, its numbers as defaults, overridden by the document, hashed (FW-18, FW-19)."""

import math
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.report import address
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.canonical import canonical
from tradeworthy.operations.assessments.framework.limits import Limit

FIXED = ("direction", "unit", "low", "high")
"""What an override of a limit may repeat and never change."""


class AssessmentPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every assessment's policy has. Seconds.

    period_s, age_max_s  how often it is judged, and when a snapshot is stale
    fact_age_max_s       when an observation is too old to be judged
    future_offset_s      how far ahead of now a stamp may lie
    alert_from           severity from which findings become alerts
    provenance_floor     `measured` holds simulated facts at UNKNOWN; set for live
    """

    period_s: float = 300.0
    age_max_s: float = 1_200.0
    fact_age_max_s: float = 1_200.0
    future_offset_s: float = 0.0
    alert_from: Severity = Severity.WARN
    provenance_floor: Literal["simulated", "measured"] = "simulated"

    def __post_init__(self) -> None:
        for name in ("period_s", "age_max_s", "fact_age_max_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be above 0, was {value}")
        if self.period_s > self.age_max_s:
            raise ValueError(f"period_s {self.period_s:g} must be at most age_max_s {self.age_max_s:g}")
        if not 0 <= self.future_offset_s <= 1:
            raise ValueError(f"future_offset_s must be 0 to 1, was {self.future_offset_s}")


P = TypeVar("P", bound=AssessmentPolicy)


def effective(name: str, default: P, overrides: Mapping[str, Any]) -> P:
    """Return the policy with the document's `assessments.<name>` on top.

    Raises `UsageError` naming the fields: an unknown one, another direction or unit, a warn beyond its fail.
    """
    if not overrides:
        return default
    plain = msgspec.to_builtins(default, enc_hook=str)
    for field, value in overrides.items():
        if field not in plain:
            raise UsageError(f"assessments.{name}: expected one of {', '.join(plain)}, found {field!r}")
        if isinstance(getattr(default, field), Limit) and isinstance(value, Mapping):
            for fixed in FIXED:
                if fixed in value and value[fixed] != plain[field][fixed]:
                    raise UsageError(
                        f"assessments.{name}.{field}: expected {fixed} {plain[field][fixed]}, found {value[fixed]}"
                    )
            plain[field] = {**plain[field], **value}
        else:
            plain[field] = value
    try:
        return msgspec.convert(plain, type(default))
    except (msgspec.ValidationError, ValueError) as problem:
        raise UsageError(f"assessments.{name}: {problem}") from None


def policy_hash(policy: AssessmentPolicy) -> str:
    """Return the SHA-256 of the policy's canonical JSON."""
    return address(canonical(policy))


def loosened(before: AssessmentPolicy, after: AssessmentPolicy) -> tuple[str, ...]:
    """Return the limits that let more pass than before: such a change needs a second person."""
    found = []
    for name in before.__struct_fields__:
        old, new = getattr(before, name), getattr(after, name)
        if isinstance(old, Limit) and isinstance(new, Limit):
            found += [f"{name}.{bound}" for bound in ("warn", "fail") if _looser(old, getattr(new, bound), bound)]
    return tuple(found)


def _looser(old: Limit, new: Any, bound: str) -> bool:
    was = getattr(old, bound)
    if was is None or new == was:
        return False
    if new is None:
        return True
    return bool(new < was) if old.direction.value == "floor" else bool(new > was)
