"""Backtests as the verbs need them: documents from flags, trials of a family, promotion, the store, the page."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal

import msgspec

from tradeworthy.adapters.backtest_sqlite import SqliteBacktestStore
from tradeworthy.adapters.catalog import Catalog
from tradeworthy.app import config
from tradeworthy.app.config import Document, TapeSection, window_of
from tradeworthy.app.research.trials import TrialBook, sharpe_of
from tradeworthy.app.runs.folder import (
    CONFIGURATION,
    HTML,
    SUMMARY,
    RunManifest,
    manifest_of,
    page_of,
    rebuild,
)
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.kernel.ids import digest_of
from tradeworthy.kernel.report import Report
from tradeworthy.research.backtest.pbo import Overfit, probability_of_overfitting
from tradeworthy.research.backtest.promotion import PromotionPolicy, PromotionRecord, check_promotion
from tradeworthy.research.backtest.report import Overlay
from tradeworthy.research.backtest.rows import BARS, FILLS, BarRow, FillRow, read_rows
from tradeworthy.research.backtest.split import EMBARGO_SHARE, Window, split_by_time, walk_forward
from tradeworthy.research.backtest.statistics import TooFewObservations, deflated_sharpe
from tradeworthy.research.backtest.store import BacktestStore, StoreCounts, StoredRegime, StoredRun
from tradeworthy.research.backtest.summary import Summary
from tradeworthy.research.backtest.trials import OutOfSampleOpened, Trial, TrialRegister

CAPITAL = Decimal(1_000_000)
"""Capital of a backtest whose document states none, in base currency (BT-01)."""
STORE = "backtests.sqlite"
Part = Literal["in", "out"]


class FamilyVerdict(msgspec.Struct, frozen=True):
    """What the register and the runs of a family say: counted trials and what they leave of the best Sharpe."""

    family: str
    trials: int
    openings: int
    best: str | None
    deflated_sharpe: float | None
    overfit: Overfit | None
    notes: tuple[str, ...]


def prepared(
    configuration: Path, *, overrides: Mapping[str, str], instance: str | None, catalog: Path | None, start: str | None,
    end: str | None, capital: str | None, part: Part | None,
) -> Document:
    """Return the document of a backtest; flags go before the file.

    catalog   recorded markets that take the place of the document's tapes
    part      `in` plays the first 80 % of the window, `out` the rest after an embargo; both need start and end

    Raises `UsageError` for a window that ends before it starts, a bad number, or a catalog without the instruments.
    """
    words = {**overrides, "desk.environment": "backtest"}
    words |= {f"desk.{key}": text for key, text in (("start", start), ("end", end)) if text is not None}
    if capital is not None:
        words["desk.capital"] = _number(capital)
    document = config.load(configuration, overrides=words, defaults={"desk.capital": str(CAPITAL)})
    document = config.only(document, instance)
    if catalog is not None:
        document = msgspec.structs.replace(document, tapes=_catalog_tapes(document, catalog))
        config.check(document)
    return document if part is None else _cut(document, part)


def walk_forward_documents(document: Document, *, folds: int, purge_seconds: float) -> list[Document]:
    """Return one document a fold, each playing its test part alone; the strategy's parameters stay what they are.

    purge_seconds   the horizon of a decision: training would end so much before its test

    Raises `UsageError` without a start and an end, or where purge and embargo leave a part empty.
    """
    start, end = _bounds(document, "walk-forward")
    splits = walk_forward(start, end, folds=folds, purge_ns=int(purge_seconds * NANOS_PER_SECOND))
    return [_windowed(document, split.out_of_sample) for split in splits]


def record_run(folder: Path, *, book: TrialBook, family: str, part: Part | None) -> TrialRegister:
    """Record a finished run as a trial of `family`; one that played the part kept back is also an opening."""
    manifest, summary = manifest_of(folder), summary_in(folder)
    returns = [day.change for day in summary.days]
    configuration = (folder / CONFIGURATION).read_text()
    register = book.record(
        Trial(family, manifest.run_id, manifest.config_hash, len(returns), sharpe_of(returns), configuration)
    )
    if part == "out":
        register = book.open(OutOfSampleOpened(family, manifest.run_id, manifest.start, manifest.end))
    return register


def family_verdict(root: Path, *, book: TrialBook, family: str) -> FamilyVerdict:
    """Judge a family by all its recorded trials; a trial whose folder is gone leaves the overfit unjudged."""
    register = book.register()
    trials = register.trials(family)
    if not trials:
        raise UsageError(f"expected recorded trials of {family!r} under {root}, found none")
    notes: list[str] = []
    folders = {manifest.run_id: folder for folder, manifest in _runs_under(root)}
    returns = {
        one.run_id: [day.change for day in summary_in(folders[one.run_id]).days]
        for one in trials if one.run_id in folders
    }
    if lost := [one.run_id[:12] for one in trials if one.run_id not in folders]:
        notes.append(f"no folder for {', '.join(lost)}")
    known = [one for one in trials if one.sharpe is not None and one.run_id in returns]
    best = max(known, key=lambda one: one.sharpe or 0.0, default=None)
    probability = None
    if best is None:
        notes.append("no trial has a Sharpe ratio")
    else:
        try:
            probability = deflated_sharpe(returns[best.run_id], register.sharpes(family)).probability
        except TooFewObservations as missing:
            notes.append(str(missing))
    overfit = None
    if lost or len({len(one) for one in returns.values()}) != 1:
        notes.append("the overfit needs the daily returns of all trials over the same days")
    else:
        try:
            import numpy as np

            overfit = probability_of_overfitting(np.array([returns[one.run_id] for one in trials]).T)
        except ImportError:
            notes.append("the overfit needs the research extra (numpy)")
        except InvalidInput as problem:
            notes.append(str(problem))
    return FamilyVerdict(
        family, register.count(family), register.openings(family), None if best is None else best.run_id, probability,
        overfit, tuple(notes),
    )


def promotion_report(
    stated: Path | None, *, run: Path | None, family: FamilyVerdict | None, deployed: Path | None,
    policy: PromotionPolicy | None = None,
) -> Report:
    """Judge a promotion: `stated` is a JSON file of the record's fields; what can be measured goes before it.

    run        the out-of-sample run;  deployed  the configuration that would be deployed
    """
    record = PromotionRecord()
    if stated is not None:
        try:
            record = msgspec.json.decode(stated.read_bytes(), type=PromotionRecord)
        except OSError as problem:
            raise UsageError(f"cannot read the promotion record {stated}: {problem.strerror}") from None
        except msgspec.MsgspecError as problem:
            raise UsageError(f"{stated}: {problem}") from None
    if run is not None:
        manifest_of(run)  # the folder's bytes are those of its manifest
        summary = summary_in(run)
        performance = summary.performance
        record = msgspec.structs.replace(
            record, trades=summary.activity.fills, config_hash=decision_hash(_configuration_in(run)),
            out_of_sample_sharpe=performance.sharpe.value if performance.sharpe_gates else None,
            out_of_sample_drawdown=performance.drawdown, costs_charged=summary.costs.all.fees != 0,
        )
    if family is not None:
        overfit = None if family.overfit is None else family.overfit.probability
        record = msgspec.structs.replace(record, deflated_sharpe=family.deflated_sharpe, overfit_probability=overfit)
    if deployed is not None:
        record = msgspec.structs.replace(record, deployed_hash=decision_hash(config.load(deployed)))
    return Report(
        name="promotion", title="Promotion of a backtested strategy", sources=(),
        checks=check_promotion(record, policy), figures=msgspec.to_builtins(record),
    )


def decision_hash(document: Document) -> str:
    """Return the hash of what decides: enabled strategies with their policies, the risk policy and the timers.

    Environment, tapes, window, capital and the simulated venue are left out: they differ from test to deployment.
    """
    desk = document.desk
    decides = [(one.strategy, one.instrument, one.role, one.policy) for one in document.instances if one.enabled]
    parts = (decides, document.risk, desk.base_currency, desk.evaluate_seconds, desk.sample_seconds)
    return digest_of("decides", msgspec.json.encode(parts, order="sorted").decode())


def import_run(folder: Path, store: BacktestStore) -> StoreCounts:
    """Put a run folder into the store; raises `UsageError` for a folder whose bytes are not its manifest's."""
    manifest, summary = manifest_of(folder), summary_in(folder)
    store.put(
        _stored(manifest, summary, (folder / SUMMARY).read_text()), read_rows(folder / BARS, BarRow),
        read_rows(folder / FILLS, FillRow),
        [
            StoredRegime(
                r.instance, r.instrument, r.regime, r.share.value, r.pnl, r.fills, r.notional, r.fees,
                r.capture_bps.value,
            )
            for r in summary.regimes
        ],
    )
    return store.counts()


