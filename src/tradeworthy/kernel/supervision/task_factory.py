"""The loop's task factory: with it installed, a plain `asyncio.create_task` is tracked too (SUP-12)."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Task = asyncio.Task[Any]


class LoopTracking:
    """Stand before a loop's own task factory and show each new task to `track`."""

    def __init__(self, track: Callable[[Task], None]) -> None:
        self._track = track
        self._loop: asyncio.AbstractEventLoop | None = None
        self._previous: Any = None
        self._factory: Any = self._make  # one object, so that its identity can be compared

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the place of the loop's factory, once; raises `RuntimeError` while another loop is tracked."""
        if self._loop is loop:
            return
        if self._loop is not None and not self._loop.is_closed():
            raise RuntimeError("expected the loop whose tasks are tracked, found another: uninstall first")
        self._loop, self._previous = loop, loop.get_task_factory()
        loop.set_task_factory(self._factory)

    def uninstall(self) -> None:
        """Restore the previous factory; a factory that was set over this one stays, and this one only passes on."""
        loop, self._loop = self._loop, None
        if loop is not None and loop.get_task_factory() is self._factory:
            loop.set_task_factory(self._previous)
            self._previous = None

    def _make(self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **given: Any) -> Task:
        previous = self._previous
        task: Task = asyncio.Task(coro, loop=loop, **given) if previous is None else previous(loop, coro, **given)
        if self._loop is loop:
            self._track(task)
        return task
