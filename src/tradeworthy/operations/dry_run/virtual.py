"""A command without a process: the simulated runtime on an injected clock, under the very harness of a real run."""

import signal

from tradeworthy.kernel.clock import EventClock
from tradeworthy.operations.dry_run.model import ResourceSample, stamp
from tradeworthy.operations.dry_run.pump import Chunk
from tradeworthy.operations.dry_run.simulation import Body, Simulation, SimulationPolicy

BASE_MEMORY_MB = 120.0
BASE_CPU_PERCENT = 3.0
DISK_FREE_MB = 1_000_000.0


class VirtualCommand:
    """The simulated runtime as an observed command; `wait` moves the clock and lets the runtime do what is due."""

    threaded = False

    def __init__(self, policy: SimulationPolicy, clock: EventClock) -> None:
        self._policy = policy
        self._clock = clock
        self._chunks: list[Chunk] = []
        self._exit: tuple[int, int] | None = None
        self._memory_mb = BASE_MEMORY_MB
        self._cpu_percent = BASE_CPU_PERCENT
        self._processes = 1
        self._simulation: Simulation | None = None

    def spawn(self) -> int:
        """Start the runtime now."""
        body = Body(
            die=lambda: self._end(-int(signal.SIGKILL)), leave=self._end, burn_cpu=self._burn, hold_memory=self._hold,
            fork=self._fork,
        )  # fmt: skip
        self._simulation = Simulation(self._policy, clock=self._clock, out=self._print, body=body)
        return self._clock.monotonic()

    def exit(self) -> tuple[int, int] | None:
        """Return (exit code, moment) once the runtime ended."""
        return self._exit

    def signal_group(self, number: int) -> None:
        """Stop the runtime unless it ignores the signal."""
        if self._simulation is None or self._exit is not None:
            return
        name = signal.Signals(number).name
        if name == "SIGKILL":
            self._end(-number)
        elif not self._simulation.ignores(name):
            self._simulation.stop(name)
            self._end(0)

    def wait(self, nanos: int) -> None:
        """Move the clock by `nanos`, or to the runtime's end."""
        until = self._clock.monotonic() + nanos
        simulation = self._simulation
        while simulation is not None and self._exit is None and simulation.next_at() <= until:
            self._clock.advance_to(simulation.next_at())
            simulation.step()
            if simulation.ended and self._exit is None:
                self._end(0)
        if self._exit is None:
            self._clock.advance_to(until)

    def wake(self) -> None:
        """Nothing sleeps here."""

    def output(self, wait_seconds: float) -> list[Chunk]:
        """Return what was printed since."""
        chunks, self._chunks = self._chunks, []
        return chunks

    def written(self, count: int) -> None:
        """Nothing is held here."""

    def held_seconds(self) -> float:
        """Return 0: there is no pipe that could fill."""
        return 0.0

    def finished(self) -> bool:
        """Tell whether the runtime ended."""
        return self._exit is not None

    def sweep(self) -> list[str]:
        """Return nothing: there are no processes."""
        return []

    def remember_tree(self) -> None:
        """There is no tree."""

    def sample(self, *, now: int) -> ResourceSample:
        """Return what the runtime would use."""
        return ResourceSample(
            at=stamp(now), cpu_percent=self._cpu_percent, memory_mb=self._memory_mb, memory_percent=1.0,
            descriptors=16, threads=4, processes=self._processes, disk_free_mb=DISK_FREE_MB,
        )  # fmt: skip

    def _print(self, stream: str, data: bytes) -> None:
        if self._exit is None:
            self._chunks.append(Chunk(stream, self._clock.monotonic(), data))

    def _end(self, code: int) -> None:
        if self._exit is None:
            self._exit = (code, self._clock.monotonic())

    def _burn(self, seconds: float) -> None:
        self._cpu_percent = 100.0

    def _hold(self, megabytes: float) -> None:
        self._memory_mb += megabytes

    def _fork(self, megabytes: float) -> None:
        self._processes += 1
        self._memory_mb += megabytes
