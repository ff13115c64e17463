"""Rules: a primitive bound to facts, a limit of the policy, a runbook, and the cases that flip it."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework import primitives
from tradeworthy.operations.assessments.framework.cases import ABSENT, Case, step, threshold_cases
from tradeworthy.operations.assessments.framework.finding import Category
from tradeworthy.operations.assessments.framework.limits import Direction, Limit, exact
from tradeworthy.operations.assessments.framework.primitives import N_MIN, Verdict
from tradeworthy.operations.assessments.framework.values import FactSpec, Kind

Values = Mapping[str, Any]
Specs = Mapping[str, FactSpec]
Decide = Callable[[Values, Any, int], Verdict | None]
"""Judge the values of one component at a time; None = nothing to judge here, e.g. outside a session."""
RATIO_TRIALS = 20_000


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One code: what decides it, what it reads, and who answers.

    what       the code behind the assessment's name;  primitive  by name
    limit      field of the policy that is shown as the limit, empty where the rule has none
    absent     what a missing fact means: UNKNOWN, or FAIL where its absence is the fault itself
    runbook, owner, category  empty = those of the assessment
    cases      of this rule, given the policy and the specs; the absent case is added to them
    """

    what: str
    primitive: str
    facts: tuple[str, ...]
    decide: Decide
    cases: Callable[[Any, Specs], Iterable[Case]]
    remedy: str
    limit: str = ""
    absent: Severity = Severity.UNKNOWN
    runbook: str = ""
    owner: str = ""
    category: Category | None = None
    also: tuple[str, ...] = ()

    def all_cases(self, policy: Any, specs: Specs) -> Iterator[Case]:
        """Yield every case of the rule, and one for the absence of each of its facts."""
        yield from self.cases(policy, specs)
        for name in self.facts:
            yield Case(f"{name}_absent", {name: ABSENT}, self.absent)


def threshold(
    fact: str, limit: str, *, remedy: str, what: str = "", primitive: str = "budget", when: str = "", **more: Any
) -> Rule:
    """Judge a quantity by its limit: budget, floor or cap, as the limit's own direction says.

    when  a FLAG that must be true for the rule to apply; missing, it is unknown
    """

    def decide(values: Values, policy: Any, now: int) -> Verdict | None:
        del now
        if when and not values[when]:
            return None
        return primitives.against(getattr(policy, limit), values[fact])

    def cases(policy: Any, specs: Specs) -> Iterator[Case]:
        yield from threshold_cases(specs[fact], getattr(policy, limit))

    facts = (fact, when) if when else (fact,)
    return Rule(
        what=what or fact, primitive=primitive, facts=facts, limit=limit, decide=decide, cases=cases, remedy=remedy,
        **more,
    )  # fmt: skip


def age(fact: str, limit: str, *, remedy: str, what: str = "", when: str = "", **more: Any) -> Rule:
    """Judge the age of a stamp; one ahead of now by more than the policy's bound is `.future_timestamp`."""

    def decide(values: Values, policy: Any, now: int) -> Verdict | None:
        if when and not values[when]:
            return None
        return primitives.age(values[fact], now, getattr(policy, limit), ahead_s=policy.future_offset_s)

    def cases(policy: Any, specs: Specs) -> Iterator[Case]:
        yield from threshold_cases(specs[fact], getattr(policy, limit))
        ahead = policy.future_offset_s + 1
        yield Case(f"{fact}_in_the_future", {fact: -ahead}, Severity.FAIL, code="future_timestamp")

    facts = (fact, when) if when else (fact,)
    return Rule(
        what=what or fact, primitive="age", facts=facts, limit=limit, decide=decide, cases=cases, remedy=remedy, **more
    )


def ratio(num: str, den: str, limit: str, *, what: str, remedy: str, n_min: str = "", **more: Any) -> Rule:
    """Judge a share of counts; `n_min` names the policy's field for the least trials, 20 without one."""

    def least(policy: Any) -> int:
        return int(getattr(policy, n_min)) if n_min else N_MIN

    def decide(values: Values, policy: Any, now: int) -> Verdict:
        del now
        return primitives.ratio(values[num], values[den], getattr(policy, limit), n_min=least(policy))

    def cases(policy: Any, specs: Specs) -> Iterator[Case]:
        del specs
        found: Limit = getattr(policy, limit)
        sign = -1 if found.direction is Direction.FLOOR else 1
        for name, bound in found.bounds():
            at = exact(bound) * RATIO_TRIALS
            reached = math.floor(at) if sign < 0 else math.ceil(at)
            if reached != at:  # no count lies on the bound itself: take those beside it
                reached = math.ceil(at) if sign < 0 else math.floor(at)
            bad = reached + sign if found.direction is not Direction.BUDGET else math.ceil(at)
            good = bad - sign
            milder = Severity.WARN if name == "fail" and found.warn is not None else Severity.OK
            yield Case(f"{what}_beyond_{name}", {num: bad, den: RATIO_TRIALS}, Severity[name.upper()])
            yield Case(f"{what}_within_{name}", {num: good, den: RATIO_TRIALS}, milder)
        few = least(policy) - 1
        yield Case(f"{what}_of_too_few", {num: few if sign < 0 else 0, den: few}, Severity.UNKNOWN)

    return Rule(
        what=what, primitive="ratio", facts=(num, den), limit=limit, decide=decide, cases=cases, remedy=remedy, **more
    )


