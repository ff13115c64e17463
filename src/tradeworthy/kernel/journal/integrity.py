"""What the journal shows of its own completeness: gaps, repeats, causes, silence, coverage, recorded losses.

Completeness is judged by the sources' own numbers, never by comparing counts; elapsed time proves nothing.
"""

import tomllib
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import KINDS, Event
from tradeworthy.kernel.journal.records import (
    HEARTBEAT_INTERVAL_S,
    FeedConflated,
    Heartbeat,
    InputQuarantined,
    LossAcknowledged,
)
from tradeworthy.kernel.severity import Severity, worst

SILENT_PERIODS = 2
COVERAGE_MIN = 0.999
CONTINUITY_INTERVAL_S = 300
"""How often a running desk judges its window again."""
SLOT_NANOS = HEARTBEAT_INTERVAL_S * NANOS_PER_SECOND
SLOTS_PER_DAY = NANOS_PER_DAY // SLOT_NANOS


class ExpectedSource(msgspec.Struct, frozen=True):
    """One source of the manifest: its longest ordinary pause, and whether losing one event is a failure.

    period_ns  None for a source without a rhythm: it is silent only when nothing ever came
    """

    period_ns: int | None = None
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
    conflated: int = 0
    quarantined: int = 0
    ahead: int = 0


AHEAD_NS_MAX = NANOS_PER_SECOND
"""A source's clock may be so far ahead of the desk's; an event from further in the future is none (contract 6)."""
DIGITS_MAX = 18
"""Longer numbers are kept as text."""


class Continuity(msgspec.Struct, frozen=True):
    """Slots of the day with a heartbeat; `begins` is where the window restarted after a recorded loss.

    note  says why coverage proves nothing, empty where it does
    """

    slots: int
    present: int
    coverage: float
    begins: int
    severity: Severity
    note: str = ""


class _SourceEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    period_seconds: float | None = None
    zero_loss: bool = True

    def __post_init__(self) -> None:
        if self.period_seconds is not None and not 0 < self.period_seconds < float("inf"):
            raise ValueError(f"period_seconds must be above zero, was {self.period_seconds}")


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sources: dict[str, _SourceEntry]


class _Numbers:
    """Numbers that came, in any order: the highest, and sorted runs of what is missing below it.

    low  where the numbers begin; without it the first that comes begins them
    """

    def __init__(self, low: int | None = None) -> None:
        self.highest: int | None = None if low is None else low - 1
        self.missing: list[tuple[int, int]] = []

    def add(self, number: int) -> bool:
        """Take a number and tell whether it had come before."""
        highest = self.highest
        if highest is None or number > highest:
            if highest is not None and number > highest + 1:
                self.missing.append((highest + 1, number - 1))
            self.highest = number
            return False
        at = bisect_right(self.missing, (number, 1 << 64)) - 1
        if at < 0 or self.missing[at][1] < number:
            return True
        low, high = self.missing[at]
        parts = ((low, number - 1), (number + 1, high))
        self.missing[at : at + 1] = [part for part in parts if part[0] <= part[1]]
        return False

    def __contains__(self, number: int) -> bool:
        if self.highest is None or number > self.highest:
            return False
        at = bisect_right(self.missing, (number, 1 << 64)) - 1
        return at < 0 or self.missing[at][1] < number


class SeenIds:
    """Ids that came, exactly: those that end in a number cost one run a source, however many they are."""

    def __init__(self) -> None:
        self._numbered: dict[str, _Numbers] = {}
        self._other: set[str] = set()

    def add(self, event_id: str) -> bool:
        """Take an id and tell whether it had come before."""
        source, _, tail = event_id.rpartition(":")
        if not _counts(tail):
            known = event_id in self._other
            self._other.add(event_id)
            return known
        numbers = self._numbered.get(source)
        if numbers is None:
            numbers = self._numbered[source] = _Numbers(0)
        number = int(tail)
        if number - 1 == numbers.highest:  # the usual next one
            numbers.highest = number
            return False
        return numbers.add(number)

    def __contains__(self, event_id: str) -> bool:
        source, _, tail = event_id.rpartition(":")
        if not _counts(tail):
            return event_id in self._other
        numbers = self._numbered.get(source)
        return numbers is not None and int(tail) in numbers

    def __len__(self) -> int:
        """Return how many entries are kept: what the memory of it grows with."""
        return len(self._other) + sum(1 + len(one.missing) for one in self._numbered.values())


def _counts(tail: str) -> bool:
    """Tell whether an id's end is a number as one would write it, so that the number stands for the text."""
    return tail.isdecimal() and tail.isascii() and len(tail) <= DIGITS_MAX and (tail[0] != "0" or tail == "0")


def load_sources(path: Path) -> dict[str, ExpectedSource]:
    """Read the expected-sources manifest: TOML, one table `[sources.NAME]` with `period_seconds` and `zero_loss`.

    Raises `UsageError` for a file that cannot be read or says anything else.
    """
    try:
        manifest = msgspec.convert(tomllib.loads(path.read_text()), _Manifest)
    except (OSError, ValueError) as problem:
        raise UsageError(f"expected a manifest of sources at {path}, found {problem}") from None
    return {
        name: ExpectedSource(
            None if one.period_seconds is None else round(one.period_seconds * NANOS_PER_SECOND), one.zero_loss
        )
        for name, one in manifest.sources.items()
    }


