"""Run a command under outside observation: spawn, watch, checkpoint, stop, and say what was measured.

Two threads besides the pumps: one writes lines (`_write_loop`), this one keeps the duties and the artefacts. Durations
come from the monotonic clock; wall stamps are the wall at the start plus monotonic time, so a stepped clock moves none.
"""

import signal
import threading
from collections.abc import Callable

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.artefact_files import IncidentLog, Timeline, read_incidents, write_artefact
from tradeworthy.operations.dry_run.artefacts import Progress, RunState
from tradeworthy.operations.dry_run.clock_offset import read_clock_offset
from tradeworthy.operations.dry_run.command import ObservedCommand
from tradeworthy.operations.dry_run.duties import Every, EvidenceWatch, LiveGapAlert, PressureWatch, ResourceWatch
from tradeworthy.operations.dry_run.incidents import IncidentBook, one_line
from tradeworthy.operations.dry_run.model import Incident, IncidentMetadata, Phase, Resources, Status, nanos_of, stamp
from tradeworthy.operations.dry_run.observation import Observation, View
from tradeworthy.operations.dry_run.policy import SECONDS_PER_MINUTE
from tradeworthy.operations.dry_run.recorder import Recorder
from tradeworthy.operations.dry_run.scribe import Scribe
from tradeworthy.operations.dry_run.segments import SegmentedLog
from tradeworthy.operations.dry_run.settings import RunSettings
from tradeworthy.operations.dry_run.stopping import StopLadder, judge_exit
from tradeworthy.operations.dry_run.telemetry import Telemetry
from tradeworthy.operations.dry_run.uptime import Uptime

WAIT_NS_MAX = NANOS_PER_SECOND // 5
"""A signal to the harness is seen within this time."""
WAIT_NS_MIN = NANOS_PER_SECOND // 1_000
WRITE_WAIT_SECONDS = 0.25
BATCH_BYTES_SMALL = 65_536
BATCH_PAUSE_NS = NANOS_PER_SECOND // 10
"""After a small batch the writer waits so long for more: a hundred lines a second cost ten wake-ups, not a hundred."""
COALESCE_SECONDS = 1.0
"""Incidents cause at most one progress write in this time."""
WRITER_JOIN_SECONDS = 60.0

MakeCommand = Callable[[Callable[[str, BaseException], None]], ObservedCommand]
"""Build the command; the argument hears of a pump that failed."""


