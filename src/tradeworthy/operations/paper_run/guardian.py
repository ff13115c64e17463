"""The guardian: watch a paper run by its events, its memory and its clock, and end it where it must not go on.

Attach it in three places: `observe` to every event that the journal accepted, `sample` (or the task `samples`) at least
as often as the progress interval, and `stop` of the constructor to whatever ends the run in order. `hear` takes what
other journals keep. A desk that is started again under it goes on being the same run.
"""

import asyncio
import traceback
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import UNSET

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.host import rss_bytes
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision.task import Pulse
from tradeworthy.operations.dry_run.audit.evidence import DECISION_KINDS
from tradeworthy.operations.dry_run.model import stamp
from tradeworthy.operations.paper_run.errors import ERRORS, Errors, told_of
from tradeworthy.operations.paper_run.failover import Failovers
from tradeworthy.operations.paper_run.invariants import Invariants, Judge
from tradeworthy.operations.paper_run.journaled import Journaled
from tradeworthy.operations.paper_run.latency import LatencyRing
from tradeworthy.operations.paper_run.memory import MemoryWatch
from tradeworthy.operations.paper_run.model import SCHEMA, Breach, Metrics, PaperRunReport, Sample, Status
from tradeworthy.operations.paper_run.objectives import (
    MEMORY_GROWTH,
    Measured,
    compliance_of,
    missed_at_end,
    thresholds_of,
)
from tradeworthy.operations.paper_run.orders import Orders
from tradeworthy.operations.paper_run.policy import SECONDS_PER_HOUR, PaperRunPolicy
from tradeworthy.operations.paper_run.verdict import Verdict
from tradeworthy.trading.environment import COMPLETED, DESK
from tradeworthy.trading.model import GuardLevel, Instrument, RunStarted, SubmitOrder
from tradeworthy.trading.model.order import ExecReport, FillBooked, OrderChanged, OrderState
from tradeworthy.trading.timing import DeskTiming

NEVER = 1 << 62
"""Later than every moment of the monotonic clock."""
UNANSWERED_KEPT = 4_096
"""Orders whose first answer is awaited; the oldest give way."""
WATCHER_POLL_S = 1.0
"""How often the task looks whether a sample is due, so that a run's end is not waited for."""


