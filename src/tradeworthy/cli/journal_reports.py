"""`tradeworthy journal integrity|continuity|acknowledge-loss|compare|retention`: judge a journal and look after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from tradeworthy.app.runs.runner import journal_of
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.facts import Fact, event_of
from tradeworthy.kernel.journal import Journal, JournalPolicy
from tradeworthy.kernel.journal.compare import CannotJudge, await_service
from tradeworthy.kernel.journal.compare import compare as compare_restart
from tradeworthy.kernel.journal.daily import write_continuity, write_integrity
from tradeworthy.kernel.journal.files import writer_lives
from tradeworthy.kernel.journal.integrity import load_sources
from tradeworthy.kernel.journal.records import LossAcknowledged
from tradeworthy.kernel.journal.retention import ColdFolder, cited_by, plan, retain
from tradeworthy.kernel.severity import Severity

EXIT_CODES = {Severity.OK: ExitCode.PASS, Severity.WARN: ExitCode.WARN}


def integrity(run: Path, /, *, sources: Path | None = None, day: str = "", live: bool = False) -> int:
    """Write integrity-DAY.json: gaps, repeats, backward time, unknown causes and kinds, silent sources, losses.

    Completeness is judged by each source's own numbers. Exit 2 names what is missing, 1 warns.

    Parameters
    ----------
    run
        A run folder or a journal directory.
    sources
        The expected-sources manifest: TOML, [sources.NAME] with period_seconds and zero_loss.
    day
        Judge up to the end of this UTC day; by default that of the last event.
    live
        Measure silence up to now; without it up to the last event, as for a recorded tape.
    """
    directory = journal_of(run)
    expected = {} if sources is None else load_sources(sources)
    path, report = write_integrity(
        directory, folder_of(run), sources=expected, now=SystemClock().now() if live else None, day=day
    )
    console = Console()
    counters = (
        "events", "repeats", "time_backwards", "ahead", "unknown_cause", "unknown_schema", "conflated", "quarantined",
    )  # fmt: skip
    for name in counters:
        console.print(f"{name:<16} {getattr(report, name):,}", highlight=False)
    for source, first, last in report.gaps:
        console.print(f"gap              {source}: {first} to {last}", style="red", highlight=False, markup=False)
    for source in report.silent:
        console.print(f"silent           {source}", style="red", highlight=False, markup=False)
    for loss in report.losses:
        console.print(
            f"recorded loss    {loss.source}: {loss.first} to {loss.last}, {loss.reason} ({', '.join(loss.people)})",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
    console.print(f"chain            {report.chain or 'sound'}", highlight=False)
    console.print(f"severity         {report.severity.name}\n{path}", highlight=False, soft_wrap=True)
    return EXIT_CODES.get(report.severity, ExitCode.FAIL)


def continuity(run: Path, /, *, until: str = "", recorded: bool = False) -> int:
    """Write continuity.json: the part of the last 24 hours in which the journal holds a heartbeat each 10 s.

    Exit 2 below 0.999 and where a recorded tape proves nothing.

    Parameters
    ----------
    run
        A run folder or a journal directory.
    until
        End of the window, an ISO time, UTC unless it says otherwise; by default now.
    recorded
        The run played a recorded tape on event time: coverage is told, and judged UNKNOWN.
    """
    end = instant("--until", until) if until else SystemClock().now()
    path, report = write_continuity(journal_of(run), folder_of(run), end=end, recorded=recorded)
    console = Console()
    console.print(
        f"coverage {report.coverage:.4f}: {report.present:,} of {report.slots:,} slots of 10 s", highlight=False
    )
    if report.note:
        console.print(report.note, style="yellow")
    console.print(f"severity {report.severity.name}\n{path}", highlight=False, soft_wrap=True)
    return EXIT_CODES.get(report.severity, ExitCode.FAIL)


def acknowledge_loss(
    run: Path, /, *, source: str, first: int, last: int, reason: str,
    by: Annotated[tuple[str, ...], Parameter(negative="")],
) -> int:
    """Journal that two people accept a loss. The window starts again; every later report still shows the loss.

    Exit 2 while a desk writes this journal.

    Parameters
    ----------
    run
        A run folder or a journal directory.
    source
        The source whose events are lost, e.g. desk.
    first
        First lost number of that source.
    last
        Last lost number of that source.
    reason
        What happened.
    by
        A person's name; give it twice, for two people.
    """
    if len(by) != 2:
        raise UsageError(f"a loss is acknowledged by two people: give --by twice, was {len(by)}")
    try:
        fact = LossAcknowledged(source, first, last, reason, (by[0], by[1]))
    except ValueError as problem:
        raise UsageError(str(problem)) from None
    with appending(journal_of(run)) as journal:
        record(journal, fact, source="people", key=f"loss:{source}:{first}-{last}")
    Console().print(
        f"recorded: {source} {first} to {last} is lost, accepted by {by[0]} and {by[1]}", highlight=False, markup=False
    )
    return ExitCode.PASS


def compare(
    run: Path, /, *, stopped_at: str, checkpoint: Path | None = None, key: Path | None = None, serving_at: str = "",
    wait: bool = False, down: Annotated[tuple[str, ...], Parameter(negative="")] = (), acknowledged: Path | None = None,
) -> int:
    """Compare a journal after a restart with what was signed before; exit 2 names each thing that is not back.

    The result is valid for 20 minutes. Exit 3 when no checkpoint can be read or trusted.

    Parameters
    ----------
    run
        A run folder or a journal directory.
    stopped_at
        When the service stopped, an ISO time.
    checkpoint
        A checkpoint of before, or a folder of them; by default those beside the journal.
    key
        File with the witness's public key, 64 hex digits; without it signatures are not checked.
    serving_at
        When the service was back, an ISO time.
    wait
        Ask each 5 s, up to 180 s after the stop, whether a writer holds the journal.
    down
        A component that does not answer; may be given several times.
    acknowledged
        File with ids, one a line, of zero-loss events that somebody was told are durable.
    """
    directory, clock = journal_of(run), SystemClock()
    stopped = instant("--stopped-at", stopped_at)
    serving = instant("--serving-at", serving_at) if serving_at else None
    if serving is None and wait:
        serving = await_service(lambda: writer_lives(directory), clock, stopped_at=stopped)
    try:
        ids = () if acknowledged is None else tuple(acknowledged.read_text().split())
        result = compare_restart(
            directory, checkpoint or directory, public_key=public_key(key), stopped_at=stopped, serving_at=serving,
            now=clock.now(), down=down, acknowledged=ids,
        )  # fmt: skip
    except (CannotJudge, OSError) as problem:
        raise UsageError(f"could not judge: {problem}") from None
    console = Console()
    for failure in result.failures:
        console.print(failure, style="red", highlight=False, markup=False, soft_wrap=True)
    until = datetime.fromtimestamp(result.valid_until // NANOS_PER_SECOND, UTC).isoformat()
    verdict = f"{len(result.failures)} not back" if result.failures else "everything signed and acknowledged is there"
    console.print(f"{verdict}; valid until {until}", highlight=False)
    return result.exit_code


def retention(
    run: Path, /, *, apply: bool = False, cold: Path | None = None, bundles: Path | None = None,
    reports: Annotated[tuple[Path, ...], Parameter(negative="")] = (),
) -> int:
    """List what retention would compress, release, archive or delete; nothing happens without --apply.

    Each deletion is journaled before it is done. Exit 2 when a copy does not read back: its original stays.

    Parameters
    ----------
    run
        A run folder or a journal directory.
    apply
        Carry the list out.
    cold
        The write-once folder for segments older than a year; without it they stay.
    bundles
        The folder of live evidence bundles: what they cite is never deleted.
    reports
        Another folder with reports; may be given several times.
    """
    console = Console()
    directory = journal_of(run)
    store = None if cold is None else ColdFolder(cold)
    if bundles is not None and not bundles.is_dir():
        raise UsageError(f"expected a folder of bundles at {bundles}, found none")
    steps = plan(
        directory, now=SystemClock().now(), modified=lambda path: path.stat().st_mtime_ns, cold=store, reports=reports,
        cited=frozenset() if bundles is None else cited_by(bundles),
    )  # fmt: skip
    for step in steps:
        console.print(f"{step.act:<9} {step.name}  ({step.rule})", highlight=False, markup=False, soft_wrap=True)
    if not apply or not steps:
        console.print(f"{len(steps)} steps{', none carried out: add --apply' if steps else ''}", highlight=False)
        return ExitCode.PASS
    with appending(directory) as journal:
        deleted, problems = retain(
            steps, cold=store,
            record=lambda fact: record(journal, fact, source="retention", key=f"{fact.name}:{fact.sha256}"),
        )  # fmt: skip
    for problem in problems:
        console.print(problem, style="red", highlight=False, markup=False, soft_wrap=True)
    console.print(f"{len(steps)} steps carried out, {len(deleted)} files deleted", highlight=False)
    return ExitCode.FAIL if problems else ExitCode.PASS


def folder_of(run: Path) -> Path:
    """Return where reports about a run go: its folder, also when the journal inside it was named."""
    directory = journal_of(run)
    return directory.parent if directory.name == "journal" else directory


def instant(name: str, text: str) -> int:
    """Return an ISO time in nanoseconds UTC; raises `UsageError` for anything else."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{name} must be an ISO time, was {text!r}") from None
    return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * NANOS_PER_SECOND)


def public_key(path: Path | None) -> bytes | None:
    """Return the raw key of a file with 64 hex digits, None without one; raises `UsageError` for another file."""
    if path is None:
        return None
    try:
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as problem:
        raise UsageError(f"expected a public key of 64 hex digits in {path}, found {problem}") from None
    if len(key) != 32:
        raise UsageError(f"expected a public key of 64 hex digits in {path}, found {2 * len(key)}")
    return key


@contextmanager
def appending(directory: Path) -> Iterator[Journal]:
    """Take the journal's lock to append a few facts; a torn tail that is cut on the way is journaled too."""
    journal = Journal.open(directory, clock=SystemClock(), policy=JournalPolicy(commit_interval_ns=None))
    try:
        if journal.torn is not None:
            record(journal, journal.torn, source="journal", key=f"torn:{journal.torn.file}")
        yield journal
    finally:
        journal.close()


def record(journal: Journal, fact: Fact, *, source: str, key: str) -> None:
    """Append one fact, stamped with the time now, and make it durable."""
    now = SystemClock().now()
    journal.append(event_of(fact, source=source, key=f"{key}:{now}", ts_event=now, ts_init=now))
    journal.commit()
