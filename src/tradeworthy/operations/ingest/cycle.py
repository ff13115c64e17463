"""One cycle: each source read, judged and kept; one that fails does not keep the others from it (DB-54)."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import DeskError, RetryLater
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.operations.ingest.facts import IngestCycle, SourceTaken
from tradeworthy.operations.ingest.policy import IngestPolicy
from tradeworthy.operations.ingest.ports import Conclusion, Counted, MarketRow, MarketStore, RunRow, Sealed, Source
from tradeworthy.operations.ingest.quality import FUTURE, fault_of, judge
from tradeworthy.operations.ingest.quarantine import FeedQuarantine
from tradeworthy.trading.model import Bar, DepthDiff, DepthSnapshot, Quote, Trade

HELD = (Quote, Trade, Bar, DepthDiff, DepthSnapshot)
"""The kinds of rows that every store has a table for."""
CHECK_ROWS = 4096
"""Rows between two looks whether the cycle must end; a beat is given with each."""


class CycleEnded(Exception):
    """The process ends: what the store has not committed is left for the next cycle."""


class Reading:
    """The good rows of one source, with what was learned while they were read."""

    def __init__(self, quarantine: FeedQuarantine, *, latest: int, keep_on: Callable[[], bool]) -> None:
        self._quarantine, self._latest, self._keep_on = quarantine, latest, keep_on
        self.fetched = self.future = self.left_out = 0
        self.newest: int | None = None

    @property
    def rejected(self) -> int:
        """Lines and rows in quarantine."""
        return self._quarantine.count

    def rows(self, source: Source) -> Iterator[MarketRow]:
        """Yield the source's good rows; raises `CycleEnded` when the process ends meanwhile."""
        found = source.rows(self._quarantine.put)
        while chunk := tuple(islice(found, CHECK_ROWS)):
            if not self._keep_on():
                raise CycleEnded
            for row in chunk:
                if self._good(row):
                    yield row

    def _good(self, row: MarketRow) -> bool:
        if not isinstance(row[2], HELD):
            self.left_out += 1
            return False
        fault = fault_of(row, latest=self._latest)
        if fault is not None:
            self.future += fault.startswith(FUTURE)
            self._quarantine.put(msgspec.json.encode(row), fault)
            return False
        self.fetched += 1
        self.newest = row[0] if self.newest is None else max(self.newest, row[0])
        return True


def run_cycle(
    sources: Sequence[Source], store: MarketStore, *, policy: IngestPolicy, clock: Clock, run_id: str, number: int,
    quarantine: Path, keep_on: Callable[[], bool] = lambda: True,
) -> IngestCycle:  # fmt: skip
    """Take every source in and return the cycle's fact; a feed whose bytes were taken in before is not read again.

    run_id      of the process;  number  of the cycle in it, from 1
    quarantine  folder for refused lines, one folder a source
    keep_on     asked now and then from this thread; False ends the cycle

    Raises `RetryLater` where the store cannot be written, `CycleEnded` when `keep_on` said so.
    """
    began = clock.monotonic()
    taken: list[SourceTaken] = []
    for source in sources:
        if not keep_on():
            raise CycleEnded
        taken.append(_take(source, store, policy, clock, run_id, number, quarantine / f"source={source.name}", keep_on))
    return IngestCycle(
        run_id=run_id, number=number, store=store.place, sources=tuple(taken),
        inserted=sum(one.inserted for one in taken), unchanged=sum(one.unchanged for one in taken),
        rejected=sum(one.rejected for one in taken), severity=worst(one.severity for one in taken),
        took_ns=clock.monotonic() - began,
    )  # fmt: skip


def _take(
    source: Source, store: MarketStore, policy: IngestPolicy, clock: Clock, run_id: str, number: int, folder: Path,
    keep_on: Callable[[], bool],
) -> SourceTaken:  # fmt: skip
    began, now = clock.monotonic(), clock.now()
    digest = ""
    try:
        digest = source.digest()
        before = store.sealed(source.name, digest)
        if before is not None:
            return _again(before, now=now, took_ns=clock.monotonic() - began)
        latest = now + round(policy.future_seconds * NANOS_PER_SECOND)
        reading = Reading(FeedQuarantine(folder, source.name, now), latest=latest, keep_on=keep_on)
        concluded: list[Conclusion] = []

        def conclude(counted: Counted) -> Conclusion:
            severity = judge(
                rows=reading.fetched, rejected=reading.rejected, future=reading.future,
                fail_pct=policy.rejected_fail_pct,
            )  # fmt: skip
            run = RunRow(
                run_id=run_id, number=number, source=source.name, instrument=source.instrument, digest=digest,
                severity=severity, fetched=reading.fetched, inserted=counted.inserted, unchanged=counted.unchanged,
                rejected=reading.rejected, age_ns=_age(reading.newest, now), took_ns=clock.monotonic() - began, at=now,
            )  # fmt: skip
            # a row from the future may be good later, so such a feed is read again
            seal = None if reading.future else Sealed(
                source=source.name, instrument=source.instrument, digest=digest, rows=reading.fetched,
                rejected=reading.rejected, newest=reading.newest, severity=severity, run_id=run_id, at=now,
            )  # fmt: skip
            concluded.append(Conclusion(run, seal))
            return concluded[-1]

        counted = store.take(source.name, reading.rows(source), conclude)
        return SourceTaken(
            source=source.name, instrument=source.instrument, digest=digest, fetched=reading.fetched,
            inserted=counted.inserted, unchanged=counted.unchanged, rejected=reading.rejected,
            left_out=reading.left_out, newest=reading.newest, age_ns=_age(reading.newest, now),
            severity=concluded[-1].run.severity, took_ns=clock.monotonic() - began,
        )  # fmt: skip
    except RetryLater:
        raise
    except (DeskError, OSError) as problem:
        return SourceTaken(
            source=source.name, instrument=source.instrument, digest=digest, fetched=0, inserted=0, unchanged=0,
            rejected=0, left_out=0, newest=None, age_ns=None, severity=Severity.FAIL,
            took_ns=clock.monotonic() - began, problem=str(redact(str(problem))),
        )  # fmt: skip


def _again(seal: Sealed, *, now: int, took_ns: int) -> SourceTaken:
    return SourceTaken(
        source=seal.source, instrument=seal.instrument, digest=seal.digest, fetched=seal.rows, inserted=0,
        unchanged=seal.rows, rejected=seal.rejected, left_out=0, newest=seal.newest, age_ns=_age(seal.newest, now),
        severity=seal.severity, took_ns=took_ns, reused=True,
    )  # fmt: skip


def _age(newest: int | None, now: int) -> int | None:
    return None if newest is None else now - newest
