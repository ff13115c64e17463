"""Facts of a process out of the journal of its life: what a journal cannot know stays missing."""

from collections import deque
from collections.abc import Iterable

from tradeworthy.app.runtime.facts import ClockChecked, ErrorUnrouted, RuntimeStopping
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.supervision.resources import ResourcePolicy, ResourceSample
from tradeworthy.kernel.supervision.transitions import (
    State,
    TaskAbandoned,
    TaskEnded,
    TaskFailed,
    TaskHung,
    TaskRestarted,
    TaskStarted,
)
from tradeworthy.operations.assessments.collectors.live import resource_facts
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.collectors.unrouted import UnroutedFold
from tradeworthy.operations.assessments.framework.values import Observation

SAMPLES_KEPT = 360
TASKS_KEPT = 1_000
ONLY_LIVE = "a journal tells transitions; ask the running process"
NO_MAIL = "a journal holds no mail of the machine; ask the running process"


class LifeFold:
    """Take the events of one process's life in order; bounded, whatever their number."""

    def __init__(self, *, environment: str) -> None:
        self._environment = environment
        self.first_seq = self.last_seq = self.now = 0
        self._tasks: dict[str, tuple[State, str]] = {}
        self._clock: ClockChecked | None = None
        self._backwards = 0
        self._stopping = False
        self._samples: deque[ResourceSample] = deque(maxlen=SAMPLES_KEPT)
        self._unrouted = UnroutedFold()

    def fold(self, events: Iterable[Event]) -> "LifeFold":
        """Take all of them and return itself."""
        for event in events:
            self.on_event(event)
        return self

    def on_event(self, event: Event) -> None:
        """Take the next event."""
        self.first_seq = self.first_seq or event.seq
        self.last_seq = event.seq
        self._backwards += event.ts_init < self.now
        self.now = max(self.now, event.ts_init)
        match event.payload:
            case TaskStarted(task=task, owner=owner):
                self._task(task, State.RUNNING, owner)
            case TaskFailed(task=task) | TaskHung(task=task):
                self._task(task, State.FAILED)
            case TaskRestarted(task=task):
                self._task(task, State.RUNNING)
            case TaskAbandoned(task=task):
                self._task(task, State.ABANDONED)
            case TaskEnded(task=task, state=state):
                ordered = self._stopping and state is State.CANCELLED  # an end in order cancels what runs for ever
                self._task(task, State.FINISHED if ordered else state)
            case RuntimeStopping():
                self._stopping = True
            case ClockChecked() as checked:
                self._clock = checked
            case ResourceSample() as sample:
                self._samples.append(sample)
            case ErrorUnrouted(event=line):
                self._unrouted.take(line, event.ts_init)

    def teller(self) -> Teller:
        """Return what tells this life's facts, stamped with its last event."""
        return Teller(
            "life", self.now, environment=self._environment, evidence=(f"seq:{self.first_seq}-{self.last_seq}",)
        )

    def task_facts(self) -> list[Observation]:
        """Return the facts of `task_supervision`; heartbeats and budgets are only in the running process."""
        tell, found = self.teller(), []
        for name, (state, owner) in sorted(self._tasks.items()):
            found += [
                tell("state", state.value, name), tell("owned", bool(name and owner), name),
                *(tell(one, None, name, why=ONLY_LIVE) for one in ("heartbeat_age", "hang_timeout", "restarts_used")),
            ]  # fmt: skip
        return found

    def time_facts(self) -> list[Observation]:
        """Return the facts of `time_integrity` by the last check of the clock."""
        tell, checked = self.teller(), self._clock
        offset = None if checked is None or checked.offset_ns is None else abs(checked.offset_ns) / NANOS_PER_MILLI
        step = None if checked is None else abs(checked.drift_ns) / NANOS_PER_SECOND
        return [
            tell("offset", offset, why="no time source tells the true offset"),
            tell("step", step, why="the clock was not checked"), tell("backwards", self._backwards),
        ]  # fmt: skip

    def unrouted_facts(self) -> list[Observation]:
        """Return the facts of `unrouted_errors` of the life's last hour; the machine's mail is not in its journal."""
        tell = self.teller()
        return [*self._unrouted.facts(tell, self.now), tell("mails", None, "mailbox", why=NO_MAIL)]

    def resource_facts(self, policy: ResourcePolicy) -> list[Observation]:
        """Return the facts of `resources`; forecasts are only in the running process."""
        tell = self.teller()
        found = resource_facts(tuple(self._samples), (), policy, tell)
        return [*found, *(tell("forecast", None, name, why=ONLY_LIVE) for name in ("memory", "disk"))]

    def _task(self, name: str, state: State, owner: str = "") -> None:
        known = self._tasks.pop(name, (state, ""))
        self._tasks[name] = state, owner or known[1]
        if len(self._tasks) > TASKS_KEPT:
            self._tasks.pop(next(iter(self._tasks)))
