"""How artefacts reach the disk: redacted, whole or not at all, and write-once where they are history (DR-14)."""

import os
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.kernel.journal.files import sync_directory, write_durably
from tradeworthy.kernel.redaction import redact
from tradeworthy.operations.dry_run.artefacts import Progress, Summary, encode_summary
from tradeworthy.operations.dry_run.model import Incident


def write_artefact(path: Path, artefact: msgspec.Struct) -> None:
    """Replace the JSON file at `path` in one step; every string in it passes redaction."""
    built: Any = msgspec.json.decode(encode_summary(artefact)) if isinstance(artefact, Summary) else artefact
    write_json(path, msgspec.to_builtins(built, str_keys=True))


def write_json(path: Path, document: Any) -> None:
    """Replace a JSON file in one step; redaction goes by keys and values, so that it stays JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, msgspec.json.format(msgspec.json.encode(redact(document)), indent=2) + b"\n")


def write_text(path: Path, data: bytes | str) -> None:
    """Replace a page in one step after redaction of its text; not for JSON, whose quotes it could break."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, redact(data if isinstance(data, bytes) else data.encode()))


def write_once(path: Path, artefact: msgspec.Struct) -> None:
    """Write a new file, whole; raises `FileExistsError` when there is one."""
    if path.exists():
        raise FileExistsError(f"{path}: expected no file, found one; history is never written again")
    write_artefact(path, artefact)


class Timeline:
    """The write-once snapshots of a run, numbered on from those of its earlier boots; None keeps none."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        known = () if folder is None else folder.glob("snapshot-*.json")
        self._number = max((int(path.stem.rpartition("-")[2]) for path in known), default=0)

    def keep(self, snapshot: Progress) -> None:
        """Write a snapshot under its own name; raises `FileExistsError` when there is one."""
        if self._folder is not None:
            self._number += 1
            self._folder.mkdir(parents=True, exist_ok=True)
            write_once(self._folder / f"snapshot-{snapshot.now:%Y%m%dT%H%M%S}-{self._number:05d}.json", snapshot)


class IncidentLog:
    """The append-only file of incident changes, one JSON object a line, synced line by line.

    A line that a killed writer left torn is ended first, so that it takes no other with it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        known = path.read_bytes()[-1:] if path.exists() else None
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        if known is None:
            sync_directory(path.parent)
        elif known not in (b"", b"\n"):
            os.write(self._handle, b"\n")

    def append(self, incidents: list[Incident]) -> None:
        """Append changes in their order and sync once."""
        if not incidents:
            return
        lines = [msgspec.json.encode(redact(msgspec.to_builtins(one))) + b"\n" for one in incidents]
        view = memoryview(b"".join(lines))
        while view:
            view = view[os.write(self._handle, view) :]
        os.fdatasync(self._handle)

    def close(self) -> None:
        os.close(self._handle)


def read_incidents(path: Path) -> tuple[Incident, ...]:
    """Return the last state of each incident of such a file; a torn last line is left out."""
    known: dict[str, Incident] = {}
    if path.exists():
        for line in path.read_bytes().splitlines():
            try:
                one = msgspec.json.decode(line, type=Incident)
            except msgspec.MsgspecError:
                continue
            known[one.id] = one
    return tuple(known[name] for name in sorted(known))
