"""Facts of a journal's wholeness: its seals verified, and its events folded one by one (AS-119)."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.checkpoint import latest_count
from tradeworthy.kernel.journal.following import ChainWatch
from tradeworthy.kernel.journal.integrity import ExpectedSource, IntegrityFold
from tradeworthy.kernel.journal.verify import CannotJudge, VerifyResult, verify
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.values import Observation


class LogFold:
    """Fold one journal's events as they come; `facts` tells what is known, of the seals what was verified last.

    name      of the journal, the component;  sources  that are expected, by name
    followed  continuous days are expected between the first and the last event
    """

    def __init__(self, directory: Path, name: str, sources: Mapping[str, ExpectedSource], *, followed: bool) -> None:
        self.directory, self.name, self._followed = directory, name, followed
        self._sources = dict(sources)
        self._fold = IntegrityFold()
        self._days: dict[int, None] = {}
        self.last_seq = 0
        self._watch = ChainWatch(directory)
        self._chain: bool | None = None
        self._chain_problem, self._chain_at, self._signed = "it was not verified yet", 0, 0

    def fold(self, events: Iterable[Event]) -> "LogFold":
        """Take events in order and return itself."""
        for event in events:
            self.on_event(event, event.seq)
        return self

    def on_event(self, event: Event, seq: int) -> None:
        """Take the next event, which the journal has at `seq`."""
        self._fold.take(event)
        self._days[event.ts_init // NANOS_PER_DAY] = None
        self.last_seq = seq

    def catch_up(self) -> "LogFold":
        """Take what was sealed since the last look."""
        return self.fold(read(self.directory, start=self.last_seq + 1))

    def verify(self, at: int) -> "LogFold":
        """Verify every seal against the checkpoints, and keep what that said `at`; return itself. May take long."""
        checkpoints = any(self.directory.glob("checkpoint-*.dsse.json"))
        return self._verified(lambda: verify(self.directory, checkpoint=self.directory if checkpoints else None), at)

    def follow(self, at: int) -> "LogFold":
        """Verify what was sealed since the last time, and keep what that said `at`; return itself."""
        return self._verified(self._watch.look, at)

    def _verified(self, judge: Callable[[], VerifyResult], at: int) -> "LogFold":
        try:
            result = judge()
            self._chain, self._chain_problem = result.ok, result.problem
        except CannotJudge as error:
            self._chain, self._chain_problem = None, str(error)
        self._chain_at, self._signed = at, latest_count(self.directory)
        return self

    def facts(self, tell: Teller) -> list[Observation]:
        """Return the journal's facts; that of its chain is as old as the last `verify`."""
        found = self._fold.result(self._sources, now=None, chain_problem="")
        losses = [name in self._sources and not self._sources[name].zero_loss for name, _, _ in found.gaps]
        name, count = self.name, self._signed
        chain = tell("chain_whole", self._chain, name, why=self._chain_problem)
        if self._chain is not None:
            chain = msgspec.structs.replace(chain, ts_observed=self._chain_at)
        return [
            tell("events", found.events, name), chain,
            tell("at_checkpoint", found.events >= count if count else None, name, why="no checkpoint was signed yet"),
            tell("gaps", len(losses) - sum(losses), name), tell("lossy_gaps", sum(losses), name),
            tell("repeats", found.repeats, name), tell("unknown_cause", found.unknown_cause, name),
            tell("unknown_schema", found.unknown_schema, name), tell("backwards", found.time_backwards, name),
            tell("ahead", found.ahead, name),
            tell("missing_days", self._missing_days() if self._followed else 0, name),
        ]  # fmt: skip

    def source_facts(self, market: Collection[str], tell: Teller) -> list[Observation]:
        """Return the facts of `source_compare`: numbers that sources gave and the journal has not.

        market  the sources of market data: of them, what gave way to newer data of its kind is no loss
        """
        found = self._fold.result({}, now=None)
        lost = {True: 0, False: 0}
        for source, first, last in found.gaps:
            taken = sum(
                max(0, min(last, one.last) - max(first, one.first) + 1) for one in found.losses if one.source == source
            )
            lost[source in market] += max(0, last - first + 1 - taken)
        return [
            tell("sources", self._fold.sources), tell("lost", lost[False]),
            tell("market_lost", max(0, lost[True] - found.conflated)),
        ]  # fmt: skip

    @property
    def backwards(self) -> int:
        """Events of one source that arrived before one of its earlier ones."""
        return self._fold.backwards

    def _missing_days(self) -> int:
        if not self._days:
            return 0
        first, last = (_day(bound) for bound in (min(self._days), max(self._days)))
        known = {_day(one) for one in self._days}
        return sum(first + timedelta(days=n) not in known for n in range((last - first).days))


def _day(number: int) -> date:
    return datetime.fromtimestamp(number * NANOS_PER_DAY // NANOS_PER_SECOND, UTC).date()
