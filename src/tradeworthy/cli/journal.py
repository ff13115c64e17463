"""`tradeworthy journal verify|show|tail|trace|witness` and the verbs of `journal_reports`: look into a journal."""

from pathlib import Path

import msgspec
from cyclopts import App
from rich.console import Console

from tradeworthy.app.runs.runner import journal_of
from tradeworthy.cli import journal_reports
from tradeworthy.cli.journal_reports import public_key
from tradeworthy.kernel.clock import NANOS_PER_MILLI, SystemClock
from tradeworthy.kernel.errors import ExitCode, InvalidInput, UsageError
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal import Cursor, Journal, read, tail
from tradeworthy.kernel.journal.trace import trace as trace_of
from tradeworthy.kernel.journal.verify import UNSEALED_TAIL, CannotJudge, read_checkpoint
from tradeworthy.kernel.journal.verify import verify as verify_chain
from tradeworthy.kernel.journal.witness import load_key, serve

app = App(name="journal", help="Verify, show, follow, judge and keep journals.")
for _verb in (
    journal_reports.integrity, journal_reports.continuity, journal_reports.acknowledge_loss, journal_reports.compare,
    journal_reports.retention,
):  # fmt: skip
    app.command(_verb)


@app.command
def verify(
    run: Path, /, *, head: str | None = None, count: int | None = None, checkpoint: Path | None = None,
    key: Path | None = None,
) -> int:
    """Check every event against the hash chain and the checkpoints; exit 2 names the first bad event.

    Parameters
    ----------
    run
        A run folder or a journal directory.
    head
        Expected hash of the last seal.
    count
        Expected number of events.
    checkpoint
        A signed checkpoint, or a folder of them, e.g. the second location; by default those beside the journal.
    key
        File with the witness's public key, 64 hex digits; without it signatures are not checked.
    """
    directory = journal_of(run)
    place = checkpoint or directory
    checkpoints = sorted(place.glob("checkpoint-*.dsse.json")) if place.is_dir() else [place]
    try:
        result = verify_chain(
            directory, checkpoint=place if checkpoints else None, public_key=public_key(key), head=head, count=count
        )
        newest = read_checkpoint(checkpoints[-1], None) if checkpoints else None
    except CannotJudge as problem:
        raise UsageError(f"could not judge: {problem}") from None
    console = Console()
    if result.ok:
        console.print(
            f"sound: {result.events:,} events, {len(checkpoints)} checkpoints\nhead {result.head}", highlight=False,
            soft_wrap=True,
        )
        if newest is not None:
            offset = newest.get("clock_offset_ns")
            told = "unknown" if offset is None else f"{offset / NANOS_PER_MILLI:.3f} ms"
            trust = "signature checked" if key else "signature not checked"
            console.print(
                f"newest checkpoint at {newest['count']:,}: {newest.get('provenance')}, {trust}; clock offset {told}",
                highlight=False, soft_wrap=True,
            )  # fmt: skip
        return ExitCode.PASS
    console.print(f"damaged at seq {result.first_bad_seq}: {result.problem}", style="red", highlight=False)
    if result.problem == UNSEALED_TAIL:
        console.print(
            "a killed writer leaves this behind what it acknowledged: `tradeworthy journal recover` puts it aside",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
    return ExitCode.FAIL


@app.command
def recover(run: Path, /) -> int:
    """Cut what a killed writer left behind its last seal, keep it beside the journal; exit 1 when there was some.

    Nothing that was acknowledged is touched. Damage before the last seal is refused, exit 2.

    Parameters
    ----------
    run
        A run folder or a journal directory whose writer is dead.
    """
    journal = Journal.open(journal_of(run), clock=SystemClock())
    torn, count = journal.torn, journal.durable_seq
    journal.close()
    console = Console()
    if torn is None:
        console.print(f"nothing to recover: {count:,} events, sealed to the last", highlight=False)
        return ExitCode.PASS
    console.print(f"{count:,} events stand; {torn.size:,} bytes behind the last seal are kept in {torn.file}",
                  highlight=False, soft_wrap=True)  # fmt: skip
    return ExitCode.WARN


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
def witness(key: Path, socket: Path, /) -> int:
    """Run the witness: it alone holds the key, reads journals itself and signs checkpoints of what it read.

    Start it under an account of its own, before the desk, and name the socket in the desk's [journal] witness.
    It serves until it is interrupted.

    Parameters
    ----------
    key
        File with the private key; made when absent. KEY.pub gets the public key, for `journal verify --key`.
    socket
        Where the desk asks.
    """
    try:
        serve(load_key(key), socket, SystemClock())
    except (InvalidInput, OSError) as problem:
        raise UsageError(f"the witness cannot start: {problem}") from None


def _line(console: Console, event: Event) -> None:
    payload = msgspec.json.encode(event.payload).decode()
    console.print(
        f"{event.seq:>9} {event.kind:<22} {event.event_id:<28} {payload}", highlight=False, markup=False,
        soft_wrap=True,
    )
