"""A paper desk under its guardian: the session played, watched between any two steps, and judged at its end."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tradeworthy.app.bootstrap import instruments_of, quality_policy
from tradeworthy.app.config import Document
from tradeworthy.app.open_run import Company
from tradeworthy.app.runner import RunSession
from tradeworthy.app.runtime.reconciling import Reconciled
from tradeworthy.kernel.clock import Clock, SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.host import rss_bytes
from tradeworthy.operations.paper_run.files import ReportFiles
from tradeworthy.operations.paper_run.guardian import Guardian
from tradeworthy.operations.paper_run.invariants import BrokenInvariant
from tradeworthy.operations.paper_run.model import PaperRunReport
from tradeworthy.operations.paper_run.policy import PaperRunPolicy
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.strategies.catalogue import CATALOGUE, Entry

PAPER = "paper"


class PaperRun:
    """One guarded run; `play` runs it once.

    root            where run folders go
    report, errors  where the report and its errors go; by default into the run's own folder
    """

    def __init__(
        self, document: Document, *, root: Path, policy: PaperRunPolicy, clock: Clock | None = None,
        memory: Callable[[], int | None] = rss_bytes, report: Path | None = None, errors: Path | None = None,
        catalogue: Mapping[str, Entry] = CATALOGUE,
    ) -> None:  # fmt: skip
        if document.desk.environment != PAPER:
            raise UsageError(f"a paper run needs desk.environment paper, was {document.desk.environment}")
        self._clock: Clock = clock or SystemClock()
        self.session = RunSession(document, root=root, clock=self._clock, catalogue=catalogue)
        self.files = ReportFiles(lambda: self.session.folder, report=report, errors=errors)
        self.guardian = guardian_of(
            document, policy=policy, clock=self._clock, write=self.files.write, stop=self.session.request_stop,
            folder=lambda: self.session.folder, memory=memory,
        )  # fmt: skip

    def request_stop(self, reason: str) -> None:
        """End the run after the event in hand; callable from a signal handler."""
        self.session.request_stop(reason)

    def play(self, progress: Callable[[Desk, int, int], None] = lambda desk, rows, ts: None) -> PaperRunReport:
        """Run to the end of the tapes, of the duration, or until stopped; a crash is a failed run, told like any other.

        progress  sees the desk every few hundred rows
        """
        guardian = self.guardian
        guardian.sample()
        try:
            run = self.session.open(Company(progress, guardian.observe))
            with run:
                for wait in run.steps():
                    guardian.sample()
                    self._clock.sleep(wait)
                run.end()
            reason = run.result().reason
        except Exception as problem:  # the outermost loop: whatever ends the run, its report is written
            return guardian.crashed(problem)
        return guardian.finish(reason)


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
