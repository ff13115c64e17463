"""`tradeworthy alert test|list|ack|silence|routes|ledger`: who is told, whether it reached them, and who took it."""

import getpass
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from cyclopts import App
from rich.console import Console
from rich.table import Table

from tradeworthy.app.alerts.alerting import path_policy
from tradeworthy.app.alerts.desk import AlertDesk, AlertRow, Tested, encoded, send_test_alone
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.cli.start_switches import Start
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.operations.incidents.acts import Request, Verb
from tradeworthy.operations.incidents.latency import quantile
from tradeworthy.operations.incidents.model import AlertSeverity, Outcome
from tradeworthy.operations.incidents.routing import Routing

app = App(name="alert", help="Test, list and take alerts; show who is told of what, and how long it took.")
USUAL = Start()
SHOWN = 50


@app.command(name="test")
def send_test(configuration: Path, /, *, json: bool = False, start: Start = USUAL) -> int:
    """Send a test alert over every channel: 0 all took it, 1 some did not, 2 none did.

    Acknowledge it with `tradeworthy alert ack`: that ends a pause of the guard's owner `alert_path`.

    Parameters
    ----------
    configuration
        The desk's TOML document.
    json
        Print the receipts as JSON.
    """
    document, clock = start.document(configuration), SystemClock()
    desk, person = AlertDesk(start.runs, document.desk.name, clock=clock), getpass.getuser()
    channels = path_policy(document).alerts.channels
    if desk.running:
        answer = desk.ask(_request(Verb.TEST, clock, person))
        if answer.fault:
            raise UsageError(answer.fault)
        found = Tested(answer.found, desk.receipts_of(answer.found, len(channels)))
    else:
        found = send_test_alone(
            document, state=desk.state, clock=clock, environ=start.environ(dict(os.environ)), person=person,
            run_id=f"test-{clock.now()}",
        )  # fmt: skip
    reached = {one.channel for one in found.receipts if one.outcome is Outcome.ACCEPTED}
    if json:
        _print_json({"alert": found.alert, "receipts": found.receipts})
    else:
        by_name = {one.channel: one for one in found.receipts}
        table = Table(box=None, pad_edge=False)
        for head in ("channel", "transport", "outcome", "attempts", "ms", "said"):
            table.add_column(head, overflow="fold")
        for channel in channels:
            one = by_name.get(channel.name)
            if one is None:
                table.add_row(channel.name, channel.transport, "undelivered", "", "", "no receipt in time")
            else:
                table.add_row(
                    channel.name, channel.transport, one.outcome.value, str(one.attempts),
                    f"{one.latency_ns / NANOS_PER_MILLI:.0f}", one.reason or one.provider_id,
                )  # fmt: skip
        console = _console()
        console.print(table)
        console.print(f"\nacknowledge: tradeworthy alert ack {document.desk.name} {found.alert}")
    if len(reached) == len(channels):
        return ExitCode.PASS
    return ExitCode.WARN if reached else ExitCode.FAIL


@app.command(name="list")
def list_(desk: str, /, *, all: bool = False, json: bool = False, runs: Path = DEFAULT_RUNS) -> int:
    """List the alerts that fire: 0 none, 1 milder ones, 2 a critical one or one that reached nobody.

    Parameters
    ----------
    desk
        The desk's name, as in its configuration.
    all
        Also those that are over, the newest 50.
    json
        Print JSON instead of a table.
    runs
        Where run folders go.
    """
    rows = AlertDesk(runs, desk, clock=SystemClock()).rows()
    firing = [one for one in rows if one.standing]
    unheard = [one for one in firing if one.receipts and not one.reached]
    shown = rows[:SHOWN] if all else firing
    if json:
        _print_json([
            {"alert": one.alert, "taken_by": one.taken_by, "receipts": one.receipts} for one in shown
        ])  # fmt: skip
    else:
        console = _console()
        for one in shown:
            console.print(_line(one))
        if not shown:
            console.print(f"{desk}: no alert fires")
    if unheard or any(one.alert.severity is AlertSeverity.CRITICAL for one in firing):
        return ExitCode.FAIL
    return ExitCode.WARN if firing else ExitCode.PASS


@app.command
def ack(desk: str, alert: str, /, *, runs: Path = DEFAULT_RUNS) -> int:
    """Take an alert in your name: nobody else is asked for half an hour, and its incident is acknowledged.

    Parameters
    ----------
    desk
        The desk's name.
    alert
        The alert's id, as `alert list` shows it.
    runs
        Where run folders go.
    """
    clock = SystemClock()
    answer = AlertDesk(runs, desk, clock=clock).ask(_request(Verb.ACK, clock, getpass.getuser(), target=alert))
    _console().print(answer.fault or f"{answer.found} is yours", style="red" if answer.fault else None)
    return ExitCode.FAIL if answer.fault else ExitCode.PASS


