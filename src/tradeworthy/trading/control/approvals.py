"""Approval packs: what people sign before a dangerous act, judged without I/O (APR-01 to APR-04)."""

import base64
import binascii
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.dsse import signature_valid
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.journal.verify import pre_authentication

PAYLOAD = "application/vnd.tradeworthy.approval"
"""What a signature says it is over, so that it counts for nothing else."""
SCHEMA = "approval@1"
PERSON = "person"
"""A slot that any trusted person may fill; other slots name a role."""
DESK = "desk"
"""The proposer of a pack that a verb drafts from the desk's own records; its people are its signers alone."""
SIGNATURES_MAX = 16


class Act(Enum):
    """What needs people."""

    GOING_LIVE = "going_live"
    TIER_CHANGE = "tier_change"
    RESUME = "resume"
    LIMIT_LOOSENED = "limit_loosened"
    WAIVER = "waiver"
    BREAK_GLASS = "break_glass"
    BREAK_GLASS_REVIEW = "break_glass_review"
    LEDGER_REPAIR = "ledger_repair"
    BASELINE = "baseline"
    CONFIGURATION = "configuration"
    EVIDENCE_DELETION = "evidence_deletion"


REQUIRED: Mapping[Act, tuple[str, ...]] = {
    Act.GOING_LIVE: ("operations", "risk"),
    Act.TIER_CHANGE: ("operations", PERSON),
    Act.RESUME: (PERSON, PERSON),
    Act.LIMIT_LOOSENED: ("risk", PERSON),
    Act.WAIVER: (PERSON, PERSON),
    Act.BREAK_GLASS: ("risk", PERSON),
    Act.BREAK_GLASS_REVIEW: (PERSON,),
    Act.LEDGER_REPAIR: ("operations", PERSON),
    Act.BASELINE: (PERSON, PERSON),
    Act.CONFIGURATION: (PERSON, PERSON),
    Act.EVIDENCE_DELETION: (PERSON, PERSON),
}
"""Whose signatures each act needs; one person fills one slot (APR-04)."""
DRAFTED_BY_DESK = frozenset({Act.RESUME, Act.BREAK_GLASS, Act.BREAK_GLASS_REVIEW, Act.EVIDENCE_DELETION})
"""Acts whose pack needs no proposer beside its signers."""


class ApprovalPolicy(msgspec.Struct, frozen=True):
    """How long a pack lives, and how far clocks may differ."""

    lifetime_seconds: int = 3_600
    window_seconds_max: int = 86_400
    skew_seconds: int = 5


USUAL = ApprovalPolicy()


class Pack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content that is signed. Times in nanoseconds UTC of the desk's wall clock.

    desk        whose act it is;  subject  what of it: a scope, a release, a limit
    details     all that the act does, by name, as text
    proposer    key id of who wrote it, or `desk`
    expires_at  missing = expired;  window_end  of the execution window it is for, 0 = none
    """

    desk: str
    act: Act
    subject: str
    details: dict[str, str]
    reason: str
    proposer: str
    nonce: str
    proposed_at: int
    expires_at: int | None = None
    window_end: int = 0
    schema: str = SCHEMA

    def encoded(self) -> bytes:
        """Return the canonical bytes."""
        return msgspec.json.encode(self, order="sorted")

    def digest(self) -> str:
        """Return `H(pack)`: the SHA-256 of the canonical bytes, in hex."""
        return hashlib.sha256(self.encoded()).hexdigest()


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key's signature over `H(pack)`; who that is, the trust file says, never the pack."""

    keyid: str
    sig: str


class SignedPack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pack with its signatures, as it lies in a file."""

    pack: Pack
    signatures: tuple[Signature, ...] = ()

    def encoded(self) -> bytes:
        """Return the file's bytes."""
        return msgspec.json.encode(self, order="sorted") + b"\n"


class Principal(NamedTuple):
    """Who a key belongs to, and what it may sign for."""

    key_id: str
    holder: str
    roles: tuple[str, ...]
    public: bytes


