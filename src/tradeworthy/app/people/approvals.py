"""The desk's approvals: whose keys count, and the journal in which a pack is used once (APR-01 to APR-04)."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.clock import NANOS_PER_MILLI, Clock
from tradeworthy.kernel.dsse import envelope, key_id_of
from tradeworthy.kernel.errors import ConfigurationRefused, DeskError, HaltTrading, RetryLater, UsageError
from tradeworthy.kernel.facts import Event, Fact, event_of
from tradeworthy.kernel.journal import Journal, read
from tradeworthy.kernel.journal.files import writer_lives
from tradeworthy.operations.evidence.canonical import stamp_of
from tradeworthy.operations.evidence.trust import TrustFile, read_trust
from tradeworthy.trading.control import approvals
from tradeworthy.trading.control.approvals import (
    Act,
    Approval,
    ApprovalRefused,
    ApprovalUsed,
    Nobody,
    Principal,
    Principals,
    Signature,
    SignedPack,
)
from tradeworthy.trading.control.policy import PeoplePolicy

APPROVALS = "approvals"
"""Where a desk's state keeps the journal of what its people approved."""
TRUST = "trust.json"
SOURCE = "approvals"
OPEN_TRIES, OPEN_WAIT_NS = 100, 20 * NANOS_PER_MILLI
"""A verb and the desk write the journal in turns, for a moment each."""


class TrustedPeople:
    """The people of a trust file (implements `Principals`): a machine's key is nobody's."""

    def __init__(self, trust: TrustFile) -> None:
        self._trust = trust

    def principal(self, key_id: str, at: int) -> Principal | None:
        """Return the person whose key counts at `at`, with the roles it has then."""
        key = self._trust.key(key_id)
        if key is None or key.kind != "person":
            return None
        public, stamp = bytes.fromhex(key.public_key), stamp_of(at)
        roles = tuple(role for role in key.roles if self._trust.may(key, role, stamp))
        if not roles or key_id_of(public) != key_id:
            return None
        return Principal(key.key_id, key.holder, roles, public)


def people_of(state: Path, policy: PeoplePolicy) -> Principals:
    """Return whose keys count at a desk; raises as `trust_of_desk`."""
    return TrustedPeople(trust_of_desk(state, policy))


def trust_of_desk(state: Path, policy: PeoplePolicy) -> TrustFile:
    """Return a desk's trust file: the one that its document names, else `trust.json` in its state.

    Raises `UsageError` without a readable trust file, `ConfigurationRefused` for one that is not the pinned one.
    """
    path = Path(policy.trust) if policy.trust else state / TRUST
    trust = read_trust(path)
    if policy.trust_sha256 and trust.fingerprint() != policy.trust_sha256:
        raise ConfigurationRefused(
            f"the trust file {path} must have the pinned fingerprint {policy.trust_sha256}, was {trust.fingerprint()}"
        )
    return trust


