"""What is down, or stood in for by another: sources, streams, the venue, the bus (PPR-04)."""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from tradeworthy.kernel.facts import Fact
from tradeworthy.operations.paper_run.model import Failover, FailoverEpisode
from tradeworthy.trading.market_data.reconnect import StreamCut, StreamRestored
from tradeworthy.trading.market_data.two_sources import SourceSwitched
from tradeworthy.trading.model import GuardChanged

OWNERS = frozenset({"venue", "bus", "feed"})
"""Owners of the guard whose reasons say that an outside connection is not as it should be."""
EPISODES_KEPT = 256


class Failovers:
    """Fold facts into what stands in now; `told` is called with name, whether it began, and what happened.

    backups  sources that are read only while their primary is not;  kinds  the facts that are looked at
    """

    def __init__(self, told: Callable[[str, bool, str], None], *, backups: Iterable[str] = ()) -> None:
        self._told = told
        self._backups = frozenset(backups)
        self._active: dict[str, FailoverEpisode] = {}
        self._past: deque[FailoverEpisode] = deque(maxlen=EPISODES_KEPT)
        self._total = 0
        self._handlers: dict[type[Fact], Callable[[Any, datetime], None]] = {
            SourceSwitched: self._switched, StreamCut: self._cut, StreamRestored: self._restored,
            GuardChanged: self._guard,
        }  # fmt: skip
        self.kinds = frozenset(self._handlers)

    @property
    def active(self) -> tuple[str, ...]:
        """What stands in now, in the order in which it began."""
        return tuple(self._active)

    def take(self, fact: Fact, at: datetime) -> None:
        """Fold one fact."""
        handler = self._handlers.get(type(fact))
        if handler is not None:
            handler(fact, at)

    def set(self, name: str, active: bool, detail: str, at: datetime) -> None:
        """Begin or end what something beside the desk reports; the same state again changes nothing."""
        if active is (name in self._active):
            return
        if active:
            self._total += 1
            self._active[name] = FailoverEpisode(name, detail, at)
        else:
            began = self._active.pop(name)
            self._past.append(FailoverEpisode(name, began.detail, began.at, at))
        self._told(name, active, detail)

    def view(self) -> Failover:
        """Return the report's part."""
        return Failover(self.active, self._total, (*self._past, *self._active.values()))

    def _switched(self, switched: SourceSwitched, at: datetime) -> None:
        name = f"source:{switched.instrument}"
        self.set(name, switched.source in self._backups, f"{switched.source} by {switched.by}", at)

    def _cut(self, cut: StreamCut, at: datetime) -> None:
        self.set(f"stream:{cut.stream}", True, cut.reason, at)

    def _restored(self, restored: StreamRestored, at: datetime) -> None:
        self.set(f"stream:{restored.stream}", False, f"{restored.attempts} attempts", at)

    def _guard(self, changed: GuardChanged, at: datetime) -> None:
        if changed.reason.partition(".")[0] in OWNERS:
            self.set(f"{changed.reason}:{changed.scope}", changed.set, changed.evidence or changed.reason, at)
