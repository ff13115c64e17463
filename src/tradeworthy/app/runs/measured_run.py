"""What stands between a run's environment and its desk and journal, where somebody measures them."""

from collections.abc import Callable
from dataclasses import dataclass

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal import Journal
from tradeworthy.trading.model import Outcome

Step = Callable[[Event], Outcome]


@dataclass(frozen=True)
class Stepped:
    """A desk as its environment sees it: one method, which may be watched."""

    step: Step


class TimedJournal:
    """A journal whose durable writes are measured, where somebody asks (`appended`)."""

    def __init__(self, journal: Journal, clock: Clock, appended: Callable[[float], object] | None) -> None:
        self.accept = journal.accept
        self._commit, self._clock, self._appended = journal.commit, clock, appended

    def commit(self) -> object:
        """Make what was accepted durable."""
        if self._appended is None:
            return self._commit()
        began = self._clock.monotonic()
        done = self._commit()
        self._appended((self._clock.monotonic() - began) / NANOS_PER_SECOND)
        return done
