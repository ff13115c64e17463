"""Who must report, and how often: every assessment, and whatever else a process declares (FW-35)."""

from collections.abc import Iterable, Mapping

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy
from tradeworthy.operations.assessments.framework.registry import Registry
from tradeworthy.operations.assessments.framework.values import Observation

SILENT_PERIODS = 2


class ExpectedReport(msgspec.Struct, frozen=True):
    """One source that must report: `kind` assessment, heartbeat, stream or log."""

    name: str
    kind: str
    period_s: float

    def __post_init__(self) -> None:
        if not 0 < self.period_s < float("inf"):
            raise ValueError(f"{self.name}: a period must be above 0 s, was {self.period_s}")


def manifest(
    known: Registry, policies: Mapping[str, AssessmentPolicy], others: Iterable[ExpectedReport] = ()
) -> dict[str, ExpectedReport]:
    """Return everything that must report, by name; raises `ValueError` for a name that stands twice."""
    found = {one.name: ExpectedReport(one.name, "assessment", policies[one.name].period_s) for one in known}
    for other in others:
        if other.name in found:
            raise ValueError(f"{other.name} is expected twice")
        found[other.name] = other
    return dict(sorted(found.items()))


def silent(expected: Mapping[str, ExpectedReport], heard: Mapping[str, int], now: int) -> tuple[str, ...]:
    """Return who was not heard for two of its periods, or never; `heard` is stamps in nanoseconds UTC by name."""
    return tuple(
        name for name, one in expected.items()
        if name not in heard or now - heard[name] >= SILENT_PERIODS * round(one.period_s * NANOS_PER_SECOND)
    )  # fmt: skip


def completeness_facts(
    expected: Mapping[str, ExpectedReport], heard: Mapping[str, int], tell: Teller
) -> list[Observation]:
    """Return the facts of `telemetry_completeness`: who was heard when, and who reports without being expected."""
    found = []
    for name, one in expected.items():
        found.append(tell("last_heard", heard.get(name), name, why="it was never heard"))
        found.append(tell("period", float(one.period_s), name))
    return [*found, tell("undeclared", len(heard.keys() - expected.keys()))]
