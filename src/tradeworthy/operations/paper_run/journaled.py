"""What is counted of a run's journal, and what its first fact says of it."""

from collections.abc import Callable

from tradeworthy.kernel.clock import NANOS_PER_MILLI
from tradeworthy.operations.paper_run.model import RunIdentity, Stage
from tradeworthy.trading.model import Refused, RunStarted
from tradeworthy.trading.timing import DeskTiming


class Journaled:
    """Counts of the journal's events; `stages` are the desk's own durations of its last whole minute."""

    __slots__ = ("_folder", "decisions", "events", "identity", "orders", "refusals", "seq", "stages")

    def __init__(self, folder: Callable[[], str | None]) -> None:
        self._folder = folder
        self.events = self.seq = self.decisions = self.refusals = self.orders = 0
        self.identity: RunIdentity | None = None
        self.stages: tuple[Stage, ...] = ()

    def began(self, started: RunStarted) -> None:
        """Remember what runs."""
        self.identity = RunIdentity(
            started.run_id, started.environment, started.config_hash, started.code_hash, self._folder()
        )

    def timed(self, timing: DeskTiming) -> None:
        """Keep what the desk says of its own stages."""
        self.stages = tuple(
            Stage(
                one.stage, one.samples, _millis(one.p50_ns), None if one.p99_ns is None else _millis(one.p99_ns),
                _millis(one.max_ns), _millis(one.limit_ns), one.severity.name,
            ) for one in timing.stages
        )  # fmt: skip

    def decided(self, kind: str) -> None:
        """Count one decision."""
        self.decisions += 1
        if kind == Refused.kind:
            self.refusals += 1


def _millis(nanos: int) -> float:
    return nanos / NANOS_PER_MILLI
