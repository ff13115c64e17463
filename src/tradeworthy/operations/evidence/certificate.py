"""The living certificate: GO or NO-GO as a pure function of signed evidence, policy, hashes and time (EV-17 to EV-22).

It fails closed. Only the newest evidence of a requirement counts, so time alone can end a GO and never begin one: what
starts later than it was recorded (a stamp from the future) never counts at all.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from tradeworthy.operations.dry_run.model import Status
from tradeworthy.operations.evidence.requirements import ALL_HASHES, CertificatePolicy, Requirement
from tradeworthy.operations.evidence.vocabulary import ENVIRONMENTS


class Verdict(StrEnum):
    """The answer."""

    GO = "GO"
    NO_GO = "NO-GO"


class RowStatus(StrEnum):
    """How one requirement stands; the first three count as met."""

    MET = "met"
    WARNED = "warned"
    WAIVED = "waived"
    FAILED = "failed"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    STALE = "stale"
    VOIDED = "voided"
    UNSIGNED = "unsigned"
    FUTURE = "future"
    LOWER = "lower_environment"
    ATTESTED = "attested_only"


GOOD = frozenset({RowStatus.MET, RowStatus.WARNED, RowStatus.WAIVED})


class EvidenceItem(msgspec.Struct, frozen=True, kw_only=True):
    """One proof of one requirement. Times are nanoseconds UTC.

    recorded_at  when it reached the evidence; what is collected later than that is from the future
    ends_at      an end of its own before its lifetime's: a roster gap, a scheduled change; `end_reason` says which
    signed       whether a trusted key in a fitting role signed it, judged before it comes here
    """

    requirement: str
    evidence_id: str
    status: Status
    provenance: str
    environment: str
    collected_at: int
    recorded_at: int
    hashes: dict[str, str] = {}
    ends_at: int | None = None
    end_reason: str = ""
    signed: bool = False
    signers: tuple[str, ...] = ()


class WaiverInForce(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver that was found valid: the requirement it stands in for, from its issue to its end."""

    waiver_id: str
    requirement: str
    issued_at: int
    expires_at: int
    recorded_at: int


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """The next trading session."""

    opens_at: int
    closes_at: int


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What the certificate is for: the release and its hashes, tier, environment, the next session."""

    release: str
    tier: str
    environment: str
    hashes: dict[str, str]
    next_session: Session | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement as it stands."""

    id: str
    critical: bool
    status: RowStatus
    reason: str
    evidence_id: str | None = None
    provenance: str | None = None
    collected_at: int | None = None
    expires_at: int | None = None
    waiver: str | None = None


class EndsFirst(msgspec.Struct, frozen=True, kw_only=True):
    """What ends a GO first, and what to do about it."""

    requirement: str
    at: int
    seconds: float
    reason: str
    remedy: str


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The answer with everything it rests on."""

    verdict: Verdict
    evaluated_at: int
    release: str
    tier: str
    environment: str
    policy_hash: str
    requirements: tuple[Row, ...]
    waivers: tuple[str, ...]
    ends_first: EndsFirst | None
    next_session_open: int | None
    signatures: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 GO, 1 GO with waivers or warnings or ending early, 2 NO-GO; the context decides what is early."""
        if self.verdict is Verdict.NO_GO:
            return 2
        return 1 if any(row.status is not RowStatus.MET for row in self.requirements) else 0


NANOS = 1_000_000_000


def certify(
    evidence: Iterable[EvidenceItem], waivers: Iterable[WaiverInForce], policy: CertificatePolicy, policy_hash: str,
    context: Context, now: int,
) -> Certificate:  # fmt: skip
    """Return the certificate at `now`; the same arguments give the same answer, whenever it is asked."""
    known = [one for one in evidence if one.recorded_at <= now]
    waived = [one for one in waivers if one.recorded_at <= now]
    rows = tuple(_row(one, known, waived, context, now) for one in policy.requirements)
    critical = [row for row in rows if row.critical]
    go = bool(critical) and all(row.status in GOOD for row in critical)
    remedies = {one.id: one.remedy for one in policy.requirements}
    ends = [row for row in critical if row.expires_at is not None] if go else []
    first = min(ends, key=lambda row: (row.expires_at or 0, row.id), default=None)
    signers = sorted({name for one in known for name in one.signers})
    return Certificate(
        verdict=Verdict.GO if go else Verdict.NO_GO, evaluated_at=now, release=context.release, tier=context.tier,
        environment=context.environment, policy_hash=policy_hash, requirements=rows,
        waivers=tuple(row.waiver for row in rows if row.waiver is not None),
        ends_first=None if first is None or first.expires_at is None else EndsFirst(
            requirement=first.id, at=first.expires_at, seconds=(first.expires_at - now) / NANOS, reason=first.reason,
            remedy=remedies[first.id],
        ),
        next_session_open=None if context.next_session is None else context.next_session.opens_at,
        signatures=tuple(signers),
    )  # fmt: skip


class Notice(StrEnum):
    """Whom to tell that a GO ends."""

    NONE = "none"
    NOTICE = "notice"
    WARN = "warn"
    PAGE = "page"


