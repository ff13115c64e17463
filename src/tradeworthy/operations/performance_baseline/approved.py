"""A new baseline is an approved act: figures that people signed, and the fold of the approvals that stand (PBL-03)."""

import hashlib
from collections.abc import Iterable

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_MILLI
from tradeworthy.kernel.errors import ConfigurationRefused, InvalidInput, UsageError
from tradeworthy.kernel.facts import Event, Fact, fact
from tradeworthy.operations.performance_baseline.decision_latency import (
    REFERENCE,
    LatencyBaseline,
    LatencyGuardPolicy,
)
from tradeworthy.operations.performance_baseline.model import SCHEMA
from tradeworthy.trading.control.approvals import Act, ApprovalUsed


class Figures(msgspec.Struct, frozen=True):
    """What is approved: a machine's decision latency in nanoseconds, measured in the report of that SHA-256.

    before  digest of the pack whose baseline was in force when this one was proposed, empty for none
    """

    machine: str
    p50_ns: int
    p99_ns: int
    samples: int
    report_sha256: str
    before: str = ""

    def __post_init__(self) -> None:
        least = LatencyGuardPolicy().percentile_samples_min
        if self.samples < least or not 0 < self.p50_ns <= self.p99_ns:
            raise ConfigurationRefused(
                f"a baseline rests on at least {least} decisions with 0 < p50 <= p99, found {self.samples} with "
                f"{self.p50_ns} and {self.p99_ns} ns"
            )
        if not self.machine or self.machine == REFERENCE:
            raise ConfigurationRefused(f"a baseline names a machine that is not {REFERENCE!r}, was {self.machine!r}")

    def details(self) -> dict[str, str]:
        """Return what people read and sign; the machine is the subject."""
        return {name: str(getattr(self, name)) for name in self.__struct_fields__ if name != "machine"}


@fact("performance.baseline_approved")
class BaselineApproved(Fact, frozen=True):
    """A machine is held to these figures from now on; `digest` names the pack that people signed."""

    figures: Figures
    digest: str
    people: tuple[str, ...]


class _Latency(msgspec.Struct, frozen=True):
    samples: int
    p50_ms: float | None
    p99_ms: float | None


class _Report(msgspec.Struct, frozen=True):
    """The parts of a report that a baseline is made of."""

    schema: str
    machine: str
    decision_latency: _Latency


def figures_of(report: bytes, *, before: str = "") -> Figures:
    """Return a report's figures; raises `UsageError` for another file, `ConfigurationRefused` for no baseline."""
    try:
        told = msgspec.json.decode(report, type=_Report)
    except msgspec.MsgspecError as problem:
        raise UsageError(f"expected a report of performance-baseline, found {problem}") from None
    if told.schema != SCHEMA:
        raise UsageError(f"expected a report of schema {SCHEMA}, was {told.schema!r}")
    latency = told.decision_latency
    return Figures(
        told.machine, round((latency.p50_ms or 0) * NANOS_PER_MILLI), round((latency.p99_ms or 0) * NANOS_PER_MILLI),
        latency.samples, hashlib.sha256(report).hexdigest(), before,
    )  # fmt: skip


def figures_in(machine: str, details: dict[str, str]) -> Figures:
    """Return the figures that a pack carries; raises `InvalidInput` for one that carries others."""
    try:
        return msgspec.convert({"machine": machine, **details}, Figures, strict=False)
    except msgspec.ValidationError as problem:
        raise InvalidInput(f"expected the figures of a baseline in the pack, found {problem}") from None


def in_force(events: Iterable[Event]) -> dict[str, BaselineApproved]:
    """Fold approvals to the baseline of each machine; one without its used pack before it does not count."""
    used: set[tuple[str, str]] = set()
    found: dict[str, BaselineApproved] = {}
    for event in events:
        match event.payload:
            case ApprovalUsed() as pack if pack.act == Act.BASELINE.value:
                used.add((pack.digest, pack.subject))
            case BaselineApproved() as approved if (approved.digest, approved.figures.machine) in used:
                found[approved.figures.machine] = approved
    return found


def baseline_in(approved: BaselineApproved) -> LatencyBaseline:
    """Return what is compared with."""
    figures = approved.figures
    return LatencyBaseline(figures.machine, figures.p50_ns, figures.p99_ns)
