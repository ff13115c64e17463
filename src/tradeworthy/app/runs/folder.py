"""What a run leaves in its folder, and the same read back: manifest, rows, summary, reports (BT-01)."""

import hashlib
import random
from collections.abc import Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import msgspec

from tradeworthy.app import config
from tradeworthy.app.bootstrap import build_desk, instruments_of
from tradeworthy.app.config import Document
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal import read
from tradeworthy.research.backtest.markdown import to_markdown
from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.research.backtest.report import Overlay, render_html
from tradeworthy.research.backtest.rows import BARS, FILLS, NAV, LineSink
from tradeworthy.research.backtest.strategy_state import StateReader
from tradeworthy.research.backtest.summary import Summary, Tape, summarise, to_json
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.environment import DESK
from tradeworthy.trading.model import Instrument, RunStarted, TapeManifest
from tradeworthy.trading.simulation.rules import VenueRules

ID_LENGTH = 12
ORIGINS = {"real": "recorded", "derived": "derived", "synthetic": "synthetic"}
"""How the report names a tape's label."""
MANIFEST, SUMMARY, MARKDOWN, HTML = "manifest.json", "summary.json", "report.md", "report.html"
CONFIGURATION, BLOTTER = "configuration.json", "blotter.csv"
ARTEFACTS = (SUMMARY, MARKDOWN, HTML, CONFIGURATION, BLOTTER, BARS, FILLS, NAV)


class RunManifest(msgspec.Struct, frozen=True):
    """What the folder holds and what it was made of; `files` are SHA-256 by name, times nanoseconds UTC."""

    run_id: str
    name: str
    environment: str
    code_hash: str
    config_hash: str
    seed: int
    capital: Decimal
    currency: str
    start: int
    end: int
    tapes: tuple[TapeManifest, ...]
    files: dict[str, str]


class RunMaterial(msgspec.Struct, frozen=True):
    """A run read back from its journal: what reports and comparisons are made from."""

    run_id: str
    document: Document
    manifests: tuple[TapeManifest, ...]
    records: RunRecords
    summary: Summary


class RowFiles:
    """The three row files of a folder, open while the run is on."""

    def __init__(self, folder: Path) -> None:
        self._stack = ExitStack()
        files = [self._stack.enter_context((folder / name).open("wb")) for name in (BARS, FILLS, NAV)]
        self.sink = LineSink(*files)

    def __enter__(self) -> LineSink:
        return self.sink

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def state_of(root: Path, desk: str) -> Path:
    """Return where the desk of this name keeps what outlives a run."""
    return root / "state" / desk


def states_of(desk: Desk) -> StateReader:
    """Return what asks each strategy of the desk for its state."""
    return StateReader(seat.strategy for seat in desk.seats)


def write_reports(
    folder: Path, document: Document, records: RunRecords, *, run_id: str, code: str, manifests: Sequence[TapeManifest]
) -> Summary:
    """Write summary, reports, configuration and, last, the manifest over all artefacts."""
    summary = summary_of(document, records, run_id=run_id, manifests=manifests)
    (folder / SUMMARY).write_bytes(to_json(summary))
    (folder / MARKDOWN).write_text(to_markdown(summary))
    (folder / HTML).write_text(page_of(document, records, summary, manifests=manifests))
    (folder / CONFIGURATION).write_text(document.canonical())
    desk = document.desk
    manifest = RunManifest(
        run_id, desk.name, desk.environment, code, document.hash(), desk.seed, desk.capital, desk.base_currency,
        records.start, records.now, tuple(manifests),
        {name: sha256_of(folder / name) for name in ARTEFACTS if (folder / name).is_file()},
    )
    text = msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=1)
    (folder / MANIFEST).write_bytes(text + b"\n")
    return summary


def summary_of(
    document: Document, records: RunRecords, *, run_id: str, manifests: Sequence[TapeManifest]
) -> Summary:
    """Finish `records` and return the run's summary with its recorded assumptions (BT-04)."""
    return summarise(
        records, run_id=run_id, rng=random.Random(document.desk.seed),
        tapes=tuple(Tape(one.name, ORIGINS[one.label], one.sha256) for one in manifests),
        assumptions=assumptions_of(document, instruments_of(document)),
        caveats=tuple(f"{one.name}: {one.provenance}" for one in manifests if one.label != "real"),
    )


