"""The release manifest: digests of what is released, and what must be proved before it may go (EV-14)."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.operations.dry_run.model import Finding, Status

READ_BYTES = 1_048_576


class Part(StrEnum):
    """What a release is made of."""

    IMAGE = "image"
    LOCK = "lock"
    CONFIGURATION = "configuration"
    LIMITS = "limits"
    MODELS = "models"


class Proof(StrEnum):
    """What must have been proved with the very release before it is let go."""

    START_UP = "start_up"
    HARD_STOP_DRILL = "hard_stop_drill"
    MONITORING = "monitoring"
    ALERT_DELIVERY = "alert_delivery"


class ReleaseManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The digests of one release; `commit` is where it was built from."""

    release_id: str
    commit: str
    digests: dict[Part, str]
    schema: str = "evidence.release@1"

    def encoded(self) -> bytes:
        """Return the file's bytes; the same release gives the same ones."""
        return msgspec.json.encode(self, order="sorted") + b"\n"


def release_of(release_id: str, commit: str, parts: Mapping[Part, Path]) -> ReleaseManifest:
    """Return the manifest of these files or folders; raises `UsageError` for a part that is missing."""
    missing = [part.value for part in Part if part not in parts]
    if missing:
        raise UsageError(f"a release names its {', '.join(missing)}, and these were not given")
    return ReleaseManifest(
        release_id=release_id, commit=commit, digests={part: digest_of_part(parts[part]) for part in Part}
    )


def decode_release(data: bytes) -> ReleaseManifest:
    """Return the manifest of a file's bytes; raises `InvalidInput`."""
    try:
        return msgspec.json.decode(data, type=ReleaseManifest)
    except msgspec.MsgspecError as problem:
        raise InvalidInput(f"expected a release manifest, found {problem}") from None


def judge_release(
    manifest: ReleaseManifest | None, parts: Mapping[Part, Path], proofs: Mapping[Proof, Status]
) -> tuple[Finding, ...]:
    """Return why this release may not go; an empty answer is go.

    parts   where each part lies now;  proofs  how each proof stands, absent ones are not proved
    """
    if manifest is None:
        return (_finding("release.manifest", "there is no release manifest"),)
    found = []
    for part in Part:
        path = parts.get(part)
        if part not in manifest.digests or path is None or not path.exists():
            found.append(_finding("release.part.missing", f"{part.value} is not named or not there", part=part.value))
        elif digest_of_part(path) != manifest.digests[part]:
            found.append(_finding("release.part.changed", f"{part.value} at {path.name} is not the released one",
                                  part=part.value))  # fmt: skip
    found += [
        _finding("release.proof", f"{proof.value} is not proved", proof=proof.value)
        for proof in Proof if proofs.get(proof) is not Status.PASS
    ]  # fmt: skip
    return tuple(found)


def digest_of_part(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's files with their names in order; raises `UsageError`."""
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    try:
        for one in files:
            if path.is_dir():
                digest.update(f"{one.relative_to(path).as_posix()}\0{one.stat().st_size}\0".encode())
            with one.open("rb") as file:
                while block := file.read(READ_BYTES):
                    digest.update(block)
    except OSError as problem:
        raise UsageError(f"cannot read {path}: {problem.strerror or problem}") from None
    return digest.hexdigest()


def _finding(code: str, message: str, **metadata: str) -> Finding:
    return Finding(severity=Status.FAIL, code=code, message=message, metadata=dict(metadata))
