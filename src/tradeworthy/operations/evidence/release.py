"""May this release go: what runs is what the release manifest names, and what must be proved with it is (EV-14)."""

from collections.abc import Mapping
from enum import StrEnum

from tradeworthy.operations.dry_run.model import Finding, Hashes, Status
from tradeworthy.operations.dry_run.release_manifest import ReleaseManifest, differences


class Proof(StrEnum):
    """What must have been proved with the very release before it is let go."""

    START_UP = "start_up"
    HARD_STOP_DRILL = "hard_stop_drill"
    MONITORING = "monitoring"
    ALERT_DELIVERY = "alert_delivery"


def judge_release(
    manifest: ReleaseManifest | None, found: Hashes, proofs: Mapping[Proof, Status], *, image: str | None,
    lock: str | None,
) -> tuple[Finding, ...]:  # fmt: skip
    """Return why this release may not go; an empty answer is go.

    found        digests of what is to run;  image, lock  those of its image and its lock file, None is not known
    proofs       how each proof stands; an absent one is not proved
    """
    if manifest is None:
        return (_finding("release.manifest", "there is no release manifest"),)
    changed = list(differences(manifest.hashes(), found))
    for name, expected, seen in (("image", manifest.digests.image, image), ("lock", manifest.digests.lock, lock)):
        if expected is None or expected != seen:
            changed.append(f"{name}: expected {expected or 'a named digest'}, found {seen or 'nothing known'}")
    unproved = [proof.value for proof in Proof if proofs.get(proof) is not Status.PASS]
    return (
        *(_finding("release.changed", told, part=told.partition(":")[0]) for told in changed),
        *(_finding("release.proof", f"{name} is not proved with this release", proof=name) for name in unproved),
    )


def _finding(code: str, message: str, **metadata: str) -> Finding:
    return Finding(severity=Status.FAIL, code=code, message=message, metadata=dict(metadata))