def open_store(path: Path) -> SqliteBacktestStore:
    """Open or make the store of backtests at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return SqliteBacktestStore(path)


def draw(folder: Path, *, overlay: Path | None, out: Path | None) -> Path:
    """Draw a run's page again, over another run where `overlay` names one; return where it lies."""
    run = rebuild(folder)
    other = None
    if overlay is not None:
        second = rebuild(overlay)
        if second.summary.currency != run.summary.currency:
            raise UsageError(f"{overlay}: expected a run in {run.summary.currency}, found {second.summary.currency}")
        name = second.document.desk.name
        name = f"{name} {second.run_id[:6]}" if name == run.document.desk.name else name
        other = Overlay(name, second.summary, second.records)
    page = page_of(run.document, run.records, run.summary, manifests=run.manifests, overlay=other)
    place = out or folder / (HTML if overlay is None else "overlay.html")
    place.write_text(page)
    return place


def summary_in(folder: Path) -> Summary:
    """Return the summary a run left; raises `UsageError` where there is none."""
    try:
        return msgspec.json.decode((folder / SUMMARY).read_bytes(), type=Summary)
    except OSError as problem:
        raise UsageError(f"expected a run's summary at {folder / SUMMARY}: {problem.strerror}") from None
    except msgspec.MsgspecError as problem:
        raise UsageError(f"{folder / SUMMARY}: {problem}") from None


