"""Where a run stands and why: alerts come and go, breaches stay, `failed` is final (PPR-02)."""

from collections import deque
from collections.abc import Callable
from datetime import datetime

from tradeworthy.operations.paper_run.model import Alert, Breach, Status
from tradeworthy.operations.paper_run.policy import PaperRunPolicy

FINAL = frozenset({Status.FAILED, Status.STOPPED, Status.COMPLETED})


class Verdict:
    """Fold alerts and breaches into the status, and stop the run at the first failure."""

    def __init__(self, policy: PaperRunPolicy, stop: Callable[[str], None]) -> None:
        self._stop, self._allow = stop, policy.allow_invariant_errors
        self._kept = policy.breaches_kept
        self._active: dict[str, Alert] = {}
        self._past: deque[Alert] = deque(maxlen=policy.alerts_kept)
        self._breaches: dict[str, Breach] = {}
        self._stop_reasons: list[str] = []
        self._running = self._failed = self._elapsed = False
        self._final: Status | None = None

    @property
    def status(self) -> Status:
        """The status now."""
        if self._failed:
            return Status.FAILED
        if self._final is not None:
            return self._final
        if not self._running:
            return Status.PREPARING
        return Status.DEGRADED if self._active or self._breaches else Status.RUNNING

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The newest alerts that ended, then those in force."""
        return (*self._past, *self._active.values())

    @property
    def breaches(self) -> tuple[Breach, ...]:
        """Every breach, oldest first; equal codes are one, with their count."""
        return tuple(self._breaches.values())

    @property
    def codes(self) -> frozenset[str]:
        """The codes of the breaches."""
        return frozenset(self._breaches)

    @property
    def stop_reasons(self) -> tuple[str, ...]:
        """Why the run was, or is being, stopped."""
        return tuple(self._stop_reasons)

    def begin(self) -> None:
        """The desk has started."""
        self._running = True

    def alert(self, code: str, message: str, at: datetime) -> None:
        """Put an alert in force; it degrades the run while it lasts."""
        self._active.setdefault(code, Alert(code, message, at))

    def clear(self, code: str, at: datetime) -> None:
        """End an alert."""
        held = self._active.pop(code, None)
        if held is not None:
            self._past.append(Alert(held.code, held.message, held.at, at))

    def miss(self, breach: Breach) -> None:
        """Keep a breach that degrades; one of a known code counts, and the first stays as the cause."""
        known = self._breaches.get(breach.code)
        if known is not None:
            self._breaches[breach.code] = Breach(
                known.code, known.observed, known.limit, known.message, known.at, known.seq, known.count + 1
            )
        elif len(self._breaches) < self._kept:
            self._breaches[breach.code] = breach

    def broken(self, breach: Breach) -> None:
        """Keep a broken invariant: the run fails, or degrades where that was allowed."""
        if self._allow:
            self.miss(breach)
        else:
            self.fail(breach, f"{breach.code}: {breach.observed}")

    def fail(self, breach: Breach, reason: str) -> None:
        """Keep a breach that fails the run, and stop it once."""
        self.miss(breach)
        if not self._failed:
            self._failed = True
            self._ask(reason)

    def elapsed(self, reason: str) -> None:
        """Stop a run whose time is over; that is how it completes."""
        if not self._elapsed:
            self._elapsed = True
            self._ask(reason)

    def end(self, reason: str, completed: str) -> None:
        """Take the run's own word for its end, and settle the status."""
        if reason not in self._stop_reasons and not self._failed:
            self._stop_reasons.append("the tapes ended" if reason == completed else reason)
        degraded = bool(self._active or self._breaches)
        orderly = reason == completed or (self._elapsed and reason in self._stop_reasons[:1])
        whole = Status.COMPLETED if orderly else Status.STOPPED
        self._final = Status.FAILED if self._failed else Status.DEGRADED if degraded else whole

    def _ask(self, reason: str) -> None:
        if self._final is None:
            self._stop_reasons.append(reason)
            self._stop(reason)
