"""What outlives a process of the alert path: its journal, what that tells the next one, and the box of requests."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tradeworthy.app.alerts.duties import RosterWatch
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Event, Fact, event_of
from tradeworthy.kernel.journal import Journal, read
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.operations.incidents.acts import Answer, Request
from tradeworthy.operations.incidents.escalation import Ladder
from tradeworthy.operations.incidents.ladder_policy import EscalationPolicy
from tradeworthy.operations.incidents.lifecycle import IncidentBook, Phase
from tradeworthy.operations.incidents.model import (
    Alert,
    AlertAcknowledged,
    AlertSeverity,
    Outcome,
    PathOpened,
    Purpose,
    Receipt,
    Silence,
)
from tradeworthy.operations.incidents.policy import IncidentPolicy

SOURCE = "alerts"
ALERTS, JOURNAL, ASKED, ANSWERED, CANARIES = "alerts", "journal", "asked", "answered", "canaries.jsonl"
"""Below a desk's state: the path's folder; in it its journal, what people asked, the answers, the canaries' sink."""
ASK_EVERY_NS = 200 * NANOS_PER_MILLI
ANSWERS_KEPT = 64
ASK_AGE_NS, OFFERS_MAX = 600 * NANOS_PER_SECOND, 3
THREADS_MAX = 1_000
"""Threads of a chat that a new process goes on with."""


class AlertJournal:
    """Journal what the path does, in a journal of its own that outlives each process of the desk."""

    def __init__(self, folder: Path, clock: Clock, *, run_id: str) -> None:
        self._clock, self._run_id = clock, run_id
        self._journal = Journal.open(folder, clock=clock)
        self._number = 0
        self.last_told: int | None = None
        """Stamp of what was told last by this process."""

    def tell_all(self, facts: Sequence[Fact]) -> Sequence[Event]:
        """Journal facts in order, durable when this returns; returns them as they were accepted."""
        found = []
        now = self._clock.now()
        self.last_told = now if facts else self.last_told
        for one in facts:
            self._number += 1
            event = event_of(one, source=SOURCE, key=f"{self._run_id}:{self._number}", ts_event=now, ts_init=now)
            found.append(msgspec.structs.replace(event, seq=self._journal.accept(event)))
        self._journal.commit()
        return found

    def close(self) -> None:
        """Seal it."""
        self._journal.close()


class Before:
    """What a path's journal tells a new process: the incidents, and the critical alerts that reached nobody.

    unheard  of the last process that ran the path, not taken by a person, oldest first
    ladder   what climbs on;  drilled_at  when the last drill was answered, else when the path first opened
    threads  where a channel told of a thing first: channel and dedup key to the gateway's own name of the message
    """

    def __init__(self, folder: Path, policy: IncidentPolicy, escalation: EscalationPolicy | None = None) -> None:
        self.incidents = IncidentBook(policy)
        self.ladder = Ladder(escalation or EscalationPolicy())
        self.roster = RosterWatch(escalation or EscalationPolicy(), folder)
        self._heard: dict[str, Alert] = {}
        self._silences: dict[str, Silence] = {}
        self.threads: dict[tuple[str, str], str] = {}
        self._first: int | None = None
        directory = folder / JOURNAL
        for event in read(directory) if directory.is_dir() else ():
            self._fold(event.payload)

    @property
    def unheard(self) -> tuple[Alert, ...]:
        """The alerts."""
        return tuple(self._heard.values())

    @property
    def drilled_at(self) -> int | None:
        """When a drill was answered last; before the first one, when the path was opened first; None: never."""
        drills = (one.acknowledged_at for one in self.incidents.all if one.opened.drill)
        return max((one for one in drills if one is not None), default=self._first)

    def silences(self, now: int) -> tuple[Silence, ...]:
        """Return the silences that still hold."""
        return tuple(one for one in self._silences.values() if one.until > now)

    def _fold(self, told: Fact) -> None:
        self.incidents.fold(told)
        self.ladder.fold(told)
        self.roster.fold(told)
        match told:
            case PathOpened():
                self._heard.clear()
                self._first = self._first or told.at
            case Silence():
                self._silences[told.id] = told
            case Alert() if told.firing and told.severity is AlertSeverity.CRITICAL:
                self._heard[told.id] = told
            case Alert() | AlertAcknowledged():
                self._heard.pop(told.id if isinstance(told, Alert) else told.alert, None)
            case Receipt() if told.outcome is Outcome.ACCEPTED:
                for one in told.alerts:
                    self._heard.pop(one, None)
                if told.purpose is Purpose.RESOLVED:
                    self.threads.pop((told.channel, told.dedup), None)
                elif told.dedup and told.provider_id and told.purpose in (Purpose.ALERT, Purpose.ESCALATION):
                    self.threads.setdefault((told.channel, told.dedup), told.provider_id)
                    while len(self.threads) > THREADS_MAX:
                        del self.threads[next(iter(self.threads))]
            case _:
                pass


