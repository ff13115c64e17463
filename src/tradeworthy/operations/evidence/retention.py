"""How long bundles are kept: cited by a live certificate for ever, else seven years; two people delete (EV-13)."""

import shutil
from pathlib import Path

import msgspec

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.operations.evidence.build import read_manifest
from tradeworthy.operations.evidence.canonical import later, sha256_hex

DAYS_A_YEAR = 365


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


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that stays, and why."""

    bundle_id: str
    reason: str


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """What a retention run did."""

    kept: tuple[Kept, ...]
    deleted: tuple[BundleDeleted, ...]


def sweep(
    bundles: tuple[Path, ...], *, cited: frozenset[str], people: tuple[str, ...], at: str,
    policy: RetentionPolicy | None = None,
) -> Swept:  # fmt: skip
    """Delete the bundles whose time is over, and return the facts for the journal.

    cited   ids that a live certificate rests on;  people  those who ask for it, each once;  at  now, as a stamp
    Raises `UsageError` when too few people ask; nothing is deleted then.
    """
    policy = policy or RetentionPolicy()
    asking = tuple(sorted(set(people)))
    if len(asking) < policy.people_min:
        raise UsageError(f"deleting evidence needs {policy.people_min} people, asked have {len(asking)}")
    kept, deleted = [], []
    for folder in bundles:
        data, manifest = read_manifest(folder)
        bundle_id = sha256_hex(data)
        newest = max((one["collected_at"] for one in manifest["entries"]), default=at)
        until = later(newest, days=policy.years * DAYS_A_YEAR + policy.years // 4)
        if bundle_id in cited:
            kept.append(Kept(bundle_id=bundle_id, reason="a live certificate cites it"))
        elif at < until:
            kept.append(Kept(bundle_id=bundle_id, reason=f"kept until {until}"))
        else:
            shutil.rmtree(folder)
            deleted.append(BundleDeleted(
                bundle_id=bundle_id, merkle_root=manifest["tree"]["root"], run_id=manifest["run_id"], people=asking
            ))  # fmt: skip
    return Swept(kept=tuple(kept), deleted=tuple(deleted))
