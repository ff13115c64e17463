"""Lines on their way to the writer: bounded, never waiting, the least important gives way (LOG-04).

No lock stands between a caller and the writer: a writer that loses the processor in the middle of its work would
keep callers waiting. Lines of one level lie in a deque of their own, whose ends are safe to use from any thread.
"""

import logging
import math
import threading
from collections import deque
from contextlib import suppress
from itertools import count
from queue import Empty, SimpleQueue

from tradeworthy.kernel.telemetry.log_lines import LogLine

RANKS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
_ERROR_RANK = 3


class LogQueue:
    """Hold lines in their order, up to `capacity` (and one for each thread that puts at the same moment).

    A full queue drops its oldest line of the lowest level below the new one's, else the new one; an ERROR is
    dropped only past `errors_max`, which counts in `errors_lost`. A signal handler may log.

    batch     lines that are handed out at once;  linger_s  how long fewer wait for company, an ERROR not at all:
              a writer that wakes for each line would take the interpreter from its callers as often
    """

    def __init__(self, capacity: int, errors_max: int, *, batch: int = 1, linger_s: float = 0.05) -> None:
        self._capacity, self._errors_max = capacity, max(errors_max, capacity)
        self._batch, self._linger_s = batch, linger_s
        self._ranks: tuple[deque[tuple[int, LogLine]], ...] = tuple(deque() for _ in RANKS)
        self._numbers = count()
        self._wake: SimpleQueue[threading.Event | None] = SimpleQueue()
        self._called = self._closed = False
        self._waiting: list[threading.Event] = []
        self._dropping = threading.RLock()
        self.dropped = dict.fromkeys(RANKS, 0)

    @property
    def errors_lost(self) -> int:
        """ERROR lines that found even their reserve full."""
        return self.dropped[logging.ERROR]

    def __len__(self) -> int:
        return sum(map(len, self._ranks))

    def put(self, line: LogLine) -> bool:
        """Take a line; False when it was dropped."""
        rank = min(_ERROR_RANK, max(0, line.level // 10 - 1))
        held = len(self)
        if held >= self._capacity and not self._make_room(rank):
            self._drop(rank)
            return False
        self._ranks[rank].append((next(self._numbers), line))
        if not self._called and (rank == _ERROR_RANK or held + 1 >= self._batch):
            self._called = True
            self._wake.put(None)
        return True

    def take(self) -> list[LogLine]:
        """Wait for lines and return a batch, in order; none means closed and empty.

        The writer alone calls it, when it is done with the batch before.
        """
        while True:
            self._called = False  # before the look: a line that comes after it calls again
            if taken := self._pop():
                return taken
            for asked in self._waiting:
                asked.set()
            self._waiting.clear()
            if self._closed:
                return []
            try:
                asks = self._wake.get(timeout=self._linger_s)
                if asks is not None:
                    self._waiting.append(asks)
            except Empty:
                continue

    def drained(self, timeout_s: float) -> bool:
        """Have everything taken and done with that was put before; False when that took too long."""
        asks = threading.Event()
        self._wake.put(asks)
        return asks.wait(timeout_s)

    def close(self) -> None:
        """Let `take` end when everything is taken."""
        self._closed = True
        self._wake.put(None)

    def _pop(self) -> list[LogLine]:
        taken: list[LogLine] = []
        while len(taken) < self._batch and (held := [(rank, n) for rank in self._ranks if (n := len(rank))]):
            if len(held) == 1:
                first, most = held[0]  # as many as were there at the look: what came later may follow another level
            else:
                first, most = min((rank for rank, _ in held), key=_head), 1
            with suppress(IndexError):  # a caller dropped the line meanwhile
                for _ in range(min(most, self._batch - len(taken))):
                    taken.append(first.popleft()[1])
        return taken

    def _make_room(self, rank: int) -> bool:
        """Drop an older line of a lower level; an ERROR needs no room while its reserve lasts."""
        for lower in range(rank):
            try:
                self._ranks[lower].popleft()
            except IndexError:
                continue
            self._drop(lower)
            return True
        return rank == _ERROR_RANK and len(self._ranks[_ERROR_RANK]) < self._errors_max

    def _drop(self, rank: int) -> None:
        with self._dropping:
            self.dropped[RANKS[rank]] += 1


def _head(rank: deque[tuple[int, LogLine]]) -> float:
    try:
        return rank[0][0]
    except IndexError:  # a caller dropped the line meanwhile
        return math.inf
