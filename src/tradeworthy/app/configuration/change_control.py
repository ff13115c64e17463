"""Changes of the configuration: proposed, told as a redacted diff, approved; nothing else starts live (CA-05)."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.app.config import Document, parse
from tradeworthy.app.configuration.changes import changes_between, flat, is_limit, shown, tightens
from tradeworthy.app.configuration.instances import LIVE, live_scope
from tradeworthy.app.gates.acts import gate_fault
from tradeworthy.app.gates.verdicts import GateVerdicts
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.kernel.facts import Fact, event_of, fact
from tradeworthy.kernel.journal import Journal, read
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.named import Act as GateAct
from tradeworthy.trading.control.approvals import Act, Approval, ApprovalPolicy, Pack, draft
from tradeworthy.trading.control.policy import USUAL

CHANGES = "changes"
"""Where a desk's state keeps the journal of its configuration changes."""
SOURCE = "change_control"
PEOPLE_TO_WIDEN = 2
RISK = "risk"
"""The role that must stand among the people of a loosened limit (CFG-07)."""
GOES_LIVE = re.compile(r"(^|\.)environment$|\.mode$|(^|[._])confirm_live$")
TIER = re.compile(r"(^|[._])tier$")


@fact("config.change_proposed")
class ChangeProposed(Fact, frozen=True):
    """Somebody wants this document: redacted text, diff against the approved one, and what of it widens live risk.

    fails         fields whose change is FAIL by CFG-06, of a document that is live;  loosens  limits among them
    fingerprints  of the secrets that the document names, by field
    window_*      when it shall be done, nanoseconds UTC, 0 = nobody said;  emergency  why it cannot wait, "" = it can
    """

    config_hash: str
    before_hash: str
    document: str
    diff: tuple[str, ...]
    widens: tuple[str, ...]
    person: str
    reason: str
    fails: tuple[str, ...] = ()
    loosens: tuple[str, ...] = ()
    fingerprints: dict[str, str] = msgspec.field(default_factory=dict)
    window_start: int = 0
    window_end: int = 0
    emergency: str = ""


@fact("config.change_approved")
class ChangeApproved(Fact, frozen=True):
    """A document may start: who stands for it, and the SHA-256 of the gate run that it rests on.

    roles, key_ids, pack  of the people by the trust file, their keys, and the digest of what they signed; empty where
                          names were typed
    """

    config_hash: str
    people: tuple[str, ...]
    gate_run: str
    roles: tuple[str, ...] = ()
    fingerprints: dict[str, str] = msgspec.field(default_factory=dict)
    key_ids: tuple[str, ...] = ()
    pack: str = ""


