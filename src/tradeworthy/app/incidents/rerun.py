"""Past incidents on their own journals: the assessment of today looks at what the desk knew then (IN-05)."""

from collections.abc import Callable, Iterator
from pathlib import Path

from tradeworthy.app.alerts.desk import AlertDesk
from tradeworthy.app.alerts.journal import ALERTS, JOURNAL
from tradeworthy.app.assessing.sources import Asked, Sources, judge_all
from tradeworthy.app.incidents.course import journal_dir
from tradeworthy.app.incidents.museum import Caught, Shown, rerun
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.incidents.lifecycle import Incident

STATE = "state"


def judged_again(root: Path, clock: Clock) -> Callable[[Incident, str], str | None]:
    """Return what holds a closed incident's check against the journal of its run, up to where it was opened.

    The answer is why the check does not catch it, empty where it does: it warns or fails, unknown catches nothing.
    None where no run's journal belongs to the incident, or a run brings no facts that the check needs.
    """

    def look(one: Incident, check: str) -> str | None:
        began, known = one.began, registry()
        name = check.partition(".")[0]
        if began is None or not began.run or name not in known:
            return None
        folder = root / began.run
        if not journal_dir(folder).is_dir():
            return f"its journal is gone: expected {began.run} beside the desk's state"
        ended = one.ended
        stops = [began.seq]
        if ended is not None and ended.run == began.run and ended.seq > began.seq:
            stops.append(ended.seq)
        said: list[str] = []
        for seq in stops:
            sources = Sources(Asked(run=folder, at=seq), clock, known)
            assert sources.run is not None
            if name not in sources.probes() and not known.get(name).children:
                return None
            policies = known.policies(sources.run.document.assessments)
            (found, *_) = judge_all(
                known, (name,), sources, History(), limits=policies.__getitem__
            ).snapshots
            finding = next((row for row in found.findings if row.code == check), None)
            if finding is not None and finding.severity in (Severity.WARN, Severity.FAIL):
                return ""
            said.append(f"{'OK' if finding is None else finding.severity.name} at seq {seq}")
        return f"on the journal of {began.run} it says {', '.join(said)}"

    return look


def rerun_desk(root: Path, desk: str, shown: list[Shown], clock: Clock) -> tuple[Caught, ...]:
    """Hold every closed incident of a desk against today's checks, on its own journal where that is kept."""
    book = AlertDesk(root, desk, clock=clock).incidents()
    return rerun(book.all, shown, on_journal=judged_again(root, clock))


def desks_of(root: Path) -> Iterator[str]:
    """Return the desks below `root` that ran an alert path, by name."""
    for folder in sorted((root / STATE).glob(f"*/{ALERTS}/{JOURNAL}")):
        yield folder.parent.parent.name
