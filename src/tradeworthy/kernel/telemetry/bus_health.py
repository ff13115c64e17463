"""The facts of a bus and their judgement (TEL-05): each counter over a rolling hour, so a recovered bus turns green."""

import msgspec

from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity

CODE = "event_bus_health"


class BusFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a bus at one moment; counts are of the last hour, totals since its making.

    expected                    whether the desk's document wants a bus
    depth                       events that wait in the deepest queue, of at most `bound`
    last_published_age_seconds  None when nothing was ever published
    oldest_waiting_seconds      how far the slowest subscriber is behind; 0 when nothing waits
    open_dead_letters           of guarded flows, that nobody has settled yet
    """

    expected: bool
    running: bool
    depth: int
    bound: int
    published: int
    dropped: int
    handler_errors: int
    subscribers: int
    last_published_age_seconds: float | None
    oldest_waiting_seconds: float
    open_dead_letters: int
    published_total: int
    delivered_total: int
    dropped_total: int
    handler_errors_total: int
    duplicates_total: int
    dead_letters_total: int


class BusHealthPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the bus, breached when they are reached.

    depth_*            events that wait in the deepest queue
    dropped_*          in the last hour
    handler_errors_*   in the last hour
    idle_seconds_warn  since the last event that was published
    """

    depth_warn: int = 100
    depth_fail: int = 500
    dropped_warn: int = 1
    dropped_fail: int = 5
    handler_errors_warn: int = 1
    handler_errors_fail: int = 3
    idle_seconds_warn: float = 300.0

    def __post_init__(self) -> None:
        for name in ("depth", "dropped", "handler_errors"):
            warn, fail = getattr(self, f"{name}_warn"), getattr(self, f"{name}_fail")
            if not 0 < warn <= fail:
                raise ValueError(f"{name}_warn must be above 0 and at most {name}_fail, were {warn} and {fail}")
        if not self.idle_seconds_warn > 0:
            raise ValueError(f"idle_seconds_warn must be above 0, was {self.idle_seconds_warn}")


def judge_bus(facts: BusFacts, policy: BusHealthPolicy | None = None) -> tuple[Check, ...]:
    """Return every judged rule, the kept ones too; the status of the bus is the worst of them.

    A bus that is not expected is OK, and nothing else of it is judged.
    """
    limits = policy or BusHealthPolicy()
    if not facts.expected:
        return (_check("running", Severity.OK, "not expected", "not expected"),)
    running = Severity.OK if facts.running else Severity.FAIL
    heard = Severity.OK if facts.subscribers else Severity.WARN
    return (
        _check("running", running, "running" if facts.running else "not running", "running"),
        _budget("depth", facts.depth, limits.depth_warn, limits.depth_fail),
        _budget("dropped", facts.dropped, limits.dropped_warn, limits.dropped_fail),
        _budget("handler_errors", facts.handler_errors, limits.handler_errors_warn, limits.handler_errors_fail),
        _check("subscribers", heard, str(facts.subscribers), "at least 1"),
        _idle(facts.last_published_age_seconds, limits.idle_seconds_warn),
    )


def _budget(name: str, observed: int, warn: int, fail: int) -> Check:
    severity = Severity.FAIL if observed >= fail else Severity.WARN if observed >= warn else Severity.OK
    return _check(name, severity, str(observed), f"WARN from {warn}, FAIL from {fail}")


def _idle(age: float | None, warn: float) -> Check:
    if age is None:
        return _check("idle", Severity.UNKNOWN, "never published", f"WARN from {warn:g} s")
    return _check("idle", Severity.WARN if age >= warn else Severity.OK, f"{age:.3f} s", f"WARN from {warn:g} s")


def _check(name: str, severity: Severity, observed: str, limit: str) -> Check:
    return Check(f"{CODE}.{name}", severity, observed, limit)
