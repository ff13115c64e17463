"""From words to settings: names, ids, digests and places of a run, fixed before anything is spawned."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.ids import digest_of
from tradeworthy.operations.dry_run.model import Hashes, stamp
from tradeworthy.operations.dry_run.policy import HarnessPolicy
from tradeworthy.operations.dry_run.preflight import RunPaths, absolute, reasons_against
from tradeworthy.operations.dry_run.recover import STATE_NAME

CONFIG_BYTES_MAX = 16 * 1_048_576
ID_LENGTH = 8
LOG_STEM = "final_dry_run"
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""An id that may be a file name and a scope of what people sign."""


def stamp_name(now: int) -> str:
    """Return a moment as file names carry it: 20260105T000000Z."""
    return f"{stamp(now):%Y%m%dT%H%M%SZ}"


def run_id_of(now: int, command: tuple[str, ...], folder: Path) -> str:
    """Return the id of a run: its start and a digest of what runs where."""
    return f"{stamp_name(now)}-{digest_of('dry_run', now, str(folder.resolve()), *command)[:ID_LENGTH]}"


def require_run_id(run_id: str) -> str:
    """Return an id that people chose; raises `UsageError` for one that cannot be one."""
    if not RUN_ID.fullmatch(run_id):
        raise UsageError(f"expected a run id of letters, digits, '.', '_' and '-', at most 100, found {run_id!r}")
    return run_id


def config_digest(command: tuple[str, ...], *, folder: Path | None = None) -> str | None:
    """Return the SHA-256 over the files that the command's words name, its program left out; None without any.

    folder  where the command is started; None is this process's own
    """
    digest = hashlib.sha256()
    found = False
    for word in command[1:]:
        path = (folder or Path()) / (word.rpartition("=")[2] if word.startswith("--") else word)
        try:
            if path.is_file() and path.stat().st_size <= CONFIG_BYTES_MAX:
                digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
                found = True
        except (OSError, ValueError):
            continue
    return digest.hexdigest() if found else None


def hashes_of(command: tuple[str, ...], *, code: str, folder: Path | None = None) -> Hashes:
    """Return the digests of what is about to run; `code` is that of this package."""
    return Hashes(code=code, config=config_digest(command, folder=folder))


def harness_paths(
    log_dir: Path, now: int, *, progress: Path | None, timeline: Path | None, diary: Path | None,
    performance: Path | None,
) -> RunPaths:  # fmt: skip
    """Return the places of a bare harness run: everything in its evidence folder."""
    return absolute(
        RunPaths(
            log_dir=log_dir, progress=progress or log_dir / f"{LOG_STEM}_{stamp_name(now)}_progress.json",
            run_state=log_dir / STATE_NAME, incidents=log_dir / "incidents.jsonl", timeline_dir=timeline, diary=diary,
            performance=performance,
        )
    )  # fmt: skip


def require(
    policy: HarnessPolicy, paths: RunPaths, command: tuple[str, ...], environment: Mapping[str, str], *,
    resumed: bool = False, more: tuple[str, ...] = (), folder: Path | None = None,
) -> None:  # fmt: skip
    """Refuse a run that may not start, with every reason; raises `UsageError`."""
    reasons = [*more, *reasons_against(policy, paths, command, environment, resumed=resumed, folder=folder)]
    if reasons:
        listed = "".join(f"\n  - {one}" for one in reasons)
        raise UsageError(f"the run was not started, nothing was spawned:{listed}")
