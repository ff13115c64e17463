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
    """

    def __init__(self, capacity: int, errors_max: int) -> None:
        self._capacity, self._errors_max = capacity, max(errors_max, capacity)
        self._ranks: tuple[deque[tuple[int, LogLine]], ...] = tuple(deque() for _ in RANKS)
        self._numbers = count()
        self._changed = threading.Condition(threading.RLock())
        self._in_hand = 0
        self._closed = False
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
            if len(self) >= self._capacity and not self._make_room(rank):
                self.dropped[RANKS[rank]] += 1
                return False
            self._ranks[rank].append((next(self._numbers), line))
            self._changed.notify_all()
            return True

    def take(self, most: int) -> list[LogLine]:
        """Wait for lines and return up to `most`, in order; none means closed and empty. End it with `done`."""
        with self._changed:
            while not len(self):
                if self._closed:
                    return []
                self._changed.wait()
            taken: list[LogLine] = []
            while len(taken) < most:
                heads = [(rank[0][0], rank) for rank in self._ranks if rank]
                if not heads:
                    break
                taken.append(min(heads, key=_number)[1].popleft()[1])
            self._in_hand = len(taken)
            return taken

    def done(self) -> None:
        """Say that what was taken is written or given up."""
        with self._changed:
            self._in_hand = 0
            self._changed.notify_all()

    def drained(self, timeout_s: float) -> bool:
        """Wait until nothing is queued or in hand; False when that took too long."""
        with self._changed:
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


def _number(head: tuple[int, deque[tuple[int, LogLine]]]) -> int:
    return head[0]
