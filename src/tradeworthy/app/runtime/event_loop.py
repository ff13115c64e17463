"""The event loop of a process, from its first task to its last; one that ignores its end does not keep the process."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
LAST_S = 0.5
"""How long what is left on the loop may take to end."""


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end on a loop of its own and return the answer.

    `asyncio.run` would wait for ever for a task that swallows its cancellation; here it was journaled as abandoned, and
    it ends with the process.
    """
    loop = asyncio.new_event_loop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(work)
    finally:
        loop.set_exception_handler(lambda loop, context: None)
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=LAST_S))
        loop.run_until_complete(loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        loop.close()
