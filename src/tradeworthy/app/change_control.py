"""Changes of the configuration: proposed, told as a redacted diff, approved; nothing else starts live (CA-05)."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.app.config import Document
from tradeworthy.app.instances import LIVE, live_scope
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.kernel.facts import Fact, event_of, fact
from tradeworthy.kernel.journal import Journal, read
from tradeworthy.kernel.redaction import redact

SOURCE = "change_control"
PEOPLE_TO_WIDEN = 2
LOWER_IS_TIGHTER = frozenset({
    "max_order_value", "messages_per_second", "messages_per_minute", "working_orders_instance", "working_orders_desk",
    "max_position", "gross_leverage", "net_exposure", "per_trade", "open_risk", "capital_limit", "daily_loss_pause",
    "daily_loss_page", "daily_loss_stop", "instance_loss_pause", "instance_loss_stop", "drawdown_instance",
    "drawdown_reduce", "drawdown_stop", "stop_distance_max", "repeated_executions", "cap", "capital",
})  # fmt: skip
"""Numbers whose fall narrows risk; any other change of a live desk counts as widening."""


@fact("config.change_proposed")
class ChangeProposed(Fact, frozen=True):
    """Somebody wants this document: redacted text, diff against the approved one, and what of it widens live risk."""

    config_hash: str
    before_hash: str
    document: str
    diff: tuple[str, ...]
    widens: tuple[str, ...]
    person: str
    reason: str


@fact("config.change_approved")
class ChangeApproved(Fact, frozen=True):
    """A document may start: who stands for it, and the SHA-256 of the gate run that it rests on."""

    config_hash: str
    people: tuple[str, ...]
    gate_run: str


class Changes(msgspec.Struct):
    """The change journal of one desk, folded: what is approved now, what waits, which gate runs were used."""

    proposals: dict[str, ChangeProposed] = {}
    approved: ChangeApproved | None = None
    gate_runs: list[str] = []

    @property
    def approved_document(self) -> dict[str, Any]:
        """The redacted document in force as plain data, empty before the first approval."""
        if self.approved is None:
            return {}
        found: dict[str, Any] = msgspec.json.decode(self.proposals[self.approved.config_hash].document)
        return found


def changes_of(directory: Path) -> Changes:
    """Fold a desk's change journal; a desk without one has approved nothing."""
    found = Changes()
    if not any(directory.glob("journal-*")):
        return found
    for event in read(directory):
        payload = event.payload
        if isinstance(payload, ChangeProposed):
            found.proposals[payload.config_hash] = payload
        elif isinstance(payload, ChangeApproved):
            found.approved = payload
            found.gate_runs.append(payload.gate_run)
    return found


def diff_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return `path: old -> new` for every value that differs, lists of named sections by their names."""
    old, new = dict(_flat(before)), dict(_flat(after))
    return tuple(
        f"{path}: {_shown(old.get(path))} -> {_shown(new.get(path))}"
        for path in sorted(old | new)
        if old.get(path) != new.get(path)
    )


def widens(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the changes that widen live risk: everything that is not known to narrow it (fail closed).

    A change of an instance that trades live neither before nor after does not count.
    """
    live_before, live_after = _live(before), _live(after)
    if not live_after:
        return ()
    old, new = dict(_flat(before)), dict(_flat(after))
    found = []
    for path in sorted(old | new):
        if old.get(path) == new.get(path):
            continue
        instance = path.removeprefix("instances[").partition("]")[0] if path.startswith("instances[") else None
        if instance is not None and instance not in live_after:
            continue
        grown = instance is not None and instance not in live_before
        if grown or not _narrows(path, old.get(path), new.get(path)):
            found.append(path)
    return tuple(found)


