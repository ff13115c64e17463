"""Everything that `assess` looks at, together: a run, the life beside it, folders, and what was judged before."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tradeworthy.app.assessing.desk_probes import SCAN_TIMEOUT_S, RunFolds, folder_probes, life_probes
from tradeworthy.app.assessing.live import ASSESSMENTS
from tradeworthy.app.assessing.projecting import projections_at, table_facts
from tradeworthy.app.assessing.run_probes import LifeSource, Probes, RunSource, joined, newest_life, verdict_facts
from tradeworthy.app.runs.last_run import LAST_RUN
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.kernel.journal.files import writer_lives
from tradeworthy.kernel.report import EXIT_CODES
from tradeworthy.kernel.severity import worst
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.assessment import Assessment
from tradeworthy.operations.assessments.framework.collect import Collected, Probe, collect
from tradeworthy.operations.assessments.framework.course import COURSE_LOOKS, Course, looked
from tradeworthy.operations.assessments.framework.cycle import judged
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.journaled import snapshots_of
from tradeworthy.operations.assessments.framework.moved import moved
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy
from tradeworthy.operations.assessments.framework.registry import Registry
from tradeworthy.operations.assessments.framework.snapshot import Snapshot
from tradeworthy.operations.assessments.framework.values import Observation

OF_A_RUN = "--run FOLDER of a recorded run"
OF_A_PLAYED_RUN = "--run FOLDER of a run that `tradeworthy run` played: no process stands around `demo` or `backtest`"
OF_A_PROCESS = "a running desk, whose state keeps its snapshots; `--life FOLDER` brings a part of them"
BROUGHT_BY = {
    "event_bus_health": "a running desk, whose state keeps its snapshots",
    "runtime_health": "a running desk, whose state keeps its snapshots; `tradeworthy health` asks it now",
    "reconciliation": OF_A_PLAYED_RUN, "runtime_performance": OF_A_PLAYED_RUN, "decision_latency": OF_A_PLAYED_RUN,
    "runtime_lag": OF_A_PROCESS, "resources": OF_A_PROCESS, "task_supervision": OF_A_PROCESS,
    "time_integrity": OF_A_PROCESS, "unrouted_errors": OF_A_PROCESS,
    "final_dry_run": "--dry-run FOLDER of a final dry run",
    "system_validation": "--dry-run FOLDER of a final dry run", "secrets_hygiene": "--scan FOLDER to look through",
    "data_retention": "--store FILE of the market store",
    "ops_store": "--tables TARGET beside --run or --state",
    "incident_response": "--state FOLDER of a desk that ran its alert path",
    "document_control": "--state FOLDER of a desk that ran",
    "change_management": "--state FOLDER of a desk that ran",
    "alert_path": "a running desk, whose state keeps its snapshots",
}  # fmt: skip
"""What brings the facts of an assessment, where it is not a run's folder."""
OF_THE_PROCESS = frozenset({"task_supervision", "resources", "runtime_lag", "time_integrity", "unrouted_errors"})
"""A journal tells a part of these; on a tape that is played fast, also when desk and venue were compared."""


class Asked(NamedTuple):
    """What the words of a call named. `at` is the seq that counts last, `now` the moment to judge at, if given."""

    run: Path | None = None
    life: Path | None = None
    state: Path | None = None
    dry_run: Path | None = None
    scan: tuple[Path, ...] = ()
    store: Path | None = None
    at: int | None = None
    now: int | None = None
    tables: str = ""


