"""Who puts a disabled strategy back to work: a designated person of the risk role, with a reason (RK-12)."""

from collections.abc import Iterable

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.control.guard import Guard, HeldReason
from tradeworthy.trading.model import GuardChanged

ENABLING_ROLE = "risk"
"""The one role whose word re-enables; a trader's does not."""
DISABLING = frozenset({("risk", "repeated_execution"), ("strategy", "failing")})
"""Owner and code of the reasons that no monitor clears: they end by `Enabling` only."""


@fact("operator.enable_strategy")
class EnableRequest(Fact, frozen=True):
    """Ask to re-enable an instance that a control disabled."""

    instance: str
    author: str
    role: str
    reason: str


@fact("operator.enable_refused")
class EnableRefused(Fact, frozen=True):
    """Every reason why a strategy stays disabled."""

    request: EnableRequest
    faults: tuple[str, ...]


class Enabling:
    """Turn a request into changes of the guard, or into the reasons why not. The caller resets what counted."""

    __slots__ = ("_guard",)

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def enable(self, request: EnableRequest, ts: int) -> tuple[GuardChanged, ...] | EnableRefused:
        """Take the disabling reasons of the instance away in their owners' names."""
        held = disabling(self._guard.reasons(), request.instance)
        faults = faults_of(request, held)
        if faults:
            return EnableRefused(request, tuple(faults))
        changes = (self._guard.clear(one.owner, one.code, one.scope, ts, by=one.owner) for one in held)
        return tuple(change for change in changes if change is not None)


def disabling(reasons: Iterable[HeldReason], instance: str) -> tuple[HeldReason, ...]:
    """Return the reasons that disable `instance`."""
    scope = f"strategy:{instance}"
    return tuple(one for one in reasons if one.scope == scope and (one.owner, one.code) in DISABLING)


def faults_of(request: EnableRequest, held: tuple[HeldReason, ...]) -> list[str]:
    """Return why the request is refused, empty when it stands."""
    faults = []
    if request.role.strip().casefold() != ENABLING_ROLE:
        faults.append(f"role must be {ENABLING_ROLE}, was {request.role or 'absent'}")
    if not request.author.strip() or not request.reason.strip():
        faults.append("an author and a reason must be written, one was absent")
    if not held:
        faults.append(f"{request.instance} is not disabled")
    return faults
