"""Read what our own desk did under a dry run from its journals: environment, digests, decisions (DR-30, EV-14)."""

from pathlib import Path

import msgspec

from tradeworthy.app.identity import hashes_of_document
from tradeworthy.app.run_folder import document_of, journal_of, started_of
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.journal.verify import CannotJudge, verify
from tradeworthy.operations.dry_run.audit.evidence import decisions_of
from tradeworthy.operations.dry_run.desk_facts import STARTS_NAME, DeskFacts, DeskStart
from tradeworthy.operations.dry_run.model import Hashes


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
        counts = [decisions_of(one) for one in journals]
        seqs = [one.last_seq for one in counts if one.last_seq is not None]
        facts = DeskFacts(
            environment=started_of(Path(starts[-1].folder)).environment, folders=tuple(one.folder for one in starts),
            journals=tuple(str(one) for one in journals), decisions=sum(one.count for one in counts),
            last_decision_seq=max(seqs, default=None),
        )  # fmt: skip
        return facts, found[0][0]


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
