"""How long files stay: hot segments, compressed ones, reports. Shows its plan; acts only when told to (JR-19)."""

import hashlib
from collections.abc import Callable, Collection
from pathlib import Path

import msgspec
import zstandard

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.journal.files import sync_directory, write_durably
from tradeworthy.kernel.journal.reader import segment_paths
from tradeworthy.kernel.journal.records import Deleted

REPORT_DAYS = {
    "developer": 14, "reconciliation": 30, "parity": 30, "risk": 30, "soak": 30, "gate": 60, "replay": 60,
    "readiness": 90,
}  # fmt: skip


class RetentionPolicy(msgspec.Struct, frozen=True):
    """Whole days: a segment is compressed after `warm_after`, and released once stored cold after `cold_after`."""

    warm_after: int = 7
    cold_after: int = 365


class Step(msgspec.Struct, frozen=True):
    """One planned act: `compress` or `delete`, the file, and the rule that asks for it."""

    act: str
    name: str
    rule: str


def plan(
    directory: Path, *, now: int, modified: Callable[[Path], int], cited: Collection[str] = (),
    policy: RetentionPolicy | None = None, stored_cold: Collection[str] = (),
) -> tuple[Step, ...]:
    """List what retention would do; the segment being written and every cited file stay.

    modified     gives a file's last change in nanoseconds UTC
    cited        file names that a live bundle rests on
    stored_cold  names of compressed segments whose copy in the write-once store was read back
    """
    policy = policy or RetentionPolicy()
    steps = []
    for path in segment_paths(directory)[:-1]:
        days = (now - modified(path)) // NANOS_PER_DAY
        if path.name in cited or path.name.removesuffix(".zst") in cited:
            continue
        if path.suffix == ".jsonl" and days >= policy.warm_after:
            steps.append(Step("compress", path.name, f"segment closed for {policy.warm_after} days"))
        elif path.suffix == ".zst" and days >= policy.cold_after and path.name in stored_cold:
            steps.append(Step("delete", path.name, f"segment older than {policy.cold_after} days, stored cold"))
    for family, keep in REPORT_DAYS.items():
        for path in sorted(directory.glob(f"{family}-*.json")):
            if path.name not in cited and (now - modified(path)) // NANOS_PER_DAY >= keep:
                steps.append(Step("delete", path.name, f"{family} report older than {keep} days"))
    return tuple(steps)


def retain(
    directory: Path, steps: tuple[Step, ...], *, apply: bool = False,
    copy: Callable[[Path, bytes], None] = write_durably,
) -> tuple[tuple[Deleted, ...], tuple[str, ...]]:
    """Carry out `steps` when `apply`; return the facts to journal and the problems met.

    An original is released only after its compressed copy was read back and gave the same bytes.
    """
    deleted: list[Deleted] = []
    problems: list[str] = []
    for step in steps if apply else ():
        path = directory / step.name
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        if step.act == "compress":
            warm = path.with_name(path.name + ".zst")
            copy(warm, zstandard.ZstdCompressor(level=10).compress(data))
            if not _reads_back(warm, digest, len(data)):
                warm.unlink(missing_ok=True)
                problems.append(f"{warm.name}: the copy does not give the original's bytes, the original stays")
                continue
        path.unlink()
        sync_directory(directory)
        deleted.append(Deleted(step.name, digest, step.rule))
    return tuple(deleted), tuple(problems)


def _reads_back(path: Path, digest: str, size: int) -> bool:
    try:
        data = zstandard.ZstdDecompressor().decompress(path.read_bytes(), max_output_size=size)
    except (OSError, zstandard.ZstdError):
        return False
    return hashlib.sha256(data).hexdigest() == digest
