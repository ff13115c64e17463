"""The two files that tell of a journal's health: `integrity-<day>.json` and `continuity.json` (JR-11, JR-12)."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.journal.codec import decode_lines
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.journal.integrity import Continuity, ExpectedSource, Integrity, continuity, integrity
from tradeworthy.kernel.journal.reader import read, read_batches
from tradeworthy.kernel.journal.records import Heartbeat, LossAcknowledged
from tradeworthy.kernel.journal.verify import verify

CONTINUITY_FILE = "continuity.json"


def write_integrity(
    directory: Path, folder: Path, *, sources: Mapping[str, ExpectedSource], now: int | None = None, day: str = "",
) -> tuple[Path, Integrity]:
    """Judge the journal up to the end of `day` and write the report into `folder`.

    now  where silence is measured from, nanoseconds UTC; by default the last event's arrival (recorded tapes)
    day  ISO date, by default that of the last event; what was lost before stays in every later report
    Raises `UsageError` for a journal without events up to that day.
    """
    end = end_of(day) if day else 1 << 63
    chain = verify(directory) if any(directory.glob("journal-*.jsonl")) else None
    last = 0

    def until() -> Iterator[Event]:
        nonlocal last
        for event in read(directory):
            if event.ts_init < end:
                last = max(last, event.ts_init)
                yield event

    problem = "" if chain is None or chain.ok else f"seq {chain.first_bad_seq}: {chain.problem}"
    report = integrity(until(), sources, now=None if now is None else min(now, end), chain_problem=problem)
    if not report.events:
        raise UsageError(f"{directory}: expected events{f' up to {day}' if day else ''}, found none")
    judged = last if now is None else min(now, end)
    day = day or day_of(last)
    path = folder / f"integrity-{day}.json"
    write_durably(path, _json({"day": day, "judged_at": judged}, report))
    return path, report


def write_continuity(directory: Path, folder: Path, *, end: int, recorded: bool = False) -> tuple[Path, Continuity]:
    """Judge the 24 h before `end` by the journal's heartbeats and write the report into `folder`."""
    report = continuity(events_of(directory, (Heartbeat, LossAcknowledged)), end=end, recorded=recorded)
    return store_continuity(folder, report, end=end), report


def store_continuity(folder: Path, report: Continuity, *, end: int) -> Path:
    """Write a judgement made at `end` into `folder`."""
    path = folder / CONTINUITY_FILE
    write_durably(path, _json({"judged_at": end}, report))
    return path


def events_of(directory: Path, kinds: tuple[type[Fact], ...]) -> Iterator[Event]:
    """Yield the events of a few kinds; lines of others are passed over without being decoded."""
    marks = tuple(b'"kind":"%s"' % kind.kind.encode() for kind in kinds)
    for body in read_batches(directory):
        if any(mark in body for mark in marks):
            lines = [line for line in body.splitlines(keepends=True) if any(mark in line for mark in marks)]
            yield from (event for event in decode_lines(b"".join(lines)) if isinstance(event.payload, kinds))


def day_of(ts: int) -> str:
    """Return the UTC date of `ts` as ISO text."""
    return datetime.fromtimestamp(ts // NANOS_PER_SECOND, UTC).date().isoformat()


def end_of(day: str) -> int:
    """Return the first nanosecond after an ISO date; raises `UsageError` for anything else."""
    try:
        start = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise UsageError(f"a day must be written YYYY-MM-DD, was {day!r}") from None
    return int(start.timestamp()) * NANOS_PER_SECOND + NANOS_PER_DAY


def _json(first: dict[str, Any], report: Integrity | Continuity) -> bytes:
    fields = first | msgspec.to_builtins(report) | {"severity": report.severity.name}
    return msgspec.json.format(msgspec.json.encode(fields), indent=2) + b"\n"
