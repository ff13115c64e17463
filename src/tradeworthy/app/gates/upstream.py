"""What a desk's own records say of its dependencies: incidents, post-trade, and how long it ran live (AS-140)."""

from collections.abc import Iterable
from pathlib import Path

from tradeworthy.app.alerts.desk import AlertDesk
from tradeworthy.app.gates.desk_gates import Gates
from tradeworthy.app.runs.folder import journal_of, started_of
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import DeskError, UsageError
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.reader import first_seq_of, segment_paths
from tradeworthy.kernel.report import Report
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.journaled import snapshots_of
from tradeworthy.operations.gates.upstream import Upstream, fitness_report, upstreams_of

POST_TRADE, LIVE = "post_trade", "live"


def fitness_of(gates: Gates, runs: Path, desk: str) -> Report:
    """Return whether an adapter of this desk is to be looked at again; `runs` is the folder of all runs."""
    return fitness_report(
        _incidents(gates, runs, desk), post_trade_fails=post_trade_fails(gates.journals), live_s=live_s(runs, desk)
    )  # fmt: skip


def post_trade_fails(journals: Iterable[Path]) -> int | None:
    """Return how often post-trade turned to a failure; None where nobody ever judged it."""
    turns: int | None = None
    for journal in journals:
        before: Severity | None = None
        for one in snapshots_of(journal):
            if one.assessment == POST_TRADE:
                turns = (turns or 0) + (one.status is Severity.FAIL and before is not Severity.FAIL)
                before = one.status
    return turns


def live_s(runs: Path, desk: str) -> float:
    """Return the seconds of this desk's longest live run; 0 where there is none."""
    longest = 0.0
    for folder in sorted(runs.glob(f"{desk}-*")):
        try:
            if started_of(folder).environment == LIVE:
                longest = max(longest, _span_s(journal_of(folder)))
        except (DeskError, OSError):
            continue  # a folder that is no run says nothing of one
    return longest


def _span_s(journal: Path) -> float:
    """Return the seconds between the first and the last event of a run, by the journal's own order."""
    first = next((event.ts_init for event in read(journal)), 0)
    last = first
    for path in reversed(segment_paths(journal)):
        for event in read(journal, start=first_seq_of(path)):
            last = event.ts_init
        break
    return (last - first) / NANOS_PER_SECOND


def _incidents(gates: Gates, runs: Path, desk: str) -> tuple[Upstream, ...] | None:
    try:
        book = AlertDesk(runs, desk, clock=gates.clock).incidents()
    except UsageError:
        return None
    return upstreams_of(book.all, gates.now())
