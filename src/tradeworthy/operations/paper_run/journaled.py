"""What is counted of a run's journal, and what its first fact says of it."""

from collections.abc import Callable

from tradeworthy.operations.paper_run.model import RunIdentity
from tradeworthy.trading.model import Refused, RunStarted
from tradeworthy.trading.timing import StageTiming


class Journaled:
    """Counts of the journal's events; `stages` are the desk's own durations of its last whole minute."""

    __slots__ = ("_folder", "decisions", "events", "identity", "orders", "refusals", "seq", "stages")

    def __init__(self, folder: Callable[[], str | None]) -> None:
        self._folder = folder
        self.events = self.seq = self.decisions = self.refusals = self.orders = 0
        self.identity: RunIdentity | None = None
        self.stages: tuple[StageTiming, ...] = ()

    def began(self, started: RunStarted) -> None:
        """Remember what runs."""
        self.identity = RunIdentity(
            started.run_id, started.environment, started.config_hash, started.code_hash, self._folder()
        )

    def decided(self, kind: str) -> None:
        """Count one decision."""
        self.decisions += 1
        if kind == Refused.kind:
            self.refusals += 1
