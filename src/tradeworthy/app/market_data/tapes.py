"""Tapes of a document, opened: numbered rows for the environment, and manifests that name what was read."""

import glob
import hashlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from tradeworthy.adapters.catalog import Catalog, Part
from tradeworthy.adapters.tapes.columns import COLUMNS
from tradeworthy.adapters.tapes.lines import TapeRow
from tradeworthy.adapters.tapes.open import TapeSpec, open_tape
from tradeworthy.app.config import Document, TapeSection
from tradeworthy.app.market_data import synthetic
from tradeworthy.demo import DemoTape, demo_tapes
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.ids import digest_of
from tradeworthy.kernel.journal.reader import read, segment_paths
from tradeworthy.trading.environment import Row
from tradeworthy.trading.market_data.bars import BarBuilder
from tradeworthy.trading.model import Instrument, MarketEvent, Quote, TapeManifest, Trade

OnBad = Callable[[bytes, str], None]
"""Takes the bytes of a malformed line and the reason."""
CHUNK_BYTES = 1 << 20
JOURNAL = "journal"
"""The format of a tape that is a recorded run: its market events come again, at the speed of the new run."""
BARS = ".bars"
"""What the source of built bars is called after its tape."""


def manifests(section: TapeSection) -> tuple[TapeManifest, ...]:
    """Return what stands behind a tape, and behind the bars built from it.

    Raises `UsageError` where the section names files, a demo tape or catalog parts that are not there.
    """
    tape = _manifest(section)
    if not section.bar_seconds:
        return (tape,)
    label = "synthetic" if tape.label == "synthetic" else "derived"
    rule = f"{tape.provenance}; bars of {section.bar_seconds} s built from mids and trades"
    digest = digest_of("bars", tape.sha256, str(section.bar_seconds))
    return tape, TapeManifest(f"{tape.name}{BARS}", tape.instrument, label, rule, digest)


def rows(section: TapeSection, instrument: Instrument, on_bad: OnBad) -> Iterator[Row]:
    """Yield the tape's rows, numbered from 1, at most `rows_max` of them; bars built from them are a second source."""
    source = f"tape.{section.name}"
    events = _events(section, instrument, on_bad)
    if section.rows_max:
        events = islice(events, section.rows_max)
    numbered = (Row(source, number, *event) for number, event in enumerate(events, 1))
    if not section.bar_seconds:
        return numbered
    return _with_bars(numbered, BarBuilder(section.instrument, section.bar_seconds * NANOS_PER_SECOND))


def rows_total(document: Document) -> int | None:
    """Return how many rows the tapes hold, where that is known without reading them."""
    total = 0
    for section in document.tapes:
        if not section.rows_max or section.bar_seconds:
            return None
        total += section.rows_max
    return total


def files_of(pattern: str | Path) -> list[Path]:
    """Return the file, a folder's files, or what a pattern such as `2014*_quote.zip` matches, in name order.

    Raises `UsageError` when there is none.
    """
    path = Path(pattern)
    if path.is_file():
        return [path]
    found = path.iterdir() if path.is_dir() else map(Path, glob.glob(str(pattern), recursive=True))
    files = sorted(one for one in found if one.is_file())
    if not files:
        raise UsageError(f"expected a file, a folder with files or a pattern that matches at {pattern}, found none")
    return files


def _manifest(section: TapeSection) -> TapeManifest:
    if section.format == "demo":
        return _demo(section).manifest()
    if section.format == "synthetic":
        recipe = synthetic.recipe_of(section)
        return TapeManifest(section.name, section.instrument, "synthetic", recipe.text, recipe.digest())
    if section.format == JOURNAL:
        files = segment_paths(_journal(section))
        digest = digest_of(JOURNAL, *(_sha256(file) for file in files))
        return TapeManifest(section.name, section.instrument, section.label, f"journal of {section.path}", digest)
    if section.format == "catalog":
        digest, origin = digest_of("catalog", *(part.sha256 for part in _parts(section))), f"catalog, {section.kind}"
    else:
        files = _files(section)
        digest = digest_of(section.format, *(_sha256(file) for file in files))
        origin = files[0].name if len(files) == 1 else f"{files[0].name} to {files[-1].name}, {len(files)} files"
    return TapeManifest(section.name, section.instrument, section.label, origin, digest)


def _events(section: TapeSection, instrument: Instrument, on_bad: OnBad) -> Iterator[TapeRow]:
    if section.format == "demo":
        yield from _demo(section).rows()
    elif section.format == "synthetic":
        yield from synthetic.recipe_of(section).rows()
    elif section.format == "catalog":
        _parts(section)
        yield from Catalog(Path(section.location)).read(section.instrument, section.kind)
    elif section.format == JOURNAL:
        yield from _recorded(_journal(section), section.instrument)
    else:
        interval = section.interval_seconds * NANOS_PER_SECOND or None
        for path in _files(section):
            yield from open_tape(TapeSpec(section.format, path, instrument, interval), on_bad)


def _recorded(directory: Path, instrument: str) -> Iterator[TapeRow]:
    """Yield the market events that a journal holds of one instrument, with both stamps, so that ages stay (RP-06)."""
    for event in read(directory):
        fact = event.payload
        if isinstance(fact, MarketEvent) and fact.instrument == instrument:
            yield event.ts_event, event.ts_init, fact


def _journal(section: TapeSection) -> Path:
    folder = Path(section.location)
    for directory in (folder / "journal", folder):
        if segment_paths(directory):
            return directory
    raise UsageError(f"tape {section.name!r}: expected a run folder or a journal at {section.location}, found neither")


def _with_bars(tape: Iterator[Row], builder: BarBuilder) -> Iterator[Row]:
    """Yield each closed bar before the row that closed it, at that row's arrival."""
    number = 0
    for row in tape:
        for close, bar in _closed(builder, row.fact, row.ts_event):
            number += 1
            yield Row(f"{row.source}{BARS}", number, close, row.ts_init, bar)
        yield row


def _closed(builder: BarBuilder, fact: MarketEvent, ts: int) -> list[tuple[int, MarketEvent]]:
    closed: list[tuple[int, MarketEvent]] = []
    if type(fact) is Quote and 0 < fact.bid < fact.ask:
        closed += builder.add((fact.bid + fact.ask) // 2, None, ts)  # a half tick is rounded down
    elif type(fact) is Trade:
        closed += builder.add(fact.price, fact.lots, ts)
    else:
        closed += builder.advance(ts)
    return closed


def _files(section: TapeSection) -> list[Path]:
    try:
        return files_of(section.location)
    except UsageError as missing:
        raise UsageError(f"tape {section.name!r}: {missing}") from None


def _parts(section: TapeSection) -> list[Part]:
    if section.kind not in COLUMNS:
        raise UsageError(f"tape {section.name!r}: a catalog tape's kind must be one of {', '.join(COLUMNS)}, "
                         f"was {section.kind!r}")
    stored = Catalog(Path(section.location)).manifest().parts
    parts = [one for one in stored if one.instrument == section.instrument and one.kind == section.kind]
    if not parts:
        held = sorted({f"{one.kind} of {one.instrument}" for one in stored})
        raise UsageError(f"tape {section.name!r}: expected {section.kind} of {section.instrument} in the catalog at "
                         f"{section.location}, found {', '.join(held) or 'no catalog'}")
    return parts


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
