"""Delete old evidence by a signed pack: what goes is what was signed for, and the desk's approvals keep it (EV-13)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tradeworthy.app.people.approvals import ApprovalBook
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.operations.evidence.canonical import stamp_of
from tradeworthy.operations.evidence.certificate_store import read_store
from tradeworthy.operations.evidence.requirements import STANDARD, CertificatePolicy
from tradeworthy.operations.evidence.retention import (
    BundleDeleted,
    Held,
    RetentionPolicy,
    bundles_in,
    cited_by,
    delete,
    held,
    subject_of,
)
from tradeworthy.operations.evidence.trust import TrustFile
from tradeworthy.trading.control.approvals import Act, ApprovalProposed, Pack, SignedPack, draft
from tradeworthy.trading.control.policy import PeoplePolicy


class EvidenceRetention:
    """The bundles of some folders against the certificates of some stores.

    roots   folders that hold bundles;  stores  evidence stores, whose live certificates keep what they cite
    trust   whose signatures count in the stores
    """

    def __init__(
        self, roots: Sequence[Path], stores: Sequence[Path], trust: TrustFile, *, clock: Clock,
        policy: RetentionPolicy | None = None, certificate: CertificatePolicy = STANDARD,
    ) -> None:  # fmt: skip
        if not stores:
            raise UsageError("expected at least one evidence store: without it nobody knows what is cited")
        self._roots, self._stores, self._trust, self._clock = tuple(roots), tuple(stores), trust, clock
        self._policy, self._certificate = policy or RetentionPolicy(), certificate

    def look(self) -> tuple[Held, ...]:
        """Return how each bundle stands now; nothing is deleted."""
        now = self._clock.now()
        cited: frozenset[str] = frozenset()
        for store in self._stores:
            cited |= cited_by(read_store(store, self._trust, self._certificate, at=now), until=now)
        return held(bundles_in(self._roots), cited=cited, at=stamp_of(now), policy=self._policy)

    def propose(self, book: ApprovalBook, reason: str, people: PeoplePolicy) -> Pack:
        """Return the pack that two people sign for what is due now, journaled; raises `UsageError` when nothing is."""
        due = [one for one in self.look() if one.due]
        if not due:
            raise UsageError("no bundle's time is over: there is nothing to sign for")
        pack = draft(
            desk=book.desk, act=Act.EVIDENCE_DELETION, subject=subject_of(one.bundle_id for one in due),
            details={one.bundle_id: one.run_id for one in due}, reason=reason, now=self._clock.now(),
            policy=people.approvals,
        )  # fmt: skip
        book.append((ApprovalProposed(
            pack.digest(), pack.act.value, pack.subject, pack.proposer, pack.expires_at
        ),))  # fmt: skip
        return pack

    def delete(self, book: ApprovalBook, signed: SignedPack) -> tuple[BundleDeleted, ...]:
        """Delete what a pack names and nothing else; the pack is used up first, each bundle that went is journaled.

        Raises `ConfigurationRefused` for a pack that does not hold, or that names what must stay or is not there.
        """
        named = signed.pack.details
        found = {one.bundle_id: one for one in self.look()}
        _require(named, found)
        used = book.require(signed, Act.EVIDENCE_DELETION, subject=subject_of(named))
        return delete(
            [found[one] for one in sorted(named)], people=used.holders, tell=lambda told: book.append((told,)),
            policy=self._policy,
        )  # fmt: skip


def _require(named: Mapping[str, str], found: Mapping[str, Held]) -> None:
    wrong = [f"{one} is not there" for one in sorted(named) if one not in found]
    wrong += [f"{one} stays: {found[one].reason}" for one in sorted(named) if one in found and not found[one].due]
    if not named:
        wrong.append("the pack names no bundle")
    if wrong:
        raise ConfigurationRefused(f"nothing was deleted: {'; '.join(wrong)}")
