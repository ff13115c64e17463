"""How long files stay: hot, warm, cold, reports. Shows its plan; acts only when told to (JR-19).

A segment closed for 7 days gets a compressed copy beside it, read back before anything else happens. The original
stays hot for 90 days, then only the warm copy is left. After a year the warm copy moves to a write-once store, where
it stays to its seventh year. Every deletion is an event, durable before the file goes. Ids of events that left for
the cold store are no longer known to the writer.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import zstandard

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.journal.files import sync_directory
from tradeworthy.kernel.journal.reader import BLOCK_BYTES, open_segment, segment_paths
from tradeworthy.kernel.journal.records import Deleted

LEVEL = 10
REPORT_DAYS = {
    "developer": 14, "reconciliation": 30, "parity": 30, "risk": 30, "soak": 30, "gate": 60, "replay": 60,
    "readiness": 90,
}  # fmt: skip


class RetentionPolicy(msgspec.Struct, frozen=True):
    """Whole days since a segment was closed: compressed, plain original released, moved to cold, deleted there."""

    warm_after_days: int = 7
    hot_days: int = 90
    warm_days: int = 365
    cold_days: int = 7 * 365

    def __post_init__(self) -> None:
        if not 0 <= self.warm_after_days <= self.hot_days <= self.warm_days <= self.cold_days:
            raise ValueError(f"expected warm_after_days <= hot_days <= warm_days <= cold_days, was {self}")


class Step(msgspec.Struct, frozen=True):
    """One planned act on a file, and the rule that asks for it.

    compress  make the warm copy;  release  delete the plain original;  archive  move the warm copy to the cold store
    expire    delete from the cold store;  delete  delete a report
    """

    act: str
    path: Path
    rule: str

    @property
    def name(self) -> str:
        return self.path.name


class ColdStore(Protocol):
    """Write-once files by name; raises `OSError` when it cannot."""

    def put(self, path: Path) -> None: ...
    def digest(self, name: str) -> str | None: ...
    def files(self) -> Sequence[Path]: ...
    def remove(self, name: str) -> None: ...


class ColdFolder:
    """A folder as cold store: a name is written once, read-only, and keeps its original's time of change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, path: Path) -> None:
        """Copy a file in; one of the same name stays as it is, and is judged by its digest."""
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / path.name
        if target.exists():
            return
        aside = target.with_name(target.name + ".part")
        shutil.copy2(path, aside)
        aside.chmod(0o440)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(target)
        sync_directory(self._folder)

    def digest(self, name: str) -> str | None:
        """Return the SHA-256 of what is stored under `name`, None when nothing is."""
        path = self._folder / name
        return digest_of_file(path) if path.exists() else None

    def files(self) -> Sequence[Path]:
        return sorted(self._folder.glob("journal-*.jsonl.zst"))

    def remove(self, name: str) -> None:
        (self._folder / name).unlink()
        sync_directory(self._folder)


def plan(
    directory: Path, *, now: int, modified: Callable[[Path], int], cited: Collection[str] = (),
    policy: RetentionPolicy | None = None, cold: ColdStore | None = None, reports: Sequence[Path] = (),
) -> tuple[Step, ...]:
    """List what retention would do; the segment being written and every cited file stay.

    modified  gives a file's last change in nanoseconds UTC
    cited     file names or SHA-256 digests that a live bundle rests on
    cold      without a cold store nothing leaves the journal's folder
    reports   folders with reports, beside the journal's own
    """
    policy = policy or RetentionPolicy()
    steps: list[Step] = []
    releasing = archiving = True  # from the old end only: what stays, plain or at all, is one unbroken chain
    for path in segment_paths(directory)[:-1]:
        days = (now - modified(path)) // NANOS_PER_DAY
        name = path.name.removesuffix(".zst")
        plain, warm = directory / name, directory / f"{name}.zst"
        kept = _is_cited(path, cited) or name in cited
        if plain.exists():
            if not warm.exists() and days >= policy.warm_after_days:
                steps.append(Step("compress", plain, f"segment closed for {policy.warm_after_days} days"))
            releasing = releasing and not kept and days >= policy.hot_days and warm.exists()
            if releasing:
                steps.append(Step("release", plain, f"segment hot for {policy.hot_days} days"))
            archiving = False
            continue
        archiving = archiving and cold is not None and not kept and days >= policy.warm_days
        if archiving:
            steps.append(Step("archive", warm, f"segment warm to {policy.warm_days} days"))
    for path in cold.files() if cold is not None else ():
        if (now - modified(path)) // NANOS_PER_DAY >= policy.cold_days and not _is_cited(path, cited):
            steps.append(Step("expire", path, f"segment cold to {policy.cold_days} days"))
    for folder in dict.fromkeys((directory, *reports)):
        for family, keep in REPORT_DAYS.items():
            for path in sorted(folder.glob(f"{family}-*.json")):
                if (now - modified(path)) // NANOS_PER_DAY >= keep and not _is_cited(path, cited):
                    steps.append(Step("delete", path, f"{family} report older than {keep} days"))
    return tuple(steps)


