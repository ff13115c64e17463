"""`tradeworthy journal verify|show|tail`: look into a journal without trusting it."""

from pathlib import Path

import msgspec
from cyclopts import App
from rich.console import Console

from tradeworthy.app.runner import journal_of
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal import Cursor, read, tail
from tradeworthy.kernel.journal.verify import verify as verify_chain

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


def _line(console: Console, event: Event) -> None:
    payload = msgspec.json.encode(event.payload).decode()
    console.print(
        f"{event.seq:>9} {event.kind:<22} {event.event_id:<28} {payload}", highlight=False, markup=False, soft_wrap=True,
    )
