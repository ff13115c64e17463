"""The guard: the trading state as the worst of a set of owned reasons (GRD-01 to GRD-06)."""

from collections.abc import Iterable

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.control.owners import OWNERS
from tradeworthy.trading.model import GuardChanged, GuardLevel, GuardReason, Intent

NEVER = 1 << 62
"""Later than every expiry."""

SCOPES = ("strategy", "instrument", "venue", "client")


class HeldReason(msgspec.Struct, frozen=True, gc=False):
    """A reason in force. `since` and `expires_at` in nanoseconds UTC."""

    owner: str
    code: str
    level: GuardLevel
    scope: str
    since: int
    expires_at: int | None = None
    evidence: str = ""


Key = tuple[str, str, str]


class Guard:
    """Hold reasons by owner, code and scope. A change is returned as a fact, once; anything else is None.

    level   the desk's level: the worst reason of scope `desk`
    """

    __slots__ = ("_held", "_next_expiry", "_scopes", "level")

    def __init__(self, held: Iterable[HeldReason] = ()) -> None:
        self._held: dict[Key, HeldReason] = {(r.owner, r.code, r.scope): r for r in held}
        self._scopes: dict[str, GuardLevel] = {}
        self._next_expiry = NEVER
        self.level = GuardLevel.RUNNING
        self._refresh()

    def reasons(self) -> tuple[HeldReason, ...]:
        """Return the reasons in force, oldest first."""
        return tuple(self._held.values())

    @property
    def free(self) -> bool:
        """Tell whether no reason is in force."""
        return not self._held

    def level_of(self, scope: str) -> GuardLevel:
        """Return the worst reason of one scope alone."""
        return self._scopes.get(scope, GuardLevel.RUNNING)

    def level_for(self, instance: str, instrument_id: str, venue: str, client: str | None = None) -> GuardLevel:
        """Return the worst level that applies to an order."""
        scopes = self._scopes
        if not scopes:
            return GuardLevel.RUNNING
        names = [f"strategy:{instance}", f"instrument:{instrument_id}", f"venue:{venue}"]
        if client is not None:
            names.append(f"client:{client}")
        return max(self.level, *(scopes.get(name, GuardLevel.RUNNING) for name in names))

    def apply(self, reason: GuardReason, ts: int) -> GuardChanged | None:
        """Set or clear what a monitor asks for, in its owner's name."""
        if reason.active:
            return self.set(reason, ts)
        return self.clear(reason.owner, reason.code, reason.scope, ts, by=reason.owner)

    def set(self, reason: GuardReason, ts: int) -> GuardChanged | None:
        """Put a reason in force; None when it is already. A stopped reason is never lowered by setting it again.

        Raises `InvalidInput` for an unknown owner or scope, a level above the owner's, or RUNNING.
        """
        owner = OWNERS.get(reason.owner)
        if owner is None:
            raise InvalidInput(f"guard owner must be one of {sorted(OWNERS)}, was {reason.owner!r}")
        if not GuardLevel.RUNNING < reason.level <= owner.worst:
            raise InvalidInput(
                f"{reason.name}: level must be paused to {owner.worst.name.lower()}, was {reason.level!r}"
            )
        _require_scope(reason.scope)
        key = (reason.owner, reason.code, reason.scope)
        held = self._held.get(key)
        if held is not None and (held.level == reason.level or held.level is GuardLevel.STOPPED):
            return None
        expires_at = reason.expires_at if reason.level is GuardLevel.PAUSED else None
        self._held[key] = HeldReason(
            reason.owner,
            reason.code,
            reason.level,
            reason.scope,
            ts if held is None else held.since,
            expires_at,
            reason.evidence,
        )
        self._refresh()
        return GuardChanged(reason.name, reason.scope, True, reason.level, self.level, reason.evidence, expires_at)

    def clear(self, owner: str, code: str, scope: str, ts: int, *, by: str) -> GuardChanged | None:
        """Take a reason away; None when it is not in force or latched (stopped ends by `rearm` only).

        Raises `InvalidInput` when `by` is not the reason's owner.
        """
        held = self._held.get((owner, code, scope))
        if held is None:
            return None
        if by != owner:
            raise InvalidInput(f"{owner}.{code} is cleared by its owner only, was asked by {by!r}")
        if held.level is GuardLevel.STOPPED:
            return None
        return self._drop(held, f"cleared at {ts}")

    def rearm(self, scope: str, evidence: str) -> tuple[GuardChanged, ...]:
        """Take away the stopped reasons of one scope; `KillSwitch.rearm` judges whether that is allowed."""
        latched = [r for r in self._held.values() if r.level is GuardLevel.STOPPED and r.scope == scope]
        return tuple(self._drop(r, evidence) for r in latched)

    def expire(self, now: int) -> tuple[GuardChanged, ...]:
        """Take away the pauses whose time has come; cheap when there is none."""
        if now < self._next_expiry:
            return ()
        due = [r for r in self._held.values() if r.expires_at is not None and r.expires_at <= now]
        return tuple(self._drop(r, f"expired at {r.expires_at}") for r in due)

    def allows(self, intent: Intent, opening: bool, level: GuardLevel) -> bool:
        """Tell whether an order may leave at `level` (GRD-03): a person's own reducing order passes while stopped."""
        if level is GuardLevel.RUNNING:
            return True
        if opening:
            return False
        return level is not GuardLevel.STOPPED or intent.owner == "operator"

    def _drop(self, held: HeldReason, evidence: str) -> GuardChanged:
        del self._held[(held.owner, held.code, held.scope)]
        self._refresh()
        return GuardChanged(f"{held.owner}.{held.code}", held.scope, False, held.level, self.level, evidence)

    def _refresh(self) -> None:
        scopes: dict[str, GuardLevel] = {}
        for reason in self._held.values():
            scopes[reason.scope] = max(reason.level, scopes.get(reason.scope, GuardLevel.RUNNING))
        self._scopes = scopes
        self.level = scopes.get("desk", GuardLevel.RUNNING)
        self._next_expiry = min((r.expires_at for r in self._held.values() if r.expires_at is not None), default=NEVER)


def fold(held: Iterable[HeldReason], changed: GuardChanged, ts: int) -> tuple[HeldReason, ...]:
    """Return the reasons after one journaled change, as the journal's state of the guard is rebuilt."""
    owner, _, code = changed.reason.partition(".")
    rest = tuple(r for r in held if (r.owner, r.code, r.scope) != (owner, code, changed.scope))
    if not changed.set:
        return rest
    return (
        *rest,
        HeldReason(owner, code, changed.reason_level, changed.scope, ts, changed.expires_at, changed.evidence),
    )


def _require_scope(scope: str) -> None:
    kind, _, name = scope.partition(":")
    if scope != "desk" and not (kind in SCOPES and name):
        raise InvalidInput(f"guard scope must be desk or one of {SCOPES} with a name, was {scope!r}")