def integrity(
    events: Iterable[Event], sources: Mapping[str, ExpectedSource], *, now: int | None, chain_problem: str = "",
) -> Integrity:
    """Fold events into counters; `chain_problem` is what `verify` said, empty where the chain holds.

    now  where silence is measured from; None for the last event's arrival
    """
    fold = IntegrityFold()
    for event in events:
        fold.take(event)
    return fold.result(sources, now=now, chain_problem=chain_problem)


class IntegrityFold:
    """Count what is wrong with a journal, event by event; `result` judges what was counted so far."""

    def __init__(self) -> None:
        self._numbers: dict[str, _Numbers] = {}
        self._last_seen: dict[str, int] = {}
        self._seen = SeenIds()
        self._losses: list[LossAcknowledged] = []
        self.backwards = self.ahead = 0
        self._count = self._repeats = self._unknown_cause = self._unknown_schema = 0
        self._conflated = self._quarantined = 0

    def take(self, event: Event) -> None:
        """Take the next event."""
        self._count += 1
        source = event.source
        self._repeats += self._seen.add(event.event_id)
        self._unknown_cause += event.causation_id is not None and event.causation_id not in self._seen
        known = KINDS.get(event.kind)
        self._unknown_schema += known is None or known.schema.rpartition(".")[0] != event.schema.rpartition(".")[0]
        self.backwards += event.ts_init < self._last_seen.get(source, event.ts_init)
        self._last_seen[source] = max(event.ts_init, self._last_seen.get(source, event.ts_init))
        self.ahead += event.ts_event - event.ts_init >= AHEAD_NS_MAX
        if event.source_seq is not None:
            if source not in self._numbers:
                self._numbers[source] = _Numbers()
            self._numbers[source].add(event.source_seq)
        payload = event.payload
        if isinstance(payload, LossAcknowledged):
            self._losses.append(payload)
        elif isinstance(payload, FeedConflated):
            self._conflated += payload.count
        elif isinstance(payload, InputQuarantined):
            self._quarantined += 1

    @property
    def sources(self) -> int:
        """How many sources number what they send."""
        return len(self._numbers)

    def result(
        self, sources: Mapping[str, ExpectedSource], *, now: int | None, chain_problem: str = ""
    ) -> Integrity:
        """Judge what was taken; the arguments are those of `integrity`."""
        numbers, last_seen = self._numbers, self._last_seen
        gaps = tuple((name, *run) for name in sorted(numbers) for run in numbers[name].missing)
        judged = max(last_seen.values(), default=0) if now is None else now
        silent = tuple(name for name in sorted(sources) if _silent(sources[name], last_seen.get(name), judged))
        findings = [Severity.OK if self._count else Severity.UNKNOWN]
        findings += [
            Severity.FAIL if name not in sources or sources[name].zero_loss else Severity.WARN for name, _, _ in gaps
        ]
        if chain_problem or self._repeats or self._unknown_schema or self.ahead or silent:
            findings.append(Severity.FAIL)
        if self.backwards or self._unknown_cause or self._conflated or self._quarantined:
            findings.append(Severity.WARN)
        return Integrity(
            self._count, gaps, self._repeats, self.backwards, self._unknown_cause, self._unknown_schema,
            chain_problem, silent, tuple(self._losses), worst(findings), self._conflated, self._quarantined, self.ahead,
        )  # fmt: skip


def continuity(events: Iterable[Event], *, end: int, recorded: bool = False) -> Continuity:
    """Return the coverage of the 24 h before `end`; slots before a recorded loss count as empty.

    recorded  the run played a recorded tape on event time, which proves nothing of uptime: UNKNOWN
    """
    slots: set[int] = set()
    begins = end // SLOT_NANOS - SLOTS_PER_DAY
    for event in events:
        if isinstance(event.payload, Heartbeat):
            slots.add(event.payload.slot)
        elif isinstance(event.payload, LossAcknowledged):
            begins = max(begins, event.ts_init // SLOT_NANOS)
    return window(slots, begins=begins, end=end, recorded=recorded)


def window(slots: Collection[int], *, begins: int, end: int, recorded: bool = False) -> Continuity:
    """Judge the slots that had a heartbeat, from slot `begins` to the time `end`."""
    last = end // SLOT_NANOS
    present = sum(begins <= slot < last for slot in slots)
    coverage = present / SLOTS_PER_DAY
    severity = Severity.FAIL if coverage < COVERAGE_MIN else Severity.OK
    if recorded:
        severity = Severity.UNKNOWN
    note = "a recorded tape on event time proves nothing of uptime" if recorded else ""
    return Continuity(SLOTS_PER_DAY, present, coverage, begins * SLOT_NANOS, severity, note)


def _silent(expected: ExpectedSource, last: int | None, now: int) -> bool:
    if last is None or expected.period_ns is None:
        return last is None
    return now - last >= SILENT_PERIODS * expected.period_ns
