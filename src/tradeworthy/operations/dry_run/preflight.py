"""What must be true before a run may start (DR-01); every reason for a refusal is listed, nothing is spawned."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tradeworthy.operations.dry_run.artefacts import METADATA_FIELDS
from tradeworthy.operations.dry_run.policy import HarnessPolicy

HOURS_PER_DAY = 24.0
BYTES_PER_GB = 1_000_000_000


class RunPaths(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run's files are; None is not written, not read."""

    log_dir: Path
    progress: Path
    run_state: Path
    incidents: Path
    timeline_dir: Path | None = None
    diary: Path | None = None
    performance: Path | None = None


def absolute(paths: RunPaths) -> RunPaths:
    """Return the places as they are from any folder."""
    places = {name: path.absolute() for name, path in msgspec.structs.asdict(paths).items() if path is not None}
    return msgspec.structs.replace(paths, **places)


def reasons_against(
    policy: HarnessPolicy, paths: RunPaths, command: tuple[str, ...], environment: Mapping[str, str], *,
    resumed: bool = False, free_bytes: int | None = None, folder: Path | None = None,
) -> list[str]:  # fmt: skip
    """Return why the run may not start; empty when it may.

    free_bytes  of the evidence folder's disk; None reads it
    folder      where the command is started; None is this process's own
    """
    wrong = policy.contradictions()
    if not command:
        wrong.append("expected a command after `--`, found none")
    elif resolve(command[0], environment, folder) is None:
        found = "is no file that may be executed" if os.sep in command[0] else "is not on the path"
        wrong.append(f"expected a command that can be run, found {command[0]!r}, which {found}")
    wrong += _folder_reasons(paths.log_dir, resumed=resumed)
    for required, path, switch in (
        (policy.diary_required, paths.diary, "--diary"),
        (policy.performance_required or policy.sharpe_ratio_min is not None, paths.performance, "--performance"),
    ):
        if required and path is None:
            relief = f"--no-{switch[2:]}-required"
            wrong.append(f"{switch} is required and was not given; name the file, or relax with {relief}")
    for switch, judged, path in (
        ("--diary-stale-*", policy.diary_freshness.judged, paths.diary),
        ("--performance-stale-*", policy.performance_freshness.judged, paths.performance),
    ):
        if judged and path is None:
            wrong.append(f"{switch} judges a file that was not named")
    free = shutil.disk_usage(nearest(paths.log_dir)).free if free_bytes is None else free_bytes
    need = bytes_needed(policy)
    if free < need:
        wrong.append(
            f"expected {need / BYTES_PER_GB:.2f} GB free in {paths.log_dir} for {policy.duration_hours:g} h, "
            f"found {free / BYTES_PER_GB:.2f}"
        )
    return wrong


def bytes_needed(policy: HarnessPolicy) -> float:
    """Return the free space that a run of this length needs."""
    space = policy.preflight
    per_day = space.free_gb_per_day_compressed if policy.pumps.compress else space.free_gb_per_day
    return policy.duration_hours / HOURS_PER_DAY * per_day * BYTES_PER_GB * (1 + space.headroom_ratio)


def resolve(word: str, environment: Mapping[str, str], folder: Path | None = None) -> str | None:
    """Return the path of a command word, as it is from `folder`; None when it cannot be run."""
    if folder is not None and os.sep in word:
        word = str(folder / word)
    return shutil.which(word, path=environment.get("PATH"))


def pairs_of(words: tuple[str, ...], *, switch: str, reserved: frozenset[str] = frozenset()) -> dict[str, str]:
    """Split `KEY=VALUE` words; raises `ValueError` with every bad one."""
    pairs: dict[str, str] = {}
    wrong = []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key.strip():
            wrong.append(f"{switch} takes KEY=VALUE, was {key!r}")
        elif key in reserved:
            wrong.append(f"{switch} must not set {key}, which the harness measures itself")
        elif "\0" in word:
            wrong.append(f"{switch} must not hold a NUL byte, in {key!r}")
        else:
            pairs[key] = value
    if wrong:
        raise ValueError("; ".join(wrong))
    return pairs


def metadata_of(words: tuple[str, ...]) -> dict[str, str]:
    """Split `--metadata` words; the harness's own keys are reserved."""
    return pairs_of(words, switch="--metadata", reserved=METADATA_FIELDS)


def _folder_reasons(folder: Path, *, resumed: bool) -> list[str]:
    """Look without making anything: a refused run leaves no trace."""
    if folder.exists() and not folder.is_dir():
        return [f"expected a folder at {folder}, found a file"]
    if resumed and not folder.is_dir():
        return [f"expected the evidence folder {folder} of the run, found none"]
    parent = nearest(folder)
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        return [f"expected a writable folder, {parent} is not"]
    try:
        if folder.is_dir() and not resumed and any(folder.iterdir()):
            return [f"expected an empty evidence folder, {folder} holds files; name a new one"]
    except OSError as problem:
        return [f"expected to be able to read {folder}: {problem.strerror}"]
    return []


def nearest(folder: Path) -> Path:
    """Return the folder itself, or its nearest parent that exists."""
    for one in (folder, *folder.parents):
        if one.exists():
            return one
    return Path("/")
