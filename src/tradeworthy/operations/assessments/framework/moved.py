"""Bring facts of another clock to this one: a tape's ages stay what they are, wherever its year lies."""

from collections.abc import Iterable, Mapping

import msgspec

from tradeworthy.operations.assessments.framework.values import FactSpec, Kind, Observation


def moved(facts: Iterable[Observation], specs: Mapping[str, FactSpec], by: int) -> tuple[Observation, ...]:
    """Return facts as if their clock stood `by` nanoseconds later: stamps move, and so do values that are times.

    An age is then the same as on the clock that the facts came from.
    """
    return tuple(_moved(one, specs.get(one.name), by) for one in facts) if by else tuple(facts)


def _moved(one: Observation, spec: FactSpec | None, by: int) -> Observation:
    value = one.value
    if spec is not None and spec.kind is Kind.TIME and isinstance(value, int) and not isinstance(value, bool):
        value = value + by
    return msgspec.structs.replace(one, value=value, ts_observed=one.ts_observed + by)
