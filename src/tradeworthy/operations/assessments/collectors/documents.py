"""Facts of documents and artefacts: what changed, what was deleted, and what people said they held (AS-58, AS-139)."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from tradeworthy.kernel.journal.records import Deleted
from tradeworthy.kernel.journal.retention import RetentionPolicy, Step
from tradeworthy.operations.assessments.collectors.incidents import NO_ROSTER
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.values import Observation
from tradeworthy.operations.incidents.roster import RosterFacts

NO_REGISTER = "no register of it is kept; a person attests it"
BEYOND = frozenset({"delete", "expire", "archive"})
"""Acts that retention asks for when a file's time in its place is over."""


def document_facts(
    starts: Sequence[tuple[str, str]], here: str, roster: RosterFacts | None, tell: Teller
) -> list[Observation]:
    """Return the facts of `document_control`.

    starts  code hash and hash of the runbooks of the newest processes of the desk, oldest first
    here    hash of the runbooks that lie beside the program now, empty where none does
    """
    told = [one for one in starts if one[1]]
    changed, why = None, "no process of this desk told of its runbooks" if here else "no runbooks lie here"
    if told and here:
        changed = int(told[-1][1] != here) + sum(a[0] == b[0] and a[1] != b[1] for a, b in pairwise(told))
    age = None if roster is None else roster.age_hours
    return [
        tell("changed", changed, why=why),
        tell("roster_age", age, why=NO_ROSTER),
        tell("untested", None if roster is None or age is None else len(roster.untested), why=NO_ROSTER),
        *(tell(name, None, why=NO_REGISTER) for name in ("last_committee", "last_audit", "last_quarterly",
                                                         "last_report")),
    ]  # fmt: skip


def artefact_facts(
    deleted: Collection[Deleted], cited: Collection[str], steps: Collection[Step], altered: Mapping[str, bool] | None,
    tell: Teller,
) -> list[Observation]:
    """Return the facts of `artefact_retention`.

    deleted  by the journal;  cited  names and digests that living evidence rests on;  steps  that are planned now
    altered  by artefact whether it is another than the run's manifest says, None = the manifest cannot be read
    """
    without = "no manifest of the files of this run can be read, and nobody writes it any more"
    files = {"manifest.json": False} if altered is not None else {}
    return [
        *(tell("altered", int(other), name) for name, other in {**files, **(altered or {})}.items()),
        *([tell("altered", None, "manifest.json", why=without)] if altered is None else []),
        tell("deleted_cited", sum(one.sha256 in cited or one.name in cited for one in deleted)),
        tell("expired", sum(one.act in BEYOND for one in steps)), tell("journal_days", RetentionPolicy().cold_days),
    ]  # fmt: skip
