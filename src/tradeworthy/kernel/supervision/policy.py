"""What a supervised task may do: its restart type, its budgets and its limits, all as typed defaults."""

import math

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.words import Word

Metadata = dict[str, str | int | float | bool | None]
"""What a component says of a task, beside its name and owner; secrets are taken out when it is stored."""


class RestartType(Word):
    """When a task starts again: after any end, after a failure or hang, or never."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    TEMPORARY = "temporary"


class Strategy(Word):
    """Which siblings start again with a failed child: none, all, or those that were started after it."""

    ONE_FOR_ONE = "one_for_one"
    ONE_FOR_ALL = "one_for_all"
    REST_FOR_ONE = "rest_for_one"


class Criticality(Word):
    """What the desk loses with a task for good."""

    OPTIONAL = "optional"
    IMPORTANT = "important"
    CRITICAL = "critical"


class Response(Word):
    """What an escalation asks of the desk: a warning, no more openings, or a stop."""

    WARN = "warn"
    PAUSE = "pause"
    STOP = "stop"


RESPONSES = {
    Criticality.OPTIONAL: Response.WARN, Criticality.IMPORTANT: Response.PAUSE, Criticality.CRITICAL: Response.STOP,
}  # fmt: skip


class TaskPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How one task is restarted and watched. Times are seconds of the monotonic clock.

    max_restarts      over the whole life; 0 none, None no limit of its own (the rolling budget still holds)
    backoff_*         full jitter: uniform between 0 and `min(cap, base * 2^(n-1))`; `healthy_run_s` sets `n` to 1 again
    budget_*          restarts allowed in a rolling window; the next failure escalates
    hang_timeout_s    silence that counts as a hang; None or not above 0 is off
    deadline_s        the most one attempt may take; None or not above 0 is off
    declares_progress a beat counts only when its progress value changed
    stop_grace_s      from a cancellation to the moment the attempt is abandoned
    """

    restart: RestartType = RestartType.TRANSIENT
    max_restarts: int | None = None
    backoff_base_s: float = 0.1
    backoff_cap_s: float = 30.0
    healthy_run_s: float = 60.0
    budget_restarts: int = 5
    budget_window_s: float = 60.0
    hang_timeout_s: float | None = None
    deadline_s: float | None = None
    declares_progress: bool = False
    stop_grace_s: float = 5.0

    def __post_init__(self) -> None:
        if self.max_restarts is not None and self.max_restarts < 0:
            raise ValueError(f"max_restarts must be 0 or more, or None, was {self.max_restarts}")
        _require_budget(self.budget_restarts, self.budget_window_s, self.backoff_base_s, self.backoff_cap_s)
        for name in ("healthy_run_s", "stop_grace_s"):
            _require_seconds(name, getattr(self, name))
        for name in ("hang_timeout_s", "deadline_s"):
            if (value := getattr(self, name)) is not None and not math.isfinite(value):
                raise ValueError(f"{name} must be finite or None, was {value}")


class ScopePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a scope restarts its children, and how often it may itself start again before its parent is asked."""

    strategy: Strategy = Strategy.ONE_FOR_ONE
    budget_restarts: int = 5
    budget_window_s: float = 60.0
    backoff_base_s: float = 0.1
    backoff_cap_s: float = 30.0
    healthy_run_s: float = 60.0

    def __post_init__(self) -> None:
        _require_budget(self.budget_restarts, self.budget_window_s, self.backoff_base_s, self.backoff_cap_s)
        _require_seconds("healthy_run_s", self.healthy_run_s)


class SupervisorPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of the supervisor itself.

    history_tasks    ended tasks that stay readable
    stack_frames     the most frames of one captured stack
    cancel_timeout_s the default bound of `cancel_all`
    child_grace_s    from SIGTERM to SIGKILL of a child process
    """

    history_tasks: int = 256
    stack_frames: int = 50
    cancel_timeout_s: float = 5.0
    child_grace_s: float = 5.0


def nanos(seconds: float) -> int:
    """Return seconds as whole nanoseconds."""
    return round(seconds * NANOS_PER_SECOND)


def limit_of(seconds: float | None) -> int | None:
    """Return a limit in nanoseconds, None where it is off: absent or not above 0."""
    return None if seconds is None or seconds <= 0 else nanos(seconds)


def _require_budget(restarts: int, window_s: float, base_s: float, cap_s: float) -> None:
    if restarts < 0:
        raise ValueError(f"budget_restarts must be 0 or more, was {restarts}")
    for name, value in (("budget_window_s", window_s), ("backoff_base_s", base_s), ("backoff_cap_s", cap_s)):
        _require_seconds(name, value)


def _require_seconds(name: str, value: float) -> None:
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} must be finite and 0 or more, was {value}")
