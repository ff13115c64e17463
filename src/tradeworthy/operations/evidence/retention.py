"""How long bundles are kept: cited by a live certificate for ever, else seven years; two people delete (EV-13).

Looking deletes nothing. What is due goes only by its id, as two people signed for it, and each that went is told.
"""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.operations.evidence.build import read_manifest
from tradeworthy.operations.evidence.canonical import canonical_json, later, sha256_hex
from tradeworthy.operations.evidence.certificate_store import Store
from tradeworthy.operations.evidence.judge import Ask, Contents, Findings
from tradeworthy.operations.evidence.verify_bundle import Folder
from tradeworthy.operations.evidence.vocabulary import MANIFEST

DAYS_A_YEAR = 365
LIVE = "live"


class RetentionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How long, and by how many."""

    years: int = 7
    people_min: int = 2


@fact("evidence.deleted")
class BundleDeleted(Fact, frozen=True):
    """A bundle was deleted; its id, its root and who did it stay in the journal."""

    bundle_id: str
    merkle_root: str
    run_id: str
    people: tuple[str, ...]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle on disk: why it stays, or, with an empty reason, that its time is over."""

    folder: Path
    bundle_id: str
    merkle_root: str
    run_id: str
    until: str
    reason: str = ""

    @property
    def due(self) -> bool:
        return not self.reason


def bundles_in(roots: Iterable[Path]) -> tuple[Path, ...]:
    """Return every bundle folder at or below these; raises `UsageError` for a place that is not there."""
    found = set()
    for root in roots:
        if not root.is_dir():
            raise UsageError(f"expected a folder of bundles, found none at {root}")
        found |= {path.parent for path in root.rglob(MANIFEST) if (path.parent / "objects").is_dir()}
    return tuple(sorted(found))


def held(
    bundles: Iterable[Path], *, cited: frozenset[str], at: str, policy: RetentionPolicy | None = None
) -> tuple[Held, ...]:
    """Return how each bundle stands; nothing is deleted.

    cited  ids that a live certificate rests on;  at  now, as a stamp
    A bundle that is not whole is kept: its age is what it says of itself.
    """
    policy = policy or RetentionPolicy()
    return tuple(_held(folder, cited, at, policy) for folder in bundles)


def _held(folder: Path, cited: frozenset[str], at: str, policy: RetentionPolicy) -> Held:
    data, manifest = read_manifest(folder)
    bundle_id = sha256_hex(data)
    newest = max((one["collected_at"] for one in manifest["entries"]), default=at)
    until = later(newest, days=policy.years * DAYS_A_YEAR + policy.years // 4)
    reason = ""
    if bundle_id in cited:
        reason = "a live certificate cites it"
    elif at < until:
        reason = f"kept until {until}"
    else:
        found = Findings()
        Contents(Folder(folder), Ask(newest), found).judge()
        if found.all:
            reason = f"it is not whole: {found.all[0].code} {found.all[0].where}"
    return Held(
        folder=folder, bundle_id=bundle_id, merkle_root=manifest["tree"]["root"], run_id=manifest["run_id"],
        until=until, reason=reason,
    )  # fmt: skip


def cited_by(store: Store, *, until: int) -> frozenset[str]:
    """Return the ids that any certificate of a live store rested on at any time up to `until` (ns UTC)."""
    if store.context.environment != LIVE:
        return frozenset()
    moments = {*store.turning_points(until), until}
    rows = (row for moment in moments for row in store.at(moment).requirements)
    return frozenset(row.evidence_id for row in rows if row.evidence_id is not None)


def subject_of(bundle_ids: Iterable[str]) -> str:
    """Return what two people sign for: the digest of the sorted ids."""
    return sha256_hex(canonical_json(sorted(bundle_ids)))


def delete(
    due: Iterable[Held], *, people: tuple[str, ...], tell: Callable[[BundleDeleted], None],
    policy: RetentionPolicy | None = None,
) -> tuple[BundleDeleted, ...]:  # fmt: skip
    """Delete bundles and tell of each as soon as it is gone.

    people  those who signed for it, each once
    Raises `UsageError`, with nothing deleted, for too few people or a bundle whose time is not over.
    """
    policy = policy or RetentionPolicy()
    asking, gone = tuple(sorted(set(people))), tuple(due)
    if len(asking) < policy.people_min:
        raise UsageError(f"deleting evidence needs {policy.people_min} people, asked have {len(asking)}")
    for one in gone:
        if not one.due:
            raise UsageError(f"the bundle {one.bundle_id} of {one.run_id} stays: {one.reason}")
    told = []
    for one in gone:
        shutil.rmtree(one.folder)
        told.append(BundleDeleted(
            bundle_id=one.bundle_id, merkle_root=one.merkle_root, run_id=one.run_id, people=asking
        ))  # fmt: skip
        tell(told[-1])
    return tuple(told)
