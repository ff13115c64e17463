"""The supervisor of a process: it makes, watches, restarts, shows and ends every task (SUP-01 to SUP-21)."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.facts import Event, Fact, event_of
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision import snapshot
from tradeworthy.kernel.supervision.node import Node
from tradeworthy.kernel.supervision.policy import (
    RESPONSES,
    Criticality,
    Metadata,
    ScopePolicy,
    SupervisorPolicy,
    TaskPolicy,
    nanos,
)
from tradeworthy.kernel.supervision.scope import Scope
from tradeworthy.kernel.supervision.snapshot import AbandonedTask, CancelReport, EndedTask, TaskSnapshot
from tradeworthy.kernel.supervision.task import Factory, SupervisedTask
from tradeworthy.kernel.supervision.task_factory import LoopTracking
from tradeworthy.kernel.supervision.tracked import Trackable, Tracked
from tradeworthy.kernel.supervision.transitions import Escalated, State, TaskFailed, TaskHung

SOURCE = "supervision"
POLL_S = 0.02
"""How often `cancel_all` looks at threads and children, which cannot be awaited."""
LOG = logging.getLogger("tradeworthy.supervision")


class EscalationPort(Protocol):
    """What the desk does with a failure that no restart answers: stop, pause or warn, in the name of supervision."""

    def escalate(self, escalated: Escalated, cause: Event) -> None: ...


class TaskSupervisor:
    """Own every task of one event loop.

    clock       ages and windows; on a `SimulatedLoop` it must be the loop's own clock
    random      the generator of back-off jitter
    escalation  who answers when restarts are used up
    sink        takes each transition as an event; None keeps them nowhere
    run_id      makes the events' ids unique over runs
    """

    def __init__(
        self, clock: Clock, random: Random, escalation: EscalationPort, *, namespace: str = "desk", run_id: str = "",
        sink: Callable[[Event], object] | None = None, policy: SupervisorPolicy | None = None,
    ) -> None:  # fmt: skip
        self.clock, self.random, self.policy = clock, random, policy or SupervisorPolicy()
        self._escalation, self._sink, self._namespace, self._run_id = escalation, sink, namespace, run_id
        self._active: dict[SupervisedTask, None] = {}
        self._tracked: dict[Trackable, Tracked] = {}
        self._scopes: dict[Scope, None] = {}
        self._root = Scope(self, namespace, namespace, ScopePolicy(), None)
        self._history: deque[EndedTask] = deque(maxlen=self.policy.history_tasks)
        self._abandoned: dict[SupervisedTask | Tracked, AbandonedTask] = {}
        self._loop_tracking = LoopTracking(self._track_plain)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._created = self._recorded = 0
        self._closing = False
        self.unrecorded = 0

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop; all living tasks belong to one."""
        return asyncio.get_running_loop() if self._loop is None else self._loop

    def scope(
        self, name: str, *, owner: str, policy: ScopePolicy | None = None, parent: Scope | None = None
    ) -> Scope:
        """Add a scope under `parent` (the root when None), after its other children."""
        above = self._home(parent)
        child = Scope(self, name, owner, policy or ScopePolicy(), above)
        above.adopt(child)
        self._scopes = {one: None for one in (*self._scopes, child) if not one.over}
        return child

    def create(
        self, factory: Factory, *, owner: str, name: str | None = None, metadata: Metadata | None = None,
        criticality: Criticality = Criticality.IMPORTANT, policy: TaskPolicy | None = None, scope: Scope | None = None,
    ) -> SupervisedTask:  # fmt: skip
        """Start a task from a factory, which gets the attempt's pulse and returns a coroutine.

        Raises `TypeError` when the factory cannot be called, `RuntimeError` while everything is being cancelled; a
        coroutine that was passed instead of a factory is closed.
        """
        if self._closing or not callable(factory):
            if asyncio.iscoroutine(factory):
                factory.close()
            if self._closing:
                raise RuntimeError(f"expected an open supervisor, {self._namespace} is cancelling its tasks")
            raise TypeError(f"factory must be callable with a pulse, was {type(factory).__name__}")
        running = asyncio.get_running_loop()
        if self._loop is not running:
            if self._active:
                raise RuntimeError("expected the loop that the living tasks belong to, found another")
            self._loop = running
        home = self._home(scope)
        self._created += 1
        task = SupervisedTask(
            self, home, factory, name=name or f"{self._namespace}-task-{self._created:05d}", owner=owner,
            criticality=criticality, metadata=redact(metadata) if metadata else {}, policy=policy or _DEFAULT,
        )  # fmt: skip
        home.adopt(task)
        self._active[task] = None
        task.begin()
        return task

    def track(
        self, target: Trackable, metadata: Metadata | None = None, *, owner: str | None = None, name: str | None = None,
        stop: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        """Keep a plain task, a thread or a child process in sight; a repeat merges metadata, new keys win.

        Raises `TypeError` for anything else.
        """
        known = self._tracked.get(target) if target.__hash__ is not None else None
        if known is not None:
            known.metadata = {**known.metadata, **redact(metadata or {})}
            known.owner = owner or known.owner
            return
        clean: Metadata = redact(metadata or {})
        tracked = Tracked(target, self.clock, name=name, owner=owner or self._namespace, metadata=clean, stop=stop)
        self._tracked[target] = tracked
        if isinstance(target, asyncio.Task):
            target.add_done_callback(self._on_tracked_end)

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Track every plain task of a loop from now on; again for the same loop does nothing.

        Raises `RuntimeError` while installed on another loop.
        """
        self._loop_tracking.install(loop)

    def uninstall(self) -> None:
        """Give the loop its previous task factory back."""
        self._loop_tracking.uninstall()

    def snapshot(self) -> tuple[TaskSnapshot, ...]:
        """Return every living task, thread and child, supervised ones first, each in order of creation."""
        now = self.clock.monotonic()
        self._sweep()
        of_task, of_tracked = snapshot.of_task, snapshot.of_tracked
        return (
            *[of_task(task, now) for task in self._active],
            *[of_tracked(one, now) for one in self._tracked.values()],
        )

    def history(self) -> tuple[EndedTask, ...]:
        """Return the last ended tasks, newest last."""
        self._sweep()
        return tuple(self._history)

    def abandoned(self) -> tuple[AbandonedTask, ...]:
        """Return what ignored its cancellation and still lives."""
        self._sweep()
        return tuple(self._abandoned.values())

    async def cancel_all(self, timeout_s: float | None = None) -> CancelReport:
        """End everything in reverse order within `timeout_s`; what does not obey is abandoned. Then accept tasks again.

        Raises `RuntimeError` while another call is under way. The calling task is left alone.
        """
        if self._closing:
            raise RuntimeError("expected no cancellation under way, found one")
        timeout_s = self.policy.cancel_timeout_s if timeout_s is None else timeout_s
        start = self.clock.monotonic()
        self.uninstall()
        self._closing = True
        try:
            self._sweep()
            caller = asyncio.current_task()
            for scope in (self._root, *self._scopes):
                scope.freeze()
            leaves = [one for one in reversed(self._root.leaves()) if isinstance(one, SupervisedTask)]
            tasks = [one for one in leaves if one.attempt is None or one.attempt is not caller]
            foreign = [one for one in reversed(tuple(self._tracked.values())) if one.target is not caller]
            for task in tasks:
                task.cancel()
            for one in foreign:
                self._ask_to_stop(one)
            await self._await_end(tasks, foreign, start, start + nanos(timeout_s))
            for task in tasks:
                task.abandon()
            self._settle_foreign(foreign)
            states = [task.state for task in tasks] + [one.state for one in foreign]
            self._scopes.clear()
        finally:
            self._closing = False
        return CancelReport(
            states.count(State.CANCELLED), states.count(State.FINISHED), states.count(State.FAILED),
            states.count(State.ABANDONED), (self.clock.monotonic() - start) / NANOS_PER_SECOND,
        )  # fmt: skip

    def record(self, payload: Fact, cause: Event | None) -> Event:
        """Wrap a transition as an event and hand it on; a sink that fails is logged and counted, never raised."""
        self._recorded += 1
        now = self.clock.now()
        if isinstance(payload, (TaskFailed, TaskHung)):
            said = {"task": payload.task, "cause": payload.cause.value, "error": payload.message}
            LOG.warning("attempt_failed", extra=said)
        event = event_of(
            payload, source=SOURCE, key=f"{self._run_id}:{self._recorded}", ts_event=now, ts_init=now, cause=cause
        )
        if self._sink is not None:
            try:
                self._sink(event)
            except Exception as error:  # supervision goes on when the journal does not
                self.unrecorded += 1
                LOG.error("supervision_record_failed", extra={"kind_of": payload.kind, "error": str(redact(error))})
        return event

    def escalate(self, node: Node, reason: str, cause: Event) -> None:
        """Ask the desk for what the node's criticality calls for."""
        response = RESPONSES[node.criticality]
        escalated = Escalated(node.name, node.owner, node.criticality, response, reason, node.restarts)
        event = self.record(escalated, cause)
        LOG.error("task_escalated", extra={"task": node.name, "response": response.value, "reason": reason})
        try:
            self._escalation.escalate(escalated, event)
        except Exception as error:  # the record stands, and the log says that nobody answered
            LOG.critical("escalation_failed", extra={"task": node.name, "error": str(redact(error))})

    def concluded(self, task: SupervisedTask) -> None:
        """Move a task that is over from the living to the history."""
        self._active.pop(task, None)
        if task.state is not State.ABANDONED:
            self._history.append(snapshot.ended(task, self.clock.monotonic(), self.clock.now()))

    def abandon(self, node: SupervisedTask | Tracked, stack: tuple[str, ...]) -> None:
        """Keep an abandoned task in sight, with one ERROR line."""
        self._abandoned[node] = AbandonedTask(
            node.name, node.kind, node.state, node.owner, node.metadata, stack, node.cancellations, self.clock.now()
        )
        LOG.error("task_abandoned", extra={"task": node.name, "stack": stack})

    def ended_late(self, node: SupervisedTask | Tracked) -> None:
        """Note that an abandoned task ended after all."""
        if self._abandoned.pop(node, None) is not None:
            self._history.append(snapshot.ended(node, self.clock.monotonic(), self.clock.now()))

    def _home(self, scope: Scope | None) -> Scope:
        if scope is None:
            return self._root
        if scope not in self._scopes or scope.over:
            raise RuntimeError(f"expected a living scope, {scope.name} is over")
        return scope

    def _track_plain(self, task: "asyncio.Task[Any]") -> None:
        self.track(task, {"origin": "event_loop"})

    def _on_tracked_end(self, task: "asyncio.Task[Any]") -> None:
        self._end_tracked(task)

    def _end_tracked(self, target: Trackable, *, stopped: bool = False) -> None:
        tracked = self._tracked.pop(target, None)
        if tracked is None:
            return
        was_abandoned = tracked in self._abandoned
        if not was_abandoned:
            tracked.settle(self.clock.now(), stopped=stopped)
            if tracked.state is State.FAILED and tracked.last_failure is not None:
                LOG.warning("tracked_failed", extra={"task": tracked.name, "error": tracked.last_failure.message})
            self._history.append(snapshot.ended(tracked, self.clock.monotonic(), self.clock.now()))
        else:
            self.ended_late(tracked)

    def _sweep(self) -> None:
        """Let go of threads and children that have ended; tasks tell it themselves."""
        for target, tracked in tuple(self._tracked.items()):
            if not tracked.alive and not isinstance(target, asyncio.Task):
                self._end_tracked(target)

    def _ask_to_stop(self, tracked: Tracked) -> None:
        try:
            tracked.stop()
        except Exception as error:  # a thread's own stop may fail; the others are stopped nevertheless
            LOG.error("stop_failed", extra={"task": tracked.name, "error": str(redact(error))})

    async def _await_end(self, tasks: list[SupervisedTask], foreign: list[Tracked], start: int, deadline: int) -> None:
        kill_at = min(start + nanos(self.policy.child_grace_s), deadline)
        while (rest := deadline - self.clock.monotonic()) > 0:
            futures: set[asyncio.Future[Any]] = {one.done for one in tasks if not one.done.done()}
            futures |= {one.target for one in foreign if isinstance(one.target, asyncio.Task) and one.alive}
            polled = [one for one in foreign if not isinstance(one.target, asyncio.Task) and one.alive]
            if not futures and not polled:
                return
            wait = min(rest / NANOS_PER_SECOND, POLL_S) if polled else rest / NANOS_PER_SECOND
            if futures:
                await asyncio.wait(futures, timeout=wait)
            else:
                await asyncio.sleep(wait)
            if self.clock.monotonic() >= kill_at:
                for one in polled:
                    one.kill()
        left = [one for one in foreign if one.kind == "child" and one.alive]
        for one in left:
            one.kill()
        if left:
            await asyncio.sleep(POLL_S)

    def _settle_foreign(self, foreign: list[Tracked]) -> None:
        for one in foreign:
            if not one.alive:
                self._end_tracked(one.target, stopped=True)
            elif one not in self._abandoned:
                one.state = State.ABANDONED
                self.abandon(one, one.stack(self.policy.stack_frames))


_DEFAULT = TaskPolicy()