class Harness:
    """One run of one command; `run` returns when it is over and all lines are on disk.

    say      prints one line for people (standard error)
    carried  the last checkpoint of an earlier boot of this run, for a resumed one
    telemetry  hears of snapshots and incidents
    """

    def __init__(
        self, settings: RunSettings, make_command: MakeCommand, *, clock: Clock, say: Callable[[str], None],
        carried: RunState | None = None, telemetry: Telemetry | None = None,
    ) -> None:  # fmt: skip
        self._telemetry = telemetry or Telemetry(None, say=say)
        self._settings = settings
        self._policy = settings.policy
        self._clock = clock
        self._say = say
        self._carried = carried
        self._lock = threading.RLock()
        self._wall0, self._mono0 = clock.now(), clock.monotonic()
        self._changes: list[Incident] = []
        self._book = IncidentBook(kept_max=self._policy.fingerprints_max, changed=self._on_incident)
        self._command = make_command(self._pump_failed)
        self._ladder = StopLadder(self._command, grace_seconds=self._policy.shutdown_grace_seconds)
        self._log = SegmentedLog(
            settings.paths.log_dir, settings.name, self._policy.pumps, numbered=carried is not None,
            kept=() if carried is None else carried.segments,
        )  # fmt: skip
        self._recorder = Recorder(
            wall_at=self._wall, now=clock.now, plain_severity=self._policy.stderr_plain_severity.severity,
            report=self._report_line, monitor=self._policy.log_monitor,
        )  # fmt: skip
        self._resources = ResourceWatch(self._policy, self._book, clock)
        self._interrupts = 0
        self._timeline = Timeline(settings.paths.timeline_dir)
        self._phase = Phase.STARTUP
        self.spawned = False

    def interrupt(self) -> None:
        """Ask the run to end now; callable from a signal handler. A second call skips the grace."""
        self._interrupts += 1

    def abandon(self) -> None:
        """Kill the command and all it started; the harness itself cannot go on."""
        self._command.signal_group(signal.SIGKILL)
        self._command.sweep()

    def run(self) -> Observation:
        """Run the command to its end; raises `OSError` when it cannot be spawned."""
        paths = self._settings.paths
        for folder in (paths.log_dir, paths.progress.parent, paths.run_state.parent, paths.incidents.parent):
            folder.mkdir(parents=True, exist_ok=True)
        earlier = read_incidents(paths.incidents)
        self._book.adopt(earlier)
        self._incident_log = IncidentLog(paths.incidents)
        self._offset = read_clock_offset()
        self._log.open(now=self._wall0, monotonic=self._mono0)
        spawned = self._command.spawn()
        self.spawned = True
        self._spawned = spawned
        self._begin(spawned)
        writer = threading.Thread(target=self._write_loop, name="writer", daemon=True)
        if self._command.threaded:
            writer.start()
        self._checkpoint(self._clock.monotonic())
        self._write_progress(Status.STARTING)
        while not self._step():
            self._command.wait(self._until_next())
            if not self._command.threaded:
                self._take_output(0.0)
        self._settle(writer)
        return self._observed()

    def _begin(self, spawned: int) -> None:
        policy, carried = self._policy, self._carried
        self._uptime = Uptime(
            started=spawned, silence_ns=round(policy.silence_seconds * NANOS_PER_SECOND),
            carried_up_seconds=0.0 if carried is None else carried.heartbeat.up_seconds,
            carried_run_seconds=0.0 if carried is None else carried.run_seconds,
        )  # fmt: skip
        self._scribe = Scribe(
            self._recorder, self._log, self._uptime, self._lock,
            line_bytes_max=policy.pumps.line_kib_max * 1_024,
        )  # fmt: skip
        self._view = View(
            self._settings, recorder=self._recorder, log=self._log, uptime=self._uptime, book=self._book,
            lock=self._lock, started_at=self._wall(spawned), carried=carried, wall_at=self._wall,
        )  # fmt: skip
        if carried is not None:
            self._book.raise_floor(carried.highest_severity.severity)
            self._view.outage_seconds = max(0.0, (self._wall(spawned) - nanos_of(carried.now)) / NANOS_PER_SECOND)
            self._judge_resumption(carried)
        paths = self._settings.paths
        self._evidence = EvidenceWatch(policy, paths.diary, paths.performance, self._book)
        self._gap = LiveGapAlert(policy, self._book)
        self._pressure = PressureWatch(policy, self._book)
        progress = policy.progress_interval_minutes * SECONDS_PER_MINUTE
        self._progress_due = Every(progress, first=spawned) if progress > 0 else None
        self._checkpoint_due = Every(policy.checkpoint_seconds, first=spawned)
        self._evidence_due = Every(policy.evidence_check_seconds, first=spawned)
        sampling = policy.resources.sample_interval_minutes * SECONDS_PER_MINUTE
        self._sample_due = Every(sampling, first=spawned) if policy.resources.active else None
        self._coalesced_at = spawned - round(COALESCE_SECONDS * NANOS_PER_SECOND)
        remaining = policy.target_seconds - (0.0 if carried is None else carried.run_seconds)
        self._target_at = spawned + round(max(0.0, remaining) * NANOS_PER_SECOND)

    def _step(self) -> bool:
        """Do all that is due; return True when the command is gone."""
        at = self._clock.monotonic()
        exited = self._command.exit()
        if exited is not None:
            return True
        if self._interrupts or at >= self._target_at:
            self._request_stop(at)
        if self._interrupts > 1:
            self._ladder.hurry()
        self._ladder.climb(at)
        wall = self._wall(at)
        since = (at - self._spawned) / NANOS_PER_SECOND
        if self._ladder.requested_at is None:
            self._look(at, wall, since)
        with self._lock:
            self._pressure.look(held_seconds=self._command.held_seconds(), at=wall)
        if self._phase is Phase.STARTUP and self._recorder.first_line is not None:
            self._phase = Phase.RUNNING
        if self._checkpoint_due.due(at):
            self._checkpoint(at)
        scheduled = self._progress_due is not None and self._progress_due.due(at)
        if self._flush_incidents(at) or scheduled:
            self._write_progress(Status.RUNNING)
        return False

    def _look(self, at: int, wall: int, since: float) -> None:
        last = self._scribe.last_line
        silence = (at - (self._spawned if last is None else last)) / NANOS_PER_SECOND
        with self._lock:
            self._gap.look(silence_seconds=silence, at=wall)
        if self._evidence_due.due(at):
            with self._lock:
                self._evidence.look(now=self._clock.now(), at=wall, since_start_seconds=since)
        if self._sample_due is not None and self._sample_due.due(at):
            with self._lock:
                self._resources.look(self._command, at=wall, since_start_seconds=since)

    def _until_next(self) -> int:
        """Return how long nothing is due, bounded when signals may come."""
        at = self._clock.monotonic()
        schedules = [self._checkpoint_due, self._progress_due]
        if self._ladder.requested_at is None:
            schedules += [self._evidence_due, self._sample_due]
        dues = [one.next for one in schedules if one is not None]
        ladder = self._ladder.next_at()
        if ladder is not None:
            dues.append(ladder)
        elif self._target_at > at:
            dues.append(self._target_at)
        pause = max(WAIT_NS_MIN, min(dues) - at)
        return min(pause, WAIT_NS_MAX) if self._command.threaded else pause

    def _request_stop(self, at: int) -> None:
        if self._ladder.requested_at is None:
            self._command.remember_tree()
            with self._lock:
                self._uptime.end(at)
            self._scribe.stopping(at)
            self._ladder.request(at)

    def _settle(self, writer: threading.Thread) -> None:
        """Take the rest of the output, kill what was left behind and close the log."""
        exited = self._command.exit()
        if exited is None:
            raise RuntimeError("expected an exit, found none")
        code, moment = exited
        with self._lock:
            self._uptime.end(moment)
        while not self._command.finished() and not self._interrupts > 1:
            self._command.wait(WAIT_NS_MAX)
        left = self._command.sweep()
        if self._command.threaded:
            writer.join(WRITER_JOIN_SECONDS)
            if writer.is_alive():
                self._write_failed(OSError(f"the disk did not take the rest within {WRITER_JOIN_SECONDS:g} s"))
        else:
            self._take_output(0.0)
            self._end_output()
        wall = self._wall(self._clock.monotonic())
        self._judge_end(code, left, wall)

    def _judge_end(self, code: int, left: list[str], wall: int) -> None:
        requested = self._ladder.requested_at is not None
        verdict = judge_exit(code, stop_requested=requested, forced=self._ladder.forced)
        run_seconds = self._uptime.run_seconds(self._clock.monotonic())
        with self._lock:
            self._pressure.look(held_seconds=self._command.held_seconds(), at=wall)
            if verdict.code:
                self._book.report(
                    verdict.code, verdict.severity, verdict.message, at=wall,
                    metadata=IncidentMetadata(component="command", observed=code, limit=0, unit="exit code"),
                )  # fmt: skip
            required = self._policy.required_seconds
            if run_seconds + self._policy.duration_slack_seconds < required:
                self._book.report(
                    "duration.short", Severity.FAIL, f"ran {run_seconds:.1f} s of the required {required:g} s", at=wall,
                    metadata=IncidentMetadata(
                        component="run", observed=round(run_seconds, 3), limit=required, unit="s"
                    ),
                )  # fmt: skip
            if left:
                self._book.report(
                    "shutdown.orphans", Severity.WARN, f"left behind and killed: {', '.join(left[:10])}", at=wall,
                    metadata=IncidentMetadata(component="process_tree", observed=len(left), limit=0, unit="processes"),
                )  # fmt: skip
            self._book.end(wall)

    def _observed(self) -> Observation:
        at = self._clock.monotonic()
        wall = self._wall(at)
        exited = self._command.exit()
        code = None if exited is None else exited[0]
        requested = self._ladder.requested_at is not None
        state = self._view.state(
            monotonic=at, wall=wall, spawned=self._spawned, stop_requested=requested, complete=True, exit_code=code
        )
        write_artefact(self._settings.paths.run_state, state)
        self._flush_incidents(at, anyway=True)
        self._incident_log.close()
        ended = self._ladder.requested_at if self._ladder.requested_at is not None else exited and exited[1]
        disabled = None if self._policy.resources.active else "switched off"
        return Observation(
            started_at=state.started_at, ended_at=stamp(self._wall(at if ended is None else ended)),
            run_seconds=state.run_seconds, heartbeat=state.heartbeat, exit_code=code, stop_requested=requested,
            forced=self._ladder.forced, interrupted=self._interrupts > 0, state=state, resources=self._view_resources(),
            metadata=self._view.metadata(
                monotonic=at, wall=self._wall(at if ended is None else ended), exit_code=code,
                timed_out=requested and not self._interrupts, clock_offset=self._offset,
                monitor=self._resources.monitor.report(reason=disabled),
            ),
        )  # fmt: skip

    def _write_loop(self) -> None:
        while True:
            done = self._command.finished()
            taken = self._take_output(WRITE_WAIT_SECONDS)
            if done and not taken:
                break
            if not done and taken < BATCH_BYTES_SMALL:
                self._clock.sleep(BATCH_PAUSE_NS)
        self._end_output()

    def _take_output(self, wait_seconds: float) -> int:
        """Write what has come; return its bytes. A disk that fails never blocks the command."""
        chunks = self._command.output(wait_seconds)
        try:
            if chunks:
                self._scribe.write(chunks)
            at = self._clock.monotonic()
            self._log.tick(now=self._wall(at), monotonic=at)
        except OSError as problem:
            self._write_failed(problem)
        size = sum(len(one.data) for one in chunks)
        if size:
            self._command.written(size)
        return size

    def _end_output(self) -> None:
        try:
            self._scribe.end()
            self._log.close(now=self._wall(self._clock.monotonic()))
        except OSError as problem:
            self._write_failed(problem)

    def _checkpoint(self, at: int) -> None:
        state = self._view.state(
            monotonic=at, wall=self._wall(at), spawned=self._spawned, complete=False, exit_code=None,
            stop_requested=self._ladder.requested_at is not None,
        )  # fmt: skip
        write_artefact(self._settings.paths.run_state, state)

    def _write_progress(self, status: Status) -> None:
        at = self._clock.monotonic()
        snapshot = self._view.progress(
            monotonic=at, wall=self._wall(at), status=status, phase=self._phase, resources=self._view_resources()
        )
        self.publish(snapshot)

    def publish(self, snapshot: Progress) -> None:
        """Write the progress file, and a write-once copy in the timeline when there is one."""
        write_artefact(self._settings.paths.progress, snapshot)
        self._telemetry.progress(snapshot)
        self._timeline.keep(snapshot)

    def final_progress(self) -> Progress:
        """Return the snapshot of the end, to which the verdict is added."""
        at = self._clock.monotonic()
        return self._view.progress(
            monotonic=at, wall=self._wall(at), status=Status.RUNNING, phase=Phase.COMPLETE,
            resources=self._view_resources(),
        )  # fmt: skip

    def _view_resources(self) -> Resources:
        return self._resources.monitor.view()

    def _flush_incidents(self, at: int, *, anyway: bool = False) -> bool:
        """Write what changed, at most once a second; tell whether there was something."""
        if not self._changes or (not anyway and at - self._coalesced_at < COALESCE_SECONDS * NANOS_PER_SECOND):
            return False
        with self._lock:
            changes, self._changes = self._changes, []
        self._incident_log.append(changes)
        self._telemetry.incidents(self._settings.run_id, changes, at=self._wall(at))
        self._coalesced_at = at
        return True

    def _on_incident(self, incident: Incident) -> None:
        self._changes.append(incident)
        self._say(one_line(incident))
        self._command.wake()

    def _report_line(
        self, code: str, severity: Severity, message: str, fingerprint: str, metadata: IncidentMetadata, at: int
    ) -> None:
        self._book.report(code, severity, message, at=at, metadata=metadata, fingerprint=fingerprint)

    def _pump_failed(self, stream: str, problem: BaseException) -> None:
        with self._lock:
            self._book.report(
                "pump.failed", Severity.FAIL, f"reading {stream} failed and was started again: {problem}",
                at=self._wall(self._clock.monotonic()), metadata=IncidentMetadata(component=f"pump.{stream}"),
            )  # fmt: skip

    def _write_failed(self, problem: OSError) -> None:
        with self._lock:
            self._book.report(
                "log.write_failed", Severity.FAIL, f"lines were lost, the log cannot be written: {problem}",
                at=self._wall(self._clock.monotonic()), metadata=IncidentMetadata(component="log"),
            )  # fmt: skip

    def _judge_resumption(self, carried: RunState) -> None:
        limits = self._policy.resume
        outage, count = self._view.outage_seconds, carried.resumptions + 1
        limit = limits.outage_minutes_max * SECONDS_PER_MINUTE
        too_much = outage > limit or count > limits.resumptions_max
        self._book.report(
            "run.resumed", Severity.FAIL if too_much else Severity.WARN,
            f"resumption {count} of at most {limits.resumptions_max} after an outage of {outage:.0f} s "
            f"(at most {limit:g} s)", at=self._wall0, fingerprint=str(count),
            metadata=IncidentMetadata(component="run", observed=round(outage, 3), limit=limit, unit="s"),
        )  # fmt: skip

    def _wall(self, monotonic: int) -> int:
        """Return the steady wall clock at a monotonic moment."""
        return self._wall0 + (monotonic - self._mono0)