class Guardian:
    """Watch one run; every number it tells is measured here or read from a fact.

    stop      ends the run in order, once, with the reason
    write     takes the report whenever it is due; the same content may come again
    memory    returns the resident bytes of the desk's process, None where nobody can tell
    backups   sources that the desk reads only while their primary is out
    folder    where the run is kept, once it has begun
    invariants  facts of rooms above this one, with what they break
    """

    def __init__(
        self, policy: PaperRunPolicy, *, clock: Clock, instruments: Mapping[str, Instrument],
        stop: Callable[[str], None], write: Callable[[PaperRunReport], None] = lambda report: None,
        memory: Callable[[], int | None] = rss_bytes, backups: Iterable[str] = (),
        folder: Callable[[], str | None] = lambda: None, invariants: Mapping[type[Fact], Judge] | None = None,
    ) -> None:  # fmt: skip
        self.policy = policy
        self._clock, self._memory, self._write = clock, memory, write
        self._began, self._began_mono = clock.now(), clock.monotonic()
        self._verdict = Verdict(policy, stop)
        self._journaled = Journaled(folder)
        self._errors, self._orders = Errors(policy.errors_kept), Orders(instruments)
        self._invariants = Invariants(invariants)
        self._failovers = Failovers(self._told_failover, backups=backups)
        self._memory_watch = MemoryWatch(policy)
        self._decided = LatencyRing(policy.latency_kept, policy.latency_samples_min)
        self._answered = LatencyRing(policy.latency_kept, policy.latency_samples_min)
        self._samples: list[Sample] = []
        self._input_mono: int | None = None
        self._unanswered: dict[str, int] = {}
        self._interval_ns = round(policy.progress_interval_s * NANOS_PER_SECOND)
        self._due = self._began_mono
        duration_ns = round(policy.duration_hours * SECONDS_PER_HOUR * NANOS_PER_SECOND)
        self._end = self._began_mono + duration_ns if duration_ns else NEVER
        self._ended: int | None = None
        self._ended_mono = 0
        watched = (
            self._invariants.kinds, self._failovers.kinds, ERRORS, (FillBooked, SubmitOrder, ExecReport, DeskTiming)
        )
        self._watched: frozenset[type[Fact]] = frozenset(kind for group in watched for kind in group)

    @property
    def status(self) -> Status:
        """Where the run stands."""
        return self._verdict.status

    def observe(self, event: Event, seq: int) -> None:
        """Take an event that the journal accepted as its `seq`-th."""
        now = self._clock.monotonic()
        journaled = self._journaled
        journaled.events += 1
        journaled.seq = seq
        if event.source != DESK:
            self._input_mono = now
        elif event.kind in DECISION_KINDS:
            journaled.decided(event.kind)
            if self._input_mono is not None:  # one duration an input: from its arrival to its first decision
                self._decided.add(now - self._input_mono)
                self._input_mono = None
        if type(event.payload) in self._watched:
            self._look(event, seq)
        if now >= self._due:
            self.sample()

    def sample(self) -> None:
        """Look at the run where it is due: memory, latency, duration; then write the report."""
        now = self._clock.monotonic()
        if self._ended is None and now >= self._due:
            self._due = now + self._interval_ns
            if now < self._end:
                self._due = min(self._due, self._end)
            self._take(now)
            self._write(self.report())

    async def samples(self, pulse: Pulse) -> None:
        """Sample for ever; the factory of a supervised task, for a loop that may wait long between two events."""
        while True:
            self.sample()
            pulse.beat()
            await asyncio.sleep(min(WATCHER_POLL_S, self.policy.progress_interval_s))

    def hear(self, fact: Fact) -> None:
        """Take a fact that another journal keeps, e.g. the runtime's: an error, or a failover."""
        text = told_of(fact)
        if text is not None:
            self._errors.add(fact.kind, text, self._stamp())
        self._failovers.take(fact, self._stamp())

    def failover(self, name: str, active: bool, detail: str = "") -> None:
        """Hear that a part beside the desk fell back to another, or came back."""
        self._failovers.set(name, active, detail, self._stamp())

    def error(self, code: str, text: str) -> None:
        """Hear of an error that is no fact of the journal."""
        self._errors.add(code, text, self._stamp())

    def crashed(self, problem: BaseException) -> PaperRunReport:
        """End a run that ended by an exception; it is told with the place where it rose."""
        frames = traceback.extract_tb(problem.__traceback__)
        place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
        text = f"{type(problem).__name__}: {redact(str(problem))}{place}"
        self._errors.add("run.crashed", text, self._stamp())
        breach = Breach("run.crashed", text, "an orderly end", "the run ended by an exception", self._stamp())
        self._verdict.fail(breach, f"crashed: {text}")
        return self.finish("crashed")

    def finish(self, reason: str) -> PaperRunReport:
        """Judge the whole run and write the last report.

        reason  as the run tells it: `completed` at the end of the tapes, else what was asked of it
        """
        if self._ended is None:
            now = self._clock.monotonic()
            self._ended, self._ended_mono = self._clock.now(), now
            self._take(now)
            for missed in missed_at_end(self.policy, self._measured(now), self._stamp()):
                self._verdict.miss(missed)
            self._verdict.end(reason, COMPLETED)
            if self._samples:
                self._samples[-1] = msgspec.structs.replace(self._samples[-1], status=self.status)
        report = self.report()
        self._write(report)
        return report

    def report(self) -> PaperRunReport:
        """Return the report as the run stands."""
        mono = self._clock.monotonic() if self._ended is None else self._ended_mono
        measured, journaled = self._measured(mono), self._journaled
        compliance = compliance_of(self.policy, measured)
        summary = self._orders.summary()
        verdict = self._verdict
        return PaperRunReport(
            schema=SCHEMA, status=verdict.status,
            objectives_met=all(met is True for met in compliance.values()) and not verdict.breaches,
            generated_at=self._stamp(), started_at=stamp(self._began),
            ended_at=None if self._ended is None else stamp(self._ended), runtime_seconds=self._runtime(mono),
            run=journaled.identity, policy=self.policy, stop_reasons=verdict.stop_reasons, alerts=verdict.alerts,
            breaches=verdict.breaches, errors=self._errors.listed(), errors_unlisted=self._errors.unlisted,
            metrics=Metrics(
                events=journaled.events, journal_seq=journaled.seq, decisions=journaled.decisions,
                refusals=journaled.refusals, orders=journaled.orders, fills=self._orders.fills,
                errors=self._errors.total, invariant_breaches=self._invariants.breaches,
                memory=self._memory_watch.view(), latency=self._decided.told(), venue_latency=self._answered.told(),
                stages=journaled.stages, guard=self._invariants.level.name.lower(),
                objective_thresholds=thresholds_of(self.policy), objective_compliance=compliance,
            ),
            order_summary=UNSET if summary is None else summary, failover=self._failovers.view(),
            samples=tuple(self._samples),
        )  # fmt: skip

    def _look(self, event: Event, seq: int) -> None:
        """Fold a fact that somebody here watches."""
        fact, journaled = event.payload, self._journaled
        text = told_of(fact)
        if text is not None:
            self._errors.add(fact.kind, text, self._stamp(), seq)
        level = self._invariants.level
        broken = self._invariants.take(fact)
        if broken is not None:
            breach = Breach(broken.code, broken.observed, broken.expected, "invariant", self._stamp(), seq)
            self._verdict.broken(breach)
        if type(fact) in self._failovers.kinds:
            self._failovers.take(fact, self._stamp())
        match fact:
            case SubmitOrder():
                journaled.orders += 1
                if len(self._unanswered) >= UNANSWERED_KEPT:
                    del self._unanswered[next(iter(self._unanswered))]
                self._unanswered[fact.client_order_id] = event.ts_init
            case ExecReport():
                self._answer(fact.client_order_id, event.ts_init)
            case OrderChanged() if fact.after is OrderState.UNKNOWN:
                self._answer(fact.client_order_id, event.ts_init)
            case FillBooked():
                self._orders.take(fact, stamp(event.ts_event))
            case DeskTiming():
                journaled.timed(fact)
            case RunStarted():
                journaled.began(fact)
                self._verdict.begin()
                self._told_guard(GuardLevel.RUNNING)
        if self._invariants.level is not level:
            self._told_guard(level)
        if self.status is Status.FAILED and self._ended is None and broken is not None:
            self._write(self.report())

    def _answer(self, client_order_id: str, ts: int) -> None:
        """Take how long an order waited for its first answer, in the desk's own time."""
        sent = self._unanswered.pop(client_order_id, None)
        if sent is not None:
            self._answered.add(ts - sent)

    def _told_guard(self, before: GuardLevel) -> None:
        level = self._invariants.level
        if level is GuardLevel.STOPPED:
            self._verdict.alert("guard.stopped", "the guard stopped the desk", self._stamp())
        elif before is GuardLevel.STOPPED:
            self._verdict.clear("guard.stopped", self._stamp())

    def _told_failover(self, name: str, active: bool, detail: str) -> None:
        if active:
            self._verdict.alert(f"failover.{name}", detail or name, self._stamp())
        else:
            self._verdict.clear(f"failover.{name}", self._stamp())

    def _take(self, now: int) -> None:
        """Keep one sample and judge what may be judged at any time."""
        at, runtime_ns, policy = self._stamp(), now - self._began_mono, self.policy
        memory, decided, answered = self._memory_watch, self._decided.told(), self._answered.told()
        memory.take(self._memory(), runtime_ns)
        if memory.breached:
            observed, limit = f"{memory.growth_mb:.1f} MB", f"{policy.memory_growth_max_mb:g} MB"
            breach = Breach(MEMORY_GROWTH, observed, limit, "resident memory above its baseline", at)
            self._verdict.fail(breach, f"memory grew {observed}, limit {limit}")
        for code, found in (("latency_p99.decision", decided), ("latency_p99.venue", answered)):
            limit_s = policy.latency_p99_max_s
            if limit_s is not None and found.p99_seconds is not None and found.p99_seconds >= limit_s:
                observed, limit = f"{found.p99_seconds:.6g} s", f"{limit_s:g} s"
                self._verdict.miss(Breach(code, observed, limit, "p99 latency reached its maximum", at))
        if now >= self._end:
            self._verdict.elapsed(f"duration of {policy.duration_hours:g} h reached")
        journaled = self._journaled
        if len(self._samples) >= policy.samples_kept:
            del self._samples[0]
        self._samples.append(
            Sample(
                at, self._runtime(now), self.status, journaled.events, journaled.orders, self._orders.fills,
                self._errors.total, journaled.decisions, memory.last_mb, memory.growth_mb, decided, answered,
                self._failovers.active, self._errors.last,
            )
        )  # fmt: skip

    def _measured(self, mono: int) -> Measured:
        return Measured(
            runtime_hours=self._runtime(mono) / SECONDS_PER_HOUR, orders=self._journaled.orders,
            invariant_breaches=self._invariants.breaches, memory_growth_mb=self._memory_watch.growth_mb,
            latencies=(self._decided.told(), self._answered.told()), broken=self._verdict.codes,
        )  # fmt: skip

    def _runtime(self, mono: int) -> float:
        return (mono - self._began_mono) / NANOS_PER_SECOND

    def _stamp(self) -> datetime:
        return stamp(self._clock.now())
