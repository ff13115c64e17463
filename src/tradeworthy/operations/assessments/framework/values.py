"""Facts at the door (FW-05, FW-06): a value with where it comes from, or missing and why; never a default."""

import math
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.words import Word

ATTESTATION_DAYS_MAX = 90
Value = bool | int | float | Decimal | str | tuple[Any, ...]


class Provenance(Enum):
    """Who says so: a probe or the journal, a person, or a simulation."""

    MEASURED = "measured"
    ATTESTED = "attested"
    SIMULATED = "simulated"


class Kind(Word):
    """What a fact's value is; TIME is nanoseconds UTC, NAMES are texts, NUMBERS samples oldest first."""

    INTEGER = "integer"
    NUMBER = "number"
    DECIMAL = "decimal"
    FLAG = "flag"
    TEXT = "text"
    TIME = "time"
    NAMES = "names"
    NUMBERS = "numbers"


class FactSpec(msgspec.Struct, frozen=True):
    """One fact as an assessment declares it.

    healthy  a value under which every rule is kept; mutation cases start from it (a TIME: seconds before now)
    per      the noun of its components, e.g. `task`; empty = one value
    low      the least legal value of a number; None = any
    """

    name: str
    kind: Kind
    unit: str
    healthy: Any
    per: str = ""
    low: float | None = 0.0


class Attestation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's word for a fact. Times in nanoseconds UTC; it counts for at most 90 days."""

    signer: str
    role: str
    reason: str
    signed_at: int
    expires_at: int


class Observation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One fact as it was collected. `ts_observed` is nanoseconds UTC.

    value        None = missing, then `missing` says why
    component    of a fact that is there once a component
    evidence     journal seqs (`seq:1-9`) or content digests (`sha256:...`)
    """

    name: str
    value: Any
    unit: str = ""
    ts_observed: int
    provenance: Provenance
    source: str
    environment: str = ""
    component: str = ""
    missing: str = ""
    evidence: tuple[str, ...] = ()
    attestation: Attestation | None = None


PLAIN = {
    Kind.INTEGER: int, Kind.TIME: int, Kind.NUMBER: float, Kind.FLAG: bool, Kind.TEXT: str,
}  # fmt: skip
"""The class in which a kind's values usually come."""
NUMERIC = frozenset({Kind.INTEGER, Kind.TIME, Kind.NUMBER})


