"""What the supervisor journals: one fact a transition (SUP-20), and the errors that a watch gives an attempt."""

from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.supervision.policy import Criticality, Response
from tradeworthy.kernel.words import Word


class State(Word):
    """Where a task stands."""

    RUNNING = "running"
    RESTARTING = "restarting"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"


class Cause(Word):
    """Why an attempt counts as failed: its own error, silence, its deadline, its factory, or an end too early."""

    FAILURE = "failure"
    HEARTBEAT_LOST = "heartbeat_lost"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    FACTORY = "factory"
    ENDED = "ended"


class HeartbeatLost(DeskError):
    """An attempt gave no counting beat for its hang timeout."""


class DeadlineExceeded(DeskError):
    """An attempt took longer than its deadline."""


class EndedUnexpectedly(DeskError):
    """A permanent task ended by itself."""


@fact("supervision.started")
class TaskStarted(Fact, frozen=True):
    """A task began its first attempt."""

    task: str
    owner: str
    criticality: Criticality


@fact("supervision.failed")
class TaskFailed(Fact, frozen=True):
    """An attempt, counted from 1, failed by its own error, its factory or an end too early."""

    task: str
    attempt: int
    cause: Cause
    error: str
    message: str


@fact("supervision.hung")
class TaskHung(Fact, frozen=True):
    """An attempt was cancelled for silence or for its deadline; the stack is innermost last, `file:line name`."""

    task: str
    attempt: int
    cause: Cause
    silent_ns: int
    message: str
    stack: tuple[str, ...] = ()


@fact("supervision.restarted")
class TaskRestarted(Fact, frozen=True):
    """A further attempt began, `delay_ns` after the decision."""

    task: str
    attempt: int
    restarts: int
    delay_ns: int


@fact("supervision.escalated")
class Escalated(Fact, frozen=True):
    """A failure that supervision may not answer by a restart, and what it asks of the desk."""

    task: str
    owner: str
    criticality: Criticality
    response: Response
    reason: str
    restarts: int


@fact("supervision.abandoned")
class TaskAbandoned(Fact, frozen=True):
    """An attempt ignored its cancellation and still runs; no successor starts."""

    task: str
    attempt: int
    ignored_cancellations: int
    stack: tuple[str, ...]


@fact("supervision.ended")
class TaskEnded(Fact, frozen=True):
    """A task is over without a failure to answer: finished, cancelled, or an abandoned one that ended after all."""

    task: str
    state: State
    restarts: int
    duration_ns: int
