"""`tradeworthy alert drill|send`: force a failure and measure who answers; raise an alert in one's own words."""

import getpass
import os
import sys
from pathlib import Path

from rich.console import Console

from tradeworthy.app.alerts.alerting import path_policy
from tradeworthy.app.alerts.desk import AlertDesk, encoded
from tradeworthy.app.alerts.drill import drills_of, raise_alert, run_drill
from tradeworthy.cli.start_switches import Start
from tradeworthy.kernel.clock import NANOS_PER_MILLI, SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.report import EXIT_CODES
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.acts import Request, Verb
from tradeworthy.operations.incidents.drills import DrillReport, judge_drills, rendered
from tradeworthy.operations.incidents.model import AlertSeverity, Outcome

USUAL = Start()
SEND_WAIT_S = 45.0
"""A milder alert waits 30 s for its group."""


def drill(
    configuration: Path, /, *, wait_s: float = 900.0, due: bool = False, out: Path | None = None, json: bool = False,
    start: Start = USUAL,
) -> int:  # fmt: skip
    """Force a failure and measure its alert, its receipts and how long a person took: 0 all came, 2 something did not.

    Somebody else takes the alert with `tradeworthy alert ack DESK ID`, as in earnest; the incident is marked a drill.

    Parameters
    ----------
    configuration
        The desk's TOML document.
    wait_s
        How long to wait for a person.
    due
        Run nothing: say how long ago a drill passed. 0 in time, 2 too long ago, 3 none ever passed.
    out
        Write the report there as well, as Markdown.
    json
        Print JSON.
    """
    document, clock = start.document(configuration), SystemClock()
    desk, console = AlertDesk(start.runs, document.desk.name, clock=clock), _console()
    if due:
        check = judge_drills(drills_of(desk), path_policy(document).alerts.drill_interval_days, clock.now())
        console.print(f"{check.severity.name}: {check.observed}, limit {check.limit}")
        return ExitCode.COULD_NOT_JUDGE if check.severity is Severity.UNKNOWN else EXIT_CODES[check.severity]
    if not 0 < wait_s < float("inf"):
        raise UsageError(f"--wait-s must be above 0 seconds, was {wait_s:g}")

    def raised(report: DrillReport) -> None:
        if not json:
            console.print(f"take it: tradeworthy alert ack {document.desk.name} {report.alert}")

    asked = Request(id=f"{clock.now()}-{os.getpid()}", verb=Verb.DRILL, person=getpass.getuser())
    report = run_drill(
        desk, document, asked, environ=start.environ(dict(os.environ)), clock=clock, wait_s=wait_s, raised=raised
    )
    text = rendered(report)
    if out is not None:
        out.write_text(text)
    sys.stdout.write(encoded(report).decode() + "\n" if json else text)
    return ExitCode.PASS if report.passed else ExitCode.FAIL


def send(
    configuration: Path, code: str, message: str, /, *, severity: AlertSeverity = AlertSeverity.WARNING,
    start: Start = USUAL,
) -> int:  # fmt: skip
    """Raise an alert in your own words, on the way of every other one: 0 a channel took it, 2 none did.

    Parameters
    ----------
    configuration
        The desk's TOML document.
    code
        What it is about, e.g. kill.by_telephone; it decides who is told.
    message
        What to say.
    severity
        info, warning, error or critical.
    """
    document, clock = start.document(configuration), SystemClock()
    desk = AlertDesk(start.runs, document.desk.name, clock=clock)
    asked = Request(
        id=f"{clock.now()}-{os.getpid()}", verb=Verb.SEND, person=getpass.getuser(), target=code, text=message,
        severity=severity,
    )  # fmt: skip
    wait_s = SEND_WAIT_S if severity is not AlertSeverity.CRITICAL else SEND_WAIT_S / 3
    found = raise_alert(
        desk, document, asked, environ=start.environ(dict(os.environ)), clock=clock, wait_s=wait_s
    )
    console = _console()
    for one in found.receipts:
        said = one.reason or one.provider_id
        console.print(f"{one.channel}: {one.outcome.value} after {one.latency_ns / NANOS_PER_MILLI:.0f} ms {said}")
    if not found.receipts:
        console.print("no channel was told in time")
    console.print(f"id {found.alert}")
    return ExitCode.PASS if any(one.outcome is Outcome.ACCEPTED for one in found.receipts) else ExitCode.FAIL


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)
