"""MD-12: recorded markets on disk, one Parquet file for each instrument, day and kind, under a manifest.

    <root>/instrument=<id>/day=YYYY-MM-DD/<kind>.parquet
    <root>/manifest.json

Ingesting the same rows again changes nothing; other rows for a stored part are refused, unless the feed may grow and
they go on after the stored ones. A file whose bytes are not those of the manifest is refused too. Needs the `data`
extra (polars); DuckDB reads the files as they are.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import msgspec

from tradeworthy.adapters.tapes.columns import frame_of, kind_of
from tradeworthy.adapters.tapes.lines import TapeRow
from tradeworthy.adapters.tapes.parquet import parquet_rows
from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.errors import InvalidInput

PART_ROWS_MAX = 5_000_000
"""Rows of one day in memory while it is written."""


class Part(msgspec.Struct, frozen=True):
    """One stored file: `content` is the hash of its rows, `sha256` of its bytes, times are event times."""

    path: str
    instrument: str
    day: str
    kind: str
    sha256: str
    content: str
    rows: int
    first: int
    last: int


class Manifest(msgspec.Struct, frozen=True):
    """All parts in the order of their paths."""

    version: int
    parts: tuple[Part, ...]


class Catalog:
    """The files under one root."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._manifest = root / "manifest.json"

    def manifest(self) -> Manifest:
        """Return what is stored; an empty catalog has no parts."""
        if not self._manifest.exists():
            return Manifest(1, ())
        try:
            return msgspec.json.decode(self._manifest.read_bytes(), type=Manifest)
        except msgspec.MsgspecError as bad:
            raise InvalidInput(f"{self._manifest.name} must be a catalog's manifest: {bad}") from None

    def ingest(self, rows: Iterable[TapeRow], *, growing: bool = False) -> Manifest:
        """Store `rows` day by day (UTC, by event time as it comes) and return the new manifest.

        growing  a stored day may be followed by more rows of it: a file that is still being recorded

        A day must come in one stretch. Raises `InvalidInput` for rows that differ from the stored ones.
        """
        parts = {part.path: part for part in self.manifest().parts}
        written: set[str] = set()
        for day, stretch in groupby(rows, key=lambda row: row[0] // NANOS_PER_DAY):
            tables: dict[tuple[str, str], list[TapeRow]] = {}
            for count, row in enumerate(stretch, 1):
                if count > PART_ROWS_MAX:
                    raise InvalidInput(f"a day must have at most {PART_ROWS_MAX} rows, had more")
                tables.setdefault((row[2].instrument, kind_of(row[2])), []).append(row)
            for (instrument, kind), table in sorted(tables.items()):
                part = self._store(instrument, day, kind, table, parts, growing=growing)
                if part.path in written:
                    raise InvalidInput(f"{part.path}: a day's rows must come in one stretch, came in two")
                written.add(part.path)
                parts[part.path] = part
        manifest = Manifest(1, tuple(parts[path] for path in sorted(parts)))
        self._replace(self._manifest, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
        return manifest

    def read(self, instrument: str, kind: str) -> Iterator[TapeRow]:
        """Yield the rows of one instrument and kind by day; a file with a changed byte is refused before its rows."""
        for part in self.manifest().parts:
            if part.instrument == instrument and part.kind == kind:
                self.verify(part)
                yield from parquet_rows(self._root / part.path)

    def verify(self, part: Part) -> None:
        """Raise `InvalidInput` unless the part's file has the bytes of the manifest."""
        path = self._root / part.path
        found = _sha256(path) if path.is_file() else "no file"
        if found != part.sha256:
            raise InvalidInput(f"{part.path}: SHA-256 must be {part.sha256}, was {found}")

    def _store(
        self, instrument: str, day: int, kind: str, rows: list[TapeRow], parts: dict[str, Part], *, growing: bool
    ) -> Part:
        if "/" in instrument or instrument.startswith("."):
            raise InvalidInput(f"an instrument's id must be a file name, was {instrument!r}")
        name = datetime.fromtimestamp(day * NANOS_PER_DAY // NANOS_PER_SECOND, UTC).date().isoformat()
        relative = f"instrument={instrument}/day={name}/{kind}.parquet"
        content = _content(rows)
        known = parts.get(relative)
        if known is not None and not (growing and _goes_on(known, rows)):
            self.verify(known)
            if known.content != content:
                raise InvalidInput(f"{relative}: rows must equal the {known.rows} stored ones, were {len(rows)} others")
            return known
        path = self._root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        frame_of(kind, rows).write_parquet(partial, compression="zstd")
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(partial, path)
        stamps = [row[0] for row in rows]
        return Part(relative, instrument, name, kind, _sha256(path), content, len(rows), min(stamps), max(stamps))

    def _replace(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.replace(partial, path)


def _goes_on(known: Part, rows: list[TapeRow]) -> bool:
    """Tell whether rows begin with the stored ones; what a crash left of the file is then written anew."""
    return len(rows) > known.rows and _content(rows[: known.rows]) == known.content


def _content(rows: list[TapeRow]) -> str:
    digest = hashlib.sha256()
    encoder = msgspec.json.Encoder()
    for row in rows:
        digest.update(encoder.encode(row))
        digest.update(b"\n")
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
