"""Mutation cases (FW-17): changes of healthy facts under which exactly one code flips."""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.limits import Direction, Limit, Number
from tradeworthy.operations.assessments.framework.values import FactSpec, Kind

ABSENT = None
"""The value of a change that takes a fact away."""


class Case(msgspec.Struct, frozen=True):
    """Facts that differ from healthy ones, and what their rule must say.

    changes  fact to value; None takes it away; a TIME is seconds before now
    severity  of the rule's code;  OK: the rule is kept at this edge
    also     codes of other rules that the same facts flip, by right;  code  where it is another than the rule's own
    """

    name: str
    changes: dict[str, Any]
    severity: Severity
    also: tuple[str, ...] = ()
    code: str = ""


def threshold_cases(spec: FactSpec, limit: Limit) -> Iterator[Case]:
    """Yield the values at each bound and one step to either side of it."""
    worst_first = sorted(limit.bounds(), key=lambda one: one[0])  # fail, then warn
    for name, bound in worst_first:
        named = Severity[name.upper()]
        warns_too = name == "fail" and limit.warn is not None and limit.warn != limit.fail
        milder = Severity.WARN if warns_too else Severity.OK
        below, over = step(spec, bound, -1), step(spec, bound, +1)
        harder = Severity.FAIL if name == "warn" and limit.fail is not None and over >= limit.fail else named
        match limit.direction:
            case Direction.BUDGET:
                outcomes = ((below, _at(limit, "fail", below, milder)), (bound, named), (over, harder))
            case Direction.FLOOR:
                outcomes = ((over, milder), (bound, milder), (below, named))
            case Direction.CAP:
                outcomes = ((below, milder), (bound, milder), (over, named))
        for value, severity in outcomes:
            where = "at" if value == bound else "under" if value < bound else "over"
            legal = spec.low is None or value >= spec.low
            if legal and (limit.high is None or value <= limit.high):
                yield Case(f"{spec.name}_{where}_{name}", {spec.name: value}, severity)


def _at(limit: Limit, name: str, value: Any, milder: Severity) -> Severity:
    """Return the severity one step under a bound: WARN only where the warn bound is reached there."""
    if milder is Severity.WARN and limit.warn is not None and value < limit.warn:
        return Severity.OK
    return milder


def step(spec: FactSpec, bound: Number, sign: int) -> Any:
    """Return the nearest value of a kind beside a bound; a TIME moves by a nanosecond of age."""
    match spec.kind:
        case Kind.INTEGER:
            return math.floor(bound) + sign if bound == math.floor(bound) else (
                math.floor(bound) if sign < 0 else math.ceil(bound)
            )
        case Kind.DECIMAL:
            return Decimal(str(bound)) + sign * Decimal("0.00000001")
        case Kind.TIME:
            return Decimal(str(bound)) + sign * Decimal(1) / NANOS_PER_SECOND
        case _:
            return math.nextafter(float(bound), math.inf if sign > 0 else -math.inf)
