"""An event loop on a clock that is moved: what waits for time gets it at once, in the order of its due times."""

import asyncio
import math
import selectors
from collections.abc import Mapping
from typing import Any

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock


class NothingCanHappen(RuntimeError):
    """Every task waits for another and no timer is set: on a simulated clock that would last for ever."""


class _MovingSelector(selectors.BaseSelector):
    """Look at the files without waiting, and move the clock instead of the world."""

    def __init__(self, clock: EventClock) -> None:
        self._clock = clock
        self._files = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._files.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._files.unregister(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._files.select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise NothingCanHappen("expected a timer or a ready file, found tasks that wait for each other only")
        self._clock.sleep(math.ceil(timeout * NANOS_PER_SECOND))
        return []

    def close(self) -> None:
        self._files.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._files.get_map()


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Run the production code of an event loop through hours in moments; `clock` moves to each next timer.

    Threads are not waited for: what they do must not depend on the clock.
    """

    def __init__(self, clock: EventClock) -> None:
        self._simulated = clock
        self._origin = clock.monotonic()
        super().__init__(_MovingSelector(clock))

    def time(self) -> float:
        """Return seconds since the loop was made, by the clock."""
        return (self._simulated.monotonic() - self._origin) / NANOS_PER_SECOND
