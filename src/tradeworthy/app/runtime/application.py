"""The process around a desk: start in order, run its workloads, end gracefully (APP-04 to APP-10)."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tradeworthy.app.runtime.facts import (
    CallbackRan,
    RuntimeReady,
    RuntimeStopped,
    RuntimeStopping,
    WorkloadEnded,
    WorkloadSkipped,
    WorkloadStarted,
)
from tradeworthy.app.runtime.life import Life
from tradeworthy.app.runtime.overrides import overridden
from tradeworthy.app.runtime.policy import ShutdownPolicy
from tradeworthy.app.runtime.services import ServiceRegistry
from tradeworthy.app.runtime.shutdown import Ending, OrdersPort, Shutdown
from tradeworthy.app.runtime.workload import ORDER, Workload
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision import Metadata, Pulse, State, SupervisedTask, TaskPolicy, TaskSupervisor
from tradeworthy.kernel.supervision.notify import ServiceNotify
from tradeworthy.kernel.supervision.policy import Criticality
from tradeworthy.kernel.supervision.task import Factory
from tradeworthy.kernel.telemetry.tracing import Tracing

Callback = Callable[[], Awaitable[object] | object]
SIGNAL, TIMEOUT, COMPLETED, FAILED = "signal", "timeout", "completed", "failed"
CUT_SHORT = "cut short"
"""The problem of a callback that was not left to its end."""


@dataclass(frozen=True)
class Startup:
    """A callback before the workloads, and what takes it back when a later one fails."""

    name: str
    run: Callback
    undo: Callback | None = None


@dataclass(frozen=True)
class Ended:
    """How a process ended: `reason` signal, timeout, completed or failed."""

    reason: str
    exit_code: ExitCode
    detail: str = ""


class Application:
    """Hold what a process runs; `run` runs it once.

    orders   working orders at the venue, None where nothing trades
    seal     the last step of any end: journals flushed, synced, sealed; True where that is certain
    """

    def __init__(
        self, *, clock: Clock, life: Life, supervisor: TaskSupervisor, orders: OrdersPort | None,
        seal: Callable[[str], bool], policy: ShutdownPolicy, service: ServiceNotify,
        environ: Mapping[str, str], farewell: Callable[[], None] = lambda: None,
        drain: Callable[[float], Awaitable[object]] | None = None, tracing: Tracing | None = None,
    ) -> None:  # fmt: skip
        self.clock, self.life, self.supervisor, self.services = clock, life, supervisor, ServiceRegistry()
        self._service, self._environ, self._tracing = service, environ, tracing or Tracing()
        self._startups: list[Startup] = []
        self._shutdown = Shutdown(clock, life.tell, supervisor, orders, seal, policy, farewell, drain)
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reason: tuple[str, str] | None = None
        self._signalled = False
        self.ready = False
        self.ready_at: int | None = None

    def on_startup(self, name: str, run: Callback, undo: Callback | None = None) -> None:
        """Add a callback that runs before the workloads; a failing one aborts the start."""
        self._startups.append(Startup(name, run, undo))

    def on_shutdown(self, name: str, run: Callback) -> None:
        """Add a callback for the end; they run in reverse, each exactly once."""
        self._shutdown.callbacks.append((name, run))

    def add(self, workload: Workload) -> None:
        """Declare a workload, with what the environment overrides of its restarts."""
        policy, ignored = overridden(workload.name, workload.policy(), self._environ)
        self.services.declare(workload, policy)
        for one in ignored:
            self.life.tell(one)

    def skip(self, name: str, reason: str) -> None:
        """Note that a workload does not run."""
        self.services.skip(name, reason)
        self.life.tell(WorkloadSkipped(name, reason))

    def create_background_task(
        self, factory: Factory, *, owner: str, name: str | None = None, metadata: Metadata | None = None,
        criticality: Criticality = Criticality.OPTIONAL, policy: TaskPolicy | None = None,
    ) -> SupervisedTask:  # fmt: skip
        """Start a supervised task beside the workloads (SUP-18)."""
        return self.supervisor.create(
            factory, owner=owner, name=name, metadata=metadata, criticality=criticality, policy=policy
        )

    def register_background_task(self, task: "asyncio.Task[object]", metadata: Metadata | None = None) -> None:
        """Keep a task that another library made in sight (SUP-18)."""
        self.supervisor.track(task, metadata)

    def call_soon(self, act: Callable[[], object]) -> None:
        """Do something between two steps of the loop; any thread may ask. Nothing happens while no loop runs."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(act)

    def request_stop(self, reason: str, detail: str = "") -> None:
        """End gracefully; a second signal skips to the last step of the end. Any thread may ask, at any time."""
        if self._loop is None:
            self._ask_to_stop(reason, detail)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ask_to_stop, reason, detail)

    async def run(self, timeout_s: float | None = None) -> Ended:
        """Start, wait for the end of the required workloads, a request or the timeout, and end gracefully."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self.supervisor.install(self._loop)
        began = self.clock.monotonic()
        problem = await self._start()
        if problem is not None:
            return await self._end(FAILED, problem)
        if self._reason is None:
            self._begin_workloads()
            self.ready, self.ready_at = True, self.clock.now()
            names = tuple(one.name for one in self.services.workloads)
            self.life.tell(RuntimeReady(names, self.clock.monotonic() - began))
            self._service.ready(f"{len(names)} workloads")
            await self._await_end(timeout_s)
        reason, detail = self._reason or (COMPLETED, "")
        return await self._end(reason, detail)

    async def run_callback(self, phase: str, name: str, callback: Callback) -> str:
        """Run one callback and journal it; returns its problem, empty where it went well."""
        began, problem = self.clock.monotonic(), CUT_SHORT
        try:
            with self._tracing.operation(name, phase):
                answer = callback()
                if inspect.isawaitable(answer):
                    await answer
            problem = ""
        except Exception as error:  # told in the journal; the caller decides what follows
            problem = f"{type(error).__name__}: {redact(str(error))}"
        finally:
            self.life.tell(CallbackRan(phase, name, self.clock.monotonic() - began, problem))
        return problem

    async def _start(self) -> str | None:
        """Run the startup callbacks; the first that fails is told after those before it were undone in reverse."""
        done: list[Startup] = []
        for one in self._startups:
            problem = await self.run_callback("startup", one.name, one.run)
            if problem:
                for before in reversed(done):
                    if before.undo is not None:
                        await self.run_callback("undo", before.name, before.undo)
                return f"{one.name}: {problem}"
            done.append(one)
        return None

    def _begin_workloads(self) -> None:
        for wanted in ORDER:
            for workload in self.services.workloads:
                if workload.workload_class is wanted:
                    self._begin(workload)

    def _begin(self, workload: Workload) -> None:
        task = self.supervisor.create(
            self._spanned(workload), owner=workload.name, name=workload.name, metadata=workload.metadata,
            criticality=workload.criticality, policy=self.services.policy_of(workload.name),
        )  # fmt: skip
        self.services.began(workload.name, task)
        self.life.tell(WorkloadStarted(workload.name, workload.kind, workload.criticality.value))
        task.done.add_done_callback(lambda _: self._on_workload_end(workload, task))

    def _spanned(self, workload: Workload) -> Factory:
        """Return the factory whose attempts are spans, the workload's own while tracing is off."""
        if not self._tracing.on:
            return workload.factory

        async def attempt(pulse: Pulse) -> object:
            with self._tracing.workload(workload.name, workload.kind):
                return await workload.factory(pulse)

        return attempt

    def _on_workload_end(self, workload: Workload, task: SupervisedTask) -> None:
        error = task.exception if task.state in (State.FAILED, State.ABANDONED) else None
        problem = "" if error is None else f"{type(error).__name__}: {redact(str(error))}"
        self.life.tell(WorkloadEnded(workload.name, task.state.value, task.restarts, problem))
        required = [self.services.task_of(one.name) for one in self.services.workloads if one.required]
        if required and all(one is None or one.done.done() for one in required):
            failed = [one for one in required if one is not None and one.state in (State.FAILED, State.ABANDONED)]
            detail = ", ".join(f"{one.name} {one.state.value}" for one in failed)
            self._ask_to_stop(FAILED if failed else COMPLETED, detail)

    async def _await_end(self, timeout_s: float | None) -> None:
        assert self._stop is not None
        try:
            async with asyncio.timeout(timeout_s):
                await self._stop.wait()
        except TimeoutError:
            self._reason = self._reason or (TIMEOUT, f"{timeout_s:g} s")

    def _ask_to_stop(self, reason: str, detail: str) -> None:
        if self._signalled and reason == SIGNAL:
            self._shutdown.hurry()
        self._signalled = self._signalled or reason == SIGNAL
        self._reason = self._reason or (reason, detail)
        if self._stop is not None:
            self._stop.set()

    async def _end(self, reason: str, detail: str) -> Ended:
        self.ready = False
        began = self.clock.monotonic()
        self._service.stopping(f"{reason} {detail}".strip())
        self.life.tell(RuntimeStopping(reason, detail))
        ending = await self._shutdown.run(reason, self.run_callback)
        code = ending.exit_code
        if reason == FAILED:
            code = max(code, ExitCode.FAIL) if code is not ExitCode.INTERRUPTED else code
        self.life.tell(_stopped(reason, code, ending, self.clock.monotonic() - began))
        self.life.close()
        return Ended(reason, code, detail)


def _stopped(reason: str, code: ExitCode, ending: Ending, took_ns: int) -> RuntimeStopped:
    return RuntimeStopped(reason, int(code), ending.working, ending.abandoned, took_ns, ending.unknown_orders)
