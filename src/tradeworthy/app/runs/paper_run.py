"""The guardian of a paper desk, made for its document: whatever plays the desk gives it what it sees (PPR)."""

from collections.abc import Callable
from pathlib import Path

from tradeworthy.app.bootstrap import instruments_of, quality_policy
from tradeworthy.app.config import Document
from tradeworthy.app.runtime.reconciling import Reconciled
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.host import rss_bytes
from tradeworthy.operations.paper_run.guardian import Guardian
from tradeworthy.operations.paper_run.invariants import BrokenInvariant
from tradeworthy.operations.paper_run.model import PaperRunReport
from tradeworthy.operations.paper_run.policy import PaperRunPolicy

PAPER = "paper"


def require_paper(document: Document) -> None:
    """Raise `UsageError` for a desk of another environment."""
    if document.desk.environment != PAPER:
        raise UsageError(f"a paper run needs desk.environment paper, was {document.desk.environment}")


def guardian_of(
    document: Document, *, policy: PaperRunPolicy, clock: Clock, write: Callable[[PaperRunReport], None],
    stop: Callable[[str], None], folder: Callable[[], Path | None], memory: Callable[[], int | None] = rss_bytes,
) -> Guardian:  # fmt: skip
    """Return the guardian of a document's desk, for whatever plays it.

    Give `observe` to the run's company and `samples` to a supervised task of kind `paper_guardian`, or call `sample`
    between two steps; end with `finish`, whose reason is the run's own, or with `crashed`.

    write  takes each report, e.g. `ReportFiles.write`;  stop  ends the run in order;  folder  of the run in hand
    """
    return Guardian(
        policy, clock=clock, instruments=instruments_of(document), stop=stop, write=write, memory=memory,
        backups=[one.backup for one in quality_policy(document).pairs],
        folder=lambda: None if (place := folder()) is None else str(place), invariants={Reconciled: _differs},
    )  # fmt: skip


def _differs(found: Reconciled) -> BrokenInvariant | None:
    """Return a break between the desk and its venue; what nobody could compare is no agreement either."""
    if found.clean:
        return None
    return BrokenInvariant("reconciliation.report", found.agreement, "desk and venue hold the same")
