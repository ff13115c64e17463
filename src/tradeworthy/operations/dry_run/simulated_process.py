"""The simulated runtime as a real process: signals, prints, and the faults that need a body."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from types import FrameType

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.operations.dry_run.simulation import Body, Simulation, SimulationPolicy

SLEEP_NS_MAX = NANOS_PER_SECOND // 20
BYTES_PER_MB = 1_000_000
_HOLD = (
    "import sys, signal; held = bytearray(int(sys.argv[1])); held[::4096] = b'x' * len(held[::4096]); signal.pause()"
)


class SimulatedProcess:
    """Run a simulation until it ends or is told to; returns the exit code."""

    def __init__(self, policy: SimulationPolicy, clock: Clock) -> None:
        self._clock = clock
        self._held: list[bytearray] = []
        self._children: list[subprocess.Popen[bytes]] = []
        self._exit: int | None = None
        self._stopped_by: str | None = None
        body = Body(
            die=lambda: os.kill(os.getpid(), signal.SIGKILL), leave=self._leave, burn_cpu=self._burn,
            hold_memory=self._hold, fork=self._fork,
        )  # fmt: skip
        self._simulation = Simulation(policy, clock=clock, out=_print, body=body)

    def run(self) -> int:
        """Run to the end; SIGINT and SIGTERM end it with 0."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        simulation = self._simulation
        while not simulation.ended and self._exit is None:
            pause = simulation.next_at() - self._clock.monotonic()
            if pause > 0:
                self._clock.sleep(min(pause, SLEEP_NS_MAX))
            if self._stopped_by is not None:
                simulation.stop(self._stopped_by)
            else:
                simulation.step()
        for child in self._children:
            child.kill()
            child.wait()
        return 0 if self._exit is None else self._exit

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if not self._simulation.ignores(name):
            self._stopped_by = name

    def _leave(self, code: int) -> None:
        self._exit = code

    def _burn(self, seconds: float) -> None:
        until = self._clock.monotonic() + round(seconds * NANOS_PER_SECOND)

        def spin() -> None:
            while self._clock.monotonic() < until and not self._simulation.ended:
                sum(range(1_000))

        threading.Thread(target=spin, name="burn", daemon=True).start()

    def _hold(self, megabytes: float) -> None:
        held = bytearray(int(megabytes * BYTES_PER_MB))
        held[::4096] = b"x" * len(held[::4096])
        self._held.append(held)

    def _fork(self, megabytes: float) -> None:
        size = str(int(megabytes * BYTES_PER_MB))
        self._children.append(subprocess.Popen([sys.executable, "-c", _HOLD, size]))


def _print(stream: str, data: bytes) -> None:
    handle = 2 if stream == "stderr" else 1
    view = memoryview(data)
    with contextlib.suppress(BrokenPipeError):
        while view:
            view = view[os.write(handle, view) :]