class Fault(msgspec.Struct, frozen=True):
    """A fact that may not be judged: `what` is the framework's code, `invalid_fact` or `future_timestamp`."""

    what: str
    component: str
    name: str
    reason: str


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One fact as rules read it: its value, or None and the reason."""

    value: Value | None
    reason: str
    observation: Observation | None = None


class Facts:
    """The facts of one judgement by component and name, each looked at once.

    age_max_s        an observation that has reached it is missing: nobody knows what it is now
    future_offset_s  how far ahead of `now` a stamp may lie, the measured bound of the clock (FW-10)
    """

    def __init__(
        self, specs: Iterable[FactSpec], observations: Iterable[Observation], *, now: int, age_max_s: float,
        future_offset_s: float,
    ) -> None:  # fmt: skip
        self.specs = {one.name: one for one in specs}
        self.given = tuple(sorted(observations, key=lambda one: (one.component, one.name)))
        self.faults: list[Fault] = []
        self._seen: dict[tuple[str, str], Seen] = {}
        self._components: dict[str, dict[str, None]] = {}
        self.only_measured = all(one.provenance is Provenance.MEASURED for one in self.given)
        self._now, self._age = now, round(age_max_s * NANOS_PER_SECOND)
        self._ahead = round(future_offset_s * NANOS_PER_SECOND)
        for one in self.given:
            self._take(one)

    def read(self, name: str, component: str = "") -> Seen:
        """Return a fact; one that nobody brought is missing."""
        return self._seen.get((component, name)) or Seen(None, "not collected")

    def values(self, names: Iterable[str], component: str) -> dict[str, Any]:
        """Return facts by name, those of a component from it; None where one is missing."""
        seen, specs = self._seen, self.specs
        found = {}
        for name in names:
            one = seen.get((component if specs[name].per else "", name))
            found[name] = None if one is None else one.value
        return found

    def components(self, per: str) -> tuple[str, ...]:
        """Return the components of a noun, in order; `("",)` for facts without one."""
        return tuple(sorted(self._components.get(per, ()))) if per else ("",)

    def _take(self, one: Observation) -> None:
        spec = self.specs.get(one.name)
        if spec is None:
            self._fault("invalid_fact", one, "expected a declared fact, found a name that this assessment has not")
            return
        if bool(spec.per) != bool(one.component):
            found = f"component {one.component!r}" if one.component else "none"
            self._fault("invalid_fact", one, f"expected {spec.per or 'no component'}, found {found}")
            return
        if spec.per:
            self._components.setdefault(spec.per, {})[one.component] = None
        key = one.component, one.name
        if key in self._seen:
            self._fault("invalid_fact", one, "expected one value, found a second")
            return
        self._seen[key] = self._judged(one, spec)

    def _judged(self, one: Observation, spec: FactSpec) -> Seen:
        """Look at one value: at once where it is plainly sound, else at everything that may be wrong with it."""
        value = one.value
        if value.__class__ is PLAIN.get(spec.kind) and 0 <= self._now - one.ts_observed < self._age:
            plain = spec.kind not in NUMERIC or _within(value, spec)
            known = one.provenance is not Provenance.ATTESTED and (not one.unit or one.unit == spec.unit)
            if plain and known and value != "":
                return Seen(one.value, "", one)
        return self._doubted(one, spec)

    def _doubted(self, one: Observation, spec: FactSpec) -> Seen:
        if one.ts_observed - self._now > self._ahead:
            ahead = (one.ts_observed - self._now) / NANOS_PER_SECOND
            self._fault("future_timestamp", one, f"observed {ahead:.3f} s ahead of now")
            return Seen(None, "observed in the future", one)
        if one.value is None:
            return Seen(None, one.missing or "no value", one)
        unsigned = _attestation_problem(one, self._now)
        if unsigned:
            return Seen(None, unsigned, one)
        try:
            value = value_of(one.value, spec)
        except ValueError as problem:
            self._fault("invalid_fact", one, str(problem))
            return Seen(None, str(problem), one)
        if one.unit and one.unit != spec.unit:
            self._fault("invalid_fact", one, f"expected unit {spec.unit!r}, found {one.unit!r}")
            return Seen(None, "wrong unit", one)
        if self._now - one.ts_observed >= self._age:
            return Seen(None, f"stale: observed {(self._now - one.ts_observed) // NANOS_PER_SECOND} s ago", one)
        return Seen(value, "", one)

    def _fault(self, what: str, one: Observation, reason: str) -> None:
        self.faults.append(Fault(what, one.component, one.name, reason))


def value_of(value: Any, spec: FactSpec) -> Value:
    """Return a value as its kind; raises `ValueError` saying what was expected and found."""
    wanted = f"expected {spec.kind.value} {spec.unit}".rstrip()
    match spec.kind:
        case Kind.FLAG if isinstance(value, bool):
            return value
        case Kind.TEXT if isinstance(value, str) and value:
            return value
        case Kind.NAMES if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
            return tuple(value)
        case Kind.NUMBERS if isinstance(value, list | tuple):
            return tuple(_number(one, spec, wanted) for one in value)
        case Kind.INTEGER | Kind.TIME if isinstance(value, int) and not isinstance(value, bool):
            return int(_number(value, spec, wanted))
        case Kind.NUMBER:
            return float(_number(value, spec, wanted))
        case Kind.DECIMAL if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
            try:
                return _number(Decimal(value), spec, wanted)
            except InvalidOperation:
                pass
    raise ValueError(f"{wanted}, found {value!r}")


def _number(value: Any, spec: FactSpec, wanted: str) -> int | float | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError(f"{wanted}, found {value!r}")
    if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
        raise ValueError(f"{wanted} that is finite, found {value}")
    if spec.low is not None and value < spec.low:
        raise ValueError(f"{wanted} of at least {spec.low:g}, found {value}")
    return value


def _within(value: Any, spec: FactSpec) -> bool:
    """Tell whether a number is finite (infinity less itself is no number) and not below its least value."""
    return bool(value - value == 0 and (spec.low is None or value >= spec.low))


def _attestation_problem(one: Observation, now: int) -> str:
    """Return why an attested fact does not count, empty where it does."""
    signed = one.attestation
    if one.provenance is not Provenance.ATTESTED:
        return ""
    if signed is None or not (signed.signer.strip() and signed.role.strip() and signed.reason.strip()):
        return "attested without signer, role and reason"
    if signed.signed_at > now:
        return "attested in the future"
    if signed.expires_at <= now:
        return "the attestation has expired"
    if signed.expires_at - signed.signed_at > ATTESTATION_DAYS_MAX * NANOS_PER_DAY:
        return f"an attestation counts for at most {ATTESTATION_DAYS_MAX} days"
    return ""
