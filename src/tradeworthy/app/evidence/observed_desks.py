"""Read what our own desk did under a dry run from its journals: environment, digests, decisions (DR-30, EV-14)."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from tradeworthy.app.assessing.live import ASSESSMENTS
from tradeworthy.app.identity import hashes_of_document
from tradeworthy.app.runs.folder import document_of, journal_of, started_of, state_of
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.journal.verify import CannotJudge, verify
from tradeworthy.operations.assessments.framework.journaled import snapshots_of
from tradeworthy.operations.dry_run.artefacts import Objective
from tradeworthy.operations.dry_run.audit.evidence import DECISION_KINDS
from tradeworthy.operations.dry_run.desk_facts import STARTS_NAME, DeskFacts, DeskStart
from tradeworthy.operations.dry_run.model import Hashes, Status, status_of
from tradeworthy.operations.dry_run.objectives import derived_objectives

MARKET_KINDS = "market."


class DeskJournals:
    """Find the desks that a harness started, and judge their journals."""

    def read(self, log_dir: Path) -> tuple[DeskFacts, Hashes] | None:
        """Return what the desks of this run say; None when the command was no desk of ours.

        Raises `InvalidInput` when a journal is damaged, of another run, or the desk changed between two starts.
        """
        starts = starts_in(log_dir / STARTS_NAME)
        if not starts:
            return None
        found = [(_hashes(Path(one.folder), one), one) for one in starts]
        for hashes, one in found[1:]:
            if hashes != found[0][0]:
                raise InvalidInput(f"the desk changed between its starts: {one.folder} is not as {starts[0].folder}")
        journals = [journal_of(Path(one.folder)) for one in starts]
        folds = [_folded(one) for one in journals]
        begun = [started_of(Path(one.folder)) for one in starts]
        facts = DeskFacts(
            environment=begun[-1].environment, live_feed=not any(one.tapes for one in begun),
            folders=tuple(one.folder for one in starts), journals=tuple(str(one) for one in journals),
            decisions=sum(one.decisions for one in folds),
            last_decision_seq=max((one.last_seq for one in folds if one.last_seq is not None), default=None),
            market_first_ns=min((one.first for one in folds if one.first is not None), default=None),
            market_last_ns=max((one.last for one in folds if one.last is not None), default=None),
        )  # fmt: skip
        return facts, found[0][0]

    def objectives(self, facts: DeskFacts, *, started: int, ended: int) -> tuple[Objective, ...]:
        """Return the objectives of a release as the desk's assessments found them from `started` to `ended` (ns UTC).

        Raises `InvalidInput` when a journal of snapshots holds one that was altered.
        """
        found: dict[str, tuple[Status, str]] = {}
        for state in sorted({state_of_desk(Path(one)) for one in facts.folders}):
            for snapshot in snapshots_of(state / ASSESSMENTS):
                if started <= snapshot.generated_at <= ended:
                    found[snapshot.assessment] = (status_of(snapshot.status), snapshot.id)
        return derived_objectives(found)


class _Folded(NamedTuple):
    """A journal in one pass: decisions, the seq of the last, first and last time of market events at their source."""

    decisions: int
    last_seq: int | None
    first: int | None
    last: int | None


def _folded(journal: Path) -> _Folded:
    decisions, last_seq, first, last = 0, None, None, None
    for event in read(journal):
        if event.kind in DECISION_KINDS:
            decisions, last_seq = decisions + 1, event.seq
        elif event.kind.startswith(MARKET_KINDS):
            first = event.ts_event if first is None else min(first, event.ts_event)
            last = event.ts_event if last is None else max(last, event.ts_event)
    return _Folded(decisions, last_seq, first, last)


def state_of_desk(folder: Path) -> Path:
    """Return where the desk of a run folder keeps what outlives the run."""
    return state_of(folder.parent, document_of(folder, started_of(folder)).desk.name)


def starts_in(path: Path) -> tuple[DeskStart, ...]:
    """Return the starts of a file; raises `InvalidInput` for a line that is none."""
    if not path.is_file():
        return ()
    try:
        return tuple(msgspec.json.decode(line, type=DeskStart) for line in path.read_bytes().splitlines())
    except msgspec.MsgspecError as problem:
        raise InvalidInput(f"expected the starts of a desk in {path}, found {problem}") from None


def keep_configuration(folder: Path, place: Path) -> None:
    """Lay the configuration of a desk's run, as its journal keeps it, where the bundle finds it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    write_durably(place, document_of(folder, started_of(folder)).canonical().encode() + b"\n")


def _hashes(folder: Path, start: DeskStart) -> Hashes:
    try:
        result = verify(journal_of(folder))
    except CannotJudge as problem:
        raise InvalidInput(f"the desk's journal in {folder} cannot be judged: {problem}") from None
    if not result.ok:
        raise InvalidInput(f"the desk's journal in {folder} is damaged at seq {result.first_bad_seq}: {result.problem}")
    first = started_of(folder)
    if first.run_id != start.run_id:
        raise InvalidInput(f"expected the journal of run {start.run_id} in {folder}, found that of {first.run_id}")
    return hashes_of_document(document_of(folder, first), first.code_hash)
