"""Things on their way to a collector that may be down: bounded, counted, never waiting (TRC-03)."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class BoundedBatch(Generic[T]):
    """Hand things in batches to `export`, on a thread of its own.

    export      returns whether the batch arrived; a batch that did not, or that raised, is dropped
    capacity    things held, the batch under way included; a thing that finds it full is dropped
    interval_s  how long a batch waits to fill up

    dropped and exported count things.
    """

    def __init__(
        self, name: str, export: Callable[[Sequence[T]], bool], *, capacity: int, batch: int, interval_s: float
    ) -> None:
        self._export, self._capacity, self._batch, self._interval_s = export, capacity, batch, interval_s
        self._held: deque[T] = deque()
        self._changed = threading.Condition(threading.RLock())
        self._under_way = 0
        self._closing = self._hurry = False
        self.dropped = self.exported = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def held(self) -> int:
        """Things that wait or are under way."""
        return len(self._held) + self._under_way

    def offer(self, thing: T) -> bool:
        """Take a thing; False when it was dropped."""
        with self._changed:
            if self._closing or len(self._held) + self._under_way >= self._capacity:
                self.dropped += 1
                return False
            self._held.append(thing)
            if len(self._held) in (1, self._batch):
                self._changed.notify_all()
            return True

    def flush(self, timeout_s: float) -> bool:
        """Send what is held without waiting for more; False when that took too long."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self.held, timeout_s)

    def close(self, timeout_s: float) -> None:
        """Take no more, send what is held within `timeout_s`, count the rest as dropped."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        with self._changed:
            self.dropped += self.held
            self._held.clear()
            self._under_way = 0

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._held or self._closing)
                if not self._held:
                    return
                self._changed.wait_for(
                    lambda: len(self._held) >= self._batch or self._closing or self._hurry, self._interval_s
                )
                batch = [self._held.popleft() for _ in range(min(self._batch, len(self._held)))]
                self._under_way = len(batch)
            arrived = False
            try:
                arrived = bool(batch) and self._export(batch)
            except Exception:  # a collector's failure is a count, whatever its client raises
                arrived = False
            with self._changed:
                if self._under_way:  # else `close` gave up on the batch and counted it
                    self.exported += len(batch) * arrived
                    self.dropped += len(batch) * (not arrived)
                self._under_way = 0
                self._hurry = self._hurry and bool(self._held)
                self._changed.notify_all()