def propose(directory: Path, document: Document, *, person: str, reason: str, clock: Clock) -> ChangeProposed:
    """Journal a wish to run `document`; a change that widens nothing is approved by it at once."""
    if not person.strip() or not reason.strip():
        raise UsageError("a change needs a person and a reason")
    changes = changes_of(directory)
    text = msgspec.json.encode(redact(msgspec.json.decode(document.canonical())), order="sorted").decode()
    after = msgspec.json.decode(text)
    before = changes.approved_document
    found = ChangeProposed(
        document.hash(), "" if changes.approved is None else changes.approved.config_hash, text,
        diff_of(before, after), widens(before, after), person.strip(), str(redact(reason)),
    )  # fmt: skip
    facts: list[Fact] = [found]
    if not found.widens:
        facts.append(ChangeApproved(found.config_hash, (found.person,), ""))
    _append(directory, facts, clock)
    return found


def approve(directory: Path, config_hash: str, *, person: str, gate_run: Path, clock: Clock) -> ChangeApproved:
    """Journal the second person's approval; raises `ConfigurationRefused` without another person or a new gate run."""
    changes = changes_of(directory)
    proposal = changes.proposals.get(config_hash)
    if proposal is None:
        raise UsageError(f"no change with hash {config_hash}; there are {sorted(changes.proposals)}")
    people = tuple(dict.fromkeys((proposal.person, person.strip())))
    if len({one.casefold() for one in people} - {""}) < PEOPLE_TO_WIDEN:
        raise ConfigurationRefused(f"a change that widens live risk needs two people, was {' and '.join(people)}")
    current = "" if changes.approved is None else changes.approved.config_hash
    if proposal.before_hash != current:
        raise ConfigurationRefused("another change was approved meanwhile: propose again, so that the diff is read")
    try:
        digest = hashlib.sha256(gate_run.read_bytes()).hexdigest()
    except OSError as problem:
        raise UsageError(f"cannot read the gate run {gate_run}: {problem.strerror}") from None
    if digest in changes.gate_runs:
        raise ConfigurationRefused(f"a change needs a new gate run, {digest[:12]} stands for an earlier one")
    found = ChangeApproved(config_hash, people, digest)
    _append(directory, [found], clock)
    return found


def require_approved(document: Document, directory: Path) -> None:
    """Raise `ConfigurationRefused` for a document with live instances that is not the approved one."""
    if not live_scope(document):
        return
    approved = changes_of(directory).approved
    if approved is None or approved.config_hash != document.hash():
        known = "nothing" if approved is None else approved.config_hash[:12]
        raise ConfigurationRefused(
            f"configuration {document.hash()[:12]} is not approved, approved is {known}: propose it, and let another "
            "person approve it with a new gate run"
        )


def _append(directory: Path, facts: list[Fact], clock: Clock) -> None:
    journal = Journal.open(directory, clock=clock)
    try:
        count = sum(1 for _ in read(directory)) if any(directory.glob("journal-*")) else 0
        for number, one in enumerate(facts, count + 1):
            now = clock.now()
            journal.accept(event_of(one, source=SOURCE, key=number, ts_event=now, ts_init=now))
    finally:
        journal.close()


def _live(plain: Mapping[str, Any]) -> set[str]:
    found = plain.get("instances", ())
    return {one["id"] for one in found if one.get("enabled", True) and one.get("mode", "").startswith(LIVE)}


def _narrows(path: str, before: Any, after: Any) -> bool:
    name = path.rpartition(".")[2]
    if name == "enabled":
        return after is False
    if name == "mode":
        return str(after).endswith("_notrade")
    if name not in LOWER_IS_TIGHTER or before is None or after is None:
        return False
    try:
        return Decimal(str(after)) < Decimal(str(before))
    except InvalidOperation:
        return False


def _flat(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [pair for key, one in value.items() for pair in _flat(one, f"{path}.{key}" if path else str(key))]
    if isinstance(value, list):
        named = [one.get("id") or one.get("name") if isinstance(one, Mapping) else None for one in value]
        keys = named if all(named) else range(len(value))
        return [pair for key, one in zip(keys, value, strict=True) for pair in _flat(one, f"{path}[{key}]")]
    return [(path, value)]


def _shown(value: Any) -> str:
    return "absent" if value is None else msgspec.json.encode(value).decode()
