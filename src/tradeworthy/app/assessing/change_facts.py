"""The changes of a desk's configuration as requests: what they touch, when, and who stood for them (AS-53)."""

from collections.abc import Iterable
from pathlib import Path

from tradeworthy.app.configuration.change_control import ChangeApproved, ChangeProposed, ChangeRefused, act_of
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal import read
from tradeworthy.operations.assessments.change_management import APPROVED, PROPOSED, REFUSED
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.values import Observation
from tradeworthy.trading.control.approvals import Act

HOUR_NS = 3_600 * NANOS_PER_SECOND
IMPACT = {Act.GOING_LIVE: "critical", Act.LIMIT_LOOSENED: "high", Act.TIER_CHANGE: "high", Act.CONFIGURATION: "medium"}
"""How grave a change is, by the act that approves it; one that only widens live risk is low."""
SHOWN = 12
NO_WINDOW = "the proposal names no window: tradeworthy config propose --window FROM/UNTIL"
NAMES = "names were typed, which have no roles; keys have"


def change_facts(directory: Path, tell: Teller) -> list[Observation]:
    """Return the facts of `change_management` out of a desk's change journal; without one nothing was proposed."""
    events = read(directory) if any(directory.glob("journal-*")) else ()
    return request_facts(events, tell)


def request_facts(events: Iterable[Event], tell: Teller) -> list[Observation]:
    """Return the facts of the change in force and of those that wait on top of it, by the beginning of their hashes.

    A change that widens no live risk and is not grave needs nobody, and is no request.
    """
    proposals: dict[str, tuple[ChangeProposed, int]] = {}
    answers: dict[str, ChangeApproved | ChangeRefused] = {}
    newest = ""
    for event in events:
        match event.payload:
            case ChangeProposed(config_hash=name) as wish:
                proposals[name] = wish, event.ts_init
                answers.pop(name, None)
            case ChangeApproved(config_hash=name) as answer:
                answers[name], newest = answer, name
            case ChangeRefused(config_hash=name) as answer:
                answers[name] = answer
    standing = {
        name: one for name, one in proposals.items()
        if (one[0].widens or one[0].fails) and (name == newest or one[0].before_hash == newest)
    }  # fmt: skip
    found = [tell("requests", len(standing))]
    for name, (wish, created) in standing.items():
        found += _of_one(wish, created, answers.get(name), tell)
    return found


def _of_one(
    wish: ChangeProposed, created: int, answer: ChangeApproved | ChangeRefused | None, tell: Teller
) -> list[Observation]:
    name, act = wish.config_hash[:SHOWN], act_of(wish)
    approved = answer if isinstance(answer, ChangeApproved) else None
    state = REFUSED if isinstance(answer, ChangeRefused) else PROPOSED if approved is None else APPROVED
    start, end = (wish.window_start, wish.window_end) if wish.window_end else (None, None)
    roles: tuple[str, ...] | None = () if approved is None else approved.roles if approved.key_ids else None
    return [
        tell("impact", "low" if act is None else IMPACT[act], name), tell("state", state, name),
        tell("lead", None if start is None else (start - created) / HOUR_NS, name, why=NO_WINDOW),
        tell("length", None if start is None or end is None else (end - start) / HOUR_NS, name, why=NO_WINDOW),
        tell("window_start", start, name, why=NO_WINDOW), tell("window_end", end, name, why=NO_WINDOW),
        tell("roles", roles, name, why=NAMES), tell("emergency", bool(wish.emergency), name),
        tell("others", _by_others(wish, approved), name),
    ]  # fmt: skip


def _by_others(wish: ChangeProposed, approved: ChangeApproved | None) -> bool:
    """Tell whether nobody approved their own wish; typed names hold the proposer's, who stands for it as that alone."""
    if approved is None:
        return True
    author = wish.person.casefold()
    others = [one for one in approved.people if one.casefold() != author]
    return bool(others) and (not approved.key_ids or len(others) == len(approved.people))
