"""Snapshots and changes of policy in a journal of their own: appended once, read in order (FW-19, FW-23)."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.facts import Fact, event_of, fact
from tradeworthy.kernel.journal import Journal, JournalPolicy, read
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy, loosened, policy_hash
from tradeworthy.operations.assessments.framework.snapshot import Snapshot, decode

SOURCE = "assessments"
ASSESSMENTS = "assessments"
"""Where a desk's state keeps the journal of its snapshots."""
BATCH_SNAPSHOTS = 256
"""Snapshots in one sealed batch at most; a cycle is one."""


@fact("assessment.snapshot")
class SnapshotTaken(Fact, frozen=True):
    """One snapshot: `body` is its canonical JSON, so that its id can be computed again."""

    snapshot_id: str
    assessment: str
    body: str


@fact("assessment.policy_changed")
class PolicyChanged(Fact, frozen=True):
    """The limits of an assessment are others than before; `loosened` names those that let more pass."""

    assessment: str
    author: str
    reason: str
    old_hash: str
    new_hash: str
    loosened: tuple[str, ...]
    second: str = ""


class SnapshotJournal:
    """Keep snapshots; they are durable when `commit` or `close` returns."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._journal = Journal.open(directory, clock=clock, policy=JournalPolicy(batch_events_max=BATCH_SNAPSHOTS))

    @property
    def last_seq(self) -> int:
        """The seq of the newest record, 0 where there is none."""
        return self._journal.last_seq

    def append(self, snapshot_id: str, assessment: str, body: bytes, ts: int) -> None:
        """Append a snapshot; one that is there already is not appended twice."""
        taken = SnapshotTaken(snapshot_id, assessment, body.decode())
        self._journal.accept(event_of(taken, source=SOURCE, key=snapshot_id, ts_event=ts, ts_init=ts))

    def commit(self) -> None:
        """Make everything durable that was appended; one sync for all of it."""
        self._journal.commit()

    def policy_changed(self, changed: PolicyChanged, ts: int) -> None:
        """Append a change of policy; a loosened limit needs a second person, another than the author (FW-19)."""
        if changed.loosened and changed.second.strip() in ("", changed.author.strip()):
            looser = ", ".join(changed.loosened)
            raise ValueError(f"{changed.assessment}: a looser limit needs a second person: {looser}")
        key = f"{changed.assessment}:{changed.new_hash}:{ts}"
        self._journal.accept(event_of(changed, source=SOURCE, key=key, ts_event=ts, ts_init=ts))
        self._journal.commit()

    def close(self) -> None:
        """Seal the journal."""
        self._journal.close()


def changes_of(
    before: Mapping[str, AssessmentPolicy], after: Mapping[str, AssessmentPolicy], *, author: str, reason: str,
    second: str = "",
) -> tuple[PolicyChanged, ...]:  # fmt: skip
    """Return one change for each policy that is another than before, with the limits that it loosens (FW-19)."""
    if not (author.strip() and reason.strip()):
        raise ValueError("a change of a policy needs an author and a reason")
    return tuple(
        PolicyChanged(
            name, author, reason, policy_hash(before[name]), policy_hash(policy), loosened(before[name], policy), second
        )
        for name, policy in sorted(after.items()) if name in before and policy != before[name]
    )  # fmt: skip


def snapshots_of(directory: Path, *, start: int = 1, stop: int | None = None) -> Iterator[Snapshot]:
    """Yield the snapshots of a journal, oldest first; each is checked against its id."""
    if not any(directory.glob("journal-*")):
        return
    for event in read(directory, start=start, stop=stop):
        if isinstance(event.payload, SnapshotTaken):
            yield decode(event.payload.body.encode())
