"""Wishes from outside the loop: each applied once, also after a restart; the rest is a dead letter (MO-05, OM-11)."""

from collections.abc import Mapping
from enum import Enum

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.model.guard import GuardReason
from tradeworthy.trading.model.order import Intent
from tradeworthy.trading.model.state import GuardLevel


class StateAct(Enum):
    """What a sender may ask of the trading state."""

    PAUSE = "pause"
    REDUCE = "reduce"
    STOP = "stop"
    RESUME = "resume"


_LEVELS = {
    StateAct.PAUSE: GuardLevel.PAUSED, StateAct.REDUCE: GuardLevel.REDUCING, StateAct.STOP: GuardLevel.STOPPED,
}


class StateWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wish about the trading state. `code` names the owner's reason; `resume` clears that reason and no other.

    scope  as in `GuardReason`;  expires_at  nanoseconds UTC, when the wish (and a pause it set) is over
    """

    intent_id: str
    owner: str
    act: StateAct
    code: str
    reason: str
    decision_id: str
    expires_at: int
    scope: str = "desk"


Wish = Intent | StateWish


class Cause(Enum):
    """Why a wish is a dead letter."""

    SCHEMA = "schema"
    EXPIRED = "expired"
    SCOPE = "scope"
    OWNER = "owner"
    POLICY = "policy"


@fact("intent.wish")
class OutsideWish(Fact, frozen=True):
    """A wish as it came from `sender`: one JSON object, an order's intent or a `StateWish`."""

    sender: str
    body: str


@fact("intent.taken")
class IntentTaken(Fact, frozen=True):
    """A wish was applied; its id is remembered until it expires, after that the expiry refuses it."""

    intent_id: str
    sender: str
    expires_at: int


@fact("intent.dead_letter")
class DeadLetter(Fact, frozen=True):
    """A wish that had no effect: the cause, what was found, and the wish as it came."""

    sender: str
    cause: Cause
    text: str
    body: str
    intent_id: str | None = None


class IntakePolicy(msgspec.Struct, frozen=True):
    """Who may send what.

    senders        owner to the scopes it may speak for: instance names, `desk`, or `*` for all
    target_ttl_ns  longest life of an order's wish;  act_ttl_ns  of a wish about the state
    kept_max       ids remembered at once; a sender that needs more has lost control of its flow
    """

    senders: Mapping[str, frozenset[str]]
    target_ttl_ns: int = 60 * NANOS_PER_SECOND
    act_ttl_ns: int = 300 * NANOS_PER_SECOND
    kept_max: int = 65_536


class Taken(msgspec.Struct, frozen=True):
    """A wish to carry out: the journal's fact, and the order's intent or the guard's reason."""

    fact: IntentTaken
    intent: Intent | None = None
    guard: GuardReason | None = None


class Intake:
    """The one door for wishes that other processes and people send."""

    __slots__ = ("_policy", "_seen", "repeats")

    def __init__(self, policy: IntakePolicy) -> None:
        self._policy = policy
        self._seen: dict[str, int] = {}
        self.repeats = 0

    def restore(self, taken: IntentTaken) -> None:
        """Remember a wish that the journal says was applied before the restart."""
        self._seen[taken.intent_id] = taken.expires_at

    def memory(self, now: int) -> tuple[IntentTaken, ...]:
        """Return the applied wishes that have not expired, for `restore` at the next start; their senders are gone."""
        return tuple(IntentTaken(name, "", expiry) for name, expiry in self._seen.items() if expiry > now)

    def receive(self, body: bytes, sender: str, now: int) -> Taken | DeadLetter | None:
        """Judge a wish as it came over the wire; None for one that was applied already."""
        try:
            wish = _decode(body)
        except (msgspec.MsgspecError, InvalidInput, UnicodeDecodeError) as problem:
            return DeadLetter(sender, Cause.SCHEMA, str(problem), body.decode(errors="backslashreplace"))
        return self.take(wish, sender, now)

    def take(self, wish: Wish, sender: str, now: int) -> Taken | DeadLetter | None:
        """Judge a wish at `now`; None for one that was applied already."""
        if wish.intent_id in self._seen:
            self.repeats += 1
            return None
        found = self._fault(wish, sender, now)
        if found is not None:
            cause, text = found
            return DeadLetter(sender, cause, text, msgspec.json.encode(wish).decode(), wish.intent_id)
        self._seen[wish.intent_id] = wish.expires_at
        told = IntentTaken(wish.intent_id, sender, wish.expires_at)
        if isinstance(wish, Intent):
            return Taken(told, intent=wish)
        return Taken(told, guard=_reason(wish))

    def _fault(self, wish: Wish, sender: str, now: int) -> tuple[Cause, str] | None:
        policy = self._policy
        if now >= wish.expires_at:
            return Cause.EXPIRED, f"expired at {wish.expires_at}, it is {now}"
        if wish.owner != sender:
            return Cause.OWNER, f"the owner must be its sender {sender}, was {wish.owner}"
        scopes = policy.senders.get(sender)
        if scopes is None:
            return Cause.POLICY, f"sender must be one of {sorted(policy.senders)}, was {sender}"
        scope = wish.instance if isinstance(wish, Intent) else wish.scope
        if "*" not in scopes and scope not in scopes:
            return Cause.SCOPE, f"{sender} speaks for {sorted(scopes)}, was {scope}"
        longest = policy.target_ttl_ns if isinstance(wish, Intent) else policy.act_ttl_ns
        if wish.expires_at - now > longest:
            return Cause.POLICY, f"a wish may live {longest} ns, was {wish.expires_at - now}"
        self._forget(now)
        if len(self._seen) >= policy.kept_max:
            return Cause.POLICY, f"at most {policy.kept_max} wishes may be open"
        return None

    def _forget(self, now: int) -> None:
        """Drop expired ids when the memory is full; their wishes are refused by their expiry."""
        if len(self._seen) >= self._policy.kept_max:
            self._seen = {name: expiry for name, expiry in self._seen.items() if expiry > now}


def _decode(body: bytes) -> Wish:
    """Return the wish: an `act` makes it one about the state, anything else must be an order's intent."""
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    if "act" in fields:
        return msgspec.json.decode(body, type=StateWish)
    wish: Intent = msgspec.json.decode(body, type=Intent)
    return wish


def _reason(wish: StateWish) -> GuardReason:
    level = _LEVELS.get(wish.act)
    evidence = f"{wish.reason} ({wish.decision_id})"
    if level is None:
        return GuardReason(wish.owner, wish.code, GuardLevel.PAUSED, wish.scope, active=False, evidence=evidence)
    return GuardReason(wish.owner, wish.code, level, wish.scope, expires_at=wish.expires_at, evidence=evidence)
