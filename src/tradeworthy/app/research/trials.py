"""The register of trials on disk: a journal beside the runs, one fact a run and one a look (BT-05, BT-09)."""

from collections.abc import Callable
from pathlib import Path

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import HaltTrading, UsageError
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Journal, JournalPolicy, read
from tradeworthy.kernel.journal.verify import verify
from tradeworthy.research.backtest.statistics import TooFewObservations, moments
from tradeworthy.research.backtest.trials import OutOfSampleOpened, Trial, TrialRegister

SOURCE = "research"
FOLDER = "trials"


class TrialBook:
    """Append to and read the register under a runs folder; stamps come from `clock`."""

    def __init__(self, root: Path, *, clock: Clock) -> None:
        self._directory = root / FOLDER
        self._clock = clock

    def register(self) -> TrialRegister:
        """Return the register; raises `HaltTrading` when the journal's chain is broken."""
        register = TrialRegister()
        if any(self._directory.glob("journal-*")):
            verdict = verify(self._directory)
            if not verdict.ok:
                raise HaltTrading(f"the register of trials is damaged at {verdict.first_bad_seq}: {verdict.problem}")
            for event in read(self._directory):
                register.on_event(event)
        return register

    def record(self, trial: Trial) -> TrialRegister:
        """Record a run of a family, once; return the register with it."""
        return self._append(trial, lambda register: f"{trial.family}:{trial.run_id}", known=trial.run_id)

    def open(self, opened: OutOfSampleOpened) -> TrialRegister:
        """Record one more look at the part kept back; each look is a fact of its own."""
        return self._append(opened, lambda register: f"{opened.family}:look-{register.openings(opened.family) + 1}")

    def _append(
        self, fact: Trial | OutOfSampleOpened, key: Callable[[TrialRegister], str], *, known: str = ""
    ) -> TrialRegister:
        if not fact.family:
            raise UsageError("a trial needs the name of its family, was empty")
        register = self.register()
        if known and any(one.run_id == known for one in register.trials(fact.family)):
            return register
        now = self._clock.now()
        journal = Journal.open(self._directory, clock=self._clock, policy=JournalPolicy(commit_interval_ns=None))
        event = event_of(fact, source=SOURCE, key=key(register), ts_event=now, ts_init=now)
        try:
            journal.append(event)
        finally:
            journal.close()
        register.on_event(event)
        return register


def sharpe_of(returns: list[float]) -> float | None:
    """Return the Sharpe ratio of one period, None on too few returns."""
    try:
        return moments(returns).sharpe
    except TooFewObservations:
        return None
