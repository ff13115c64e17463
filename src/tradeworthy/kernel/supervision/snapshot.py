"""What the supervisor tells of its tasks: the living, the ended and the abandoned (SUP-13, SUP-14, SUP-16)."""

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.supervision.node import Failure
from tradeworthy.kernel.supervision.policy import Criticality, Metadata
from tradeworthy.kernel.supervision.task import SupervisedTask
from tradeworthy.kernel.supervision.tracked import Tracked
from tradeworthy.kernel.supervision.transitions import State

UNLIMITED = "unlimited"


class RestartWindow(msgspec.Struct, frozen=True, gc=False):
    """Restarts allowed in a rolling window of `seconds`, and those it holds now."""

    restarts: int
    seconds: float
    used: int


class TaskSnapshot(msgspec.Struct, frozen=True, gc=False):
    """One living task, thread or child. `created_at` is nanoseconds UTC; ages are of the monotonic clock."""

    name: str
    kind: str
    state: State
    owner: str
    criticality: Criticality
    created_at: int
    age_seconds: float
    heartbeat_age_seconds: float | None
    hang_timeout_seconds: float | None
    deadline_seconds: float | None
    restart_limit: int | str | None
    restart_window: RestartWindow | None
    restart_backoff_seconds: float | None
    restarts: int
    last_exception: Failure | None
    metadata: Metadata


class EndedTask(msgspec.Struct, frozen=True):
    """A task that is over. `ended_at` is nanoseconds UTC."""

    name: str
    kind: str
    state: State
    owner: str
    duration_seconds: float
    restarts: int
    last_exception: Failure | None
    ended_at: int
    metadata: Metadata


class AbandonedTask(msgspec.Struct, frozen=True):
    """A task that ignored its cancellation and still lives. `since` is nanoseconds UTC."""

    name: str
    kind: str
    state: State
    owner: str
    metadata: Metadata
    stack: tuple[str, ...]
    ignored_cancellations: int
    since: int


class CancelReport(msgspec.Struct, frozen=True):
    """How `cancel_all` ended: counts of tasks by outcome, and the time it took."""

    cancelled: int
    finished: int
    failed: int
    abandoned: int
    elapsed_seconds: float


def of_task(task: SupervisedTask, now: int) -> TaskSnapshot:
    """Return a supervised task at a moment of the monotonic clock."""
    policy = task.policy
    return TaskSnapshot(
        task.name, task.kind, task.state, task.owner, task.criticality, task.created_at,
        (now - task.created) / NANOS_PER_SECOND, (now - task.pulse.last) / NANOS_PER_SECOND, policy.hang_timeout_s,
        policy.deadline_s, UNLIMITED if policy.max_restarts is None else policy.max_restarts,
        RestartWindow(policy.budget_restarts, policy.budget_window_s, task.budget.used(now)),
        policy.backoff_base_s, task.restarts, task.last_failure, task.metadata,
    )  # fmt: skip


def of_tracked(tracked: Tracked, now: int) -> TaskSnapshot:
    """Return a foreign task, thread or child; what only supervised tasks have is None."""
    return TaskSnapshot(
        tracked.name, tracked.kind, tracked.state, tracked.owner, tracked.criticality, tracked.created_at,
        (now - tracked.created) / NANOS_PER_SECOND, None, None, None, None, None, None, 0, tracked.last_failure,
        tracked.metadata,
    )  # fmt: skip


def ended(node: SupervisedTask | Tracked, monotonic: int, now: int) -> EndedTask:
    """Return the entry of the history for a node that is over."""
    return EndedTask(
        node.name, node.kind, node.state, node.owner, (monotonic - node.created) / NANOS_PER_SECOND,
        node.restarts if isinstance(node, SupervisedTask) else 0, node.last_failure, now, node.metadata,
    )  # fmt: skip
