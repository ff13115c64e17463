"""Limits and their direction: the one place that says when a limit is breached (FW-08)."""

import functools
import math
from decimal import Decimal
from enum import Enum

import msgspec

from tradeworthy.kernel.severity import Severity

Number = int | float | Decimal


class Direction(Enum):
    """A budget is breached when it is reached, a floor when it is fallen below, a cap when it is gone over."""

    BUDGET = "budget"
    FLOOR = "floor"
    CAP = "cap"


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """Where a quantity warns and fails; a bound that is None is not drawn.

    low, high  what the quantity can be; a bound that it can never breach, or always breaches, is refused
    """

    direction: Direction
    unit: str
    warn: Number | None = None
    fail: Number | None = None
    low: Number = 0
    high: Number | None = None

    def __post_init__(self) -> None:
        if self.warn is None and self.fail is None:
            raise ValueError("a limit needs warn or fail, had neither")
        for name, bound in self.bounds():
            if not (bound.is_finite() if isinstance(bound, Decimal) else math.isfinite(bound)):
                raise ValueError(f"{name} must be finite, was {bound}")
            if not self._reachable(bound):
                high = "" if self.high is None else f" to {self.high}"
                raise ValueError(
                    f"{name} {bound} of a {self.direction.value} of {self.low}{high} {self.unit} splits nothing"
                )
        if self.warn is not None and self.fail is not None:
            first, last = (self.fail, self.warn) if self.direction is Direction.FLOOR else (self.warn, self.fail)
            if exact(first) > exact(last):
                said = f"warn {self.warn} is on the wrong side of fail {self.fail}"
                raise ValueError(f"{said} of a {self.direction.value}")

    def bounds(self) -> tuple[tuple[str, Number], ...]:
        """Return the bounds that are drawn, the milder first."""
        return self._bounds

    @functools.cached_property
    def _bounds(self) -> tuple[tuple[str, Number], ...]:
        return tuple((name, bound) for name, bound in (("warn", self.warn), ("fail", self.fail)) if bound is not None)

    def judged(self, observed: Number) -> tuple[Severity, Number]:
        """Return the severity, and the bound that was breached or is the next one."""
        if self.fail is not None and self._breached(observed, self.fail):
            return Severity.FAIL, self.fail
        if self.warn is not None and self._breached(observed, self.warn):
            return Severity.WARN, self.warn
        return Severity.OK, self.bounds()[0][1]

    def utilisation(self, observed: Number) -> float | None:
        """Return the part of the last bound that is used; None for a floor or a bound of 0."""
        last = self.bounds()[-1][1]
        return None if self.direction is Direction.FLOOR or not last else float(observed) / float(last)

    def said(self) -> str:
        """Return the limit in words."""
        sign = {Direction.BUDGET: "from", Direction.FLOOR: "below", Direction.CAP: "over"}[self.direction]
        return ", ".join(f"{name.upper()} {sign} {bound} {self.unit}".rstrip() for name, bound in self.bounds())

    def _breached(self, observed: Number, bound: Number) -> bool:
        if type(observed) is not type(bound):
            observed, bound = exact(observed), exact(bound)
        match self.direction:
            case Direction.BUDGET:
                return observed >= bound
            case Direction.FLOOR:
                return observed < bound
            case Direction.CAP:
                return observed > bound

    def _reachable(self, bound: Number) -> bool:
        value, low, high = exact(bound), exact(self.low), None if self.high is None else exact(self.high)
        match self.direction:
            case Direction.BUDGET | Direction.FLOOR:
                return low < value and (high is None or value <= high)
            case Direction.CAP:
                return low <= value and (high is None or value < high)


@functools.lru_cache(maxsize=1024)
def exact(value: Number) -> Decimal | int:
    """Return a number that compares as it is written: 0.35 is 35/100."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def at_most(
    unit: str, *, warn: Number | None = None, fail: Number | None = None, low: Number = 0, high: Number | None = None
) -> Limit:
    """Return a failure budget (age, lag, loss, count): breached when it is reached."""
    return Limit(direction=Direction.BUDGET, unit=unit, warn=warn, fail=fail, low=low, high=high)


def at_least(
    unit: str, *, warn: Number | None = None, fail: Number | None = None, low: Number = 0, high: Number | None = None
) -> Limit:
    """Return a floor: breached when the quantity falls below it."""
    return Limit(direction=Direction.FLOOR, unit=unit, warn=warn, fail=fail, low=low, high=high)


def below(
    unit: str, *, warn: Number | None = None, fail: Number | None = None, low: Number = 0, high: Number | None = None
) -> Limit:
    """Return a cap (exposure, order value): it may be filled, breached when the quantity goes over it."""
    return Limit(direction=Direction.CAP, unit=unit, warn=warn, fail=fail, low=low, high=high)
