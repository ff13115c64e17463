"""MD-02: the depth book of one instrument, kept by the venue's own sequence rules."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.model.market import DepthChecksum, DepthDiff, DepthSnapshot, Level

LEVELS_MAX = 1_000
BUFFER_MAX = 10_000
CROSSED_NS_MAX = NANOS_PER_SECOND


@fact("book.gap")
class BookGap(Fact, frozen=True):
    """The book can no longer be trusted: `reason` is sequence, checksum, crossed, negative_size, buffer_full."""

    instrument: str
    reason: str
    last_id: int | None
    found_id: int


@fact("book.restored")
class BookRestored(Fact, frozen=True):
    """A snapshot and the diffs behind it put the book in order; `replayed` diffs came out of the buffer."""

    instrument: str
    last_id: int
    replayed: int


class DepthBook:
    """All known levels of one instrument; it buffers diffs until a snapshot gives it a ground to stand on.

    Diffs without `prev_id` follow the spot rule (`U = last u + 1`), others the futures rule (`pu = last u`).
    checksum  the venue's own rule over a book, where it offers one; `verify` compares

    An update costs one dictionary write; a new price one binary search and an insertion into a list of at most
    1 000 prices, best price last, so that the busy end moves nothing.
    """

    __slots__ = (
        "_ask_keys",
        "_asks",
        "_bid_keys",
        "_bids",
        "_buffer",
        "_checksum",
        "_crossed_since",
        "_fresh",
        "broken",
        "gaps",
        "instrument",
        "last_id",
        "live",
        "resyncs",
    )

    def __init__(self, instrument: str, checksum: Callable[["DepthBook"], int] | None = None) -> None:
        self.instrument = instrument
        self._checksum = checksum
        self.live = False
        """In sequence; false before the first snapshot and while broken."""
        self.broken = False
        self.last_id: int | None = None
        self.gaps = 0
        self.resyncs = 0
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}
        self._bid_keys: list[int] = []
        self._ask_keys: list[int] = []  # negated prices: the best ask is the last
        self._buffer: deque[DepthDiff] = deque()
        self._crossed_since: int | None = None
        self._fresh = False

    @property
    def best_bid(self) -> int | None:
        return self._bid_keys[-1] if self._bid_keys else None

    @property
    def best_ask(self) -> int | None:
        return -self._ask_keys[-1] if self._ask_keys else None

    @property
    def best_bid_lots(self) -> int | None:
        return self._bids[self._bid_keys[-1]] if self._bid_keys else None

    @property
    def best_ask_lots(self) -> int | None:
        return self._asks[-self._ask_keys[-1]] if self._ask_keys else None

    @property
    def buffered(self) -> int:
        """Diffs that wait for a snapshot."""
        return len(self._buffer)

    def bids(self, n: int = LEVELS_MAX) -> tuple[Level, ...]:
        """Return the best `n` bids, best first."""
        return tuple((price, self._bids[price]) for price in self._bid_keys[: -n - 1 : -1])

    def asks(self, n: int = LEVELS_MAX) -> tuple[Level, ...]:
        """Return the best `n` asks, best first."""
        return tuple((-key, self._asks[-key]) for key in self._ask_keys[: -n - 1 : -1])

    def snapshot(self) -> DepthSnapshot:
        """Return the book as the venue would send it."""
        return DepthSnapshot(self.instrument, self.last_id or 0, self.bids(), self.asks())

    def apply(self, diff: DepthDiff, ts: int) -> tuple[Fact, ...]:
        """Take one diff at `ts`; a diff out of sequence breaks the book and waits in the buffer."""
        if not self.live:
            return self._hold(diff)
        last = self.last_id
        if self._fresh:
            if last is not None and self._is_old(diff, last):
                return ()
            fits = last is not None and self._is_first(diff, last)
        elif diff.prev_id is None:
            fits = last is not None and diff.first_id == last + 1
        else:
            fits = diff.prev_id == last
        if not fits:
            return self._break("sequence", diff.first_id, diff)
        self._fresh = False
        if not self._write(diff):
            return self._break("negative_size", diff.first_id)
        self.last_id = diff.last_id
        return self._check_crossed(diff, ts)

    def verify(self, told: DepthChecksum) -> tuple[Fact, ...]:
        """Compare the book with the venue's checksum; a difference breaks it. One of another update says nothing."""
        if self._checksum is None or not self.live or told.last_id != self.last_id:
            return ()
        return () if self._checksum(self) == told.checksum else self._break("checksum", told.last_id)

    def restore(self, snapshot: DepthSnapshot, ts: int) -> tuple[Fact, ...]:
        """Stand on `snapshot` and replay the buffer; a live book ignores a snapshot older than itself.

        A snapshot that is older than the oldest buffered diff leaves the book waiting for the next one.
        """
        if self.live and self.last_id is not None and snapshot.last_id <= self.last_id:
            return ()
        waiting = [diff for diff in self._buffer if not self._is_old(diff, snapshot.last_id)]
        if waiting and not self._is_first(waiting[0], snapshot.last_id):
            return ()
        self._bids = dict(snapshot.bids)
        self._asks = dict(snapshot.asks)
        self._bid_keys = sorted(self._bids)
        self._ask_keys = sorted(-price for price in self._asks)
        self._trim()
        was_waiting = not self.live
        was_broken = self.broken
        self.last_id, self._crossed_since = snapshot.last_id, None
        self.live, self.broken, self._fresh = True, False, True
        self._buffer.clear()
        facts: tuple[Fact, ...] = ()
        for diff in waiting:
            facts += self.apply(diff, ts)
        if was_broken and self.live:
            self.resyncs += 1
        if was_waiting and self.live:
            facts += (BookRestored(self.instrument, self.last_id, len(waiting)),)
        return facts

    @staticmethod
    def _is_old(diff: DepthDiff, last: int) -> bool:
        return diff.last_id <= last if diff.prev_id is None else diff.last_id < last

    @staticmethod
    def _is_first(diff: DepthDiff, last: int) -> bool:
        """The first diff behind a snapshot: spot `U <= last + 1 <= u`; futures `U <= last <= u`, or it follows on."""
        if diff.prev_id is None:
            return diff.first_id <= last + 1 <= diff.last_id
        return diff.first_id <= last <= diff.last_id or diff.prev_id == last

    def _hold(self, diff: DepthDiff) -> tuple[Fact, ...]:
        facts: tuple[Fact, ...] = ()
        if len(self._buffer) >= BUFFER_MAX:
            self._buffer.clear()
            facts = (BookGap(self.instrument, "buffer_full", self.last_id, diff.first_id),)
        self._buffer.append(diff)
        return facts

    def _break(self, reason: str, found_id: int, *waiting: DepthDiff) -> tuple[Fact, ...]:
        self.live, self.broken = False, True
        self.gaps += 1
        self._buffer.clear()
        self._buffer.extend(waiting)
        return (BookGap(self.instrument, reason, self.last_id, found_id),)

    def _write(self, diff: DepthDiff) -> bool:
        levels, keys = self._bids, self._bid_keys
        for price, lots in diff.bids:
            if lots > 0:
                if price not in levels:
                    insort(keys, price)
                levels[price] = lots
            elif lots < 0:
                return False
            elif levels.pop(price, None) is not None:
                del keys[bisect_left(keys, price)]
        levels, keys = self._asks, self._ask_keys
        for price, lots in diff.asks:
            if lots > 0:
                if price not in levels:
                    insort(keys, -price)
                levels[price] = lots
            elif lots < 0:
                return False
            elif levels.pop(price, None) is not None:
                del keys[bisect_left(keys, -price)]
        if len(self._bid_keys) > LEVELS_MAX or len(keys) > LEVELS_MAX:
            self._trim()
        return True

    def _trim(self) -> None:
        """Forget the levels beyond the 1 000 best of a side."""
        for key in self._bid_keys[:-LEVELS_MAX]:
            del self._bids[key]
        for key in self._ask_keys[:-LEVELS_MAX]:
            del self._asks[-key]
        del self._bid_keys[:-LEVELS_MAX]
        del self._ask_keys[:-LEVELS_MAX]

    def _check_crossed(self, diff: DepthDiff, ts: int) -> tuple[Fact, ...]:
        if not self._bid_keys or not self._ask_keys or self._bid_keys[-1] < -self._ask_keys[-1]:
            self._crossed_since = None
        elif self._crossed_since is None:
            self._crossed_since = ts
        elif ts - self._crossed_since >= CROSSED_NS_MAX:
            return self._break("crossed", diff.first_id)
        return ()