def retain(
    steps: Sequence[Step], *, record: Callable[[Deleted], object], cold: ColdStore | None = None,
    compress: Callable[[Path, Path], None] | None = None,
) -> tuple[tuple[Deleted, ...], tuple[str, ...]]:
    """Carry out `steps` one by one; return what was deleted and the problems met.

    record  journals a deletion, durably, before the file goes; one that was recorded and not carried out comes again
    A file is deleted only after its copy was read back and gave the same bytes.
    """
    deleted: list[Deleted] = []
    problems: list[str] = []
    for step in steps:
        warm = step.path.with_name(step.name + ".zst")
        digest = digest_of_file(step.path)
        if step.act == "compress":
            (compress or compress_durably)(step.path, warm)
            if _unpacked_digest(warm) != digest:
                warm.unlink(missing_ok=True)
                problems.append(f"{warm.name}: the copy does not give the original's bytes, the original stays")
            else:
                shutil.copystat(step.path, warm)
            continue
        if step.act == "release" and _unpacked_digest(warm) != digest:
            problems.append(f"{warm.name}: the copy does not give the original's bytes, the original stays")
            continue
        if step.act == "archive":
            assert cold is not None, "an archive step is planned with a cold store only"
            cold.put(step.path)
            if cold.digest(step.name) != digest:
                problems.append(f"{step.name}: the cold store holds other bytes, the warm copy stays")
                continue
        fact = Deleted(step.name, digest, step.rule)
        record(fact)
        if step.act == "expire":
            assert cold is not None, "an expire step is planned with a cold store only"
            cold.remove(step.name)
        else:
            step.path.unlink()
            sync_directory(step.path.parent)
        deleted.append(fact)
    return tuple(deleted), tuple(problems)


def cited_by(bundles: Path) -> frozenset[str]:
    """Return every file name and digest that the JSON documents below `bundles` mention."""
    found: set[str] = set()
    for path in sorted(bundles.rglob("*.json")):
        waiting: list[object] = [msgspec.json.decode(path.read_bytes())]
        while waiting:
            value = waiting.pop()
            if isinstance(value, str):
                found.add(value.rpartition("/")[2])
            elif isinstance(value, dict):
                waiting += [*value.keys(), *value.values()]
            elif isinstance(value, list):
                waiting += value
    return frozenset(found)


def compress_durably(source: Path, target: Path) -> None:
    """Write the compressed copy of `source` in one step; memory holds one block."""
    aside = target.with_name(target.name + ".part")
    with source.open("rb") as plain, aside.open("wb") as packed:
        zstandard.ZstdCompressor(level=LEVEL).copy_stream(plain, packed)
        packed.flush()
        os.fsync(packed.fileno())
    aside.replace(target)
    sync_directory(target.parent)


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpacked_digest(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with open_segment(path) as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    except (OSError, zstandard.ZstdError):
        return None
    return digest.hexdigest()


def _is_cited(path: Path, cited: Collection[str]) -> bool:
    return bool(cited) and (path.name in cited or digest_of_file(path) in cited)