class Sources:
    """What was named, and what lies beside it; every fact is told at one moment.

    A run names its state folder, that the life of the process that played it and the snapshots it took: both are found
    by themselves while that run is the desk's last one and the whole of it counts. A tape's time is moved to the moment
    of the rest, so that ages stay what they are.
    """

    def __init__(self, asked: Asked, clock: Clock, known: Registry, *, course: bool = False) -> None:
        if asked.at is not None and asked.run is None:
            raise UsageError("--at needs --run")
        self._asked, self._clock, self._known = asked, clock, known
        stop = None if asked.at is None else asked.at + 1
        self.run = None if asked.run is None else RunSource(asked.run, clock, stop=stop)
        if self.run is not None and asked.at is not None and not 1 <= asked.at <= (last := self.run.last_seq()):
            raise UsageError(f"--at: expected a seq of the run's journal, 1 to {last}, found {asked.at}")
        self.folds = None if self.run is None or asked.run is None else RunFolds(self.run, asked.run)
        self.environment = "file" if self.run is None else self.run.environment
        self.code_version = "" if self.run is None else self.run.code_version
        self.state = self._state()
        self.life = self._life()
        self.courses: dict[str, Course] = {}
        self._history = History()
        if self.run is not None and course:
            self.courses = self._course(self.run)
        for one in (self.run, self.life):
            if one is not None:
                one.catch_up()
        self.moment = self._moment()

    def probes(self) -> Probes:
        """Return the probes by assessment, each telling its facts at `moment`."""
        by = 0 if self.run is None or not self.run.on_tape else self.moment - self.run.now
        own: list[Probes] = [] if self.run is None or self.folds is None else [self.run.probes(), self.folds.probes()]
        if self.run is not None and self.run.damage:
            own = [_unreadable(joined(*own), self.run.damage), {}]
        if self.life is not None:
            own += [self.life.probes(), life_probes(self.life)]
        asked = self._asked
        folders = folder_probes(
            self.environment, dry_run=asked.dry_run, scan=asked.scan, store=asked.store, state=self.state
        )
        of_run = joined(*own[:2]) if self.run is not None else {}
        rest = joined(*own[2:]) if self.run is not None else joined(*own)
        if asked.tables:
            rest = joined(rest, {"ops_store": (Probe("tables", self._tables, timeout_s=SCAN_TIMEOUT_S),)})
        if self.run is not None:
            rest = joined(rest, {"understanding_slos": (Probe("verdict", self._verdict),)})
        return joined({name: tuple(self._moved(name, one, by) for one in some) for name, some in of_run.items()},
                      rest, folders)  # fmt: skip

    @property
    def named(self) -> str:
        """How the run is called, by its folder."""
        return "" if self._asked.run is None else self._asked.run.resolve().name

    @property
    def only_while_it_ran(self) -> frozenset[str]:
        """What only a living process can tell, where the one beside this run has ended: its own word stands."""
        if self.life is None or self._asked.life is not None or writer_lives(self.life.directory):
            return frozenset()
        return OF_THE_PROCESS | {"reconciliation"} if self.run is not None and self.run.on_tape else OF_THE_PROCESS

    def past(self, journal: Path | None) -> History:
        """Return what was judged before: in `journal`, else in the state of the desk that played the run."""
        if journal is not None:
            return History().fold(snapshots_of(journal))
        if self.state is None or self._asked.at is not None:
            return History()
        return History().fold(snapshots_of(self.state / ASSESSMENTS))

    def remember(self, past: History) -> None:
        """Read from now on in this history what was judged before."""
        self._history = past

    def _verdict(self, now: int) -> list[Observation]:
        return verdict_facts(self._history, Teller("snapshots", now, environment=self.environment))

    def _tables(self, now: int) -> list[Observation]:
        tell = Teller("tables", now, environment=self.environment)
        at = now if self.run is None else self.run.now
        try:
            return table_facts(
                projections_at(self._asked.tables), tell, run=self._asked.run, state=self.state,
                now=self._asked.now or self._clock.now(), run_now=at,
            )  # fmt: skip
        except UsageError as problem:
            raise InvalidInput(str(problem)) from None

    def _moved(self, name: str, probe: Probe, by: int) -> Probe:
        specs = self._known.get(name).specs

        def look(now: int) -> Iterable[Observation]:
            return moved(probe.read(now), specs, by)

        return msgspec.structs.replace(probe, read=look) if by else probe

    def _course(self, run: RunSource) -> dict[str, Course]:
        """Judge the run's own facts at even steps of its journal, so that people see where it turned."""
        assert self.folds is not None
        last = self._asked.at or run.last_seq()
        policies = self._known.policies(run.document.assessments)
        points = sorted({round(last * step / COURSE_LOOKS) for step in range(1, COURSE_LOOKS)} - {0})
        found: dict[str, Course] = {}
        skipped = {"log_integrity", "paper_soak", "post_trade", "decision_latency", "configuration_audit",
                   "understanding_slos"}  # fmt: skip
        for seq in points:
            run.catch_up(seq)
            probes = joined(run.probes(), self.folds.probes())
            for one in self._known.in_order():
                if one.name in probes and one.name not in skipped:
                    point = looked(one, policies[one.name], probes[one.name], run.desk.now)
                    found.setdefault(one.name, []).append(point)
        return found

    def _state(self) -> Path | None:
        if self._asked.state is not None:
            return self._asked.state
        if self.run is None or self._asked.run is None or self._asked.at is not None:
            return None
        folder = self._asked.run.resolve()
        state = folder.parent / "state" / self.run.document.desk.name
        note = state / LAST_RUN
        return state if note.is_file() and note.read_text() == folder.name else None

    def _life(self) -> LifeSource | None:
        folder = self._asked.life
        if folder is not None:
            folder = newest_life(folder) if (folder / "runtime").is_dir() else folder
        elif self.state is not None and any((self.state / "runtime").glob("*-*/journal/journal-*")):
            folder = newest_life(self.state)
        return None if folder is None else LifeSource(folder, self._clock, environment=self.environment)

    def _moment(self) -> int:
        if self._asked.now is not None:
            return self._asked.now
        outside = [self._asked.dry_run, self._asked.store, *self._asked.scan]
        if self.life is not None:
            return self.life.now
        if self.run is not None and not (self.run.on_tape and any(outside)):
            return self.run.now
        return self._clock.now()


