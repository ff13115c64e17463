"""One supervised task: its attempts one after another, its beats, its limits and its end (SUP-01 to SUP-10)."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision.backoff import RestartBudget, delay_s
from tradeworthy.kernel.supervision.node import Failure, Keeper, Parent, Then
from tradeworthy.kernel.supervision.policy import Criticality, Metadata, RestartType, TaskPolicy, limit_of, nanos
from tradeworthy.kernel.supervision.stacks import task_stack
from tradeworthy.kernel.supervision.transitions import (
    Cause,
    DeadlineExceeded,
    EndedUnexpectedly,
    HeartbeatLost,
    State,
    TaskAbandoned,
    TaskEnded,
    TaskFailed,
    TaskHung,
    TaskRestarted,
    TaskStarted,
)


class Pulse:
    """The beats of one attempt; the attempt's start is the first. `last` is nanoseconds of the monotonic clock."""

    __slots__ = ("_clock", "_declares", "_progress", "beats", "last")

    def __init__(self, clock: Clock, declares_progress: bool) -> None:
        self._clock, self._declares = clock, declares_progress
        self._progress: object = None
        self.beats = 0
        self.last = clock.monotonic()

    def beat(self, progress: object = None) -> None:
        """Say that the work goes on; where progress is declared, an unchanged value says nothing."""
        if self._declares and progress == self._progress:
            return
        self._progress = progress
        self.beats += 1
        self.last = self._clock.monotonic()


Factory = Callable[[Pulse], Coroutine[Any, Any, object]]


class TaskKeeper(Keeper, Protocol):
    """What a task tells the supervisor beside what every node does."""

    def concluded(self, task: "SupervisedTask") -> None: ...
    def abandon(self, task: "SupervisedTask", stack: tuple[str, ...]) -> None: ...
    def ended_late(self, task: "SupervisedTask") -> None: ...