def required(fact: str, *, remedy: str, what: str = "", wanted: bool = True, **more: Any) -> Rule:
    """Judge a thing that must be so (`wanted` False: must not be so): missing is unknown, otherwise it fails."""

    def decide(values: Values, policy: Any, now: int) -> Verdict:
        del policy, now
        found = primitives.required(values[fact] is wanted)
        return found._replace(observed=values[fact], limit=wanted)

    def cases(policy: Any, specs: Specs) -> Iterator[Case]:
        del policy, specs
        yield Case(f"{fact}_{str(not wanted).lower()}", {fact: not wanted}, Severity.FAIL)
        yield Case(f"{fact}_{str(wanted).lower()}", {fact: wanted}, Severity.OK)

    return Rule(
        what=what or fact, primitive="required", facts=(fact,), decide=decide, cases=cases, remedy=remedy, **more
    )


def equals(fact: str, wanted: str, *, remedy: str, what: str = "", **more: Any) -> Rule:
    """Judge a value that must be that of another fact: any difference fails."""

    def decide(values: Values, policy: Any, now: int) -> Verdict:
        del policy, now
        return primitives.equals(values[fact], values[wanted])

    def cases(policy: Any, specs: Specs) -> Iterator[Case]:
        del policy
        spec = specs[fact]
        other = f"{spec.healthy}x" if spec.kind is Kind.TEXT else step(spec, spec.healthy, +1)
        yield Case(f"{fact}_differs", {fact: other}, Severity.FAIL)
        yield Case(f"{fact}_equal", {fact: specs[wanted].healthy}, Severity.OK)

    return Rule(
        what=what or fact, primitive="equals", facts=(fact, wanted), decide=decide, cases=cases, remedy=remedy, **more
    )


def one_of(fact: str, known: Mapping[str, Severity], *, remedy: str, what: str = "", **more: Any) -> Rule:
    """Judge a word by a table; a word that is not in it is unknown."""

    def decide(values: Values, policy: Any, now: int) -> Verdict:
        del policy, now
        return primitives.one_of(values[fact], known)

    def cases(policy: Any, specs: Specs) -> Iterator[Case]:
        del policy, specs
        for word, severity in known.items():
            yield Case(f"{fact}_{word}", {fact: word}, severity)
        yield Case(f"{fact}_unheard_of", {fact: "unheard_of"}, Severity.UNKNOWN)

    return Rule(
        what=what or fact, primitive="one_of", facts=(fact,), decide=decide, cases=cases, remedy=remedy, **more
    )


def missing_of(expected: str, observed: str, *, what: str, remedy: str, **more: Any) -> Rule:
    """Judge a set of names against those expected: all missing fails, some or extra ones warn."""

    def decide(values: Values, policy: Any, now: int) -> Verdict:
        del policy, now
        return primitives.missing_of(values[expected], values[observed])

    def cases(policy: Any, specs: Specs) -> Iterator[Case]:
        del policy
        known = tuple(specs[expected].healthy)
        yield Case(f"{what}_all", {observed: ()}, Severity.FAIL)
        if len(known) > 1:
            yield Case(f"{what}_some", {observed: known[1:]}, Severity.WARN)
        yield Case(f"{what}_extra", {observed: (*known, "unexpected")}, Severity.WARN)
        yield Case(f"{what}_none", {observed: known}, Severity.OK)
        yield Case(f"{what}_nothing_expected", {expected: ()}, Severity.UNKNOWN)

    return Rule(
        what=what, primitive="missing_of", facts=(expected, observed), decide=decide, cases=cases, remedy=remedy, **more
    )


def quantile(
    samples: str, q: float, limit: str, *, what: str, remedy: str, n_min: int | None = None, **more: Any
) -> Rule:
    """Judge a quantile of samples; too few of them are unknown."""
    wanted = n_min if n_min is not None else next((n for share, n in primitives.QUANTILE_N_MIN if q >= share), N_MIN)

    def decide(values: Values, policy: Any, now: int) -> Verdict:
        del now
        return primitives.quantile(values[samples], q, getattr(policy, limit), n_min=n_min)

    def cases(policy: Any, specs: Specs) -> Iterator[Case]:
        found: Limit = getattr(policy, limit)
        for case in threshold_cases(specs[samples], found):
            [value] = case.changes.values()
            if isinstance(value, Decimal):
                value = float(value)
            yield Case(case.name, {samples: (value,) * wanted}, case.severity)
        yield Case(f"{what}_of_too_few", {samples: (0.0,) * (wanted - 1)}, Severity.UNKNOWN)

    return Rule(
        what=what, primitive="quantile", facts=(samples,), limit=limit, decide=decide, cases=cases, remedy=remedy,
        **more
    )


def custom(
    what: str, decide: Decide, *, facts: tuple[str, ...], cases: tuple[Case, ...], remedy: str,
    primitive: str = "custom", **more: Any,
) -> Rule:  # fmt: skip
    """Judge by a named function of the file; its own cases must make it fire and clear it."""
    severities = {case.severity for case in cases}
    if Severity.OK not in severities or severities == {Severity.OK}:
        raise ValueError(f"{what}: a custom rule needs a case that fires and one that clears it")
    return Rule(
        what=what, primitive=primitive, facts=facts, decide=decide, cases=lambda policy, specs: cases, remedy=remedy,
        **more,
    )  # fmt: skip


def healthy_value(spec: FactSpec, now: int) -> Any:
    """Return the healthy value of a fact at `now`."""
    return now - seconds(spec.healthy) if spec.kind is Kind.TIME else spec.healthy


def changed_value(spec: FactSpec, value: Any, now: int) -> Any:
    """Return the value of a change at `now`; None takes the fact away."""
    return now - seconds(value) if spec.kind is Kind.TIME and value is not ABSENT else value


def seconds(value: Any) -> int:
    """Return seconds as nanoseconds, exactly for decimals."""
    return int(Decimal(str(value)) * NANOS_PER_SECOND)
