"""What a person may ask of the guard: kill, pause, resume, re-arm. Anyone trips; two people re-arm (KS-01, KS-09)."""

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.control.guard import SCOPES, Guard
from tradeworthy.trading.model import GuardChanged, GuardLevel, GuardReason

COOL_OFF = 900 * NANOS_PER_SECOND
"""KS-09: from the stop to the earliest re-arm."""


@fact("operator.kill")
class KillRequest(Fact, frozen=True):
    """Stop the desk, `strategy:X`, `instrument:X`, `venue:X` or `client:X`; an unknown scope is the desk."""

    reason: str
    author: str
    scope: str = "desk"
    flatten: bool = False


@fact("operator.pause")
class PauseRequest(Fact, frozen=True):
    """Pause openings; `expires_at` in nanoseconds UTC, None = until resumed."""

    reason: str
    author: str
    scope: str = "desk"
    expires_at: int | None = None


@fact("operator.resume")
class ResumeRequest(Fact, frozen=True):
    """End the operator's own pause; it never ends a stop."""

    author: str
    scope: str = "desk"


@fact("operator.rearm")
class RearmRequest(Fact, frozen=True):
    """Ask to leave `stopped`: the people who sign, and the hash of the forensic snapshot they read."""

    people: tuple[str, ...]
    snapshot: str
    incident: str
    reason: str
    scope: str = "desk"
    author_of_change: str | None = None


@fact("operator.rearm_refused")
class RearmRefused(Fact, frozen=True):
    """Every reason why a re-arm was refused."""

    request: RearmRequest
    faults: tuple[str, ...]


class KillSwitch:
    """Turn requests of people into changes of the guard.

    cool_off  nanoseconds between the last stop of the scope and a re-arm
    """

    __slots__ = ("_cool_off", "_guard")

    def __init__(self, guard: Guard, cool_off: int = COOL_OFF) -> None:
        self._guard = guard
        self._cool_off = cool_off

    def kill(self, request: KillRequest, ts: int) -> GuardChanged | None:
        """Stop the scope at once; None when it is stopped by an operator already."""
        evidence = f"{request.author}: {request.reason}"
        reason = GuardReason("operator", "kill", GuardLevel.STOPPED, scope_of(request.scope), evidence=evidence)
        return self._guard.set(reason, ts)

    def pause(self, request: PauseRequest, ts: int) -> GuardChanged | None:
        """Pause the scope."""
        return self._guard.set(
            GuardReason(
                "operator", "pause", GuardLevel.PAUSED, scope_of(request.scope), True, request.expires_at,
                f"{request.author}: {request.reason}",
            ),
            ts,
        )

    def resume(self, request: ResumeRequest, ts: int) -> GuardChanged | None:
        """End the operator's pause of the scope; stops and other owners' reasons stay."""
        return self._guard.clear("operator", "pause", scope_of(request.scope), ts, by="operator")

    def rearm(self, request: RearmRequest, snapshot: str | None, ts: int) -> tuple[GuardChanged, ...] | RearmRefused:
        """Take the scope's stops away when two distinct people cite `snapshot`, the hash taken at the stop."""
        faults = self._faults(request, snapshot, ts)
        if faults:
            return RearmRefused(request, tuple(faults))
        return self._guard.rearm(request.scope, f"{request.incident}: {' and '.join(request.people)}: {request.reason}")

    def _faults(self, request: RearmRequest, snapshot: str | None, ts: int) -> list[str]:
        faults: list[str] = []
        people = {person.strip().casefold() for person in request.people if person.strip()}
        stops = [r.since for r in self._guard.reasons() if r.level is GuardLevel.STOPPED and r.scope == request.scope]
        if len(people) < 2:
            faults.append(f"two distinct people must sign, were {len(people)}")
        if request.author_of_change is not None and request.author_of_change.strip().casefold() in people:
            faults.append(f"{request.author_of_change} made the causing change and may not sign")
        if snapshot is None or request.snapshot != snapshot:
            faults.append(f"snapshot must be {snapshot or 'taken first'}, was {request.snapshot or 'absent'}")
        if not request.reason.strip() or not request.incident.strip():
            faults.append("a reason and an incident must be written, one was absent")
        if not stops:
            faults.append(f"{request.scope} is not stopped")
        elif ts < max(stops) + self._cool_off:
            faults.append(f"cool-off ends at {max(stops) + self._cool_off}, was {ts}")
        return faults


def scope_of(scope: str) -> str:
    """Return a scope the guard knows; one it does not know is the whole desk."""
    kind, _, name = scope.partition(":")
    return scope if kind in SCOPES and name else "desk"
