"""Families of metrics with their own values: right type, bounded labels, counters that never fall (MET-01)."""

import math
import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.utils import floatToGoString

from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.words import Word

PREFIX = "tradeworthy_"
LABEL_SETS_MAX = 200
"""Sets of label values in a family, the one that takes the rest included."""
TOTALS_MAX = 10_000
"""Totals of others that a counter follows; those past it are not counted."""
EXPONENT_FROM = 1_000_000
"""Whole numbers below it are written without an exponent."""
OTHER = "other"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_VALUE = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.:@+/-]{0,63})?")
DURATIONS_S = (0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class MetricType(Word):
    """What a family counts: events, a state, or the spread of durations."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class FamilySpec(msgspec.Struct, frozen=True):
    """A family as it is declared. `name` goes without the prefix; a counter's ends in `_total`.

    buckets  upper bounds of a histogram, rising, without infinity
    initial  what a family without labels shows before it is filled; not a number: nobody knows yet
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    initial: float = math.nan

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name.startswith(PREFIX):
            raise ValueError(f"a family's name must be lower-case words without {PREFIX!r}, was {self.name!r}")
        if (self.type is MetricType.COUNTER) != self.name.endswith("_total"):
            raise ValueError(f"{self.name}: counters, and only counters, end in _total")
        if not self.help or self.help.endswith("\n"):
            raise ValueError(f"{self.name}: a family must say what it tells")
        if (self.type is MetricType.HISTOGRAM) != bool(self.buckets) or list(self.buckets) != sorted(set(self.buckets)):
            raise ValueError(f"{self.name}: a histogram, and nothing else, has rising buckets")


class _Spread:
    __slots__ = ("counts", "total")

    def __init__(self, buckets: int) -> None:
        self.counts, self.total = [0] * (buckets + 1), 0.0


class Family:
    """The values of one family by label values; made by `Families.add`."""

    def __init__(self, spec: FamilySpec, lock: threading.RLock) -> None:
        self.spec, self._lock = spec, lock
        self._values: dict[tuple[str, ...], float] = {}
        self._spreads: dict[tuple[str, ...], _Spread] = {}
        self._totals: dict[tuple[str, ...], float] = {}
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._heads: dict[tuple[str, ...], tuple[str, ...]] = {}
        if not spec.labels:
            self._begin()

    def inc(self, *labels: str, by: float = 1) -> None:
        """Count events of a counter. Raises `ValueError` when `by` is below 0."""
        self._require(MetricType.COUNTER)
        if not by >= 0:
            raise ValueError(f"{self.spec.name} only grows, was asked to change by {by}")
        with self._lock:
            key = self._key(labels)
            self._values[key] = self._values.get(key, 0.0) + by

    def advance(self, *labels: str, total: float) -> None:
        """Bring a counter up to somebody's own total; a total that fell began anew, and is added in full."""
        with self._lock:
            last = self._totals.get(labels)
            if last is None and len(self._totals) >= TOTALS_MAX:
                return  # better not counted than counted again at each call
            self._totals[labels] = total
            self.inc(*labels, by=total - last if last is not None and total >= last else total)

    def set(self, *labels: str, to: float | None) -> None:
        """Set a gauge; None is what nobody knows, shown as not a number."""
        self._require(MetricType.GAUGE)
        with self._lock:
            self._values[self._key(labels)] = math.nan if to is None else to

    def replace(self, values: Mapping[tuple[str, ...], float | None]) -> None:
        """Set a gauge to exactly these label sets; those that are gone disappear."""
        self._require(MetricType.GAUGE)
        with self._lock:
            self._values.clear()
            self._known.clear()
            self._heads.clear()
            for labels, value in values.items():
                self.set(*labels, to=value)

    def observe(self, *labels: str, value: float) -> None:
        """Add one duration to a histogram. Raises `ValueError` when it is not a number."""
        self._require(MetricType.HISTOGRAM)
        if math.isnan(value):
            raise ValueError(f"{self.spec.name} must be observed with a number, was nan")
        with self._lock:
            key = self._key(labels)
            spread = self._spreads.get(key)
            if spread is None:
                spread = self._spreads[key] = _Spread(len(self.spec.buckets))
            spread.counts[bisect_left(self.spec.buckets, value)] += 1
            spread.total += value

    def value(self, *labels: str) -> float | None:
        """Return a counter's or gauge's value, None for labels that were never filled."""
        with self._lock:
            return self._values.get(self._known.get(labels, labels))

    def metric(self) -> Metric:
        """Return the family as the client library renders it."""
        spec, name = self.spec, PREFIX + self.spec.name
        if spec.type is MetricType.HISTOGRAM:
            histogram = HistogramMetricFamily(name, spec.help, labels=spec.labels)
            for key, spread in self._spreads.items():
                histogram.add_metric(key, [*_cumulated(spec.buckets, spread.counts)], spread.total)
            return histogram
        kind = CounterMetricFamily if spec.type is MetricType.COUNTER else GaugeMetricFamily
        family = kind(name, spec.help, labels=spec.labels)
        for key, value in self._values.items():
            family.add_metric(key, value)
        return family

    def text(self) -> str:
        """Return the family in the text format, to the byte what the client library makes of `metric`, only sooner."""
        spec, name = self.spec, PREFIX + self.spec.name
        told = spec.help.replace("\\", r"\\").replace("\n", r"\n")
        lines = [f"# HELP {name} {told}\n# TYPE {name} {spec.type.value}\n"]
        if spec.type is MetricType.HISTOGRAM:
            for key, spread in self._spreads.items():
                total = 0
                heads = iter(self._heads_of(key))
                for count in spread.counts:
                    total += count
                    lines.append(f"{next(heads)}{_shown(total)}\n")
                lines.append(f"{next(heads)}{_shown(total)}\n{next(heads)}{_shown(spread.total)}\n")
        else:
            lines += [f"{self._heads_of(key)[0]}{_shown(value)}\n" for key, value in self._values.items()]
        return "".join(lines)

    def _heads_of(self, key: tuple[str, ...]) -> tuple[str, ...]:
        """Return what stands before the value in each line of a label set; values change, this does not."""
        heads = self._heads.get(key)
        if heads is None:
            name, labels = PREFIX + self.spec.name, dict(zip(self.spec.labels, key, strict=True))
            if self.spec.type is MetricType.HISTOGRAM:
                bounds = (*(repr(bound) for bound in self.spec.buckets), "+Inf")
                heads = (
                    *(_head(f"{name}_bucket", {**labels, "le": bound}) for bound in bounds),
                    _head(f"{name}_count", labels), _head(f"{name}_sum", labels),
                )  # fmt: skip
            else:
                heads = (_head(name, labels),)
            self._heads[key] = heads
        return heads

    def _begin(self) -> None:
        match self.spec.type:
            case MetricType.COUNTER:
                self._values[()] = 0.0
            case MetricType.GAUGE:
                self._values[()] = self.spec.initial
            case MetricType.HISTOGRAM:
                self._spreads[()] = _Spread(len(self.spec.buckets))

    def _require(self, kind: MetricType) -> None:
        if self.spec.type is not kind:
            raise TypeError(f"{self.spec.name} is a {self.spec.type.value}, was filled as a {kind.value}")

    def _key(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        """Return the label set to fill: cleaned, and `other` once the family has its most."""
        known = self._known.get(labels)
        if known is not None:
            return known
        if len(labels) != len(self.spec.labels):
            raise ValueError(f"{self.spec.name} has labels {self.spec.labels}, was given {len(labels)} values")
        clean = tuple(map(_clean, labels))
        taken = self._spreads if self.spec.type is MetricType.HISTOGRAM else self._values
        rest = (OTHER,) * len(labels)
        if clean not in taken and len(taken) - (rest in taken) >= LABEL_SETS_MAX - 1:
            return rest
        if len(self._known) < 2 * LABEL_SETS_MAX:
            self._known[labels] = clean
        return clean


class Families:
    """Declared families in a registry of their own; safe to fill and to render from several threads."""

    def __init__(self, specs: Iterable[FamilySpec] = ()) -> None:
        self.registry = CollectorRegistry()
        self._lock = threading.RLock()
        self._families: dict[str, Family] = {}
        for spec in specs:
            self.add(spec)

    def add(self, spec: FamilySpec) -> Family:
        """Declare a family. Raises `ValueError` when its name, or one of its series' names, is taken."""
        with self._lock:
            family = Family(spec, self._lock)
            self.registry.register(_Collector(family.metric, self._lock))
            self._families[spec.name] = family
            return family

    def __getitem__(self, name: str) -> Family:
        return self._families[name]

    def render(self) -> bytes:
        """Return all families in the text format; the lock is held for one family at a time."""
        found = []
        for family in tuple(self._families.values()):
            with self._lock:
                found.append(family.text())
        return "".join(found).encode()

    def specs(self) -> tuple[FamilySpec, ...]:
        """Return what is declared, in order."""
        return tuple(family.spec for family in self._families.values())


class _Collector:
    """One family, as the registry asks for it."""

    def __init__(self, metric: Callable[[], Metric], lock: threading.RLock) -> None:
        self._metric, self._lock = metric, lock

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            return (self._metric(),)

    describe = collect


def _clean(value: str) -> str:
    """Return a label value, `other` for one that holds a secret, free text or a path."""
    text = str(redact(str(value)))
    return text if _VALUE.fullmatch(text) else OTHER


def _head(name: str, labels: Mapping[str, str]) -> str:
    """Return a series' name with its labels; `_clean` leaves nothing in a value that would need an escape."""
    told = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{told}}} " if told else f"{name} "


def _shown(value: float) -> str:
    return f"{value}.0" if type(value) is int and 0 <= value < EXPONENT_FROM else str(floatToGoString(value))  # type: ignore[no-untyped-call]


def _cumulated(buckets: Sequence[float], counts: Sequence[int]) -> Iterator[tuple[str, float]]:
    total = 0
    for bound, count in zip((*buckets, math.inf), counts, strict=True):
        total += count
        yield ("+Inf" if math.isinf(bound) else repr(bound)), total
