"""`tradeworthy assess NAME|--all`, and `list|explain|replay|verify|mutate|schema|history`: judge, and look back."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter
from rich.console import Console

from tradeworthy.app.assessing import LifeSource, Probes, RunSource, joined, newest_life
from tradeworthy.app.assessing_more import RunFolds, folder_probes, life_probes
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import ExitCode, InvalidInput, UsageError
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.report import EXIT_CODES
from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.operations.assessments.framework import page
from tradeworthy.operations.assessments.framework.collect import Collected, collect
from tradeworthy.operations.assessments.framework.cycle import judged
from tradeworthy.operations.assessments.framework.facts_file import facts_in
from tradeworthy.operations.assessments.framework.history import History, trends
from tradeworthy.operations.assessments.framework.journaled import SnapshotJournal, snapshots_of
from tradeworthy.operations.assessments.framework.mutation import mutate as mutations
from tradeworthy.operations.assessments.framework.mutation import unproven
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy, effective
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.render import html, markdown
from tradeworthy.operations.assessments.framework.replay import replay as replayed
from tradeworthy.operations.assessments.framework.snapshot import Snapshot, decode, encode

app = App(name="assess", help="Judge facts under the assessments' policies, and look at what was judged.")
STYLES = {Severity.OK: "green", Severity.WARN: "yellow", Severity.UNKNOWN: "magenta", Severity.FAIL: "bold red"}
CI_AGE_S = 900.0
"""When a snapshot ends that a build judges."""
Flag = Annotated[bool, Parameter(negative="")]
Format = Literal["table", "json", "md", "html"]


@app.default
def assess(
    *names: str, all_: Annotated[bool, Parameter(name="--all", negative="")] = False, section: str | None = None,
    facts: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None, run: Path | None = None,
    life: Path | None = None, policy: Path | None = None, now: str | None = None, at: int | None = None,
    journal: Path | None = None, ci: Flag = False, dry_run: Path | None = None,
    scan: Annotated[tuple[Path, ...], Parameter(negative="")] = (), store: Path | None = None,
    format_: Annotated[Format, Parameter(name="--format")] = "table", output: Path | None = None,
) -> int:  # fmt: skip
    """Judge assessments: 0 all is well, 1 with warnings, 2 one failed, 3 one could not be judged.

    Parameters
    ----------
    names
        Assessments; `tradeworthy assess list` shows them.
    all_
        Judge every one of them.
    section
        Judge those of a section.
    facts
        A file of facts, or - for standard input.
    run
        A run folder, whose journal brings facts.
    life
        The folder of a process's life, or a desk's state folder for its newest one.
    policy
        A JSON file that lays values over the defaults: {"task_supervision": {"heartbeat_age": {"warn": 60}}}.
    now
        When to judge: nanoseconds UTC or an ISO time; by default now, of a run that has ended its last moment.
    at
        Judge what the desk knew at this seq of the run's journal.
    journal
        Keep the snapshots in this folder and compare with the last ones there.
    ci
        Let snapshots end after 15 minutes.
    dry_run
        The folder of a final dry run, whose summary brings facts.
    scan
        A folder or file to look for secrets in; may be given several times.
    store
        The file of the market store, whose rows bring facts.
    format_
        table, json, md or html.
    output
        Write there instead of standard output.
    """
    known = registry()
    if section is not None:
        chosen = tuple(one.name for one in known.section(section))
    else:
        chosen = tuple(one.name for one in known) if all_ else names
    if not chosen:
        raise UsageError("name an assessment, or --all, or --section; `tradeworthy assess list` shows them")
    given = _facts(facts)
    source = None if run is None else RunSource(run, SystemClock(), stop=None if at is None else at + 1)
    if at is not None and source is None:
        raise UsageError("--at needs --run")
    environment = "file" if source is None else source.environment
    lived = None if life is None else LifeSource(_life(life), SystemClock(), environment=environment)
    moment = _moment(now, source, lived)
    folds = None if source is None or run is None else RunFolds(source, run, stop=None if at is None else at + 1)
    probes: Probes = joined(
        *(one.probes() for one in (source, folds, lived) if one is not None),
        {} if lived is None else life_probes(lived),
        folder_probes(environment, dry_run=dry_run, scan=scan, store=store),
    )
    past = History().fold(snapshots_of(journal)) if journal is not None else History()
    found: dict[str, Snapshot] = {}
    for one in known.in_order(chosen):
        if given is None:
            brought = collect(probes.get(one.name, ()), moment)
        else:
            brought = Collected(facts_in(given, one.name))
        limits = _limits(one.name, policy, ci=ci, live=environment == "live")
        code = "" if source is None else source.code_version
        found[one.name] = judged(one, brought, limits, moment, past, environment=environment, code_version=code)
        past.take(found[one.name])
    if journal is not None:
        _keep(journal, found)
    told = [one for one in found.values() if one.assessment in chosen]
    _show(told, format_, output)
    return EXIT_CODES[worst(one.status for one in told)]


@app.command(name="list")
def list_(
    *, json: Flag = False, format_: Annotated[Literal["table", "md"], Parameter(name="--format")] = "table"
) -> int:
    """List every assessment with its topic and codes.

    Parameters
    ----------
    json
        Print the whole registry: facts, limits, codes, children.
    format_
        table, or md for the page in docs.
    """
    known = registry()
    if json:
        print(msgspec.json.format(msgspec.json.encode(page.catalogue(known)), indent=1).decode())
    elif format_ == "md":
        print(page.page(known), end="")
    else:
        console = Console(highlight=False, markup=False, soft_wrap=True)
        for one in known:
            console.print(f"{one.name:<24} {one.section:<16} {len(one.codes()):>3} codes  {one.title}")
    return ExitCode.PASS


@app.command
def explain(code: str, /) -> int:
    """Tell the rule behind a code: its facts, limit, remedy and runbook.

    Parameters
    ----------
    code
        E.g. task_supervision.heartbeat.
    """
    found = registry().explain(code)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for name, value in msgspec.to_builtins(found).items():
        console.print(f"{name:<10} {', '.join(value) if isinstance(value, list | tuple) else value}")
    return ExitCode.PASS


@app.command
def verify(file: Path, /) -> int:
    """Check a snapshot's bytes, id and policy hash; exit 2 for one that was altered.

    Parameters
    ----------
    file
        A snapshot as JSON.
    """
    try:
        found = decode(_read(file))
    except InvalidInput as problem:
        Console().print(f"altered: {problem}", style="red", highlight=False, markup=False, soft_wrap=True)
        return ExitCode.FAIL
    Console().print(f"sound: {found.assessment} {found.status.name} {found.id}", highlight=False, soft_wrap=True)
    return ExitCode.PASS


@app.command
def replay(wanted: str, /, *, journal: Path | None = None) -> int:
    """Judge recorded facts again by the recorded policy: 0 the same id, 1 today's rules say something else.

    Parameters
    ----------
    wanted
        A file with a snapshot, or an id that the journal has.
    journal
        The folder where snapshots are kept.
    """
    recorded = next((one for one in snapshots_of(journal) if one.id == wanted), None) if journal else None
    if recorded is None:
        if not Path(wanted).is_file():
            raise UsageError(f"expected a snapshot's file, or an id in --journal, found {wanted}")
        recorded = decode(_read(Path(wanted)))
    found = replayed(registry().get(recorded.assessment), recorded)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"{recorded.assessment}: recorded {found.recorded}, found {found.found}")
    for one in found.differs:
        console.print(f"today's rules would say: {one}", style="yellow")
    return ExitCode.PASS if found.recorded == found.found else ExitCode.WARN


@app.command
def mutate(*names: str) -> int:
    """Judge every mutation case; exit 2 names the code that did not flip, or that nothing flips.

    Parameters
    ----------
    names
        Assessments; all of them when none is named.
    """
    known = registry()
    console = Console(highlight=False, markup=False, soft_wrap=True)
    count, bad = 0, 0
    for one in [known.get(name) for name in names] if names else known:
        results = tuple(mutations(one))
        count += len(results)
        for result in results:
            if result.problem:
                bad += 1
                console.print(f"{result.code} {result.case}: {result.problem}", style="red")
        for code in unproven(one, results):
            bad += 1
            console.print(f"{code}: no case makes it fire and clears it", style="red")
    console.print(f"{count} cases, {bad} problems")
    return ExitCode.FAIL if bad else ExitCode.PASS


@app.command
def schema() -> int:
    """Print the JSON schema of a snapshot."""
    print(msgspec.json.format(msgspec.json.encode(page.schema()), indent=1).decode())
    return ExitCode.PASS


@app.command
def history(name: str, /, *, journal: Path, most: int = 20) -> int:
    """Show the course of an assessment: its snapshots, and what they say together.

    Parameters
    ----------
    name
        The assessment.
    journal
        The folder where snapshots are kept.
    most
        Snapshots at most.
    """
    registry().get(name)
    kept = History().fold(snapshots_of(journal)).of(name, most)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for one in kept:
        line = f"{one.generated_at} {one.status.name:<8} {len(one.findings):>3} findings  {one.id}"
        console.print(line, style=STYLES[one.status])
    course = trends(kept)
    for trend in course:
        console.print(f"{trend.name:<12} {trend.severity.name:<8} {trend.text}", style=STYLES[trend.severity])
    return EXIT_CODES[worst(one.severity for one in course)]


def _facts(facts: str | None) -> bytes | None:
    if facts is None:
        return None
    return sys.stdin.buffer.read() if facts == "-" else _read(Path(facts))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise UsageError(f"cannot read {path}: {problem.strerror}") from None


def _life(folder: Path) -> Path:
    return newest_life(folder) if (folder / "runtime").is_dir() else folder


def _moment(now: str | None, source: RunSource | None, lived: LifeSource | None) -> int:
    for one in (source, lived):
        if one is not None:
            one.catch_up()
    if now is None:
        moments = [one.now for one in (source, lived) if one is not None]
        return max(moments) if moments else SystemClock().now()
    if now.isdigit():
        return int(now)
    try:
        found = datetime.fromisoformat(now)
    except ValueError:
        raise UsageError(f"--now must be nanoseconds or an ISO time, was {now!r}") from None
    if found.tzinfo is None:
        raise UsageError(f"--now needs a time zone, e.g. 2026-01-31T12:00:00Z, was {now!r}")
    return round(found.timestamp() * NANOS_PER_SECOND)


def _limits(name: str, policy: Path | None, *, ci: bool, live: bool) -> AssessmentPolicy:
    over: dict[str, Any] = {}
    if policy is not None:
        try:
            over = msgspec.json.decode(_read(policy), type=dict[str, dict[str, Any]])
        except msgspec.MsgspecError as problem:
            raise UsageError(f"{policy}: {problem}") from None
    limits = effective(name, registry().get(name).policy, over.get(name, {}))
    if ci:
        limits = msgspec.structs.replace(limits, age_max_s=min(limits.age_max_s, CI_AGE_S))
    return msgspec.structs.replace(limits, provenance_floor="measured") if live else limits



def _keep(journal: Path, found: dict[str, Snapshot]) -> None:
    kept = SnapshotJournal(journal, SystemClock())
    try:
        for one in found.values():
            kept.append(one.id, one.assessment, encode(one), one.generated_at)
    finally:
        kept.close()


def _show(told: list[Snapshot], format_: Format, output: Path | None) -> None:
    if format_ == "table" and output is None:
        _table(told)
        return
    match format_:
        case "md":
            data = "\n".join(markdown(encode(one)) for one in told).encode()
        case "html":
            data = "\n".join(html(encode(one)) for one in told).encode()
        case _:
            plain = [msgspec.json.decode(encode(one)) for one in told]
            data = encode(told[0]) + b"\n" if len(told) == 1 else msgspec.json.encode(plain) + b"\n"
    data = redact(data)
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        output.write_bytes(data)


def _table(told: list[Snapshot]) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for one in sorted(told, key=lambda one: (-one.status, one.assessment)):
        console.print(f"{one.status.name:<8} {one.assessment}", style=STYLES[one.status])
        for finding in one.findings:
            where = "" if finding.component == one.assessment else f" [{finding.component}]"
            said = f"  {finding.severity.name:<8} {finding.code}{where}: {finding.message}"
            console.print(str(redact(said)), style=STYLES[finding.severity])
            console.print(f"           {finding.remedy}  see docs/{finding.runbook}", style="dim")

