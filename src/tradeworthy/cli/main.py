"""The command line: each verb parses, calls and renders. Exit codes: 0 pass, 1 warn, 2 fail, 3 could not judge."""

import os
import sys

from cyclopts import App, CycloptsError, UnknownCommandError
from rich.console import Console

from tradeworthy import __version__
from tradeworthy.cli import (
    alert,
    alert_dead_man,
    alert_drill,
    approve,
    assess,
    backtest,
    break_glass,
    calibration,
    certificate,
    config,
    data,
    demo,
    drill,
    evidence,
    evidence_retain,
    evidence_seal,
    exposure,
    final_dry_run,
    final_dry_run_audit,
    final_dry_run_backlog,
    final_dry_run_orchestrator,
    final_dry_run_review,
    final_dry_run_smoke,
    final_dry_run_watch,
    final_dry_run_wrap_up,
    flatness,
    gate,
    guard,
    health,
    incident,
    incident_actions,
    incident_duties,
    ingest_once,
    journal,
    kill,
    ledger,
    paper_run,
    parity,
    performance_baseline,
    pnl,
    regression,
    release,
    replay,
    restart,
    resume,
    run,
    simulated_runtime,
    soak,
    strategy,
    summary,
    tier,
    token,
    venue,
    waiver,
    walk_forward,
    watchdog,
    witness,
)
from tradeworthy.cli.hints import elsewhere, help_of
from tradeworthy.kernel.errors import DeskError, ExitCode
from tradeworthy.kernel.redaction import redact, register_environment, trace_of

app = App(
    name="tradeworthy",
    version=__version__,
    help="Run a trading desk whose every decision is an event in a hash-chained journal.",
)
app.command(demo.demo)
app.command(run.run)
app.command(summary.summary)
app.command(restart.restart)
app.command(ingest_once.ingest_once)
app.command(backtest.app)
app.command(config.app)
app.command(calibration.app)
app.command(final_dry_run_smoke.final_dry_run_smoke)
backtest.app.command(walk_forward.walk_forward)
app.command(replay.replay)
app.command(journal.app)
app.command(data.app)
app.command(kill.kill)
app.command(kill.here)
app.command(drill.app)
app.command(tier.app)
app.command(resume.resume)
app.command(guard.app)
app.command(approve.approve)
app.command(break_glass.app)
app.command(ledger.app)
app.command(flatness.flatness)
app.command(watchdog.watchdog, show=False)
alert.app.command(alert_drill.drill)
alert.app.command(alert_drill.send)
alert.app.command(alert_dead_man.dead_man)
app.command(alert.app)
for duty in (
    incident_duties.clocks, incident_duties.file, incident_duties.exclude, incident_duties.assign,
    incident_duties.roster,
    incident_duties.contact, incident_duties.simulate, incident_duties.validate, incident_duties.museum,
    incident_duties.rerun, incident_actions.false_alarm, incident_actions.start_clock,
):  # fmt: skip
    incident.app.command(duty)
incident.app.command(incident_actions.app)
app.command(incident.app)
app.command(health.health)
app.command(assess.app)
app.command(token.app)
app.command(paper_run.paper_run)
app.command(parity.parity)
app.command(performance_baseline.app)
app.command(pnl.app)
app.command(final_dry_run_watch.final_dry_run_watch)
app.command(final_dry_run_audit.final_dry_run_audit)
app.command(final_dry_run_review.final_dry_run_review)
app.command(final_dry_run_backlog.final_dry_run_backlog)
app.command(final_dry_run_wrap_up.final_dry_run_wrap_up)
app.command(simulated_runtime.simulated_runtime)
app.command(regression.app)
app.command(soak.soak)
app.command(exposure.exposure)
app.command(strategy.app)
evidence.app.command(evidence_retain.retain)
evidence.app.command(evidence_seal.seal)
app.command(evidence.app)
app.command(waiver.app)
app.command(release.app)
app.command(venue.app)
app.command(certificate.app)
app.command(gate.app)
app.command(witness.app)
app.command(final_dry_run.final_dry_run)
app.command(final_dry_run_orchestrator.final_dry_run_orchestrator)

errors = Console(stderr=True)


def main(words: list[str] | None = None) -> None:
    """Run one verb and leave with its exit code; a crash shows its trace without secrets."""
    register_environment(os.environ)
    sys.excepthook = lambda _kind, crash, _trace: print(trace_of(crash), end="", file=sys.stderr)
    sys.exit(int(call(sys.argv[1:] if words is None else words)))


def call(words: list[str]) -> int:
    """Run one verb and return its exit code; every expected failure is one line on standard error.

    A file that the words name and that cannot be used is such a failure; any other fault of a file is a crash.
    """
    try:
        result = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as problem:
        _say(str(problem))
        verbs = elsewhere(app, words) if isinstance(problem, UnknownCommandError) else ()
        told = f"There is {', '.join(f'`{one}`' for one in verbs)}. " if verbs else ""
        errors.print(f"{told}Try `{help_of(app, words)}`.", highlight=False, markup=False, soft_wrap=True)
        return ExitCode.COULD_NOT_JUDGE
    except DeskError as problem:
        _say(str(problem))
        return problem.exit_code
    except OSError as problem:
        if not _named(problem.filename, words):
            raise
        _say(f"cannot use {problem.filename}: {problem.strerror}; name a path that can be read or written")
        return ExitCode.COULD_NOT_JUDGE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return result if isinstance(result, int) else ExitCode.PASS


def _say(problem: str) -> None:
    errors.print(f"tradeworthy: {redact(problem)}", style="red", markup=False, highlight=False, soft_wrap=True)


def _named(file: object, words: list[str]) -> bool:
    return file is not None and any(str(file) in (word, word.partition("=")[2]) for word in words if word)


if __name__ == "__main__":
    main()
