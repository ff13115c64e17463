"""An incident beside the desk's own journals: what it held at rest, and what the incident did to it (IN-02, IN-07)."""

from collections.abc import Iterator
from pathlib import Path

from tradeworthy.app.runs.folder import journal_of
from tradeworthy.app.runs.last_run import LAST_RUN
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal import read
from tradeworthy.operations.incidents.course import Bounds, Course, course
from tradeworthy.operations.incidents.lifecycle import Incident
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.scene import IncidentCircumstances, SceneFold
from tradeworthy.operations.incidents.tickets import Scene

CAUSE = "journal:"
"""How an alert names the event of the desk's journal that it rests on."""


def scene_at_rest(root: Path, state: Path) -> Scene:
    """Return what tells of a desk at rest: its last run, folded when it is asked."""

    def scene(incident: str, phase: str, at: int) -> IncidentCircumstances:
        fold = SceneFold()
        note = state / LAST_RUN
        folder = root / note.read_text() if note.is_file() else None
        if folder is None or not journal_dir(folder).is_dir():
            return fold.circumstances(incident, phase, at, why="no run of the desk is kept")
        for event in read(journal_dir(folder)):
            fold.on_event(event, event.seq)
        return fold.circumstances(incident, phase, at, run=folder.name)

    return scene


def scene_of_run(fold: SceneFold, state: Path) -> Scene:
    """Return what tells of the run in hand, whose events `fold` takes one by one."""

    def scene(incident: str, phase: str, at: int) -> IncidentCircumstances:
        note = state / LAST_RUN
        return fold.circumstances(incident, phase, at, run=note.read_text() if note.is_file() else "")

    return scene


def bounds_of(root: Path, one: Incident, policy: IncidentPolicy) -> Bounds | None:
    """Return where an incident lies in the journals below `root`; None where no run belongs to it, or it is gone."""
    began, ended = one.began, one.ended
    if began is None or not began.run or not journal_dir(root / began.run).is_dir():
        return None
    seq, time = _first_impact(root, one, began)
    shortest = round(policy.course_minutes_min * 60 * NANOS_PER_SECOND)
    if one.resolved_at is None or ended is None or not ended.run:
        return Bounds(run=began.run, first_seq=seq, first_time=time, shortest_ns=shortest)
    return Bounds(
        run=began.run, first_seq=seq, first_time=time, last_run=ended.run, last_seq=ended.seq,
        last_time=ended.desk_time, shortest_ns=shortest,
    )  # fmt: skip


def course_of(root: Path, one: Incident, policy: IncidentPolicy) -> Course | None:
    """Return what an incident did to the desk; None where no run of it is kept."""
    bounds = bounds_of(root, one, policy)
    if bounds is None:
        return None
    names = list(dict.fromkeys(name for name in (bounds.run, bounds.last_run) if name))
    return course(((name, _events(root / name)) for name in names), bounds)


def journal_dir(folder: Path) -> Path:
    """Return where a run's journal is; one that is not there has none."""
    try:
        return journal_of(folder)
    except UsageError:
        return folder / "journal"


def _first_impact(root: Path, one: Incident, began: IncidentCircumstances) -> tuple[int, int]:
    """Return seq and desk time of the event that the alert rests on, else of what was newest when it was opened."""
    named = one.opened.cause.removeprefix(CAUSE)
    if one.opened.cause.startswith(CAUSE) and named.isdigit() and 0 < int(named) <= began.seq:
        for event in read(journal_dir(root / began.run), start=int(named), stop=int(named) + 1):
            return event.seq, event.ts_init
    return began.seq, began.desk_time


def _events(folder: Path) -> Iterator[Event]:
    directory = journal_dir(folder)
    if directory.is_dir():
        yield from read(directory)
