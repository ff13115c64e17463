"""Failures in a row and the cancel budget: what makes execution ask for a pause or a stop (OM-09, OM-10)."""

from collections import deque

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.trading.model.state import GuardLevel

GuardReason = tuple[str, GuardLevel]
"""`(owner.code, level)`; level `RUNNING` clears the reason."""
MINUTE_NS = 60 * NANOS_PER_SECOND
CANCEL_BUDGET = "risk.cancel_budget"


class Streaks:
    """Running counts; a reason is told once when it changes (OM-11)."""

    __slots__ = (
        "_breaches", "_budget", "_cancel_times", "_changed", "_failed", "_failed_max", "_levels", "_pause_ns",
        "_pause_until", "_stop_at",
    )  # fmt: skip

    def __init__(
        self, *, cancels_minute: int, cancel_pause_ns: int, cancel_breaches_day: int, failed_cancels: int,
        failed_evaluations: int, failed_executions: int,
    ) -> None:  # fmt: skip
        self._budget, self._pause_ns, self._stop_at = cancels_minute, cancel_pause_ns, cancel_breaches_day
        self._failed_max = {
            "cancel": failed_cancels, "evaluation": failed_evaluations, "execution": failed_executions,
        }  # fmt: skip
        self._failed = dict.fromkeys(self._failed_max, 0)
        self._cancel_times: deque[int] = deque(maxlen=cancels_minute + 1)
        self._breaches = 0
        self._pause_until: int | None = None
        self._levels: dict[str, GuardLevel] = {}
        self._changed: list[GuardReason] = []

    def set(self, reason: str, level: GuardLevel) -> None:
        """Hold `reason` at `level`; `STOPPED` stays until it is cleared with `RUNNING`."""
        held = self._levels.get(reason, GuardLevel.RUNNING)
        if held is level or (held is GuardLevel.STOPPED and level is GuardLevel.PAUSED):
            return
        self._levels[reason] = level
        self._changed.append((reason, level))
        if level is GuardLevel.RUNNING:
            self._failed = dict.fromkeys(self._failed_max, 0)

    def drain(self) -> tuple[GuardReason, ...]:
        """Return the changes since the last call, oldest first."""
        if not self._changed:
            return ()
        changed, self._changed = tuple(self._changed), []
        return changed

    def cancelled(self, ts: int) -> None:
        """Count one cancel sent; the one beyond the budget within a minute is a breach."""
        times = self._cancel_times
        times.append(ts)
        if len(times) <= self._budget or ts - times[0] >= MINUTE_NS:
            return
        times.clear()
        self._breaches += 1
        if self._breaches >= self._stop_at:
            self._pause_until = None
            self.set(CANCEL_BUDGET, GuardLevel.STOPPED)
        else:
            self._pause_until = ts + self._pause_ns
            self.set(CANCEL_BUDGET, GuardLevel.PAUSED)

    def on_timer(self, ts: int) -> None:
        """End a pause of the cancel budget that has run its time."""
        if self._pause_until is not None and ts >= self._pause_until:
            self._pause_until = None
            self.set(CANCEL_BUDGET, GuardLevel.RUNNING)

    def on_day(self) -> None:
        self._breaches = 0

    def cancel_failed(self) -> None:
        if self._count("cancel"):
            self.set("execution.failures", GuardLevel.STOPPED)

    def cancel_worked(self) -> None:
        self._failed["cancel"] = 0

    def evaluated(self, *, good: bool) -> None:
        if good:
            self._failed["evaluation"] = 0
        elif self._count("evaluation"):
            self.set("execution.failures", GuardLevel.STOPPED)

    def execution_worked(self) -> None:
        self._failed["execution"] = 0

    def execution_failed(self) -> bool:
        """Return True at the failure that fills the budget."""
        if not self._count("execution"):
            return False
        self.set("execution.failed_in_row", GuardLevel.PAUSED)
        return True

    def _count(self, name: str) -> bool:
        self._failed[name] += 1
        return self._failed[name] == self._failed_max[name]
