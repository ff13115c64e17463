"""The one bounded inbox of a desk, and what may be lost on the way into it (JR-15).

Zero loss: intents, decisions, orders, reports, fills, guard, approvals, operator acts, audit, and every kind that is
not named here. Conflatable: market data, of which the newest of each kind and instrument matters.
"""

import threading
from collections import Counter, OrderedDict, deque
from enum import Enum

import msgspec

from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal.records import FeedConflated

CONFLATABLE_PREFIX = "market."


class LossClass(Enum):
    """What losing one event of a kind means."""

    ZERO_LOSS = "zero_loss"
    CONFLATABLE = "conflatable"


def loss_class(kind: str) -> LossClass:
    """Return the class of a kind; a kind that nobody classed is zero loss."""
    return LossClass.CONFLATABLE if kind.startswith(CONFLATABLE_PREFIX) else LossClass.ZERO_LOSS


class InboxPolicy(msgspec.Struct, frozen=True):
    """capacity_events is the most that may wait."""

    capacity_events: int = 65_536

    def __post_init__(self) -> None:
        if self.capacity_events < 1:
            raise ValueError(f"capacity_events must be at least 1, was {self.capacity_events}")


Key = tuple[str, str]


class Inbox:
    """Events on their way from the edges to the desk, in order of arrival; edges put, the desk takes.

    As long as there is room nothing is lost. A full inbox gives up market data that a newer message of the same kind
    and instrument has replaced, counts it, and halts when an event of the zero-loss class still finds no room.
    """

    def __init__(self, policy: InboxPolicy | None = None) -> None:
        self._capacity = (policy or InboxPolicy()).capacity_events
        self._waiting: OrderedDict[int, Event] = OrderedDict()
        self._by_key: dict[Key, deque[int]] = {}
        self._replaced: OrderedDict[Key, None] = OrderedDict()  # keys with more than one message waiting
        self._conflated: Counter[Key] = Counter()
        self._arrivals = 0
        self._lock = threading.Lock()
        self.conflated_total = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, event: Event) -> None:
        """Add one event; raises `HaltTrading` when one of the zero-loss class finds no room."""
        key = _key_of(event)
        with self._lock:
            if len(self._waiting) >= self._capacity and not self._make_room(key):
                if key is None:
                    raise HaltTrading(
                        f"expected room for {event.kind} {event.event_id}, found {len(self._waiting)} events waiting, "
                        "none of which may be lost: the desk is too slow"
                    )
                self._count(key)  # no older message of this instrument waits, and nothing else may give way
                return
            self._arrivals += 1
            self._waiting[self._arrivals] = event
            if key is not None:
                places = self._by_key.setdefault(key, deque())
                places.append(self._arrivals)
                if len(places) > 1:
                    self._replaced[key] = None

    def take(self) -> Event | None:
        """Return the oldest event, None when nothing waits."""
        with self._lock:
            if not self._waiting:
                return None
            _, event = self._waiting.popitem(last=False)
            key = _key_of(event)
            if key is not None:
                self._by_key[key].popleft()
                self._forget(key)
            return event

    def conflated(self) -> tuple[FeedConflated, ...]:
        """Return what was given up since the last call, to be journaled, in order of kind and instrument."""
        with self._lock:
            counts, self._conflated = self._conflated, Counter()
        return tuple(FeedConflated(kind, instrument, counts[kind, instrument]) for kind, instrument in sorted(counts))

    def _make_room(self, key: Key | None) -> bool:
        """Give up one replaced message, of this key if there is one; a new message replaces the last of its key."""
        if key is not None and key in self._by_key:
            self._give_up(key)
            return True
        if self._replaced:
            self._give_up(next(iter(self._replaced)))
            return True
        return False

    def _give_up(self, key: Key) -> None:
        del self._waiting[self._by_key[key].popleft()]
        self._forget(key)
        self._count(key)

    def _forget(self, key: Key) -> None:
        left = len(self._by_key[key])
        if left <= 1:
            self._replaced.pop(key, None)
        if left == 0:
            del self._by_key[key]

    def _count(self, key: Key) -> None:
        self._conflated[key] += 1
        self.conflated_total += 1


def _key_of(event: Event) -> Key | None:
    if loss_class(event.kind) is LossClass.ZERO_LOSS:
        return None
    return event.kind, str(getattr(event.payload, "instrument", event.source))
