"""The command under observation: a port, and the real child process with its pumps, its group and its tree."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Protocol

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.operations.dry_run.model import ResourceSample
from tradeworthy.operations.dry_run.policy import PumpPolicy
from tradeworthy.operations.dry_run.pump import Chunk, LineBuffer, Pump
from tradeworthy.operations.dry_run.resources import ProcessTree
from tradeworthy.operations.dry_run.settings import RUN_ID

DRAIN_SECONDS = 5.0
"""How long the pumps may go on after the command's exit; whoever still holds a pipe then is an orphan."""
CLEAN_EXITS = frozenset({0, 130, 143, -int(signal.SIGINT), -int(signal.SIGTERM)})


class ObservedCommand(Protocol):
    """What the harness asks of the command it observes; all moments are monotonic nanoseconds.

    threaded  whether output must be taken by a thread of its own, or is there after each `wait`
    """

    threaded: bool

    def spawn(self) -> int: ...
    def exit(self) -> tuple[int, int] | None: ...
    def signal_group(self, number: int) -> None: ...
    def wait(self, nanos: int) -> None: ...
    def wake(self) -> None: ...
    def output(self, wait_seconds: float) -> list[Chunk]: ...
    def written(self, count: int) -> None: ...
    def held_seconds(self) -> float: ...
    def finished(self) -> bool: ...
    def sweep(self) -> list[str]: ...
    def remember_tree(self) -> None: ...
    def sample(self, *, now: int) -> ResourceSample: ...


class ChildCommand:
    """A child process in a session of its own.

    command      words, already resolved; environment  all of its variables; folder  the disk to watch
    started_in   its working folder; None is this process's own
    pump_failed  hears of a pump that broke and was started again
    """

    threaded = True

    def __init__(
        self, command: tuple[str, ...], environment: Mapping[str, str], folder: Path, *, clock: Clock,
        policy: PumpPolicy, pump_failed: Callable[[str, BaseException], None], started_in: str | None = None,
    ) -> None:  # fmt: skip
        self._command = command
        self._started_in = started_in
        self._environment = dict(environment)
        self._folder = folder
        self._clock = clock
        self._policy = policy
        self._pump_failed = pump_failed
        self._buffer = LineBuffer(clock, bytes_max=policy.buffer_bytes_max)
        self._pumps: list[Pump] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._tree: ProcessTree | None = None
        self._exit: tuple[int, int] | None = None
        self._something = threading.Event()
        self._given_up = False

    def spawn(self) -> int:
        """Start the command and its pumps; return the moment of the spawn. Raises `OSError`."""
        moment = self._clock.monotonic()
        process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
            env=self._environment, start_new_session=True, cwd=self._started_in,
        )  # fmt: skip
        self._process = process
        mark = self._environment.get(RUN_ID)
        self._tree = ProcessTree(
            process.pid, self._folder, self._clock.monotonic, mark=None if mark is None else f"{RUN_ID}={mark}"
        )
        for stream, pipe in (("stdout", process.stdout), ("stderr", process.stderr)):
            self._pumps.append(
                Pump(
                    stream, _Pipe(pipe), self._buffer, clock=self._clock, policy=self._policy, failed=self._pump_failed
                )
            )
        for pump in self._pumps:
            pump.start()
        threading.Thread(target=self._await_exit, name="exit", daemon=True).start()
        return moment

    @property
    def pid(self) -> int | None:
        """Return the process id, which is its group's and session's too."""
        return None if self._process is None else self._process.pid

    def exit(self) -> tuple[int, int] | None:
        """Return (exit code, moment) once the command is gone; a signal's code is negative."""
        return self._exit

    def signal_group(self, number: int) -> None:
        """Send a signal to the whole process group."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def wait(self, nanos: int) -> None:
        """Let time pass, or return earlier when something happened."""
        self._something.wait(nanos / NANOS_PER_SECOND)
        self._something.clear()

    def wake(self) -> None:
        """End a `wait`."""
        self._something.set()

    def output(self, wait_seconds: float) -> list[Chunk]:
        """Return what was printed since, as it arrived."""
        return self._buffer.take(wait_seconds)

    def written(self, count: int) -> None:
        """Give `count` bytes of room back."""
        self._buffer.release(count)

    def held_seconds(self) -> float:
        """Return how long a pump has been waiting for room."""
        return self._buffer.held_seconds()

    def finished(self) -> bool:
        """Tell whether the command is gone and all it printed was read; a pipe kept open by others is given up."""
        if self._exit is None:
            return False
        if not any(pump.is_alive() for pump in self._pumps) or self._given_up:
            return True
        if self._clock.monotonic() - self._exit[1] > DRAIN_SECONDS * NANOS_PER_SECOND:
            self._given_up = True
            self._buffer.close()
        return False

    def sweep(self) -> list[str]:
        """Kill what the command left behind and return their names."""
        if self._tree is None:
            return []
        names = []
        for process in self._tree.survivors():
            with contextlib.suppress(Exception):
                names.append(f"{process.name()} ({process.pid})")
                process.kill()
        return names

    def sample(self, *, now: int) -> ResourceSample:
        """Measure the process tree."""
        if self._tree is None:
            raise RuntimeError("expected a spawned command, found none")
        return self._tree.sample(now=now)

    def remember_tree(self) -> None:
        """Note every process of the tree, so that one that leaves the session can still be found."""
        if self._tree is not None:
            self._tree.members()

    def _await_exit(self) -> None:
        if self._process is None:
            return
        code = self._process.wait()
        self._exit = (code, self._clock.monotonic())
        self._something.set()


class _Pipe:
    """A pipe's read end, read without a buffer of its own."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        if pipe is None:
            raise RuntimeError("expected a pipe, found none")
        self._pipe = pipe

    def read(self, count: int) -> bytes:
        return os.read(self._pipe.fileno(), count)
