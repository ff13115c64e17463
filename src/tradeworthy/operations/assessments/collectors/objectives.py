"""Service level objectives as OpenSLO v1 documents, read from TOML or JSON, and refused by name where they say nothing
that this desk can measure (AS-45)."""

import tomllib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import msgspec

from tradeworthy.kernel.errors import UsageError

INDICATORS = {
    "freshness": "minutes of an open market in which a feed was silent for less than `value` seconds beyond its "
    "interval; without a value, for less than `market_data_freshness` fails from",
    "completeness": "reports of rows and books that came, of those expected",
    "reconciliation": "comparisons of desk and venue without a break",
    "order_to_fill": "fills of orders that take, within `value` milliseconds of their submission",
    "availability": "slots of 10 s with a heartbeat",
    "decision_latency": "periods in which the p99 of a step was below `value` milliseconds",
}
"""What a desk's journal tells good and bad events of."""
SOURCE = "tradeworthy"
BURN_MAX = 14.4
"""The fastest burn that pages: an objective whose whole failure would be slower could never page."""


class _Loose(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of a document; fields that nobody here reads may stand in it."""


class Metadata(_Loose, frozen=True, kw_only=True):
    """Names of a document."""

    name: str
    display_name: str = ""


class MetricSource(_Loose, frozen=True, kw_only=True):
    """Who measures: `spec.indicator` is one of `INDICATORS`."""

    type: str
    spec: dict[str, str]


class Metric(_Loose, frozen=True, kw_only=True):
    """One metric."""

    metric_source: MetricSource


class Ratio(_Loose, frozen=True, kw_only=True):
    """Good events of all events, both counted by one indicator."""

    counter: bool
    good: Metric
    total: Metric


class IndicatorSpec(_Loose, frozen=True, kw_only=True):
    """A ratio of events, or a figure against the objective's `value`."""

    ratio_metric: Ratio | None = None
    threshold_metric: Metric | None = None


class Indicator(_Loose, frozen=True, kw_only=True):
    """What is measured."""

    metadata: Metadata
    spec: IndicatorSpec


class TimeWindow(_Loose, frozen=True, kw_only=True):
    """The window of the budget."""

    duration: str
    is_rolling: bool = True


class Target(_Loose, frozen=True, kw_only=True):
    """The share that must be good, and the bound of a threshold metric."""

    target: float
    display_name: str = ""
    op: Literal["lt", "lte"] = "lte"
    value: float = 0.0


class Spec(_Loose, frozen=True, kw_only=True):
    """What a document promises."""

    service: str
    indicator: Indicator
    time_window: tuple[TimeWindow, ...]
    budgeting_method: Literal["Occurrences", "Timeslices"]
    objectives: tuple[Target, ...]
    description: str = ""


class SloDocument(_Loose, frozen=True, kw_only=True):
    """One document of OpenSLO v1, as far as it is read."""

    api_version: Literal["openslo/v1"]
    kind: Literal["SLO"]
    metadata: Metadata
    spec: Spec


class Objective(msgspec.Struct, frozen=True):
    """One promise: this share of the indicator's events is good. `value` bounds the event, in the indicator's unit."""

    name: str
    indicator: str
    target: float
    value: float
    strict: bool

    def keeps(self, observed: float) -> bool:
        """Whether an event of this size is good."""
        return observed < self.value if self.strict else observed <= self.value


def shipped(tier: str) -> tuple[Objective, ...]:
    """Return the objectives that the package brings for a tier; raises `UsageError` for one that there is not."""
    place = files("tradeworthy.operations.assessments") / "objectives" / f"{tier}.toml"
    if not place.is_file():
        raise UsageError(f"expected a tier with objectives, found {tier!r}")
    return objectives_in(tomllib.loads(place.read_text()), f"{tier}.toml")


def objectives_at(place: Path) -> tuple[Objective, ...]:
    """Return the objectives of a file, or of each `.toml` and `.json` of a folder; raises `UsageError` by name."""
    paths = sorted(one for one in place.iterdir() if one.suffix in (".toml", ".json")) if place.is_dir() else [place]
    found: list[Objective] = []
    for path in paths:
        try:
            text = path.read_text()
            plain = tomllib.loads(text) if path.suffix == ".toml" else msgspec.json.decode(text)
        except (OSError, ValueError) as problem:
            raise UsageError(f"{path.name}: expected a document of OpenSLO v1, found {problem}") from None
        found += objectives_in(plain, path.name)
    if not found:
        raise UsageError(f"{place}: expected documents of OpenSLO v1 as .toml or .json, found none")
    _distinct(found)
    return tuple(found)


def objectives_in(plain: Any, where: str) -> tuple[Objective, ...]:
    """Return the objectives of one document, of a list of them, or of `documents`; raises `UsageError` by name."""
    listed = plain.get("documents", [plain]) if isinstance(plain, dict) else plain
    try:
        documents = msgspec.convert(listed, tuple[SloDocument, ...])
    except msgspec.ValidationError as problem:
        raise UsageError(f"{where}: {problem}") from None
    found = [one for document in documents for one in _of(document, where)]
    _distinct(found)
    return tuple(found)


def _of(document: SloDocument, where: str) -> Iterable[Objective]:
    name, spec = document.metadata.name, document.spec
    said = f"{where}: {name}"
    given = spec.indicator.spec
    ratio, threshold = given.ratio_metric, given.threshold_metric
    if (ratio is None) == (threshold is None):
        raise UsageError(f"{said}: expected a ratioMetric or a thresholdMetric, found {'both' if ratio else 'none'}")
    metrics = [threshold] if ratio is None else [ratio.good, ratio.total]
    indicators = {one.metric_source.spec.get("indicator", "") for one in metrics if one is not None}
    sources = {one.metric_source.type for one in metrics if one is not None}
    indicator = min(indicators)
    if sources != {SOURCE} or len(indicators) != 1 or indicator not in INDICATORS:
        known = ", ".join(INDICATORS)
        raise UsageError(f"{said}: expected an indicator of {SOURCE}: {known}; found {', '.join(sorted(indicators))}")
    for number, one in enumerate(spec.objectives):
        if not 0 < one.target < 1 or BURN_MAX * (1 - one.target) > 1:
            raise UsageError(f"{said}: expected a target of {1 - 1 / BURN_MAX:.4f} to below 1, found {one.target}")
        label = name if len(spec.objectives) == 1 else f"{name}/{one.display_name or number}"
        yield Objective(label, indicator, one.target, one.value, one.op == "lt")


def _distinct(found: Iterable[Objective]) -> None:
    names = [one.name for one in found]
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        raise UsageError(f"expected each objective once, found {', '.join(twice)} again")