def page_of(
    document: Document, records: RunRecords, summary: Summary, *, manifests: Sequence[TapeManifest],
    overlay: Overlay | None = None,
) -> str:
    """Return the run's offline page, over that of another run where `overlay` gives one."""
    desk = document.desk
    labels = {"environment": desk.environment, "run": summary.run_id[:ID_LENGTH], "seed": str(desk.seed)}
    labels |= {f"tape {one.name}": one.label for one in manifests}
    return render_html(summary, records, title=desk.name, labels=labels, overlay=overlay)


def assumptions_of(document: Document, instruments: dict[str, Instrument]) -> tuple[str, ...]:
    """Return what the run assumed of costs and delays: fees, spread, slippage, latency, funding, borrow."""
    venue, slippage = document.venue, VenueRules().slippage
    if venue.matching == "bars":
        spread = (
            f"spread: {slippage.spread_ticks} ticks, half of it charged to takers; "
            f"slippage: {slippage.bars_bps} bps on takers"
        )
    else:
        spread = f"spread: as quoted on the tape; slippage: {slippage.quotes_bps} bps on takers beyond the touch"
    funded = sorted(name for name, one in instruments.items() if one.perpetual)
    return (
        f"matching {venue.matching}; submit {venue.submit_ms:g} ms, cancel {venue.cancel_ms:g} ms one way, "
        f"report {venue.report_ms:g} ms",
        spread,
        *(f"{name}: maker fee {one.fees.maker}, taker fee {one.fees.taker}" for name, one in instruments.items()),
        f"funding: rates of the tape for {', '.join(funded)}" if funded else "funding: none, no perpetual is traded",
        "borrow: none charged",
    )


def rebuild(folder: Path) -> RunMaterial:
    """Read a run back: fold its journal and let the desk think again, so that strategy states are there too.

    Raises `UsageError` where the folder holds no journal that begins with `run.started`.
    """
    directory = journal_of(folder)
    start = started_of(folder)
    document = document_of(folder, start)
    desk = build_desk(document, msgspec.json.decode(start.guard, type=tuple[HeldReason, ...]))
    records = RunRecords(instruments_of(document), document.desk.capital, states=states_of(desk))
    for event in read(directory):
        records.on_event(event)
        if event.source != DESK:
            desk.step(event)
    summary = summary_of(document, records, run_id=start.run_id, manifests=start.tapes)
    return RunMaterial(start.run_id, document, start.tapes, records, summary)


def started_of(folder: Path) -> RunStarted:
    """Return the journal's first fact; raises `UsageError` where it is another."""
    first: Event | None = next(read(journal_of(folder)), None)
    if first is None or not isinstance(first.payload, RunStarted):
        raise UsageError(f"{folder}: expected a journal that begins with run.started, found {first and first.kind}")
    return first.payload


def document_of(folder: Path, start: RunStarted) -> Document:
    """Return the configuration as the journal keeps it."""
    return config.parse(msgspec.json.decode(start.document), origin=f"{folder} (journaled configuration)")


def journal_of(folder: Path) -> Path:
    """Return the journal's directory of a run folder, or the directory itself when it is one."""
    for directory in (folder / "journal", folder):
        if any(directory.glob("journal-*")):
            return directory
    raise UsageError(f"{folder}: expected a run folder or a journal, found neither")


def manifest_of(folder: Path) -> RunManifest:
    """Return a folder's manifest; raises `UsageError` where there is none or an artefact's bytes are not its own."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=RunManifest)
    except OSError as problem:
        raise UsageError(f"expected a run's manifest at {folder / MANIFEST}: {problem.strerror}") from None
    except msgspec.MsgspecError as problem:
        raise UsageError(f"{folder / MANIFEST}: {problem}") from None
    for name, digest in manifest.files.items():
        path = folder / name
        found = sha256_of(path) if path.is_file() else "no file"
        if found != digest:
            raise UsageError(f"{path}: expected SHA-256 {digest[:16]}, found {found[:16]}; the folder was altered")
    return manifest


def altered_in(folder: Path) -> dict[str, bool] | None:
    """Return of each artefact that the run's manifest names whether it is gone or another; None without a manifest."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=RunManifest)
    except (OSError, msgspec.MsgspecError):
        return None
    return {
        name: name not in ARTEFACTS or not (folder / name).is_file() or sha256_of(folder / name) != digest
        for name, digest in manifest.files.items()
    }


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
