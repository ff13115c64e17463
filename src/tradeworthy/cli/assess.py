"""`tradeworthy assess NAME|--all`, and `list|explain|replay|verify|mutate|schema|history`: judge, and look back."""

import os
import sys
from collections.abc import Sequence
from contextlib import closing, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter
from rich.console import Console

from tradeworthy.app.assessing.live import measured
from tradeworthy.app.assessing.pages import bundled, shown_of
from tradeworthy.app.assessing.projecting import project, projections_at
from tradeworthy.app.assessing.sources import Asked, Judged, Sources, judge_all, laid_over
from tradeworthy.app.runbooks import DOCS, FOLDER
from tradeworthy.cli.assess_table import STYLES, table
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import ExitCode, InvalidInput, UsageError
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.report import EXIT_CODES
from tradeworthy.kernel.severity import worst
from tradeworthy.operations.assessments.framework import page
from tradeworthy.operations.assessments.framework.collect import Collected
from tradeworthy.operations.assessments.framework.facts_file import facts_in
from tradeworthy.operations.assessments.framework.history import History, trends
from tradeworthy.operations.assessments.framework.journaled import SnapshotJournal, snapshots_of
from tradeworthy.operations.assessments.framework.mutation import mutate as mutations
from tradeworthy.operations.assessments.framework.mutation import unproven
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.render import html, html_page, markdown, markdown_page
from tradeworthy.operations.assessments.framework.replay import replay as replayed
from tradeworthy.operations.assessments.framework.report import Shown
from tradeworthy.operations.assessments.framework.snapshot import Snapshot, decode, encode

app = App(name="assess", help="Judge facts under the assessments' policies, and look at what was judged.")
CI_AGE_S = 900.0
"""When a snapshot ends that a build judges."""
Flag = Annotated[bool, Parameter(negative="")]
Format = Literal["table", "json", "md", "html"]


