"""What ingest journals: one fact a cycle."""

import msgspec

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.severity import Severity


class SourceTaken(msgspec.Struct, frozen=True, kw_only=True):
    """One source of a cycle.

    fetched   good rows of the feed;  inserted, unchanged  of them;  rejected  lines and rows in quarantine
    left_out  rows of kinds that the store has no table for, e.g. funding
    newest    event time of the newest row, nanoseconds UTC, None without rows;  age_ns  from it to the cycle
    reused    the feed's bytes were taken in before and were not read again
    problem   why the source failed, empty where it did not
    """

    source: str
    instrument: str
    digest: str
    fetched: int
    inserted: int
    unchanged: int
    rejected: int
    left_out: int
    newest: int | None
    age_ns: int | None
    severity: Severity
    took_ns: int
    reused: bool = False
    problem: str = ""


@fact("ingest.cycle")
class IngestCycle(Fact, frozen=True, kw_only=True):
    """One cycle is over: what each source gave, and where it was kept."""

    run_id: str
    number: int
    store: str
    sources: tuple[SourceTaken, ...]
    inserted: int
    unchanged: int
    rejected: int
    severity: Severity
    took_ns: int