class Mailbox:
    """What people ask a running desk's path, as files; an answer lies beside them until it is read or old.

    A request lies there until it is answered: a process that is killed in between leaves it to the next one. What is
    older than `ASK_AGE_NS`, or was offered `OFFERS_MAX` times without an answer, is answered with that.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._asked, self._answered, self._clock = folder / ASKED, folder / ANSWERED, clock
        self._next = clock.monotonic()
        self._offers: Counter[str] = Counter()

    def put(self, request: Request) -> None:
        """Ask."""
        self._asked.mkdir(parents=True, exist_ok=True)
        write_durably(self._asked / f"{request.id}.json", msgspec.json.encode(request))

    def take(self) -> tuple[Request, ...]:
        """Return what was asked since the last look; a file that holds no request is answered with the reason."""
        now = self._clock.monotonic()
        if now < self._next or not self._asked.is_dir():
            return ()
        self._next = now + ASK_EVERY_NS
        found = []
        for path in sorted(self._asked.glob("*.json")):
            try:
                request = msgspec.json.decode(path.read_bytes(), type=Request)
            except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
                self.answer(Answer(id=path.stem, fault=f"expected a request, found {problem}"))
            else:
                self._offers[path.stem] += 1
                if (fault := self._stale(path)) is None:
                    found.append(request)
                else:
                    self.answer(Answer(id=path.stem, fault=fault))
        return tuple(found)

    def answer(self, answer: Answer) -> None:
        """Lay an answer down; the oldest give way."""
        self._answered.mkdir(parents=True, exist_ok=True)
        for old in sorted(self._answered.glob("*.json"), key=lambda one: one.stat().st_mtime)[: -ANSWERS_KEPT or None]:
            old.unlink(missing_ok=True)
        write_durably(self._answered / f"{Path(answer.id).name}.json", msgspec.json.encode(answer))
        (self._asked / f"{Path(answer.id).name}.json").unlink(missing_ok=True)
        del self._offers[Path(answer.id).name]

    def _stale(self, path: Path) -> str | None:
        if self._offers[path.stem] > OFFERS_MAX:
            return f"asked {OFFERS_MAX} times without an answer; it is given up"
        age = self._clock.now() - path.stat().st_mtime_ns
        if age <= ASK_AGE_NS:
            return None
        return f"asked {age / NANOS_PER_SECOND:.0f} s ago, and nobody ran the path; ask again"

    def answer_of(self, request: str) -> Answer | None:
        """Return an answer, None while there is none."""
        try:
            return msgspec.json.decode((self._answered / f"{request}.json").read_bytes(), type=Answer)
        except FileNotFoundError:
            return None


def severe_faults(folder: Path, policy: IncidentPolicy, incident: str) -> list[str]:
    """Return why a desk may not leave `stopped` in the name of an incident: SEV-1 ones must be named, and taken."""
    severe = incidents_of(folder, policy).severe()
    if not severe:
        return []
    if incident not in {one.id for one in severe}:
        return [f"the incident must be one of {', '.join(one.id for one in severe)}, was {incident or 'absent'}"]
    return [f"{one.id} is not taken: acknowledge it first" for one in severe if one.phase is Phase.OPEN]


def alert_facts(folder: Path) -> list[Event]:
    """Return every event of a path's journal, oldest first; raises `UsageError` where there is none."""
    directory = folder / JOURNAL
    if not directory.is_dir():
        raise UsageError(f"expected the journal of an alert path in {directory}, found none: has the desk run?")
    return list(read(directory))


def incidents_of(folder: Path, policy: IncidentPolicy) -> IncidentBook:
    """Return the incidents that a path's journal tells of; none where there is no journal."""
    return Before(folder, policy).incidents
