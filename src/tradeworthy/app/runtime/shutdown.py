"""The graceful end under one deadline: orders first, then tasks, callbacks, and a seal that is never skipped (SHD)."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from tradeworthy.app.runtime.facts import CallbackRan, ShutdownStep
from tradeworthy.app.runtime.policy import ShutdownPolicy
from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision import Criticality, State, TaskPolicy, TaskSupervisor
from tradeworthy.kernel.supervision.policy import nanos

LOOK_S = 0.02
"""How often working orders are looked at while their cancels are under way."""
DRAIN_S = 0.3
"""Of the time of the tasks, for what is still on the bus."""
LEAST_S = 0.05
"""What each callback gets however late it is."""
OWNER = "shutdown"
Callback = Callable[[], Awaitable[object] | object]
Run = Callable[[str, str, Callback], Coroutine[object, object, str]]


class OrdersPort(Protocol):
    """The desk's working orders, as the end of a process needs them."""

    def pause(self) -> None:
        """Pause openings in the name of `shutdown` and take no more from outside."""
        ...

    def withdraw(self, reason: str) -> None:
        """Ask the venue to cancel what works; protective stops of open positions stay. Again is harmless."""
        ...

    def working(self) -> int | None:
        """Return how many orders still work that should not, None where nobody can tell."""
        ...

    def left(self) -> tuple[str, ...]:
        """Return the names of orders that work, or may work: what a person must look for at the venue."""
        ...


@dataclass(frozen=True)
class Ending:
    """What an end left: working orders (None unknown), abandoned tasks, and whether every record is safe.

    unknown_orders  names of the orders that are in doubt: they work, or nobody can tell
    """

    working: int | None
    abandoned: tuple[str, ...]
    sealed: bool
    hurried: bool
    problems: tuple[str, ...]
    unknown_orders: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """0 clean; 1 something was abandoned or a callback failed; 2 an order or a record in doubt; 130 hurried."""
        if self.hurried:
            return ExitCode.INTERRUPTED
        if not self.sealed or self.working != 0:
            return ExitCode.FAIL
        return ExitCode.WARN if self.abandoned or self.problems else ExitCode.PASS


