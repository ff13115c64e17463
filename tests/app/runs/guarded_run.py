"""A paper desk played step by step under its guardian, on any clock and without a process around it."""

from tradeworthy.app.runs.open_run import Company
from tradeworthy.app.runs.paper_run import guardian_of, require_paper
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.host import rss_bytes
from tradeworthy.operations.paper_run.files import ReportFiles
from tradeworthy.trading.strategies.catalogue import CATALOGUE


class PaperRun:
    """One guarded run; `play` runs it once."""

    def __init__(
        self, document, *, root, policy, clock=None, memory=rss_bytes, report=None, errors=None, catalogue=CATALOGUE
    ):
        require_paper(document)
        self._clock = clock or SystemClock()
        self.session = RunSession(document, root=root, clock=self._clock, catalogue=catalogue)
        self.files = ReportFiles(lambda: self.session.folder, report=report, errors=errors)
        self.guardian = guardian_of(
            document, policy=policy, clock=self._clock, write=self.files.write, stop=self.session.request_stop,
            folder=lambda: self.session.folder, memory=memory,
        )  # fmt: skip

    def play(self):
        """Run to the end of the tapes or of the duration; a crash is a failed run, told like any other."""
        guardian = self.guardian
        guardian.sample()
        try:
            run = self.session.open(Company(observe=guardian.observe))
            with run:
                for wait in run.steps():
                    guardian.sample()
                    self._clock.sleep(wait)
                run.end()
            reason = run.result().reason
        except Exception as problem:
            return guardian.crashed(problem)
        return guardian.finish(reason)
