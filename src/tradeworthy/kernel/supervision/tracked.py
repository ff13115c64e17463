"""What others started and the supervisor keeps in sight: plain tasks, threads, child processes (SUP-11)."""

import asyncio
import contextlib
import subprocess
import threading
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision.node import Failure
from tradeworthy.kernel.supervision.policy import Criticality, Metadata
from tradeworthy.kernel.supervision.stacks import task_stack, thread_stack
from tradeworthy.kernel.supervision.transitions import State

Child = subprocess.Popen[Any] | asyncio.subprocess.Process | BaseProcess
Trackable = asyncio.Task[Any] | threading.Thread | Child
CHILD_TYPES = (subprocess.Popen, asyncio.subprocess.Process, BaseProcess)


class Tracked:
    """One foreign task, thread or child process; it is stopped with the others but never restarted.

    stop  asks a thread to end, called once when everything is cancelled; tasks and children need none
    """

    __slots__ = (
        "_name", "_stop", "cancellations", "created", "created_at", "criticality", "last_failure", "metadata", "owner",
        "state", "target",
    )  # fmt: skip

    def __init__(
        self, target: Trackable, clock: Clock, *, name: str | None, owner: str, metadata: Metadata,
        stop: Callable[[], None] | None,
    ) -> None:  # fmt: skip
        if not isinstance(target, (asyncio.Task, threading.Thread, *CHILD_TYPES)):
            raise TypeError(f"expected an asyncio task, a thread or a child process, found {type(target).__name__}")
        self.target, self._name, self.owner, self.metadata, self._stop = target, name, owner, metadata, stop
        self.criticality = Criticality.OPTIONAL
        self.created, self.created_at = clock.monotonic(), clock.now()
        self.state = State.RUNNING
        self.last_failure: Failure | None = None
        self.cancellations = 0

    @property
    def kind(self) -> str:
        """`task`, `thread` or `child`."""
        match self.target:
            case asyncio.Task():
                return "task"
            case threading.Thread():
                return "thread"
            case _:
                return "child"

    @property
    def name(self) -> str:
        """The name given at registration, else the target's own at this moment."""
        if self._name is not None:
            return self._name
        match self.target:
            case asyncio.Task() as task:
                return task.get_name()
            case threading.Thread() | BaseProcess() as named:
                return str(named.name)
            case child:
                return f"child-{child.pid}"

    @property
    def alive(self) -> bool:
        """Whether the target still runs."""
        match self.target:
            case asyncio.Task() as task:
                return not task.done()
            case threading.Thread() | BaseProcess() as started:
                return started.is_alive()
            case subprocess.Popen() as child:
                return child.poll() is None
            case child:
                return child.returncode is None

    def stop(self) -> None:
        """Ask the target to end: cancel a task, terminate a child, call a thread's own stop."""
        self.cancellations += 1
        match self.target:
            case asyncio.Task() as task:
                task.cancel()
            case threading.Thread():
                if self._stop is not None:
                    self._stop()
            case child:
                with contextlib.suppress(ProcessLookupError):
                    child.terminate()

    def kill(self) -> None:
        """End a child process that did not end when asked."""
        if not isinstance(self.target, (asyncio.Task, threading.Thread)):
            self.cancellations += 1
            with contextlib.suppress(ProcessLookupError):
                self.target.kill()

    def stack(self, frames_max: int) -> tuple[str, ...]:
        """Return where it stands; a child's stack is its own affair."""
        match self.target:
            case asyncio.Task() as task:
                return task_stack(task, frames_max)
            case threading.Thread() as thread:
                return thread_stack(thread, frames_max)
            case _:
                return ()

    def settle(self, now: int, *, stopped: bool = False) -> None:
        """Read the final state of a target that has ended; `stopped` says that it was asked to."""
        match self.target:
            case asyncio.Task() as task if task.cancelled():
                self.state = State.CANCELLED
            case asyncio.Task() as task if (error := task.exception()) is not None:
                self.state = State.FAILED
                self.last_failure = Failure(type(error).__name__, str(redact(str(error))), now)
            case asyncio.Task():
                self.state = State.FINISHED
            case _ if stopped:
                self.state = State.CANCELLED
            case threading.Thread():
                self.state = State.FINISHED
            case child:
                code = child.exitcode if isinstance(child, BaseProcess) else child.returncode
                self.state = State.FINISHED if code == 0 else State.FAILED
                if code != 0:
                    self.last_failure = Failure("ExitCode", f"expected exit code 0, found {code}", now)