class Shutdown:
    """Run the steps once; the time that one leaves goes to those after it.

    farewell  tells the watchdog that silence is right from now on; said only when no working order is left
    drain     waits so many seconds at most until what was published has reached its subscribers
    """

    def __init__(
        self, clock: Clock, tell: Callable[[Fact], Event], supervisor: TaskSupervisor, orders: OrdersPort | None,
        seal: Callable[[str], bool], policy: ShutdownPolicy, farewell: Callable[[], None] = lambda: None,
        drain: Callable[[float], Awaitable[object]] | None = None,
    ) -> None:  # fmt: skip
        self._farewell, self._drain = farewell, drain
        self._clock, self._tell, self._supervisor, self._orders = clock, tell, supervisor, orders
        self._seal, self._policy = seal, policy
        self.callbacks: list[tuple[str, Callable[[], Awaitable[object] | object]]] = []
        self._hurried = False
        self._hurry: asyncio.Event | None = None
        self._cut: asyncio.Timeout | None = None

    def hurry(self) -> None:
        """Skip to the seal: somebody asked a second time. What is waited for now is cut, callbacks get their least."""
        self._hurried = True
        if self._hurry is not None:
            self._hurry.set()
        if self._cut is not None and not self._cut.expired():
            self._cut.reschedule(0)

    async def run(self, reason: str, run_callback: Run) -> Ending:
        """Do all steps and return what they left."""
        self._hurry = asyncio.Event()
        policy, start = self._policy, self._clock.monotonic()
        problems: list[str] = []
        abandoned: tuple[str, ...] = ()
        working = self._look(problems)
        due = policy.pause_s
        if not self._hurried and self._orders is not None:
            self._step("pause", self._orders.pause, problems)
        due += policy.orders_s
        if not self._hurried and self._orders is not None:
            working = await self._withdraw(reason, start + nanos(due), problems)
        if working == 0:
            self._step("farewell", self._farewell, problems)
        unknown = () if working == 0 else self._names(problems)
        due += policy.tasks_s
        if not self._hurried and self._drain is not None:
            await self._unless_hurried(self._drain(DRAIN_S))
        if not self._hurried:
            abandoned = await self._end_tasks(start + nanos(due))
        due += policy.callbacks_s
        await self._call_back(start + nanos(due), run_callback, problems)
        began = self._clock.monotonic()
        known = len(problems)
        sealed = self._sealed(reason, problems)
        self._told("seal", sealed, began, "; ".join(problems[known:]))
        return Ending(working, abandoned, sealed, self._hurried, tuple(problems), unknown)

    def _look(self, problems: list[str]) -> int | None:
        """Return how many orders work before anything is done; None where nobody can tell."""
        if self._orders is None:
            return 0
        try:
            return self._orders.working()
        except Exception as error:  # the steps that follow, and the seal, do not depend on this look
            problems.append(f"orders: {type(error).__name__}: {redact(str(error))}")
            return None

    def _names(self, problems: list[str]) -> tuple[str, ...]:
        """Return the orders in doubt by name; where even they cannot be told, that is a problem of its own."""
        if self._orders is None:
            return ()
        try:
            return self._orders.left()
        except Exception as error:  # the steps that follow, and the seal, do not depend on this look
            problems.append(f"orders in doubt: {type(error).__name__}: {redact(str(error))}")
            return ()

    def _sealed(self, reason: str, problems: list[str]) -> bool:
        try:
            return self._seal(reason)
        except Exception as error:  # an unsealed record is told by the exit code
            problems.append(f"seal: {type(error).__name__}: {redact(str(error))}")
            return False

    def _step(self, name: str, act: Callable[[], None], problems: list[str]) -> None:
        began, problem = self._clock.monotonic(), ""
        try:
            act()
        except Exception as error:  # the steps after it are done whatever became of this one
            problem = f"{name}: {type(error).__name__}: {redact(str(error))}"
            problems.append(problem)
        self._told(name, not problem, began, problem)

    async def _withdraw(self, reason: str, deadline: int, problems: list[str]) -> int | None:
        """Cancel and look until nothing works, at most to the deadline."""
        orders = self._orders
        assert orders is not None
        began, working, known = self._clock.monotonic(), None, len(problems)
        while True:
            try:
                orders.withdraw(reason)
                working = orders.working()
            except Exception as error:  # a venue that is away: looked at again to the deadline
                working = None
                problem = f"orders: {type(error).__name__}: {redact(str(error))}"
                if problem not in problems:
                    problems.append(problem)
            if working == 0 or self._hurried or self._clock.monotonic() >= deadline:
                break
            await self._wait(LOOK_S)
        found = "unknown" if working is None else str(working)
        told = [f"{found} working orders left", *problems[known:]]
        self._told("orders", working == 0, began, "; ".join(told))
        return working

    async def _end_tasks(self, deadline: int) -> tuple[str, ...]:
        began = self._clock.monotonic()
        ended = await self._unless_hurried(
            self._supervisor.cancel_all(max(0.0, (deadline - began) / NANOS_PER_SECOND))
        )
        names = tuple(one.name for one in self._supervisor.abandoned())
        self._told("tasks", ended and not names, began, ", ".join(names))
        return names

    async def _unless_hurried(self, work: Awaitable[object]) -> bool:
        """Wait for a step; False where somebody was in a hurry before it was done."""
        try:
            async with asyncio.timeout(None) as self._cut:
                await work
        except TimeoutError:
            return False
        finally:
            self._cut = None
        return True

    async def _call_back(self, deadline: int, run_callback: Run, problems: list[str]) -> None:
        """Run every callback in reverse, each exactly once; a slow one gives way to the next at the deadline."""
        began = self._clock.monotonic()
        failed = []
        callbacks, self.callbacks = self.callbacks, []
        for number, (name, callback) in enumerate(reversed(callbacks)):
            left = 0.0 if self._hurried else (deadline - self._clock.monotonic()) / NANOS_PER_SECOND
            share = max(LEAST_S, left / (len(callbacks) - number))
            problem = await self._bounded(name, callback, run_callback, share)
            if problem:
                failed.append(f"{name}: {problem}")
        problems += failed
        self._told("callbacks", not failed, began, "; ".join(failed))

    async def _bounded(self, name: str, callback: Callback, run_callback: Run, share: float) -> str:
        """Run one callback for its share of the time; one that ignores its cancellation is left behind."""
        began = self._clock.monotonic()
        task = self._supervisor.create(
            lambda pulse: run_callback("shutdown", name, callback), owner=OWNER, name=f"{OWNER}.{name}",
            criticality=Criticality.OPTIONAL, policy=TaskPolicy(max_restarts=0, stop_grace_s=LEAST_S),
        )  # fmt: skip
        try:
            async with asyncio.timeout(share) as self._cut:
                await task.wait()
        except TimeoutError:
            task.cancel()
            with suppress(Exception):  # abandoned: told below
                await task.wait()
        finally:
            self._cut = None
        if task.state is State.ABANDONED:
            problem = f"took longer than {share:.2f} s and ignored its cancellation: it is left behind"
            self._tell(CallbackRan("shutdown", name, self._clock.monotonic() - began, problem))
            return problem
        if task.state is State.FINISHED:
            return str(task.result or "")
        return f"took longer than {share:.2f} s"

    async def _wait(self, seconds: float) -> None:
        assert self._hurry is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()

    def _told(self, step: str, ok: bool, began: int, detail: str = "") -> None:
        self._tell(ShutdownStep(step, ok, self._clock.monotonic() - began, detail))
