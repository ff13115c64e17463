"""Waivers: two people let one named finding stand for at most seven days (EV-15)."""

from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.dsse import envelope, key_id_of, signature_valid
from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.kernel.facts import Fact, event_of, fact
from tradeworthy.kernel.journal import Journal
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.journal.verify import pre_authentication
from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.canonical import (
    Malformed,
    canonical_json,
    later,
    parse_canonical,
    require_shape,
    unbase64,
)
from tradeworthy.operations.evidence.signatures import statement_bytes
from tradeworthy.operations.evidence.trust import TrustFile

SUFFIX = ".dsse.json"
JOURNAL = "journal"
"""Beside the waivers: what was issued, refused and taken back, as a journal of its own."""


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """One finding that may stand for a while; `scope` is the run or release it is for.

    owner   answers for the finding until it is gone;  author  wrote the waiver, and may not sign it
    """

    waiver_id: str
    finding_code: str
    scope: str
    reason: str
    owner: str
    author: str
    issued_at: str
    expires_at: str


@fact("evidence.waiver")
class WaiverIssued(Fact, frozen=True):
    """A waiver came into force."""

    waiver_id: str
    finding_code: str
    scope: str
    expires_at: str
    signers: tuple[str, ...]


@fact("evidence.waiver_revoked")
class WaiverRevoked(Fact, frozen=True):
    """A waiver was taken back before its end; the finding is open again."""

    waiver_id: str
    finding_code: str
    by: str
    reason: str


@fact("evidence.waiver_refused")
class WaiverRefused(Fact, frozen=True):
    """Somebody asked for a waiver that may not stand."""

    waiver_id: str
    finding_code: str
    scope: str
    author: str
    reason: str


