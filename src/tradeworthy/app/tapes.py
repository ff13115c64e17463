"""Tapes of a document, opened: numbered rows for the environment, and manifests that name what was read."""

import hashlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from tradeworthy.adapters.tapes.lines import TapeRow
from tradeworthy.adapters.tapes.open import TapeSpec, open_tape
from tradeworthy.app.config import Document, TapeSection
from tradeworthy.demo import DemoTape, demo_tapes
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.ids import digest_of
from tradeworthy.trading.environment import Row
from tradeworthy.trading.model import Instrument, TapeManifest

OnBad = Callable[[bytes, str], None]
"""Takes the bytes of a malformed line and the reason."""
CHUNK_BYTES = 1 << 20


def manifest(section: TapeSection) -> TapeManifest:
    """Return what stands behind a tape; demo tapes bring their own provenance and label."""
    if section.format == "demo":
        return _demo(section).manifest()
    path = Path(section.path)
    if not path.exists():
        raise UsageError(f"tape {section.name!r}: expected a file or folder at {path}, found none")
    digest = digest_of(section.format, *(_sha256(file) for file in files_of(path)))
    return TapeManifest(section.name, section.instrument, section.label, path.name, digest)


def rows(section: TapeSection, instrument: Instrument, on_bad: OnBad) -> Iterator[Row]:
    """Yield the tape's rows, numbered from 1; at most `rows_max` of them."""
    source = f"tape.{section.name}"
    events = _events(section, instrument, on_bad)
    if section.rows_max:
        events = islice(events, section.rows_max)
    for number, (ts_event, ts_init, fact) in enumerate(events, 1):
        yield Row(source, number, ts_event, ts_init, fact)


def rows_total(document: Document) -> int | None:
    """Return how many rows the tapes hold, where that is known without reading them."""
    total = 0
    for section in document.tapes:
        if not section.rows_max:
            return None
        total += section.rows_max
    return total


def files_of(path: Path) -> list[Path]:
    """Return the file itself, or a folder's files in name order."""
    return [path] if path.is_file() else sorted(one for one in path.iterdir() if one.is_file())


def _events(section: TapeSection, instrument: Instrument, on_bad: OnBad) -> Iterator[TapeRow]:
    if section.format == "demo":
        yield from _demo(section).rows()
        return
    for path in files_of(Path(section.path)):
        yield from open_tape(TapeSpec(section.format, path, instrument), on_bad)


def _demo(section: TapeSection) -> DemoTape:
    tapes = {tape.name: tape for tape in demo_tapes()}
    if section.name not in tapes:
        raise UsageError(f"no demo tape {section.name!r}; there are {', '.join(sorted(tapes))}")
    tape = tapes[section.name]
    if tape.instrument.instrument_id != section.instrument:
        raise UsageError(f"demo tape {section.name!r} holds {tape.instrument.instrument_id}, not {section.instrument}")
    return tape


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