class Principals(Protocol):
    """The trust that the desk's people have set up."""

    def principal(self, key_id: str, at: int) -> Principal | None:
        """Return the person whose key counts at `at` (ns UTC); None for a machine's, an unknown or an ended key."""
        ...


class Nobody:
    """A trust that could not be had: no key counts."""

    def principal(self, key_id: str, at: int) -> Principal | None:
        """Return None."""
        return None


class Approval(NamedTuple):
    """A pack that may be used once."""

    pack: Pack
    digest: str
    people: tuple[Principal, ...]

    @property
    def holders(self) -> tuple[str, ...]:
        """Return the people's names, in the order of the slots."""
        return tuple(one.holder for one in self.people)


@fact("approval.proposed")
class ApprovalProposed(Fact, frozen=True):
    """A pack was written down."""

    digest: str
    act: str
    subject: str
    proposer: str
    expires_at: int | None


@fact("approval.signed")
class ApprovalSigned(Fact, frozen=True):
    """A person's key signed a pack."""

    digest: str
    key_id: str
    holder: str


@fact("approval.used")
class ApprovalUsed(Fact, frozen=True):
    """A pack was used, which ends it: its nonce counts no second time."""

    digest: str
    nonce: str
    act: str
    subject: str
    people: tuple[str, ...]
    key_ids: tuple[str, ...]


@fact("approval.refused")
class ApprovalRefused(Fact, frozen=True):
    """Every reason why a pack was refused."""

    digest: str
    act: str
    subject: str
    faults: tuple[str, ...]


def used_of(approval: Approval) -> ApprovalUsed:
    """Return the fact that ends a pack."""
    pack = approval.pack
    keys = tuple(one.key_id for one in approval.people)
    return ApprovalUsed(approval.digest, pack.nonce, pack.act.value, pack.subject, approval.holders, keys)


def nonces_of(payloads: Iterable[Fact]) -> frozenset[str]:
    """Fold a journal's facts to the nonces that were used."""
    return frozenset(one.nonce for one in payloads if isinstance(one, ApprovalUsed))


def expiry_of(proposed_at: int, policy: ApprovalPolicy, *, window_end: int = 0) -> int:
    """Return when a pack ends: after its lifetime, or with the execution window when that is later (APR-02)."""
    return max(proposed_at + policy.lifetime_seconds * NANOS_PER_SECOND, window_end)


def draft(
    *, desk: str, act: Act, subject: str, details: Mapping[str, str], reason: str, now: int, proposer: str = DESK,
    window_end: int = 0, policy: ApprovalPolicy = USUAL,
) -> Pack:  # fmt: skip
    """Return a pack that nobody signed yet; its nonce follows from its content and the nanosecond it was written."""
    text = msgspec.json.encode([desk, act.value, subject, dict(details), reason, proposer, now], order="sorted")
    return Pack(
        desk=desk, act=act, subject=subject, details=dict(details), reason=reason, proposer=proposer,
        nonce=hashlib.sha256(text).hexdigest()[:32], proposed_at=now, window_end=window_end,
        expires_at=expiry_of(now, policy, window_end=window_end),
    )  # fmt: skip


def read_pack(data: bytes) -> SignedPack:
    """Return a pack from its file's bytes; raises `InvalidInput` for anything else in it, a typed role included."""
    try:
        return msgspec.json.decode(data, type=SignedPack)
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise InvalidInput(f"expected a signed approval pack, found {problem}") from None


def judge(
    held: SignedPack, *, desk: str, act: Act, now: int, principals: Principals, used: Collection[str],
    policy: ApprovalPolicy = USUAL,
) -> Approval | ApprovalRefused:  # fmt: skip
    """Tell whether a pack may be used for `act` of `desk` at `now`, or every reason why not (APR-01).

    used  nonces that the journal says were used
    """
    pack, digest = held.pack, held.pack.digest()
    people, faults = _people(held, digest, now, principals)
    faults += _content(pack, desk, act)
    faults += _time(pack, now, policy)
    if pack.nonce in used:
        faults.append(f"the pack was used already: nonce {pack.nonce}")
    proposer, proposed = _proposer(pack, people)
    faults += proposed
    apart = [one for one in people if proposer is None or not _same(one, proposer)]
    found = seated(REQUIRED[act], apart)
    if found is None:
        names = ", ".join(sorted({one.holder for one in apart})) or "nobody"
        faults.append(f"{act.value} needs {' and '.join(REQUIRED[act])}, each another person; signed by {names}")
    if faults or found is None:
        return ApprovalRefused(digest, act.value, pack.subject, tuple(faults))
    return Approval(pack, digest, found)


