"""What the dry run's verbs share: signals, the chain under a command, what is printed at the end."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from tradeworthy.cli.dry_run_switches import command_environment, shown
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import redact
from tradeworthy.operations.dry_run.artefacts import RunState
from tradeworthy.operations.dry_run.audit.judges import AuditJudges
from tradeworthy.operations.dry_run.chain import Chain, ChainResult
from tradeworthy.operations.dry_run.command import ChildCommand
from tradeworthy.operations.dry_run.preflight import resolve
from tradeworthy.operations.dry_run.recover import Left
from tradeworthy.operations.dry_run.settings import RunSettings


class Artefact(NamedTuple):
    """A file or folder that the end of a run names."""

    name: str
    path: Path


def play(settings: RunSettings, *, clock: Clock, summary: Path | None, carried: RunState | None = None) -> ChainResult:
    """Run a command to its verdict; SIGINT and SIGTERM end it in order, a second one at once."""
    environment = command_environment(settings.injected())
    program = resolve(settings.command[0], environment)
    if program is None:
        raise UsageError(f"expected a command that can be run, found {settings.command[0]!r}")
    words = (program, *settings.command[1:])

    def make(failed: Callable[[str, BaseException], None]) -> ChildCommand:
        return ChildCommand(
            words, environment, settings.paths.log_dir, clock=clock, policy=settings.policy.pumps, pump_failed=failed
        )

    chain = Chain(settings, AuditJudges(), clock=clock, say=say, summary_path=summary)
    with _Signals(chain):
        try:
            return chain.run(make, carried=carried)
        except OSError as problem:
            raise UsageError(f"could not run {shown(settings.command)}: {problem}") from None


def recover(left: Left, *, clock: Clock, summary: Path | None) -> ChainResult:
    """Complete the artefacts of a run whose harness died."""
    return Chain(left.settings, AuditJudges(), clock=clock, say=say, summary_path=summary).recover(left)


def say(line: str) -> None:
    """Print one line for people on standard error."""
    sys.stderr.write(f"{redact(line)}\n")
    sys.stderr.flush()


def announce(result: ChainResult, code: int, artefacts: tuple[Artefact, ...]) -> None:
    """Print relaxations, status, exit code and where everything is."""
    summary = result.summary
    lines = [f"relaxed      {one.switch}" + (f" (waiver {one.waiver_id})" if one.waiver_id else "")
             for one in summary.relaxations]  # fmt: skip
    lines += [f"status       {summary.status}", f"class        {summary.run_class}", f"exit code    {code}"]
    if summary.sign_off is not None:
        lines.append(f"sign-off     {summary.sign_off.status}")
        lines += [f"  {one.severity} {one.code}: {one.message}" for one in summary.sign_off.findings]
    lines += [f"rehearsal    {reason}" for reason in result.rehearsal_reasons]
    lines += [f"{one.name:<12} {one.path}" for one in artefacts if one.path.exists()]
    sys.stdout.write(redact("\n".join(lines)) + "\n")
    sys.stdout.flush()


class _Signals:
    """Turn SIGINT and SIGTERM into an orderly end of the chain."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def __enter__(self) -> None:
        self._before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self._chain.interrupt()