class SupervisedTask:
    """Run attempts made by a factory, one at a time, until the task is over for good."""

    kind = "task"
    pulse: Pulse
    __slots__ = (
        "_attempt", "_concluded", "_deadline", "_done", "_event", "_factory", "_granted", "_halting", "_hang", "_keep",
        "_parent", "_started", "_streak", "_timer", "_verdict", "attempts", "budget", "cancellations", "created",
        "created_at", "criticality", "exception", "last_failure", "metadata", "name", "owner", "policy", "pulse",
        "restarts", "result", "state",
    )  # fmt: skip

    def __init__(
        self, keep: TaskKeeper, parent: Parent, factory: Factory, *, name: str, owner: str, criticality: Criticality,
        metadata: Metadata, policy: TaskPolicy,
    ) -> None:  # fmt: skip
        self._keep, self._parent, self._factory = keep, parent, factory
        self.name, self.owner, self.criticality, self.metadata, self.policy = name, owner, criticality, metadata, policy
        self.state = State.RUNNING
        self.attempts = self.restarts = self.cancellations = 0
        self.created, self.created_at = keep.clock.monotonic(), keep.clock.now()
        self.budget = RestartBudget(policy.budget_restarts, policy.budget_window_s)
        self.exception: BaseException | None = None
        self.last_failure: Failure | None = None
        self.result: object = None
        self._hang, self._deadline = limit_of(policy.hang_timeout_s), limit_of(policy.deadline_s)
        self._attempt: asyncio.Task[object] | None = None
        self._timer: asyncio.Handle | None = None
        self._verdict: tuple[Cause, Exception] | None = None
        self._halting: list[Then] = []
        self._event: Event | None = None
        self._done: asyncio.Future[None] = keep.loop.create_future()
        self._started = self._streak = self._granted = 0
        self._concluded = False

    @property
    def alive(self) -> bool:
        """Whether an attempt runs or will run."""
        return self.state is State.RUNNING or self.state is State.RESTARTING

    @property
    def attempt(self) -> "asyncio.Task[object] | None":
        """The attempt that runs now."""
        return self._attempt

    @property
    def done(self) -> "asyncio.Future[None]":
        """Set when the task is over for good, or abandoned."""
        return self._done

    async def wait(self) -> State:
        """Return the final state; raises the task's own last exception when it failed or was abandoned."""
        await asyncio.shield(self._done)
        if self.exception is not None and self.state in (State.FAILED, State.ABANDONED):
            raise self.exception
        return self.state

    def cancel(self) -> None:
        """End the task; it is not restarted, and abandoned when it does not obey within its grace."""
        if not self._concluded:
            self.halt(self.conclude)

    def begin(self, cause: Event | None = None, delay_ns: int = 0) -> None:
        """Start the next attempt, unless one lives; a factory that raises is a failed attempt."""
        if self._attempt is not None:
            return
        self._disarm()
        self.state, self._verdict = State.RUNNING, None
        self.attempts += 1
        self.pulse = Pulse(self._keep.clock, self.policy.declares_progress)
        self._started = self.pulse.last
        self._event = self._keep.record(
            TaskStarted(self.name, self.owner, self.criticality) if self.attempts == 1
            else TaskRestarted(self.name, self.attempts, self.restarts, delay_ns),
            cause,
        )  # fmt: skip
        loop = self._keep.loop
        try:
            work = self._factory(self.pulse)
            if not asyncio.iscoroutine(work):
                raise TypeError(f"factory of {self.name} must return a coroutine, returned {type(work).__name__}")
        except Exception as error:  # the workload's own: answered like a failed attempt
            self._timer = loop.call_soon(self._fail, Cause.FACTORY, error)
            return
        self._attempt = asyncio.Task(work, loop=loop, name=self.name)
        self._attempt.add_done_callback(self._on_end)
        self._watch()

    def begin_after(self, delay_ns: int, cause: Event) -> None:
        """Start the next attempt when the back-off is over."""
        self._timer = self._keep.loop.call_later(delay_ns / NANOS_PER_SECOND, self.begin, cause, delay_ns)

    def halt(self, then: Then) -> None:
        """Cancel the attempt and call `then` once it has ended or is abandoned."""
        if self._attempt is None or self.state is State.ABANDONED:
            self._disarm()
            if self.alive:
                self.state = State.CANCELLED
            self._keep.loop.call_soon(then)
            return
        under_way = bool(self._halting) or self._verdict is not None
        self._halting.append(then)
        if not under_way:
            self._cancel_attempt()

    def revive(self) -> None:
        """Give a failed task a new window, as its scope starts again."""
        self.state = State.RESTARTING
        self._granted = self._streak = 0
        self.budget.clear()

    def conclude(self) -> None:
        """End for good in the present state; once."""
        if self._concluded:
            return
        self._concluded = True
        self._disarm()
        if self.state is not State.ABANDONED:
            self._note_end()
        self._parent.drop(self)
        self._keep.concluded(self)
        if not self._done.done():
            self._done.set_result(None)

    def abandon(self) -> None:
        """Give up an attempt that ignores its cancellation: keep it in sight, start no successor, escalate."""
        if self._attempt is None or self.state is State.ABANDONED:
            return
        self._disarm()
        self.state = State.ABANDONED
        stack = task_stack(self._attempt, self._keep.policy.stack_frames)
        if self._verdict is not None:
            self.exception = self._verdict[1]
        event = self._keep.record(TaskAbandoned(self.name, self.attempts, self.cancellations, stack), self._event)
        self._keep.abandon(self, stack)
        self._keep.escalate(self, f"abandoned after {self.cancellations} ignored cancellations", event)
        self.conclude()
        self._halted()

    def _cancel_attempt(self) -> None:
        assert self._attempt is not None
        self._disarm()
        self.cancellations += 1
        self._attempt.cancel()
        self._timer = self._keep.loop.call_later(self.policy.stop_grace_s, self.abandon)

    def _watch(self) -> None:
        """Set the timer to the earliest moment at which a limit can be reached."""
        due = [start + limit for start, limit in ((self.pulse.last, self._hang), (self._started, self._deadline))
               if limit is not None]  # fmt: skip
        if due:
            wait = max(0, min(due) - self._keep.clock.monotonic())
            self._timer = self._keep.loop.call_later(wait / NANOS_PER_SECOND, self._judge)

    def _judge(self) -> None:
        now = self._keep.clock.monotonic()
        silent, took = now - self.pulse.last, now - self._started
        if self._deadline is not None and took >= self._deadline:
            message = f"expected an end within {self.policy.deadline_s} s, found none after {took / NANOS_PER_SECOND} s"
            self._give_verdict(Cause.DEADLINE_EXCEEDED, DeadlineExceeded(f"{self.name}: {message}"), silent)
        elif self._hang is not None and silent >= self._hang:
            limit = self.policy.hang_timeout_s
            message = f"expected a beat within {limit} s, found none for {silent / NANOS_PER_SECOND} s"
            self._give_verdict(Cause.HEARTBEAT_LOST, HeartbeatLost(f"{self.name}: {message}"), silent)
        else:
            self._watch()

    def _give_verdict(self, cause: Cause, error: Exception, silent: int) -> None:
        assert self._attempt is not None
        self._verdict = cause, error
        self._note_failure(error)
        stack = task_stack(self._attempt, self._keep.policy.stack_frames)
        hung = TaskHung(self.name, self.attempts, cause, silent, str(error), stack)
        self._event = self._keep.record(hung, self._event)
        self._cancel_attempt()

    def _on_end(self, attempt: "asyncio.Task[object]") -> None:
        error = None if attempt.cancelled() else attempt.exception()
        self._attempt = None
        if self.state is State.ABANDONED:
            self._note_end()
            self._keep.ended_late(self)
            return
        self._disarm()
        if self._halting:
            self._end_as(attempt, error)
            self._halted()
        elif self._verdict is not None:
            self._fail(*self._verdict)
        elif error is not None:
            self._fail(Cause.FAILURE, error)
        elif not attempt.cancelled() and self.policy.restart is RestartType.PERMANENT:
            self._fail(Cause.ENDED, EndedUnexpectedly(f"{self.name}: expected to run for good, found its end"))
        else:
            self._end_as(attempt, None)
            self.conclude()

    def _end_as(self, attempt: "asyncio.Task[object]", error: BaseException | None) -> None:
        if attempt.cancelled():
            self.state = State.CANCELLED
        elif error is not None:
            self.state = State.FAILED
            self._note_failed(Cause.FAILURE, error)
        else:
            self.state, self.result = State.FINISHED, attempt.result()

    def _fail(self, cause: Cause, error: BaseException) -> None:
        self._disarm()
        now = self._keep.clock.monotonic()
        self._streak = 1 if now - self._started >= nanos(self.policy.healthy_run_s) else self._streak + 1
        if self._verdict is None:
            self._note_failed(cause, error)
        assert self._event is not None
        if (refusal := self._refusal(error, now)) is not None:
            self.state = State.FAILED
            self._parent.gave_up(self, refusal, self._event)
            return
        self.state = State.RESTARTING
        self.restarts += 1
        self._granted += 1
        wait = delay_s(
            self._streak, base_s=self.policy.backoff_base_s, cap_s=self.policy.backoff_cap_s, random=self._keep.random
        )
        self._parent.restart(self, nanos(wait), self._event)

    def _refusal(self, error: BaseException, now: int) -> str | None:
        """Say why no further attempt is allowed, None where one is; an allowed one is taken from the budget."""
        policy = self.policy
        if policy.restart is RestartType.TEMPORARY or not isinstance(error, Exception):
            return f"{type(error).__name__} is not answered by a restart"
        if policy.max_restarts is not None and self._granted >= policy.max_restarts:
            return f"max_restarts {policy.max_restarts} used up"
        if not self.budget.grant(now):
            return f"{policy.budget_restarts} restarts in {policy.budget_window_s} s used up"
        return None

    def _halted(self) -> None:
        halting, self._halting = self._halting, []
        for then in halting:
            then()

    def _note_failed(self, cause: Cause, error: BaseException) -> None:
        self._note_failure(error)
        failed = TaskFailed(self.name, self.attempts, cause, type(error).__name__, str(redact(str(error))))
        self._event = self._keep.record(failed, self._event)

    def _note_failure(self, error: BaseException) -> None:
        self.exception = error
        self.last_failure = Failure(type(error).__name__, str(redact(str(error))), self._keep.clock.now())

    def _note_end(self) -> None:
        duration = self._keep.clock.monotonic() - self.created
        if self.state is not State.FAILED:
            self._keep.record(TaskEnded(self.name, self.state, self.restarts, duration), self._event)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def regular(factory: Callable[[], Coroutine[Any, Any, object]]) -> Factory:
    """Return a factory for work that does not beat."""
    return partial(_without_pulse, factory)


def _without_pulse(factory: Callable[[], Coroutine[Any, Any, object]], _pulse: Pulse) -> Coroutine[Any, Any, object]:
    return factory()