@fact("config.change_refused")
class ChangeRefused(Fact, frozen=True):
    """A change that people stood for was refused, as its gate did not let it: every act that it asked for, and why."""

    config_hash: str
    people: tuple[str, ...]
    reasons: tuple[str, ...]


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
    old, new = dict(flat(before)), dict(flat(after))
    return tuple(
        f"{path}: {shown(path, old.get(path))} -> {shown(path, new.get(path))}"
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
    old, new = dict(flat(before)), dict(flat(after))
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


def propose(
    directory: Path, document: Document, *, person: str, reason: str, clock: Clock,
    fingerprints: Mapping[str, str] | None = None, window: tuple[int, int] = (0, 0), emergency: str = "",
) -> ChangeProposed:  # fmt: skip
    """Journal a wish to run `document`; a change that widens nothing and is not grave is approved by it at once.

    fingerprints  of the document's secrets, so that another secret behind the same name needs people too
    window        from when until when it shall be done, nanoseconds UTC;  emergency  why it cannot wait for that
    """
    if not person.strip() or not reason.strip():
        raise UsageError("a change needs a person and a reason")
    if window != (0, 0) and not 0 < window[0] < window[1]:
        raise UsageError(f"expected a window that begins before it ends, found {window[0]} to {window[1]}")
    changes, prints = changes_of(directory), dict(fingerprints or {})
    text = msgspec.json.encode(redact(msgspec.json.decode(document.canonical())), order="sorted").decode()
    after = msgspec.json.decode(text)
    before = changes.approved_document
    known = {} if changes.approved is None else changes.approved.fingerprints
    grave = [
        one for one in changes_between(before, after, secrets_before=known, secrets_after=prints)
        if one.severity == Severity.FAIL.name and needs_approval(document)
    ]  # fmt: skip
    rotated = [f"{one.field}: {one.previous} -> {one.current}" for one in grave if one.field in {*known, *prints}]
    found = ChangeProposed(
        document.hash(), "" if changes.approved is None else changes.approved.config_hash, text,
        tuple(dict.fromkeys((*diff_of(before, after), *rotated))), widens(before, after), person.strip(),
        str(redact(reason)), tuple(one.field for one in grave),
        tuple(one.field for one in grave if is_limit(one.field)), prints, *window, str(redact(emergency.strip())),
    )  # fmt: skip
    facts: list[Fact] = [found]
    if not found.widens and not found.fails:
        facts.append(ChangeApproved(found.config_hash, (found.person,), "", (), prints))
    _append(directory, facts, clock)
    return found


def approve(
    directory: Path, config_hash: str, *, person: str, gate_run: Path, clock: Clock,
    verdicts: GateVerdicts | None = None,
) -> ChangeApproved:  # fmt: skip
    """Journal the second person's approval of a change that widens and is not grave, by typed names.

    verdicts  of the gate, asked for another instance; None = those kept beside the runs

    Raises `ConfigurationRefused` for a grave change, which needs keys, without another person or a new gate run, and
    where the gate does not let it.
    """
    changes = changes_of(directory)
    proposal = _proposed(changes, config_hash)
    act = act_of(proposal)
    if act is not None:
        raise ConfigurationRefused(
            f"the change of {', '.join(proposal.fails)} is approved by keys: expected a pack for {act.value}, found "
            "the name of a person"
        )
    people = tuple(dict.fromkeys((proposal.person, person.strip())))
    found = ChangeApproved(config_hash, people, _gate_run(changes, gate_run), (), proposal.fingerprints)
    return _kept(directory, changes, found, clock, verdicts)


def approve_signed(
    directory: Path, approval: Approval, *, gate_run: Path, clock: Clock, verdicts: GateVerdicts | None = None
) -> ChangeApproved:
    """Journal an approval by the keys of people: a judged pack whose subject is the document's hash (APR-03).

    verdicts  of the gate, asked for a looser limit and another instance; None = those kept beside the runs

    Who typed the proposal counts for nothing here. Raises `ConfigurationRefused` for a pack of another act, without
    risk among the people for a loosened limit, without a new gate run, and where the gate does not let it.
    """
    changes = changes_of(directory)
    proposal = _proposed(changes, approval.pack.subject)
    act = act_of(proposal)
    if approval.pack.act is not (act or Act.CONFIGURATION):
        raise ConfigurationRefused(
            f"expected a pack for {(act or Act.CONFIGURATION).value}, found one for {approval.pack.act.value}"
        )
    roles = tuple(dict.fromkeys(role for one in approval.people for role in one.roles))
    found = ChangeApproved(
        approval.pack.subject, approval.holders, _gate_run(changes, gate_run), roles, proposal.fingerprints,
        tuple(one.key_id for one in approval.people), approval.digest,
    )  # fmt: skip
    return _kept(directory, changes, found, clock, verdicts)


def act_of(proposal: ChangeProposed) -> Act | None:
    """Return the act whose pack approves a grave change (CFG-07); None where names are enough."""
    if any(GOES_LIVE.search(field) for field in proposal.fails):
        return Act.GOING_LIVE
    if proposal.loosens:
        return Act.LIMIT_LOOSENED
    if any(TIER.search(field) for field in proposal.fails):
        return Act.TIER_CHANGE
    return Act.CONFIGURATION if proposal.fails else None


def gate_acts_of(changes: Changes, proposal: ChangeProposed) -> tuple[GateAct, ...]:
    """Return what a proposal needs the gate's GO for: a looser limit, another instance that trades live (GE-09)."""
    added = _live(msgspec.json.decode(proposal.document)) - _live(changes.approved_document)
    loosened = (GateAct.LOOSEN_LIMIT,) if proposal.loosens else ()
    return (*loosened, *((GateAct.ADD_INSTANCE,) if added else ()))


def pack_of(
    proposal: ChangeProposed, *, desk: str, proposer: str, now: int, policy: ApprovalPolicy = USUAL.approvals
) -> Pack:  # fmt: skip
    """Return the pack that approves a proposal, for people to sign; `proposer` is the key id of who proposes."""
    details = {f"change.{number:03}": line for number, line in enumerate(proposal.diff, 1)}
    if proposal.window_end:
        details["window"] = f"{proposal.window_start} to {proposal.window_end}"
    if proposal.emergency:
        details["emergency"] = proposal.emergency
    return draft(
        desk=desk, act=act_of(proposal) or Act.CONFIGURATION, subject=proposal.config_hash,
        details={"before": proposal.before_hash or "nothing", **details}, reason=proposal.reason, proposer=proposer,
        now=now, policy=policy,
    )  # fmt: skip


def proposal_of(directory: Path, config_hash: str) -> ChangeProposed:
    """Return what was proposed under a hash; raises `UsageError` where nothing was."""
    return _proposed(changes_of(directory), config_hash)


def needs_approval(document: Document) -> bool:
    """Tell whether a document starts as an approved hash only: it is live, or an instance of it is."""
    return document.desk.environment == "live" or bool(live_scope(document))


def require_approved(
    document: Document, directory: Path, *, fingerprints: Mapping[str, str] | None = None
) -> None:
    """Raise `ConfigurationRefused` for a live document that is not the approved one (CA-05, CFG-07).

    fingerprints  of the secrets as they are now; another secret than the approved one is not approved either
    """
    if not needs_approval(document):
        return
    approved = changes_of(directory).approved
    if approved is None or approved.config_hash != document.hash():
        known = "nothing" if approved is None else approved.config_hash[:12]
        raise ConfigurationRefused(
            f"configuration {document.hash()[:12]} is not approved, approved is {known}: propose it, and let another "
            "person approve it with a new gate run"
        )
    if fingerprints is not None and dict(fingerprints) != approved.fingerprints:
        both = {*fingerprints, *approved.fingerprints}
        changed = sorted(one for one in both if fingerprints.get(one) != approved.fingerprints.get(one))
        raise ConfigurationRefused(
            f"the secrets of configuration {document.hash()[:12]} are not the approved ones, changed are "
            f"{', '.join(changed)}: propose it again, and let another person approve it with a new gate run"
        )


def _proposed(changes: Changes, config_hash: str) -> ChangeProposed:
    proposal = changes.proposals.get(config_hash)
    if proposal is None:
        raise UsageError(f"no change with hash {config_hash}; there are {sorted(changes.proposals)}")
    return proposal


def _gate_run(changes: Changes, path: Path) -> str:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as problem:
        raise UsageError(f"cannot read the gate run {path}: {problem.strerror}") from None
    if digest in changes.gate_runs:
        raise ConfigurationRefused(f"a change needs a new gate run, {digest[:12]} stands for an earlier one")
    return digest


def _kept(
    directory: Path, changes: Changes, found: ChangeApproved, clock: Clock, verdicts: GateVerdicts | None
) -> ChangeApproved:
    proposal = changes.proposals[found.config_hash]
    if len({one.casefold() for one in found.people} - {""}) < PEOPLE_TO_WIDEN:
        raise ConfigurationRefused(f"a change that widens live risk needs two people, was {' and '.join(found.people)}")
    if proposal.loosens and RISK not in found.roles:
        raise ConfigurationRefused(
            f"a limit that is loosened needs a person of role {RISK} among the people, found "
            f"{', '.join(found.roles) or 'no role'}; loosened are {', '.join(proposal.loosens)}"
        )
    approved = changes_of(directory).approved
    if proposal.before_hash != ("" if approved is None else approved.config_hash):
        raise ConfigurationRefused("another change was approved meanwhile: propose again, so that the diff is read")
    reasons = _gate_faults(directory, changes, proposal, clock, verdicts)
    if reasons:
        _append(directory, [ChangeRefused(found.config_hash, found.people, reasons)], clock)
        raise ConfigurationRefused("; ".join(reasons))
    _append(directory, [found], clock)
    return found


def _gate_faults(
    directory: Path, changes: Changes, proposal: ChangeProposed, clock: Clock, verdicts: GateVerdicts | None
) -> tuple[str, ...]:
    """Return what the gate says against a proposal; it is asked for the very document that shall be."""
    acts, short = gate_acts_of(changes, proposal), proposal.config_hash[:12]
    if not acts:
        return ()
    document = parse(msgspec.json.decode(proposal.document), origin=f"the proposal {short}")
    asked = [
        gate_fault(
            document, act, f"configuration {proposal.config_hash}", runs=directory.parents[2], clock=clock,
            verdicts=verdicts,
        ) for act in acts
    ]  # fmt: skip
    return tuple(one for one in asked if one)


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
    return is_limit(path) and tightens(path, before, after)