class ApprovalBook:
    """Judge packs, and journal what became of them; both the running desk and the verbs write here, in turns.

    state  the desk's folder of what outlives a run;  desk  its name
    """

    def __init__(self, state: Path, *, desk: str, clock: Clock, policy: PeoplePolicy) -> None:
        self._state, self.desk, self._clock, self._policy = state, desk, clock, policy
        self.directory = state / APPROVALS

    def events(self) -> list[Event]:
        """Return everything that was journaled here, oldest first."""
        return list(read(self.directory)) if any(self.directory.glob("journal-*")) else []

    def append(self, facts: Iterable[Fact]) -> None:
        """Journal facts, durable when this returns."""
        wanted = tuple(facts)
        if not wanted:
            return
        journal = self._open()
        try:
            self._write(journal, wanted)
        finally:
            journal.close()

    def judge(self, held: SignedPack, act: Act, *, subject: str | None = None) -> Approval | ApprovalRefused:
        """Tell whether a pack may be used for `act` now; nothing is journaled."""
        people, told = self._people()
        used = approvals.nonces_of(event.payload for event in self.events())
        found = approvals.judge(
            held, desk=self.desk, act=act, now=self._clock.now(), principals=people, used=used,
            policy=self._policy.approvals,
        )  # fmt: skip
        faults = [told] if told else []
        if subject is not None and held.pack.subject != subject:
            faults.append(f"the pack is for {held.pack.subject!r}, not {subject!r}")
        if not faults:
            return found
        known = found.faults if isinstance(found, ApprovalRefused) else ()
        return ApprovalRefused(held.pack.digest(), act.value, held.pack.subject, (*faults, *known))

    def use(self, held: SignedPack, act: Act, *, subject: str | None = None) -> Approval | ApprovalRefused:
        """Use a pack up, journaled and durable before this returns; a refusal is journaled too."""
        journal = self._open()
        try:
            found = self.judge(held, act, subject=subject)
            self._write(journal, (found if isinstance(found, ApprovalRefused) else approvals.used_of(found),))
        finally:
            journal.close()
        return found

    def require(self, held: SignedPack | None, act: Act, *, subject: str) -> Approval:
        """Use a pack up for an act that needs one; raises `ConfigurationRefused` with every reason (APR-04)."""
        if held is None:
            needed = " and ".join(approvals.REQUIRED[act])
            raise ConfigurationRefused(f"{act.value} of {subject} needs an approval pack, signed by {needed}")
        found = self.use(held, act, subject=subject)
        if isinstance(found, ApprovalRefused):
            raise ConfigurationRefused(f"{act.value} of {subject} is refused: {'; '.join(found.faults)}")
        return found

    def person_of(self, key_id: str) -> Principal | None:
        """Return whose key this is now, None where it does not count; raises as `people_of`."""
        return people_of(self._state, self._policy).principal(key_id, self._clock.now())

    def _people(self) -> tuple[Principals, str]:
        try:
            return people_of(self._state, self._policy), ""
        except DeskError as problem:
            return Nobody(), str(problem)

    def _write(self, journal: Journal, facts: Iterable[Fact]) -> None:
        for number, one in enumerate(facts, journal.last_seq + 1):
            now = self._clock.now()
            key = f"used:{one.nonce}" if isinstance(one, ApprovalUsed) else str(number)
            journal.accept(event_of(one, source=SOURCE, key=key, ts_event=now, ts_init=now))
        journal.commit()

    def _open(self) -> Journal:
        for _ in range(OPEN_TRIES):
            try:
                return Journal.open(self.directory, clock=self._clock)
            except HaltTrading:
                if not writer_lives(self.directory):
                    raise
            self._clock.sleep(OPEN_WAIT_NS)
        raise RetryLater(f"{self.directory} is being written by another process: try again")


def signed(held: SignedPack, *keys: Ed25519PrivateKey) -> SignedPack:
    """Return the pack with a signature of each key; a key that signed already signs no second time."""
    known = {one.keyid for one in held.signatures}
    fresh = {key_id_of(key.public_key().public_bytes_raw()): key for key in keys}
    wanted = [key for name, key in fresh.items() if name not in known]
    made = envelope(held.pack.digest().encode(), approvals.PAYLOAD, *wanted)["signatures"]
    return SignedPack(held.pack, (*held.signatures, *(Signature(one["keyid"], one["sig"]) for one in made)))


def read_signed(path: Path) -> SignedPack:
    """Return a pack's file; raises `UsageError` without one, `InvalidInput` for anything else in it."""
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise UsageError(f"cannot read the approval pack {path}: {problem.strerror}") from None
    return approvals.read_pack(data)


def told_of(held: SignedPack) -> str:
    """Return a pack's content as people read it before they sign."""
    pack = msgspec.to_builtins(held.pack)
    details = pack.pop("details")
    rows = [*pack.items(), *((f"details.{name}", text) for name, text in sorted(details.items()))]
    return "\n".join(f"{name:<20} {value}" for name, value in rows)
