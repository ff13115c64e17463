"""The release a run stands for: a file of digests that what ran must equal (EV-14)."""

from pathlib import Path
from typing import Literal

import msgspec

from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.model import Hashes


class ReleaseDigests(msgspec.Struct, frozen=True, kw_only=True):
    """SHA-256 of each part; a run is compared with the first four, a release with all of them.

    image    of the wheel or the image;  lock  of the file of pinned packages
    schemas  of the shipped schemas;  policy  of the tables of gates and certificate
    """

    code: str
    configuration: str
    limits: str
    models: str
    image: str | None = None
    lock: str | None = None
    schemas: str | None = None
    policy: str | None = None


class ReleaseManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A release by its name, its author and its digests; the author may not sign its evidence."""

    schema: Literal["release.manifest@1"]
    release: str
    author: str
    digests: ReleaseDigests

    def hashes(self) -> Hashes:
        """Return what a run must have."""
        one = self.digests
        return Hashes(code=one.code, config=one.configuration, limits=one.limits, models=one.models)


def read_release(path: Path) -> tuple[ReleaseManifest, bytes]:
    """Return a release manifest and its bytes; raises `UsageError`."""
    try:
        data = path.read_bytes()
        return msgspec.json.decode(data, type=ReleaseManifest), data
    except (OSError, msgspec.MsgspecError) as problem:
        raise UsageError(f"expected a release manifest (release.manifest@1) at {path}, found {problem}") from None


def differences(release: Hashes, found: Hashes) -> tuple[str, ...]:
    """Return what is not as released, each by its name with both digests."""
    told = []
    for name in Hashes.__struct_fields__:
        expected, seen = getattr(release, name), getattr(found, name)
        if expected != seen:
            told.append(f"{name}: expected {expected}, found {'nothing known' if seen is None else seen}")
    return tuple(told)