def _configuration_in(folder: Path) -> Document:
    path = folder / CONFIGURATION
    try:
        raw = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as problem:
        raise UsageError(f"expected a run's configuration at {path}: {problem}") from None
    return config.parse(raw, origin=str(path))


def _stored(manifest: RunManifest, summary: Summary, text: str) -> StoredRun:
    return StoredRun(
        manifest.run_id, manifest.name, manifest.environment, manifest.code_hash, manifest.config_hash, manifest.seed,
        manifest.start, manifest.end, manifest.currency, manifest.capital, summary.profit.net, summary.profit.fees,
        summary.performance.drawdown, summary.performance.sharpe.value, summary.activity.fills, summary.fill_bias,
        summary.synthetic, text,
    )


def _runs_under(root: Path) -> list[tuple[Path, RunManifest]]:
    return [(path.parent, manifest_of(path.parent)) for path in sorted(root.glob("*/manifest.json"))]


def _catalog_tapes(document: Document, root: Path) -> tuple[TapeSection, ...]:
    wanted = list(dict.fromkeys(one.instrument for one in document.instances if one.enabled))
    parts = Catalog(root).manifest().parts
    kinds = sorted({(wanted.index(one.instrument), one.kind) for one in parts if one.instrument in wanted})
    if missing := [name for number, name in enumerate(wanted) if number not in {at for at, _ in kinds}]:
        raise UsageError(f"expected {', '.join(missing)} in the catalog at {root}, found none of it")
    return tuple(
        TapeSection(
            name=f"{wanted[at]}.{kind}", format="catalog", instrument=wanted[at], path=str(root), kind=kind
        )
        for at, kind in kinds
    )


def _cut(document: Document, part: Part) -> Document:
    start, end = _bounds(document, "--part")
    split = split_by_time(start, end, embargo_ns=int((end - start) * EMBARGO_SHARE))
    return _windowed(document, split.in_sample if part == "in" else split.out_of_sample)


def _bounds(document: Document, what: str) -> tuple[int, int]:
    if not document.desk.start or not document.desk.end:
        raise UsageError(f"{what} needs --start and --end: the window is cut by time, not by what the tape holds")
    return window_of(document)


def _windowed(document: Document, window: Window) -> Document:
    desk = msgspec.structs.replace(document.desk, start=_iso(window.start), end=_iso(window.end))
    return msgspec.structs.replace(document, desk=desk)


def _iso(nanos: int) -> str:
    return datetime.fromtimestamp(nanos // NANOS_PER_SECOND, UTC).isoformat()


def _number(text: str) -> str:
    try:
        Decimal(text)
    except InvalidOperation:
        raise UsageError(f"--capital must be a number, was {text!r}") from None
    return text
