"""The folds of the run in hand, fed event by event, and where its time stands in that of the process."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tradeworthy.app import bootstrap
from tradeworthy.app.assessing.desk_folds import (
    ComparisonFold,
    book_fold,
    budget_fold,
    desk_fold,
    drift_fold,
    log_fold,
    streams_fold,
)
from tradeworthy.app.config import Document
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.facts import Event
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.collectors.trades import TradesFold
from tradeworthy.operations.assessments.collectors.understanding import UnderstandingFold
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.values import Kind, Observation, Provenance

Read = Callable[["LiveFolds", Teller], Sequence[Observation]]


class LiveFolds:
    """What the journal of one run came to so far.

    A recorded feed brings its own time, and is played faster than it was recorded: a time that a fact tells is told as
    the moment of the process's clock at which it came by, so that what is late is late for this process.
    """

    def __init__(self, document: Document, directory: Path, clock: Clock) -> None:
        environment = document.desk.environment
        self.document = document
        self.desk = desk_fold(document, environment)
        self.log = log_fold(directory, (one.name for one in document.tapes))
        self.trades, self.streams = TradesFold(bootstrap.instruments_of(document)), streams_fold(document)
        self.drift, self.budgets, self.understanding = drift_fold(document), budget_fold(document), UnderstandingFold()
        self.books = book_fold(document)
        self.compared = ComparisonFold()
        self._clock, self._speed = clock, document.desk.speed
        self._arrived = 0

    def on_event(self, event: Event, seq: int) -> None:
        """Take the next event of the journal."""
        self._arrived = self._clock.now()
        self.desk.on_event(event, seq)
        self.log.on_event(event, seq)
        self.trades.on_event(event)
        self.streams.on_event(event)
        self.drift.on_event(event)
        self.budgets.on_event(event)
        self.understanding.on_event(event)
        self.books.on_event(event)
        self.compared.on_event(event, self._arrived)

    def facts(self, name: str, read: Read, environment: str, venue: Provenance | None = None) -> list[Observation]:
        """Return what `read` tells for the assessment `name`, its times as the process's clock has them.

        venue  how good facts are that come over the venue; None = all is the desk's own measurement
        """
        if not self._arrived:
            return []
        provenance = venue or Provenance.MEASURED
        tell = Teller("journal", self.desk.now, environment=environment, provenance=provenance)
        times = {one.name for one in registry().get(name).facts if one.kind is Kind.TIME}
        return [self._placed(one, moves=one.name in times) for one in read(self, tell)]

    def reconciliation(self, environment: str, venue: Provenance) -> list[Observation]:
        """Return the facts of `reconciliation`, whose comparisons follow the process's clock."""
        now = self._clock.now()
        return self.compared.facts(Teller("journal", now, environment=environment, provenance=venue), now)

    def _placed(self, one: Observation, *, moves: bool) -> Observation:
        value = one.value
        if moves and value is not None:
            ago = 0 if self._speed <= 0 else round((self.desk.now - value) / self._speed)
            value = self._arrived - ago
        return msgspec.structs.replace(one, ts_observed=self._arrived, value=value)
