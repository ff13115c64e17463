"""`tradeworthy journal verify|show|tail|trace|integrity|retention`: look into a journal without trusting it."""

from pathlib import Path

import msgspec
from cyclopts import App
from rich.console import Console

from tradeworthy.app.runner import journal_of
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal import Cursor, read, tail
from tradeworthy.kernel.journal.integrity import integrity as integrity_of
from tradeworthy.kernel.journal.retention import plan, retain
from tradeworthy.kernel.journal.trace import trace as trace_of
from tradeworthy.kernel.journal.verify import verify as verify_chain
from tradeworthy.kernel.severity import Severity

app = App(name="journal", help="Verify, show and follow journals.")


@app.command
def verify(run: Path, /, *, head: str | None = None, count: int | None = None) -> int:
    """Check every event against the hash chain and the checkpoints; exit 2 names the first bad event.

    Parameters
    ----------
    run
        A run folder or a journal directory.
    head
        Expected hash of the last seal.
    count
        Expected number of events.
    """
    directory = journal_of(run)
    checkpoints = sorted(directory.glob("checkpoint-*.dsse.json"))
    result = verify_chain(directory, checkpoint=directory if checkpoints else None, head=head, count=count)
    console = Console()
    if result.ok:
        console.print(
            f"sound: {result.events:,} events, {len(checkpoints)} checkpoints\nhead {result.head}", highlight=False,
            soft_wrap=True,
        )
        return ExitCode.PASS
    console.print(f"damaged at seq {result.first_bad_seq}: {result.problem}", style="red", highlight=False)
    return ExitCode.FAIL


@app.command
def show(run: Path, /, *, start: int = 1, stop: int | None = None, kind: str | None = None, most: int = 50) -> int:
    """Print events, one line each.

    Parameters
    ----------
    run
        A run folder or a journal directory.
    start
        First seq.
    stop
        Last seq.
    kind
        Only this kind, or every kind that begins so, e.g. intent.
    most
        Lines at most.
    """
    console = Console()
    shown = 0
    for event in read(journal_of(run), start=start, stop=stop):
        if kind is None or event.kind.startswith(kind):
            _line(console, event)
            shown += 1
            if shown >= most:
                break
    return ExitCode.PASS if shown else ExitCode.COULD_NOT_JUDGE


@app.command(name="tail")
def tail_(run: Path, /, *, follow: bool = False, consumer: str = "terminal") -> int:
    """Print events after this consumer's cursor, and remember how far it came.

    Parameters
    ----------
    run
        A run folder or a journal directory.
    follow
        Wait for more until interrupted.
    consumer
        Name of the cursor.
    """
    console = Console()
    directory = journal_of(run)
    cursor = Cursor(directory, consumer)
    for event in tail(directory, cursor, follow=follow, clock=SystemClock()):
        _line(console, event)
        cursor.commit(event.seq)
    return ExitCode.PASS


@app.command
def trace(run: Path, wanted: str, /) -> int:
    """Tell the story of one id in both directions: market data, decision, verdict, order, fills; exit 2 names a break.

    Parameters
    ----------
    run
        A run folder or a journal directory.
    wanted
        An event id, or any id that stands in a payload: client order id, intent id, trade id.
    """
    console = Console()
    story = trace_of(read(journal_of(run)), wanted)
    for event in story.events:
        _line(console, event)
    for gap in story.breaks:
        console.print(f"broken: {gap}", style="red", highlight=False, markup=False)
    if story.breaks:
        return ExitCode.FAIL
    return ExitCode.PASS if story.events else ExitCode.COULD_NOT_JUDGE


@app.command
def integrity(run: Path, /) -> int:
    """Count gaps, repeats, backward time, unknown causes and kinds; completeness is judged by sequence gaps.

    Parameters
    ----------
    run
        A run folder or a journal directory.
    """
    directory = journal_of(run)
    chain = verify_chain(directory)
    report = integrity_of(
        read(directory), {}, now=SystemClock().now(),
        chain_problem="" if chain.ok else f"seq {chain.first_bad_seq}: {chain.problem}",
    )
    console = Console()
    for name in ("events", "repeats", "time_backwards", "unknown_cause", "unknown_schema"):
        console.print(f"{name:<16} {getattr(report, name):,}", highlight=False)
    for source, first, last in report.gaps:
        console.print(f"gap              {source}: {first} to {last}", style="red", highlight=False)
    console.print(f"chain            {report.chain or 'sound'}", highlight=False)
    console.print(f"severity         {report.severity.name}", highlight=False)
    return {Severity.OK: ExitCode.PASS, Severity.WARN: ExitCode.WARN}.get(report.severity, ExitCode.FAIL)


@app.command
def retention(run: Path, /, *, apply: bool = False) -> int:
    """List what retention would compress or release; nothing happens without --apply.

    Parameters
    ----------
    run
        A run folder or a journal directory.
    apply
        Carry the list out; a copy is read back before its original goes.
    """
    console = Console()
    directory = journal_of(run)
    steps = plan(directory, now=SystemClock().now(), modified=lambda path: path.stat().st_mtime_ns)
    for step in steps:
        console.print(f"{step.act:<9} {step.name}  ({step.rule})", highlight=False)
    _, problems = retain(directory, steps, apply=apply)
    for problem in problems:
        console.print(problem, style="red", highlight=False, markup=False)
    console.print(f"{len(steps)} steps{'' if apply else ', none carried out: add --apply'}", highlight=False)
    return ExitCode.FAIL if problems else ExitCode.PASS


def _line(console: Console, event: Event) -> None:
    payload = msgspec.json.encode(event.payload).decode()
    console.print(
        f"{event.seq:>9} {event.kind:<22} {event.event_id:<28} {payload}", highlight=False, markup=False,
        soft_wrap=True,
    )