def _unreadable(probes: Probes, why: str) -> Probes:
    """Return probes that all say why they cannot read, but for that of the journal itself, which names the damage."""

    def look(now: int) -> Iterable[Observation]:
        raise InvalidInput(why)

    return {
        name: some if name == "log_integrity" else tuple(msgspec.structs.replace(one, read=look) for one in some)
        for name, some in probes.items()
    }


class Judged(NamedTuple):
    """What came of it: the snapshots that were asked for, worst first, and those that nothing brought facts to."""

    snapshots: tuple[Snapshot, ...]
    recorded: frozenset[str]
    bring: dict[str, str]

    @property
    def exit_code(self) -> int:
        """The exit code of the worst."""
        return EXIT_CODES[worst(one.status for one in self.snapshots)]


def judge_all(
    known: Registry, chosen: Sequence[str], sources: Sources, past: History, *,
    limits: Callable[[str], AssessmentPolicy], keep: Callable[[Snapshot], None] = lambda snapshot: None,
    given: Mapping[str, Collected] | None = None,
) -> Judged:  # fmt: skip
    """Judge the assessments that are named, children before their composites.

    past  is taken further; what no probe can tell and a process judged while it ran stands as it was recorded
    keep   takes each snapshot that is new
    given  facts by assessment, in the place of everything that the sources would bring
    """
    sources.remember(past)
    probes, found = sources.probes() if given is None else {}, dict[str, Snapshot]()
    recorded: list[str] = []
    for one in known.in_order(chosen):
        before = past.last(one.name)
        seen_here = one.name in probes and one.name not in sources.only_while_it_ran
        if given is None and before is not None and not seen_here and not one.children:
            found[one.name] = before
            recorded.append(one.name)
            continue
        brought = collect(probes.get(one.name, ()), sources.moment)
        if given is not None:
            brought = given.get(one.name, Collected(()))
        taken = judged(
            one, brought, limits(one.name), sources.moment, past, environment=sources.environment,
            code_version=sources.code_version,
        )  # fmt: skip
        found[one.name] = taken
        past.take(taken)
        keep(taken)
    told = sorted((found[name] for name in chosen), key=lambda one: (-one.status, one.assessment))
    return Judged(tuple(told), frozenset(recorded), bring_of(told, known))


def bring_of(told: Iterable[Snapshot], known: Mapping[str, Assessment] | Registry) -> dict[str, str]:
    """Return what would bring the facts of each assessment that had none, by name."""
    return {
        one.assessment: BROUGHT_BY.get(one.assessment, OF_A_RUN)
        for one in told if any(found.code == f"{one.assessment}.no_data" for found in one.findings)
    }  # fmt: skip


def laid_over(document: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the overrides of a document with others on top, field by field."""
    found = {name: dict(fields) for name, fields in document.items()}
    for name, fields in overrides.items():
        known = found.setdefault(name, {})
        for field, value in fields.items():
            both = isinstance(value, Mapping) and isinstance(known.get(field), Mapping)
            known[field] = {**known[field], **value} if both else value
    return found