def seated(slots: Sequence[str], people: Sequence[Principal]) -> tuple[Principal, ...] | None:
    """Return one person a slot, no person and no key twice; None where that cannot be."""
    if not slots:
        return ()
    for number, one in enumerate(people):
        if slots[0] not in (PERSON, *one.roles):
            continue
        rest = seated(slots[1:], [other for k, other in enumerate(people) if k != number and not _same(one, other)])
        if rest is not None:
            return (one, *rest)
    return None


def _people(
    held: SignedPack, digest: str, now: int, principals: Principals
) -> tuple[list[Principal], list[str]]:
    """Return whose signatures hold, and what is wrong with the others."""
    people: list[Principal] = []
    faults: list[str] = []
    if len(held.signatures) > SIGNATURES_MAX:
        return [], [f"a pack carries at most {SIGNATURES_MAX} signatures, found {len(held.signatures)}"]
    message = pre_authentication(digest.encode(), PAYLOAD)
    for one in held.signatures:
        person = principals.principal(one.keyid, now)
        if person is None:
            faults.append(f"key {one.keyid[:16]} is no person's key of the trust file at this time")
        elif person.key_id in {other.key_id for other in people}:
            faults.append(f"key {person.key_id} signed twice")
        elif not signature_valid(person.public, message, _bytes(one.sig)):
            faults.append(f"the signature of {person.holder} does not hold for this pack")
        else:
            people.append(person)
    return people, faults


def _content(pack: Pack, desk: str, act: Act) -> list[str]:
    faults = []
    if pack.schema != SCHEMA:
        faults.append(f"schema must be {SCHEMA}, was {pack.schema!r}")
    if pack.desk != desk:
        faults.append(f"the pack is for desk {pack.desk!r}, not {desk!r}")
    if pack.act is not act:
        faults.append(f"the pack is for {pack.act.value}, not {act.value}")
    if not pack.reason.strip():
        faults.append("a reason must be written, was absent")
    if not pack.nonce.strip():
        faults.append("a nonce must be written, was absent")
    return faults


def _time(pack: Pack, now: int, policy: ApprovalPolicy) -> list[str]:
    skew = policy.skew_seconds * NANOS_PER_SECOND
    faults = []
    if pack.expires_at is None:
        faults.append("the pack names no expiry, so it is expired")
    elif now >= pack.expires_at + skew:
        faults.append(f"the pack expired at {pack.expires_at}, it is {now}")
    elif pack.expires_at > expiry_of(pack.proposed_at, policy, window_end=pack.window_end):
        faults.append(f"a pack lives {policy.lifetime_seconds} s or to the end of its window, this one longer")
    if pack.window_end > pack.proposed_at + policy.window_seconds_max * NANOS_PER_SECOND:
        faults.append(f"an execution window ends within {policy.window_seconds_max} s, this one later")
    if pack.proposed_at > now + skew:
        faults.append(f"the pack was proposed at {pack.proposed_at}, in the future")
    return faults


def _proposer(pack: Pack, people: Sequence[Principal]) -> tuple[Principal | None, list[str]]:
    """Return who proposed, by his own signature; he approves nothing of it."""
    if pack.proposer == DESK:
        if pack.act in DRAFTED_BY_DESK:
            return None, []
        return None, [f"{pack.act.value} needs a person as proposer, with his signature"]
    found = next((one for one in people if one.key_id == pack.proposer), None)
    if found is None:
        return None, [f"the proposer {pack.proposer[:16] or 'absent'} must sign what he proposes"]
    return found, []


def _same(one: Principal, other: Principal) -> bool:
    return one.key_id == other.key_id or one.holder.strip().casefold() == other.holder.strip().casefold()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