@app.command
def silence(
    desk: str, codes: str, /, *, reason: str, hours: float = 1.0, runs: Path = DEFAULT_RUNS
) -> int:
    """Keep alerts of some codes from being sent, for at most 24 h; never of kill, journal or reconciliation.

    Parameters
    ----------
    desk
        The desk's name; it must run.
    codes
        The beginning of the codes.
    reason
        Why; it is journaled.
    hours
        How long.
    runs
        Where run folders go.
    """
    clock = SystemClock()
    request = Request(
        id=_name(clock), verb=Verb.SILENCE, person=getpass.getuser(), target=codes, text=reason, hours=hours
    )
    answer = AlertDesk(runs, desk, clock=clock).ask(request)
    _console().print(answer.fault or f"{codes} is silent for {hours:g} h", style="red" if answer.fault else None)
    return ExitCode.FAIL if answer.fault else ExitCode.PASS


@app.command
def routes(
    configuration: Path, /, *, category: str = "", severity: AlertSeverity = AlertSeverity.CRITICAL,
    start: Start = USUAL,
) -> int:  # fmt: skip
    """Show which categories go to which channels; with --category who would be told: 1 when no rule names it.

    Parameters
    ----------
    configuration
        The desk's TOML document.
    category
        Of an alert, e.g. kill.flatten.
    severity
        Of that alert.
    """
    policy = path_policy(start.document(configuration)).alerts
    console, routing = _console(), Routing(policy)
    if category:
        for one in routing.routes(category, severity):
            console.print(f"{one.rule}: {', '.join(one.channels) or 'nobody'}; a repeat waits {one.suppress_s:g} s")
        return ExitCode.PASS if routing.knows(category) else ExitCode.WARN
    table = Table(box=None, pad_edge=False)
    for head in ("rule", "categories", "channels", "from", "suppress s"):
        table.add_column(head, overflow="fold")
    for rule in policy.rules:
        table.add_row(
            rule.name, ", ".join(rule.categories), ", ".join(rule.channels), rule.min_severity.value,
            f"{rule.suppress_s:g}",
        )  # fmt: skip
    console.print(table)
    return ExitCode.PASS


@app.command
def ledger(configuration: Path, /, *, start: Start = USUAL) -> int:
    """Show how long alerts took from their event: 0 inside the limits, 1 slow, 2 too slow, 3 nothing measured.

    Parameters
    ----------
    configuration
        The desk's TOML document; its limits judge.
    """
    document = start.document(configuration)
    policy = path_policy(document).alerts
    rows = AlertDesk(start.runs, document.desk.name, clock=SystemClock()).latencies()
    console = _console()
    found = {
        "event to alert": quantile(one.generated_ns for one in rows),
        "to channel": quantile(one.sent_ns for one in rows),
        "to receipt": quantile(one.received_ns for one in rows),
    }  # fmt: skip
    for name, one in found.items():
        p99 = "p99 needs 100" if one.p99_ms is None else f"p99 {one.p99_ms:.1f} ms"
        console.print(f"{name:<16}{p99}, max {'none' if one.max_ms is None else f'{one.max_ms:.1f} ms'}, n {one.n}")
    made, came = found["event to alert"], found["to receipt"]
    if made.max_ms is None:
        return ExitCode.COULD_NOT_JUDGE
    if made.max_ms >= policy.generate_max_ms:
        return ExitCode.FAIL
    slow = (made.p99_ms or 0.0) >= policy.generate_p99_ms or (came.p99_ms or 0.0) >= policy.receipt_p99_ms
    return ExitCode.WARN if slow else ExitCode.PASS


def _line(row: AlertRow) -> str:
    alert = row.alert
    state = alert.state.value if row.standing or not alert.firing else "of an earlier process"
    told = ", ".join(f"{had.channel} {had.outcome.value}" for had in row.receipts) or "sent nowhere"
    taken = f"taken by {row.taken_by}" if row.taken_by else "taken by nobody"
    return (
        f"{_stamp(alert.at)}  {alert.severity.value:<8} {alert.code} ({alert.component}, {alert.subject}): "
        f"{alert.message}\n    {state}; {told}; {taken}; docs/{alert.runbook}; id {alert.id}"
    )


def _request(verb: Verb, clock: SystemClock, person: str, *, target: str = "") -> Request:
    return Request(id=_name(clock), verb=verb, person=person, target=target)


def _name(clock: SystemClock) -> str:
    return f"{clock.now()}-{os.getpid()}"


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)


def _print_json(value: object) -> None:
    sys.stdout.write(encoded(value).decode() + "\n")


def _stamp(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // NANOS_PER_SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