def notice_of(certificate: Certificate, policy: CertificatePolicy, context: Context) -> Notice:
    """Return how loudly the coming end of a GO must be told now (EV-18)."""
    ends = certificate.ends_first
    if certificate.verdict is Verdict.NO_GO:
        return Notice.PAGE
    if ends is None:
        return Notice.NONE
    session = context.next_session
    if session is not None and ends.at <= session.closes_at:
        first = min(ends.at, session.opens_at)
        if certificate.evaluated_at >= first - policy.session_lead_seconds * NANOS:
            return Notice.PAGE
    steps = (
        (policy.page_seconds, Notice.PAGE), (policy.warn_seconds, Notice.WARN), (policy.notice_seconds, Notice.NOTICE)
    )  # fmt: skip
    return next((level for seconds, level in steps if ends.seconds <= seconds), Notice.NONE)


def recompute_at(certificate: Certificate, policy: CertificatePolicy) -> int:
    """Return when to ask again at the latest: each minute, and at the moment of a lapse (EV-19)."""
    regular = certificate.evaluated_at + policy.recompute_seconds * NANOS
    return regular if certificate.ends_first is None else min(regular, certificate.ends_first.at)


def ends_before_close(certificate: Certificate, context: Context) -> bool:
    """Tell whether a GO ends before the next session closes."""
    ends, session = certificate.ends_first, context.next_session
    return ends is not None and session is not None and ends.at <= session.closes_at


def _row(
    requirement: Requirement, known: list[EvidenceItem], waivers: list[WaiverInForce], context: Context, now: int
) -> Row:
    mine = [one for one in known if one.requirement == requirement.id]
    newest = max(mine, key=lambda one: (one.recorded_at, one.collected_at, one.evidence_id), default=None)
    status, reason, ends = _standing(requirement, newest, context, now)
    row = Row(
        id=requirement.id, critical=requirement.critical, status=status, reason=reason,
        evidence_id=None if newest is None else newest.evidence_id,
        provenance=None if newest is None else newest.provenance,
        collected_at=None if newest is None else newest.collected_at, expires_at=ends,
    )  # fmt: skip
    if not requirement.waivable:
        return row
    standing = [
        one for one in waivers if one.requirement == requirement.id and one.issued_at <= one.recorded_at
        and one.issued_at <= now < one.expires_at
    ]  # fmt: skip
    if not standing:
        return row
    longest = max(standing, key=lambda one: (one.expires_at, one.waiver_id))
    if status in GOOD:  # the waiver takes over when the evidence lapses, so it is what ends
        return row if ends is None else msgspec.structs.replace(row, expires_at=max(ends, longest.expires_at))
    return msgspec.structs.replace(
        row, status=RowStatus.WAIVED, waiver=longest.waiver_id, expires_at=longest.expires_at,
        reason=f"waiver {longest.waiver_id} ends; it stands in for: {reason}",
    )  # fmt: skip


def _standing(
    requirement: Requirement, item: EvidenceItem | None, context: Context, now: int
) -> tuple[RowStatus, str, int | None]:
    """Return status, reason and end of a requirement by its newest evidence."""
    if item is None:
        return RowStatus.ABSENT, "there is no evidence", None
    if not item.signed:
        return RowStatus.UNSIGNED, "no trusted key signed the evidence", None
    if item.collected_at > item.recorded_at:
        return RowStatus.FUTURE, "the evidence is dated after it arrived", None
    if item.environment not in ENVIRONMENTS or ENVIRONMENTS.index(item.environment) < max(
        ENVIRONMENTS.index(requirement.environment), 0
    ):
        return RowStatus.LOWER, f"{item.environment} evidence is not enough for {requirement.environment}", None
    changed = [
        name for name in requirement.depends_on
        if name not in ALL_HASHES or item.hashes.get(name) is None or item.hashes[name] != context.hashes.get(name)
    ]  # fmt: skip
    if changed:
        return RowStatus.VOIDED, f"made for other {', '.join(changed)}", None
    ends = _end(requirement, item)
    if ends is not None and now >= ends:
        return RowStatus.STALE, "its time is over", None
    reason = item.end_reason if item.ends_at is not None and item.ends_at == ends else "its lifetime is over"
    if item.status is Status.PASS and item.provenance == "attested" and requirement.measured:
        return RowStatus.ATTESTED, "somebody said so, nobody measured it", None
    match item.status:
        case Status.PASS:
            return RowStatus.MET if item.provenance != "attested" else RowStatus.WARNED, reason, ends
        case Status.WARN:
            return RowStatus.WARNED, reason, ends
        case Status.FAIL:
            return RowStatus.FAILED, "it was found to fail", None
        case _:
            return RowStatus.UNKNOWN, "it could not be judged", None


def _end(requirement: Requirement, item: EvidenceItem) -> int | None:
    ends = [] if item.ends_at is None else [item.ends_at]
    if requirement.lifetime_seconds is not None:
        ends.append(item.collected_at + requirement.lifetime_seconds * NANOS)
    return min(ends, default=None)