@app.default
def assess(
    *names: str, all_: Annotated[bool, Parameter(name="--all", negative="")] = False, section: str | None = None,
    facts: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None, run: Path | None = None,
    life: Path | None = None, state: Path | None = None, policy: Path | None = None, now: str | None = None,
    at: int | None = None, journal: Path | None = None, ci: Flag = False, dry_run: Path | None = None,
    scan: Annotated[tuple[Path, ...], Parameter(negative="")] = (), store: Path | None = None,
    tables_: Annotated[str, Parameter(name="--tables")] = "",
    format_: Annotated[Format, Parameter(name="--format")] = "table", output: Path | None = None,
    bundle: Path | None = None, list_all: Annotated[bool, Parameter(name="--list", negative="")] = False,
    json: Flag = False,
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
        A run folder, whose journal brings facts; while it is its desk's last run, the life of the process that played
        it and the snapshots that the process took are found beside it.
    life
        The folder of a process's life, or a desk's state folder for its newest one.
    state
        A desk's state folder, where it is not the one beside the run.
    policy
        A JSON file that lays values over the run's own limits: {"task_supervision": {"heartbeat_age": {"warn": 60}}}.
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
        A folder or file to look for secrets in; may be given several times. With --all the run's own folder.
    store
        The file of the market store, whose rows bring facts.
    tables_
        Tables to compare with their journals, as `tradeworthy assess tables` writes them.
    format_
        table, json, md or html.
    output
        Write there instead of standard output.
    bundle
        Leave the snapshots, both pages and what they rest on as an evidence bundle in this folder.
    list_all
        List every assessment instead, as `tradeworthy assess list` does.
    json
        With --list the whole registry as JSON, else the snapshots.
    """
    if list_all:
        return list_(json=json)
    format_ = "json" if json else format_
    known = registry()
    if section is not None:
        chosen = tuple(one.name for one in known.section(section))
    else:
        chosen = tuple(one.name for one in known) if all_ else names
    if not chosen:
        raise UsageError(
            "name an assessment, or --all, or --section, and what is to be judged, e.g. `tradeworthy assess --all "
            "--run runs/demo-…`; `tradeworthy assess list` shows the assessments"
        )
    if facts is not None and bundle is not None:
        raise UsageError("--bundle needs --run: a file of facts is no evidence")
    if all_ and run is not None and at is None and not scan:
        scan = (run,)
    asked = Asked(run, life, state, dry_run, scan, store, at, None if now is None else _moment(now), tables_)
    shown = facts is None and (format_ in ("md", "html") or bundle is not None)
    waiting = Console(stderr=True)
    with waiting.status("reading what is to be judged …"):
        sources = Sources(asked, SystemClock(), known, course=shown)
    overrides = _overrides(policy)
    document = {} if sources.run is None else sources.run.document.assessments
    policies = known.policies(laid_over(document, overrides))

    def limits(name: str) -> AssessmentPolicy:
        found = policies[name]
        if ci:
            found = msgspec.structs.replace(found, age_max_s=min(found.age_max_s, CI_AGE_S))
        return measured(found) if sources.environment == "live" else found

    past = sources.past(journal)
    with closing(SnapshotJournal(journal, SystemClock())) if journal is not None else nullcontext() as kept:
        def keep(taken: Snapshot) -> None:
            if kept is not None:
                kept.append(taken.id, taken.assessment, encode(taken), taken.generated_at)

        given = None if facts is None else _given(facts, chosen)
        with waiting.status(f"judging {len(chosen)} assessments …"):
            found = judge_all(known, chosen, sources, past, limits=limits, keep=keep, given=given)
    contents = None if not shown else shown_of(found, sources, known, docs=_docs(output or bundle))
    if bundle is not None and contents is not None:
        built = bundled(contents, found, sources, bundle)
        print(f"bundle {bundle}  id {built.bundle_id}", file=sys.stderr)
    _show(found, contents, format_, output)
    return found.exit_code


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
    """Tell the rule behind a code: its facts, limit, remedy and runbook; of an assessment, every code of its rules.

    Parameters
    ----------
    code
        E.g. task_supervision.heartbeat, or task_supervision.
    """
    known = registry()
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if code in known:
        one = known.get(code)
        console.print(f"{one.name}: {one.title}\njudged every {one.policy.period_s:g} s, "
                      f"counts for {one.policy.age_max_s:g} s; {one.owner}; see docs/{one.runbook}")  # fmt: skip
        for rule in one.codes():
            console.print(f"  {rule.code:<44} {rule.limit or rule.primitive}")
            console.print(f"  {'':<44} {rule.remedy}", style="dim")
        return ExitCode.PASS
    found = known.explain(code)
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
    if not journal.is_dir():
        raise UsageError(f"--journal: expected a folder that `assess --journal` filled, found none at {journal}")
    kept = History().fold(snapshots_of(journal)).of(name, most)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for one in kept:
        line = f"{one.generated_at} {one.status.name:<8} {len(one.findings):>3} findings  {one.id}"
        console.print(line, style=STYLES[one.status])
    course = trends(kept)
    for trend in course:
        console.print(f"{trend.name:<12} {trend.severity.name:<8} {trend.text}", style=STYLES[trend.severity])
    return EXIT_CODES[worst(one.severity for one in course)]


@app.command
def tables(target: str, /, *, run: Path | None = None, state: Path | None = None) -> int:
    """Put what journals tell into tables that any tool can ask; twice gives the same rows.

    Parameters
    ----------
    target
        sqlite:FILE or postgresql://HOST/DATABASE.
    run
        A run folder: its reviews go into `compliance_audit`.
    state
        A desk's state folder: ingest, changes of the configuration, snapshots.
    """
    if run is None and state is None:
        raise UsageError("name what to project: --run FOLDER, --state FOLDER, or both")
    for name, rows in project(projections_at(target), run=run, state=state).items():
        print(f"{name:<24} {rows:>8} rows")
    return ExitCode.PASS


def _given(facts: str, chosen: Sequence[str]) -> dict[str, Collected]:
    data = sys.stdin.buffer.read() if facts == "-" else _read(Path(facts))
    return {name: Collected(facts_in(data, name)) for name in chosen}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise UsageError(f"cannot read {path}: {problem.strerror}") from None


def _moment(now: str) -> int:
    if now.isdigit():
        return int(now)
    try:
        found = datetime.fromisoformat(now)
    except ValueError:
        raise UsageError(f"--now must be nanoseconds or an ISO time, was {now!r}") from None
    if found.tzinfo is None:
        raise UsageError(f"--now needs a time zone, e.g. 2026-01-31T12:00:00Z, was {now!r}")
    return round(found.timestamp() * NANOS_PER_SECOND)


def _overrides(policy: Path | None) -> dict[str, dict[str, Any]]:
    if policy is None:
        return {}
    try:
        return msgspec.json.decode(_read(policy), type=dict[str, dict[str, Any]])
    except msgspec.MsgspecError as problem:
        raise UsageError(f"{policy}: {problem}") from None


def _docs(beside: Path | None) -> str | None:
    """Return where the pages of the product lie from a page that is written beside, None where there are none."""
    if beside is None or not FOLDER.is_dir():
        return None
    return f"{os.path.relpath(DOCS.resolve(), beside.resolve().parent)}/"


def _show(found: Judged, contents: Shown | None, format_: Format, output: Path | None) -> None:
    if format_ == "table" and output is None:
        table(found)
        return
    if format_ in ("md", "html") and contents is None:
        render = markdown if format_ == "md" else html
        data = "\n".join(render(encode(one)) for one in found.snapshots).encode()
    elif format_ == "md" and contents is not None:
        data = markdown_page(contents).encode()
    elif format_ == "html" and contents is not None:
        data = html_page(contents).encode()
    else:
        told = found.snapshots
        plain = [msgspec.json.decode(encode(one)) for one in told]
        data = encode(told[0]) + b"\n" if len(told) == 1 else msgspec.json.encode(plain) + b"\n"
    data = redact(data)
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        output.write_bytes(data)
