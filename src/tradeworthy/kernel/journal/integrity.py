"""What the journal shows of its own completeness: gaps, repeats, causes, silence, coverage, recorded losses.

Completeness is judged by the sources' own numbers, never by comparing counts; elapsed time proves nothing.
"""

from collections.abc import Iterable, Mapping

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.facts import KINDS, Event
from tradeworthy.kernel.journal.records import HEARTBEAT_INTERVAL_S, Heartbeat, LossAcknowledged
from tradeworthy.kernel.severity import Severity, worst

SILENT_PERIODS = 2
COVERAGE_MIN = 0.999
SLOT_NANOS = HEARTBEAT_INTERVAL_S * NANOS_PER_SECOND
SLOTS_PER_DAY = NANOS_PER_DAY // SLOT_NANOS


class ExpectedSource(msgspec.Struct, frozen=True):
    """One source of the manifest: its longest ordinary pause, and whether losing one event is a failure."""

    period_ns: int
    zero_loss: bool = True


class Integrity(msgspec.Struct, frozen=True):
    """Separate counters, the missing numbers as `(source, first, last)`, and the losses people put their name to."""

    events: int
    gaps: tuple[tuple[str, int, int], ...]
    repeats: int
    time_backwards: int
    unknown_cause: int
    unknown_schema: int
    chain: str
    silent: tuple[str, ...]
    losses: tuple[LossAcknowledged, ...]
    severity: Severity


class Continuity(msgspec.Struct, frozen=True):
    """Slots of the day with a heartbeat; `begins` is where the window restarted after a recorded loss."""

    slots: int
    present: int
    coverage: float
    begins: int
    severity: Severity


def integrity(
    events: Iterable[Event], sources: Mapping[str, ExpectedSource], *, now: int, chain_problem: str = "",
) -> Integrity:
    """Fold events into counters; `chain_problem` is what `verify` said, empty where the chain holds."""
    last_number: dict[str, int] = {}
    missing: dict[str, set[int]] = {}
    last_seen: dict[str, int] = {}
    seen: set[str] = set()
    losses: list[LossAcknowledged] = []
    count = repeats = backwards = unknown_cause = unknown_schema = 0
    for event in events:
        count += 1
        source, number = event.source, event.source_seq
        repeats += event.event_id in seen
        seen.add(event.event_id)
        unknown_cause += event.causation_id is not None and event.causation_id not in seen
        known = KINDS.get(event.kind)
        unknown_schema += known is None or known.schema.rpartition(".")[0] != event.schema.rpartition(".")[0]
        backwards += event.ts_init < last_seen.get(source, event.ts_init)
        last_seen[source] = max(event.ts_init, last_seen.get(source, event.ts_init))
        if number is not None:
            before = last_number.get(source)
            if before is None or number > before:
                missing.setdefault(source, set()).update(range(number if before is None else before + 1, number))
                last_number[source] = number
            else:
                missing[source].discard(number)
        if isinstance(event.payload, LossAcknowledged):
            losses.append(event.payload)
    gaps = tuple((name, *run) for name in sorted(missing) for run in _runs(sorted(missing[name])))
    silent = tuple(
        name for name in sorted(sources) if now - last_seen.get(name, 0) >= SILENT_PERIODS * sources[name].period_ns
    )
    findings = [Severity.OK if count else Severity.UNKNOWN]
    findings += [
        Severity.FAIL if name not in sources or sources[name].zero_loss else Severity.WARN for name, _, _ in gaps
    ]
    if chain_problem or repeats or unknown_schema or silent:
        findings.append(Severity.FAIL)
    if backwards or unknown_cause:
        findings.append(Severity.WARN)
    return Integrity(
        count, gaps, repeats, backwards, unknown_cause, unknown_schema, chain_problem, silent, tuple(losses),
        worst(findings),
    )  # fmt: skip


def continuity(events: Iterable[Event], *, end: int) -> Continuity:
    """Return the coverage of the 24 h before `end`; slots before a recorded loss count as empty."""
    last = end // SLOT_NANOS
    slots: set[int] = set()
    begins = last - SLOTS_PER_DAY
    for event in events:
        if isinstance(event.payload, Heartbeat):
            slots.add(event.payload.slot)
        elif isinstance(event.payload, LossAcknowledged):
            begins = max(begins, event.ts_init // SLOT_NANOS)
    present = sum(begins <= slot < last for slot in slots)
    coverage = present / SLOTS_PER_DAY
    return Continuity(
        SLOTS_PER_DAY, present, coverage, begins * SLOT_NANOS,
        Severity.FAIL if coverage < COVERAGE_MIN else Severity.OK,
    )  # fmt: skip


def _runs(numbers: list[int]) -> Iterable[tuple[int, int]]:
    start = 0
    for index in range(1, len(numbers) + 1):
        if index == len(numbers) or numbers[index] != numbers[index - 1] + 1:
            yield numbers[start], numbers[index - 1]
            start = index
