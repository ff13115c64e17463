"""Rules over what happened: streaks, counts in a window, coverage, burnt budgets, drift; each with its cases."""

import math
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework import detectors, primitives
from tradeworthy.operations.assessments.framework.cases import Case
from tradeworthy.operations.assessments.framework.limits import Direction, Limit, exact
from tradeworthy.operations.assessments.framework.online import MissingExtra
from tradeworthy.operations.assessments.framework.primitives import Verdict
from tradeworthy.operations.assessments.framework.rules import Rule, Specs, Values

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
EVENTS = 10_000
FAILED, PASSED = 0.0, 1.0


def streak(outcomes: str, limit: str, *, what: str, remedy: str, **more: Any) -> Rule:
    """Judge how many of the newest outcomes failed in a row; a NUMBERS fact of 1 (passed) and 0 (failed)."""

    def decide(values: Values, policy: Any, now: int) -> Verdict:
        del now
        return primitives.streak([one != FAILED for one in values[outcomes]], getattr(policy, limit))

    def cases(policy: Any, specs: Specs) -> Iterator[Case]:
        del specs
        for value, severity, name in _edges(getattr(policy, limit)):
            yield Case(f"{what}_{name}", {outcomes: (PASSED, *(FAILED,) * int(value))}, severity)
        yield Case(f"{what}_of_none", {outcomes: ()}, UNKNOWN)

    return _rule("streak", what, (outcomes,), limit, decide, cases, remedy, more)


def window_count(ages: str, limit: str, *, window_s: float, what: str, remedy: str, **more: Any) -> Rule:
    """Judge how many events lie in the window before now; a NUMBERS fact of their stamps, seconds before now."""

    def decide(values: Values, policy: Any, now: int) -> Verdict:
        stamps = [now - round(age * NANOS_PER_SECOND) for age in values[ages]]
        return primitives.window_count(stamps, now, window_s, getattr(policy, limit))

    def cases(policy: Any, specs: Specs) -> Iterator[Case]:
        del specs
        for value, severity, name in _edges(getattr(policy, limit)):
            yield Case(f"{what}_{name}", {ages: (0.0,) * int(value)}, severity)
        yield Case(f"{what}_past_the_window", {ages: (window_s,) * 1_000}, OK)

    return _rule("window_count", what, (ages,), limit, decide, cases, remedy, more)


def coverage(observed: str, expected: str, limit: str, *, what: str, remedy: str, **more: Any) -> Rule:
    """Judge the share of expected rows that are there; nothing expected is unknown."""

    def decide(values: Values, policy: Any, now: int) -> Verdict:
        del now
        return primitives.coverage(values[observed], values[expected], getattr(policy, limit))

    def cases(policy: Any, specs: Specs) -> Iterator[Case]:
        del specs
        found: Limit = getattr(policy, limit)
        for name, bound in found.bounds():
            at = math.ceil(exact(bound) * EVENTS)
            milder = WARN if name == "fail" and found.warn is not None else OK
            yield Case(f"{what}_at_{name}", {observed: at, expected: EVENTS}, milder)
            yield Case(f"{what}_under_{name}", {observed: at - 1, expected: EVENTS}, Severity[name.upper()])
        yield Case(f"{what}_of_nothing", {observed: 0, expected: 0}, UNKNOWN)

    return _rule("coverage", what, (observed, expected), limit, decide, cases, remedy, more)


def budget_burn(
    bad: str, total: str, limit: str, *, objective: float, what: str, remedy: str, n_min: int = primitives.N_MIN,
    **more: Any,
) -> Rule:  # fmt: skip
    """Judge how many times faster than allowed an error budget burns; fewer events than `n_min` are unknown."""

    def decide(values: Values, policy: Any, now: int) -> Verdict:
        del now
        return primitives.budget_burn(values[bad], values[total], objective, getattr(policy, limit), n_min=n_min)

    def cases(policy: Any, specs: Specs) -> Iterator[Case]:
        del specs
        found: Limit = getattr(policy, limit)
        for name, bound in found.bounds():
            at = math.ceil(exact(bound) * (1 - Decimal(repr(objective))) * EVENTS)
            milder = WARN if name == "fail" and found.warn is not None else OK
            yield Case(f"{what}_at_{name}", {bad: at, total: EVENTS}, Severity[name.upper()])
            yield Case(f"{what}_under_{name}", {bad: at - 1, total: EVENTS}, milder)
        yield Case(f"{what}_of_too_few", {bad: 0, total: n_min - 1}, UNKNOWN)

    return _rule("budget_burn", what, (bad, total), limit, decide, cases, remedy, more)


def drift(
    baseline: str, current: str, limit: str, *, detector: str, what: str, remedy: str, cases: Iterable[Case],
    samples_min: int = 30, **more: Any,
) -> Rule:  # fmt: skip
    """Judge a series against its baseline by a detector of `detectors.DETECTORS`; too few samples are unknown.

    A baseline that does not vary, where the detector needs it to, is unknown. Cases are the caller's: they hold series.
    """
    measure = detectors.DETECTORS[detector]
    own = tuple(cases)
    if not {FAIL, WARN} & {case.severity for case in own} or OK not in {case.severity for case in own}:
        raise ValueError(f"{what}: a drift rule needs a case that fires and one that clears it")

    def decide(values: Values, policy: Any, now: int) -> Verdict:
        del now
        return drifted(values[baseline], values[current], getattr(policy, limit), measure, samples_min)

    return _rule("drift", what, (baseline, current), limit, decide, lambda policy, specs: own, remedy, more)


def drifted(
    baseline: Sequence[float], current: Sequence[float], limit: Limit, measure: detectors.Detector, samples_min: int
) -> Verdict:
    """Return what a detector says of two series, unknown where it can say nothing."""
    least = min(len(baseline), len(current))
    if least < samples_min:
        return Verdict(UNKNOWN, least, samples_min, f"{least} samples, {samples_min} are needed", "samples")
    try:
        found = measure(baseline, current)
    except MissingExtra as lacking:
        return Verdict(UNKNOWN, None, limit.bounds()[0][1], str(lacking), limit.unit)
    if found is None:
        return Verdict(UNKNOWN, None, limit.bounds()[0][1], "the baseline does not vary", limit.unit)
    return primitives.against(limit, found)


def _edges(limit: Limit) -> Iterator[tuple[float, Severity, str]]:
    """Yield whole numbers at and one under each bound of a budget, and what they must say."""
    if limit.direction is not Direction.BUDGET:
        raise ValueError(f"expected a budget of whole numbers, found a {limit.direction.value}")
    for name, bound in limit.bounds():
        at, milder = math.ceil(bound), OK
        if name == "fail" and limit.warn is not None and at - 1 >= limit.warn:
            milder = WARN
        yield at, Severity[name.upper()] if limit.fail is None or at < limit.fail else FAIL, f"at_{name}"
        yield at - 1, milder, f"under_{name}"


def _rule(
    primitive: str, what: str, facts: tuple[str, ...], limit: str, decide: Any, cases: Any, remedy: str,
    more: dict[str, Any],
) -> Rule:  # fmt: skip
    return Rule(
        what=what, primitive=primitive, facts=facts, limit=limit, decide=decide, cases=cases, remedy=remedy, **more
    )
