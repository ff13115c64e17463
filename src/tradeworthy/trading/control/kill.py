"""What a person may ask of the guard: kill, pause, resume, re-arm. Anyone trips; two people re-arm (KS-01, KS-09)."""

from collections.abc import Callable, Iterable

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.control.forensic import CLEAN
from tradeworthy.trading.control.guard import SCOPES, Guard, HeldReason
from tradeworthy.trading.model import GuardChanged, GuardLevel, GuardReason

COOL_OFF = 900 * NANOS_PER_SECOND
"""KS-09: from the stop to the earliest re-arm."""
PEOPLE_MIN = 2
Outside = Callable[[HeldReason], str | None]
"""Tells how the value that set a stop still lies outside its limit; None where it is back, or where there is none."""


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
    """Ask to leave `stopped`: the people who signed the pack, and the hash of the forensic snapshot they read.

    people          holders of the keys that signed, as the trust file names them, never as typed
    pack            digest of the approval pack that this uses up
    reconciliation  `clean` where desk and venue agreed when this was asked
    asked_at, stopped_at  of the edge's wall clock, which a recorded feed's time is not; 0 = the desk's own time
    halting         whether a trip is in force whose orders nobody has seen to be gone (phase HALTING)
    """

    people: tuple[str, ...]
    snapshot: str
    incident: str
    reason: str
    scope: str = "desk"
    author_of_change: str | None = None
    pack: str = ""
    reconciliation: str = "unknown: not asked"
    asked_at: int = 0
    stopped_at: int = 0
    halting: bool = False


@fact("operator.rearm_refused")
class RearmRefused(Fact, frozen=True):
    """Every reason why a re-arm was refused."""

    request: RearmRequest
    faults: tuple[str, ...]


@fact("operator.rearmed")
class Rearmed(Fact, frozen=True):
    """A scope left `stopped`: what was asked, and the reasons that ended."""

    request: RearmRequest
    reasons: tuple[str, ...]


class KillSwitch:
    """Turn requests of people into changes of the guard.

    cool_off  nanoseconds between the last stop of the scope and a re-arm
    outside   asks about the value that set a stop
    """

    __slots__ = ("_cool_off", "_guard", "_outside", "_tripped")

    def __init__(
        self, guard: Guard, cool_off: int = COOL_OFF, *, outside: Outside = lambda reason: None
    ) -> None:
        self._guard = guard
        self._cool_off, self._outside = cool_off, outside
        self._tripped: dict[str, int] = {}

    def kill(self, request: KillRequest, ts: int) -> GuardChanged | None:
        """Stop the scope at once; None when it is stopped by an operator already, but the cool-off begins anew."""
        evidence = f"{request.author}: {request.reason}"
        scope = scope_of(request.scope)
        self._tripped[scope] = ts
        return self._guard.set(GuardReason("operator", "kill", GuardLevel.STOPPED, scope, evidence=evidence), ts)

    def pause(self, request: PauseRequest, ts: int) -> GuardChanged | None:
        """Pause the scope."""
        return self._guard.set(
            GuardReason(
                "operator", "pause", GuardLevel.PAUSED, scope_of(request.scope), True, request.expires_at,
                f"{request.author}: {request.reason}",
            ),
            ts,
        )

    def resume(self, request: ResumeRequest, ts: int) -> tuple[GuardChanged, ...]:
        """End the operator's own pauses of the scope; stops and other owners' reasons stay."""
        scope = scope_of(request.scope)
        own = [one for one in self._guard.reasons() if one.owner == "operator" and one.scope == scope]
        changes = (self._guard.clear(one.owner, one.code, one.scope, ts, by="operator") for one in own)
        return tuple(one for one in changes if one is not None)

    def rearm(self, request: RearmRequest, snapshot: str | None, ts: int) -> tuple[GuardChanged, ...] | RearmRefused:
        """Take the scope's stops away when two distinct people cite `snapshot`, the hash taken at the stop."""
        held = self._guard.reasons()
        tripped = 0 if request.asked_at else self._tripped.get(request.scope, 0)
        faults = rearm_faults(
            request, held, snapshot=snapshot, cool_off=self._cool_off, now=request.asked_at or ts, tripped=tripped
        )
        for reason in stops_of(held, request.scope):
            outside = self._outside(reason)
            if outside is not None:
                faults.append(f"{reason.owner}.{reason.code} is not back inside its limit: {outside}")
        if faults:
            return RearmRefused(request, tuple(faults))
        return self._guard.rearm(request.scope, f"{request.incident}: {' and '.join(request.people)}: {request.reason}")


def stops_of(held: Iterable[HeldReason], scope: str) -> list[HeldReason]:
    """Return the stops of one scope."""
    return [one for one in held if one.level is GuardLevel.STOPPED and one.scope == scope]


def rearm_faults(
    request: RearmRequest, held: Iterable[HeldReason], *, snapshot: str | None, cool_off: int, now: int,
    tripped: int = 0,
) -> list[str]:  # fmt: skip
    """Return every reason why a scope may not be re-armed at `now`, of what the guard's memory can tell (KS-09).

    snapshot  the hash of the newest forensic snapshot, None where none was taken
    tripped   when the scope was stopped once more while it was stopped already
    """
    faults: list[str] = []
    everything = tuple(held)
    people = {person.strip().casefold() for person in request.people if person.strip()}
    stops = stops_of(everything, request.scope)
    if len(people) < PEOPLE_MIN:
        faults.append(f"two distinct people must sign, were {len(people)}")
    if not request.pack:
        faults.append("the people must come from a signed approval pack, was absent")
    if request.author_of_change is not None and request.author_of_change.strip().casefold() in people:
        faults.append(f"{request.author_of_change} made the causing change and may not sign")
    if snapshot is None or request.snapshot != snapshot:
        faults.append(f"snapshot must be {snapshot or 'taken first'}, was {request.snapshot or 'absent'}")
    if not request.reason.strip() or not request.incident.strip():
        faults.append("a reason and an incident must be written, one was absent")
    if request.reconciliation != CLEAN:
        faults.append(f"reconciliation must be clean, was {request.reconciliation}")
    if request.halting:
        faults.append("the halt is not seen through: nobody has verified that no order is open, phase must be safe")
    if any(one.owner == "reconciliation" for one in everything if one not in stops):
        faults.append("a reason of reconciliation is in force")
    if not stops:
        faults.append(f"{request.scope} is not stopped")
        return faults
    since = request.stopped_at or max(tripped, *(one.since for one in stops))
    if now < since + cool_off:
        faults.append(f"cool-off ends at {since + cool_off}, was {now}")
    return faults


def scope_of(scope: str) -> str:
    """Return a scope the guard knows; one it does not know is the whole desk."""
    kind, _, name = scope.partition(":")
    return scope if kind in SCOPES and name else "desk"
