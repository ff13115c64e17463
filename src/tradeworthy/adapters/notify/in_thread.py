"""Run what blocks beside the event loop; a call that hangs keeps its own thread and nothing else."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T], *, name: str) -> T:
    """Return what `work` returns, or raise what it raises. A cancelled wait leaves the thread to its own time limits.

    The thread is a daemon: the end of the process does not wait for a gateway.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def finish(result: T | None, problem: BaseException | None) -> None:
        if done.done():
            return
        if problem is not None:
            done.set_exception(problem)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # None only where T allows it

    def run() -> None:
        result: T | None = None
        problem: BaseException | None = None
        try:
            result = work()
        except Exception as error:  # it is raised again where it is awaited
            problem = error
        try:
            loop.call_soon_threadsafe(finish, result, problem)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    threading.Thread(target=run, name=name, daemon=True).start()
    return await done
