"""Recorded files into the catalog, file by file."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from tradeworthy.adapters.catalog import Catalog
from tradeworthy.adapters.tapes.open import FORMATS, TapeSpec, open_tape
from tradeworthy.app.market_data.tapes import files_of
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.journal import Quarantine
from tradeworthy.trading.market_data.instruments import shipped


class Imported(msgspec.Struct, frozen=True):
    """After one file: what the catalog holds of the instrument, and how many lines lie in quarantine so far."""

    file: Path
    rows: int
    partitions: int
    quarantined: int


def import_files(
    path: str, *, format: str, instrument: str, catalog: Path, interval_seconds: int | None
) -> Iterator[Imported]:
    """Import each file of `path` in name order; malformed lines go to the catalog's quarantine.

    Raises `UsageError` for an unknown format or instrument, or where there is no file.
    """
    if format not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}, was {format!r}")
    known = shipped()
    if instrument not in known:
        raise UsageError(f"--instrument must be one of {', '.join(sorted(known))}, was {instrument!r}")
    quarantine = Quarantine(catalog)
    interval = None if interval_seconds is None else interval_seconds * NANOS_PER_SECOND
    for file in files_of(path):
        spec = TapeSpec(format, file, known[instrument], interval)
        parts = Catalog(catalog).ingest(open_tape(spec, quarantine.put)).parts
        yield Imported(file, sum(part.rows for part in parts), len(parts), quarantine.count)