class SignedWaiver(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver as it was found: who signed it, and what is wrong with it now; nothing wrong means in force."""

    waiver: Waiver
    signers: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def in_force(self) -> bool:
        return not self.problems


def issue(
    waiver: Waiver, keys: tuple[Ed25519PrivateKey, ...], trust: TrustFile, *, folder: Path, at: str
) -> tuple[Path, WaiverIssued]:
    """Sign a waiver and keep it in `folder`; raises `InvalidInput` with every reason why it may not stand."""
    data = sealed(waiver, keys)
    signed = read_waiver(data, trust, at=at)
    problems = list(signed.problems)
    others = [one for one in waivers_in(folder, trust, at=at) if one.in_force]
    if any(one.waiver.waiver_id == waiver.waiver_id for one in others) or place_of(folder, waiver.waiver_id).exists():
        problems.append(f"waiver.id: {waiver.waiver_id} was issued already")
    if len(others) >= words.WAIVERS_ACTIVE_MAX:
        problems.append(f"waiver.too_many: {len(others)} are in force; at most {words.WAIVERS_ACTIVE_MAX} may be")
    if problems:
        raise InvalidInput(f"the waiver is refused: {'; '.join(problems)}")
    folder.mkdir(parents=True, exist_ok=True)
    path = place_of(folder, waiver.waiver_id)
    write_durably(path, data)
    issued = WaiverIssued(
        waiver_id=waiver.waiver_id, finding_code=waiver.finding_code, scope=waiver.scope, expires_at=waiver.expires_at,
        signers=signed.signers,
    )  # fmt: skip
    return path, issued


def revoke(folder: Path, waiver_id: str, trust: TrustFile, *, by: str, reason: str, at: str) -> WaiverRevoked:
    """Take a waiver back; its file stays, marked. Raises `UsageError` when there is none in force."""
    for one in waivers_in(folder, trust, at=at):
        if one.waiver.waiver_id == waiver_id and one.in_force:
            mark = {"waiver_id": waiver_id, "revoked_at": at, "by": by, "reason": reason}
            write_durably(_mark_of(folder, waiver_id), canonical_json(mark))
            return WaiverRevoked(waiver_id=waiver_id, finding_code=one.waiver.finding_code, by=by, reason=reason)
    raise UsageError(f"expected a waiver in force, found none named {waiver_id!r} in {folder}")


def waivers_in(folder: Path, trust: TrustFile, *, at: str) -> tuple[SignedWaiver, ...]:
    """Return every waiver of a folder as it stands at `at`, by its id; raises `UsageError` for a file that is none."""
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []:
        try:
            one = read_waiver(path.read_bytes(), trust, at=at)
        except InvalidInput as problem:
            raise UsageError(f"{path.name}: {problem}") from None
        if _mark_of(folder, one.waiver.waiver_id).exists():
            one = msgspec.structs.replace(one, problems=(*one.problems, "waiver.revoked: it was taken back"))
        found.append(one)
    return tuple(found)


def read_waiver(data: bytes, trust: TrustFile, *, at: str) -> SignedWaiver:
    """Return a signed waiver with what is wrong with it at `at`; raises `InvalidInput` when it is none."""
    try:
        document = parse_canonical(data, "envelope")
        payload = unbase64(document["payload"])
        statement: dict[str, Any] = msgspec.json.decode(payload)
        require_shape(statement["predicate"], "waiver")
        if statement["predicateType"] != words.WAIVER or document["payloadType"] != words.PAYLOAD:
            raise Malformed("another kind of statement")
        waiver = msgspec.convert(statement["predicate"], Waiver)
        longest = later(waiver.issued_at, days=words.WAIVER_DAYS_MAX)
    except (Malformed, msgspec.MsgspecError, KeyError, TypeError) as problem:
        raise InvalidInput(f"expected a signed waiver, found {problem}") from None
    problems = []
    signers: list[str] = []
    message = pre_authentication(payload, words.PAYLOAD)
    for one in document["signatures"]:
        key = trust.key(one["keyid"])
        roles = words.HUMAN_ROLES
        if key is None or not any(trust.may(key, role, waiver.issued_at) for role in roles):
            problems.append(f"waiver.signature: {one['keyid']} may not sign waivers")
        elif not signature_valid(bytes.fromhex(key.public_key), message, unbase64(one["sig"])):
            problems.append(f"waiver.signature: the signature of {key.holder} does not hold")
        elif key.holder not in signers:
            signers.append(key.holder)
    table = (
        (waiver.author in signers, "waiver.own: the author may not sign it"),
        (len(signers) < words.WAIVER_SIGNERS_MIN,
         f"waiver.quorum: expected {words.WAIVER_SIGNERS_MIN} people, found {len(signers)}"),
        (waiver.expires_at > longest, f"waiver.too_long: at most {words.WAIVER_DAYS_MAX} days"),
        (waiver.expires_at <= at, f"waiver.expired: ended at {waiver.expires_at}"),
        (waiver.issued_at > at, f"waiver.future: issued at {waiver.issued_at}"),
        (waiver.finding_code.partition(".")[0] in words.NEVER_WAIVABLE,
         f"waiver.never: {waiver.finding_code} is never waived"),
    )  # fmt: skip
    problems += [message for broken, message in table if broken]
    return SignedWaiver(waiver=waiver, signers=tuple(signers), problems=tuple(problems))


def sealed(waiver: Waiver, keys: tuple[Ed25519PrivateKey, ...]) -> bytes:
    """Return the envelope with a signature of each key; a key that is given twice signs once."""
    distinct = {key_id_of(key.public_key().public_bytes_raw()): key for key in keys}
    subject = [{"name": waiver.scope, "digest": {"sha256": ""}}]
    payload = statement_bytes(subject, words.WAIVER, msgspec.to_builtins(waiver))
    return canonical_json(envelope(payload, words.PAYLOAD, *distinct.values()))


def covering(waivers: tuple[SignedWaiver, ...], code: str, scope: str) -> Waiver | None:
    """Return the waiver in force that lets this finding of this scope stand."""
    for one in waivers:
        if one.in_force and one.waiver.finding_code == code and one.waiver.scope == scope:
            return one.waiver
    return None


def record(folder: Path, told: WaiverIssued | WaiverRevoked | WaiverRefused, *, clock: Clock) -> None:
    """Append what became of a waiver to the journal of its folder; raises `HaltTrading` when that is damaged."""
    now = clock.now()
    journal = Journal.open(folder / JOURNAL, clock=clock)
    try:
        key = f"{told.waiver_id}:{told.kind}:{now}"
        journal.append(event_of(told, source="waivers", key=key, ts_event=now, ts_init=now))
    finally:
        journal.close()


def place_of(folder: Path, waiver_id: str) -> Path:
    """Return where a waiver is kept."""
    return folder / f"{waiver_id}{SUFFIX}"


def _mark_of(folder: Path, waiver_id: str) -> Path:
    return folder / f"{waiver_id}.revoked.json"
