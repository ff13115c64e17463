"""The evidence packet: a folder with a manifest of digests, and an archive that is the same at every build (DR-37)."""

import gzip
import hashlib
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import msgspec

from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.artefact_files import write_artefact, write_text
from tradeworthy.operations.dry_run.artefacts import Manifest, ManifestFile, Summary
from tradeworthy.operations.dry_run.model import Finding, Status
from tradeworthy.operations.dry_run.summary_page import summary_markdown

MANIFEST = "manifest.json"
SUMMARY_JSON, SUMMARY_PAGE, SIGN_OFF = "dry_run_summary.json", "dry_run_summary.md", "dry_run_sign_off.json"
RAW_LOGS, RAW_DIARY, RAW_PERFORMANCE = "raw/logs", "raw/decision_diary.jsonl", "raw/performance_metrics.json"
COPY_BYTES = 1_048_576
ARCHIVE_MODE, ARCHIVE_TIME = 0o644, 0


class RawEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """The files that were judged."""

    logs: tuple[Path, ...] = ()
    diary: Path | None = None
    performance: Path | None = None


def build_packet(
    folder: Path, summary: Summary, raw: RawEvidence, *, skip_raw: bool = False, archive: Path | None = None
) -> Manifest:
    """Lay the packet out in `folder` and write its archive; the same inputs give the same bytes.

    Raises `UsageError` when the folder holds something that is no packet, or a raw file cannot be read.
    """
    _make_room(folder)
    write_artefact(folder / SUMMARY_JSON, summary)
    write_text(folder / SUMMARY_PAGE, summary_markdown(summary))
    if summary.sign_off is not None:
        write_artefact(folder / SIGN_OFF, summary.sign_off)
    if not skip_raw:
        for source, target in _copies(raw):
            _copy(source, folder / target)
    files = tuple(_entry(folder, path) for path in _files(folder))
    manifest = Manifest(
        generated_at=summary.summary.generated_at, files=files, bundle_id=summary.evidence.bundle_id
    )
    write_artefact(folder / MANIFEST, manifest)
    if archive is not None:
        _write_archive(folder, archive)
    return manifest


def verify_packet(folder: Path) -> tuple[Finding, ...]:
    """Compare every file of a packet with its manifest; an empty answer is a sound packet."""
    manifest = _manifest(folder)
    if manifest is None:
        raise UsageError(f"expected a packet with a readable {MANIFEST} in {folder}, found none")
    found: list[Finding] = []
    listed = {one.path: one for one in manifest.files}
    present = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    for name, entry in sorted(listed.items()):
        if name not in present:
            found.append(_finding("packet.file.missing", f"{name} is listed and not there"))
        elif _entry(folder, present[name]) != entry:
            found.append(_finding("packet.file.changed", f"{name} is not the file that was packed"))
    for name in sorted(present.keys() - listed):
        found.append(_finding("packet.file.unlisted", f"{name} is there and not listed"))
    return tuple(found)


def _make_room(folder: Path) -> None:
    """Take an earlier packet away; anything else that is in the folder stays and is refused."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"the packet needs a folder, {folder} is a file")
    present = _files(folder) if folder.is_dir() else []
    manifest = _manifest(folder)
    listed = set() if manifest is None else {one.path for one in manifest.files}
    foreign = [path.name for path in present if path.relative_to(folder).as_posix() not in listed]
    if foreign or (manifest is None and (folder / MANIFEST).exists()):
        told = ", ".join(foreign[:3]) or MANIFEST
        raise UsageError(f"the packet's folder {folder} must be empty or hold an earlier packet; it holds {told}")
    for path in present:
        path.unlink()
    folder.mkdir(parents=True, exist_ok=True)


def _manifest(folder: Path) -> Manifest | None:
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        return None


def _copies(raw: RawEvidence) -> Iterator[tuple[Path, str]]:
    taken: set[str] = set()
    for log in raw.logs:
        name = log.name
        number = 1
        while name in taken:
            number += 1
            name = f"{number}-{log.name}"
        taken.add(name)
        yield log, f"{RAW_LOGS}/{name}"
    for source, target in ((raw.diary, RAW_DIARY), (raw.performance, RAW_PERFORMANCE)):
        if source is not None and source.is_file():
            yield source, target


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with source.open("rb") as file, target.open("wb") as copy:
            shutil.copyfileobj(file, copy, COPY_BYTES)
    except OSError as problem:
        told = f"cannot pack {source}: {problem.strerror or problem}; --packet-skip-raw leaves raw files out"
        raise UsageError(told) from None


def _files(folder: Path) -> list[Path]:
    """Return the files of a packet but for its manifest, by their path in it."""
    found = [path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _entry(folder: Path, path: Path) -> ManifestFile:
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while block := file.read(COPY_BYTES):
            digest.update(block)
            size += len(block)
    return ManifestFile(path=path.relative_to(folder).as_posix(), bytes=size, sha256=digest.hexdigest())


def _write_archive(folder: Path, archive: Path) -> None:
    """Write a sorted tar with fixed times, owners and modes, compressed without a name or a time."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    aside = archive.with_name(archive.name + ".part")
    with (
        aside.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=6, mtime=ARCHIVE_TIME) as packed,
    ):
        _tar(folder, packed)
    aside.replace(archive)


def _tar(folder: Path, packed: gzip.GzipFile) -> None:
    names = sorted([*_files(folder), folder / MANIFEST], key=lambda path: path.relative_to(folder).as_posix())
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in names:
            entry = tarfile.TarInfo(str(PurePosixPath("packet") / path.relative_to(folder).as_posix()))
            entry.size, entry.mode, entry.mtime = path.stat().st_size, ARCHIVE_MODE, ARCHIVE_TIME
            with path.open("rb") as file:
                tar.addfile(entry, file)


def _finding(code: str, message: str) -> Finding:
    return Finding(severity=Status.FAIL, code=code, message=message)
