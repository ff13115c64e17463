"""Hear signals from before a desk is made until its reports are written."""

import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM)
Handler = Callable[[int, FrameType | None], object] | int | None


class Signals:
    """Turn SIGINT and SIGTERM into requests to stop, by name, and SIGHUP into a request to read anew.

    Only the main thread may set handlers; elsewhere the run goes on without. What was heard before somebody listens
    is told when they do.
    """

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._untold: list[str] = []
        self._stop: Callable[[str], object] | None = None
        self._before: dict[int, Handler] = {}

    def __enter__(self) -> "Signals":
        for number in STOPPING:
            self._set(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def pass_to(self, stop: Callable[[str], object], again: Callable[[], object] | None = None) -> None:
        """Let `stop` hear what was heard and what will be; `again` hears SIGHUP."""
        self._stop = stop
        while self._untold:  # each once: a second signal would cut the end short
            stop(self._untold.pop(0))
        if again is not None:
            self._set(signal.SIGHUP, lambda number, frame: again())

    def _set(self, number: int, handler: Callable[[int, FrameType | None], object]) -> None:
        with suppress(ValueError):
            self._before[number] = signal.signal(number, handler)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        self.heard.append(name)
        if self._stop is None:
            self._untold.append(name)
        else:
            self._stop(name)
