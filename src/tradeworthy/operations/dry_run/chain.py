"""The whole chain of one run: harness, judgement, summary, final progress; the same for a run, a resume, a recovery."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.artefact_files import write_artefact
from tradeworthy.operations.dry_run.artefacts import Progress, RunState, Summary
from tradeworthy.operations.dry_run.conclude import Conclusion, DeskReader, Judges, conclude, exit_code
from tradeworthy.operations.dry_run.harness import Harness, MakeCommand
from tradeworthy.operations.dry_run.model import Phase, Status, nanos_of, worst_status
from tradeworthy.operations.dry_run.observation import PROGRESS_INCIDENTS_MAX, Observation
from tradeworthy.operations.dry_run.outside import Witness
from tradeworthy.operations.dry_run.recover import Left, final_progress_of, left_in, observation_of
from tradeworthy.operations.dry_run.settings import RunSettings
from tradeworthy.operations.dry_run.telemetry import TELEMETRY_NAME, Publisher, Telemetry, TelemetryLines


class ChainResult(NamedTuple):
    """What a chain ends with; `interrupted` when a person ended it."""

    summary: Summary
    rehearsal_reasons: tuple[str, ...]
    exit_code: int
    interrupted: bool


class Chain:
    """Run a command to its verdict. `interrupt` may be called from a signal handler at any time.

    publisher  takes telemetry; lines in the run folder when not given
    """

    def __init__(
        self, settings: RunSettings, judges: Judges, *, clock: Clock, say: Callable[[str], None],
        summary_path: Path | None, witness: Witness | None = None, desks: DeskReader | None = None,
        publisher: Publisher | None = None,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._judges = judges
        self._clock = clock
        self._say = say
        self._summary_path = summary_path
        self._witness = witness
        self._desks = desks
        lines = TelemetryLines(settings.paths.run_state.parent / TELEMETRY_NAME)
        self._telemetry = Telemetry(publisher or lines, say=say)
        self._harness: Harness | None = None
        self._interrupted = False

    @property
    def interrupted(self) -> bool:
        """Tell whether a person ended the run."""
        return self._interrupted

    @property
    def spawned(self) -> bool:
        """Tell whether the command has been started."""
        return self._harness is not None and self._harness.spawned

    def interrupt(self) -> None:
        """End the run now; all artefacts are still written."""
        self._interrupted = True
        if self._harness is not None:
            self._harness.interrupt()

    def run(self, make_command: MakeCommand, *, carried: RunState | None = None) -> ChainResult:
        """Run and judge; raises `OSError` only when the command cannot be spawned or nothing can be written."""
        harness = Harness(
            self._settings, make_command, clock=self._clock, say=self._say, carried=carried, telemetry=self._telemetry
        )
        self._harness = harness
        try:
            observation = harness.run()
        except Exception as problem:  # the outermost loop: an internal failure still ends in a summary
            if not harness.spawned:
                raise
            harness.abandon()
            self._say(f"the harness failed: {type(problem).__name__}: {problem}")
            observation = observation_of(
                Left(self._settings, left_in(self._settings.paths.run_state.parent).state), code="harness.failed",
                message=f"the harness failed: {type(problem).__name__}: {problem}", severity=Severity.FAIL,
            )  # fmt: skip
            return self._end(observation, final_progress_of(self._settings, observation), harness.publish)
        return self._end(observation, harness.final_progress(), harness.publish)

    def recover(self, left: Left) -> ChainResult:
        """Judge what a harness that died left behind and complete the artefacts, without running anything."""
        observation = observation_of(
            left, code="harness.cut_off", severity=Severity.WARN,
            message="the harness was cut off while it judged the run; every line is there" if left.state.complete
            else f"the harness was cut off after {left.state.run_seconds:.1f} s; the rest is not known",
        )  # fmt: skip
        path = self._settings.paths.progress
        return self._end(
            observation, final_progress_of(self._settings, observation), lambda snapshot: write_artefact(path, snapshot)
        )

    def _end(
        self, observation: Observation, progress: Progress, publish: Callable[[Progress], None]
    ) -> ChainResult:
        now = max(self._clock.now(), nanos_of(observation.state.now))  # a wall that was set back is not believed
        conclusion = conclude(
            self._settings, observation, self._judges, now=now, witness=self._witness, desks=self._desks
        )
        interrupted = observation.interrupted or self._interrupted
        code = exit_code(conclusion.summary.status, interrupted=interrupted)
        summary = conclusion.summary
        if self._summary_path is not None:
            write_artefact(self._summary_path, summary)
        publish(_final(progress, conclusion, code))
        self._telemetry.verdict(summary, exit_code=code, at=now)
        return ChainResult(summary, conclusion.rehearsal_reasons, code, interrupted)


def _final(progress: Progress, conclusion: Conclusion, code: int) -> Progress:
    summary = conclusion.summary
    body = summary.summary
    parts = (("logs", body.logs), ("diary", body.diary), ("performance", body.performance))
    words = {"status": str(summary.summary.status)} | {name: str(one.status) for name, one in parts if one is not None}
    return msgspec.structs.replace(
        progress, run_class=summary.run_class, status=summary.status, phase=Phase.COMPLETE, exit_code=code,
        summary=words, sign_off=summary.sign_off, incidents=summary.incidents[-PROGRESS_INCIDENTS_MAX:],
        highest_severity=worst_status(Status.PASS, progress.highest_severity, summary.status),
    )  # fmt: skip
