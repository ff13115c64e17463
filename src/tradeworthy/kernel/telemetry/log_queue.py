"""Lines on their way to the writer: bounded, never waiting, the least important gives way (LOG-04)."""

import logging
import threading
from collections import deque
from itertools import count

from tradeworthy.kernel.telemetry.log_lines import LogLine

RANKS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
_ERROR_RANK = 3


class LogQueue:
    """Hold lines in their order, up to `capacity`.

    A full queue drops its oldest line of the lowest level below the new one's, else the new one; an ERROR is
    dropped only past `errors_max`, which counts in `errors_lost`. The lock is re-entrant: a signal handler may log.

    batch     lines that are handed out at once;  linger_s  how long fewer wait for company, an ERROR not at all:
              a writer that wakes for each line would take the interpreter from its callers as often
    """

    def __init__(self, capacity: int, errors_max: int, *, batch: int = 1, linger_s: float = 0.0) -> None:
        self._capacity, self._errors_max = capacity, max(errors_max, capacity)
        self._batch, self._linger_s = batch, linger_s
        self._ranks: tuple[deque[tuple[int, LogLine]], ...] = tuple(deque() for _ in RANKS)
        self._numbers = count()
        self._changed = threading.Condition(threading.RLock())
        self._in_hand = 0
        self._closed = self._hurry = False
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
        with self._changed:
            held = len(self)
            if held >= self._capacity and not self._make_room(rank):
                self.dropped[RANKS[rank]] += 1
                return False
            self._ranks[rank].append((next(self._numbers), line))
            if rank == _ERROR_RANK:
                self._hurry = True
            if self._hurry or not held or held + 1 == self._batch:
                self._changed.notify_all()
            return True

    def take(self) -> list[LogLine]:
        """Wait for lines and return a batch, in order; none means closed and empty. End it with `done`."""
        with self._changed:
            self._changed.wait_for(lambda: len(self) or self._closed)
            if not len(self):
                return []
            self._changed.wait_for(lambda: self._hurry or self._closed or len(self) >= self._batch, self._linger_s)
            taken: list[LogLine] = []
            while len(taken) < self._batch and (ranks := [rank for rank in self._ranks if rank]):
                if len(ranks) == 1:
                    rest = min(self._batch - len(taken), len(ranks[0]))
                    taken += [ranks[0].popleft()[1] for _ in range(rest)]
                else:
                    taken.append(min(ranks, key=_head).popleft()[1])
            self._in_hand = len(taken)
            self._hurry = self._hurry and len(self) > 0
            return taken

    def done(self) -> None:
        """Say that what was taken is written or given up."""
        with self._changed:
            self._in_hand = 0
            self._changed.notify_all()

    def drained(self, timeout_s: float) -> bool:
        """Let nothing wait for company, and wait until nothing is queued or in hand; False when that took too long."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not len(self) and not self._in_hand, timeout_s)

    def close(self) -> None:
        """Let `take` end when everything is taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _make_room(self, rank: int) -> bool:
        """Drop an older line of a lower level; an ERROR needs no room while its reserve lasts."""
        for lower in range(min(rank, _ERROR_RANK)):
            if self._ranks[lower]:
                self._ranks[lower].popleft()
                self.dropped[RANKS[lower]] += 1
                return True
        return rank == _ERROR_RANK and len(self._ranks[_ERROR_RANK]) < self._errors_max


def _head(rank: deque[tuple[int, LogLine]]) -> int:
    return rank[0][0]
