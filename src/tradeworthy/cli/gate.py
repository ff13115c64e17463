"""`tradeworthy gate`: may this release go on? 0 GO, 1 GO with warnings, 2 NO-GO, 3 nobody can say."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from tradeworthy.cli import (
    gate_build,
    gate_capital,
    gate_cycles,
    gate_duties,
    gate_looks,
    gate_rehearsals,
    gate_releases,
    gate_stages,
)
from tradeworthy.cli.evidence import private_key
from tradeworthy.cli.gate_duties import GATES_FOLDER, Folder
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.operations.dry_run.page import duration
from tradeworthy.operations.gates.explain import Explanation, explain_known
from tradeworthy.operations.gates.ladder import LEVELS, gate_of
from tradeworthy.operations.gates.model import Mode
from tradeworthy.operations.gates.named import GATES, components_of, gate_named
from tradeworthy.operations.gates.page import headline

app = App(name="gate", help="Say GO or NO-GO over evidence, why, and when the answer ends.")
Flag = Annotated[bool, Parameter(negative="")]
app.command(gate_looks.list_, name="list")
app.command(gate_looks.show)
app.command(gate_looks.status)
app.command(gate_looks.ladder)
app.command(gate_looks.verify)
app.command(gate_looks.history)
app.command(gate_duties.watch)
app.command(gate_duties.soak)
app.command(gate_duties.ready)
app.command(gate_duties.daily)
app.command(gate_duties.sign)
app.command(gate_duties.sign_page, name="sign-page")
app.command(gate_stages.stage)
app.command(gate_stages.approve)
app.command(gate_stages.stage_report, name="stage-report")
app.command(gate_cycles.promote)
app.command(gate_cycles.strict)
app.command(gate_releases.certificate)
app.command(gate_releases.summary)
app.command(gate_releases.weekly)
app.command(gate_releases.reports)
app.command(gate_releases.scorecard)
app.command(gate_releases.drill)
app.command(gate_releases.supply)
app.command(gate_rehearsals.controls)
app.command(gate_rehearsals.rollback)
app.command(gate_rehearsals.maturity)
app.command(gate_rehearsals.rebaseline)
app.command(gate_rehearsals.recover)
app.command(gate_build.build_alert, name="build-alert")
app.command(gate_capital.app)


@app.command
def check(
    gate: str, configuration: Path, /, *, gates: Folder = GATES_FOLDER, tier: str = "paper", scope: str = "desk",
    assessments: tuple[Path, ...] = (), waivers: Path | None = None, trust: Path | None = None,
    key: Path | None = None, ci: Flag = False, strict: Flag = False, class_override: tuple[str, ...] = (),
    warn_component: tuple[str, ...] = (), block_on_warn: Flag = False, at: str | None = None, json: Flag = False,
) -> int:  # fmt: skip
    """Judge a gate over the evidence there is, keep the verdict, and leave with its code.

    Parameters
    ----------
    gate
        Its name; `tradeworthy gate list` shows them.
    configuration
        The document of the desk that it is for.
    gates
        The gates' folder.
    tier
        paper, canary, live_micro, pilot, limited_live or live.
    scope
        The instance that it is for, or desk.
    assessments
        Journals of snapshots; by default that of the desk, state/DESK/assessments beside the gates' folder.
    waivers
        The folder of waivers; needs --trust.
    trust
        The trust file.
    key
        The private key that signs the verdict.
    ci
        As a build asks: shorter ages, no waivers.
    strict
        Warning rows are critical.
    class_override
        ROW=critical; only tightening is allowed.
    warn_component
        A row, or a component of its evidence, of which a warning blocks; may be given several times.
    block_on_warn
        Every warning blocks.
    at
        Judge for this time, like 2026-01-31T00:00:00Z, and keep nothing.
    json
        Print the verdict's JSON.
    """
    asked = gate_duties.gates_of(gates, configuration, tier, scope, assessments, waivers, trust)
    table, mode = gate_named(gate), Mode(
        ci=ci, strict=strict, tightened=_tightened(class_override), warn_components=warn_component,
        block_on_warn=block_on_warn,
    )  # fmt: skip
    strange = set(warn_component) - components_of(table)
    if strange:
        raise UsageError(
            f"--warn-component: expected one of {', '.join(sorted(components_of(table)))}, found {', '.join(strange)}"
        )
    moment = None if at is None else gate_looks.time_of_words(at)
    verdict = asked.judge(table, at=moment, mode=mode, journal_head=gate_duties.head_of_desk(gates, configuration))
    name = "" if at is not None else asked.store.keep(verdict, table, None if key is None else private_key(key))
    return gate_looks.told(verdict, name, gates, json=json)


@app.command(name="explain")
def explain_(
    gate: str, configuration: Path, /, *, gates: Folder = GATES_FOLDER, tier: str = "paper",
    assessments: tuple[Path, ...] = (), waivers: Path | None = None, trust: Path | None = None, ci: Flag = False,
    strict: Flag = False, at: str | None = None,
) -> int:  # fmt: skip
    """Say what is missing for a GO, and the smallest sets of acts that would give it.

    Parameters
    ----------
    gate
        Its name.
    configuration
        The document of the desk that it is for.
    gates
        The gates' folder.
    tier
        The tier that it is for.
    assessments
        Journals of snapshots; by default that of the desk, state/DESK/assessments beside the gates' folder.
    waivers
        The folder of waivers; needs --trust.
    trust
        The trust file.
    ci
        As a build asks.
    strict
        Warning rows are critical.
    at
        Explain for this time.
    """
    asked = gate_duties.gates_of(gates, configuration, tier, "desk", assessments, waivers, trust)
    moment = SystemClock().now() if at is None else gate_looks.time_of_words(at)
    table = gate_named(gate)
    given = asked.store.read().newest(gate)
    cycle = "" if given is None else given.verdict.context.cycle
    verdict = asked.judge(table, at=moment, mode=Mode(ci=ci, strict=strict), cycle=cycle)
    _explained(explain_known(verdict, table))
    return verdict.exit_code


@app.command
def mutate(
    gate: str | None = None, /, *, configuration: Path, gates: Folder = GATES_FOLDER, show_all: Flag = False
) -> int:
    """Change the world under every check and see its row fail; a row that does not is unproven in every gate.

    Parameters
    ----------
    gate
        One gate; all of them, and the ladder, when not given.
    configuration
        The document of the desk whose code is proved.
    gates
        The gates' folder.
    show_all
        Print rows that flipped too.
    """
    asked = gate_duties.gates_of(gates, configuration, "paper", "desk", (), None, None)
    tables = [gate_named(gate)] if gate is not None else [*GATES.values(), *(gate_of(level) for level in LEVELS)]
    console, code = gate_looks.console_of(), ExitCode.PASS
    for table in tables:
        results = asked.mutate(table)
        flipped = sum(one.flipped for one in results)
        code = code if flipped == len(results) else ExitCode.FAIL
        console.print(f"{table.name:<22} {flipped} of {len(results)} rows proved", style="bold")
        for one in results:
            if show_all or one.problem:
                console.print(f"  {'flipped' if one.flipped else 'unproven':<9} {one.mutation:<36} {one.problem}")
    return code


@app.command
def record(
    report: Path, configuration: Path, /, *, gates: Folder = GATES_FOLDER, source: str = "", environment: str = ""
) -> int:
    """Keep a report that a verb wrote as evidence for this release; its status is the report's own.

    Parameters
    ----------
    report
        The report's JSON, as `soak` or `regression` wrote it.
    configuration
        The document of the desk that it is about.
    gates
        The gates' folder.
    source
        What it speaks for, where its name does not say so.
    environment
        Where it was made; that of the document when not given.
    """
    try:
        data = report.read_bytes()
    except OSError as problem:
        raise UsageError(f"cannot read the report {report}: {problem.strerror}") from None
    asked = gate_duties.gates_of(gates, configuration, "paper", "desk", (), None, None)
    kept = asked.record_report(data, source, environment=environment)
    status = "unreadable" if kept.status is None else kept.status.name
    gate_looks.console_of().print(f"{kept.source}  {status}  {kept.evidence_id}")
    return ExitCode.PASS


@app.command
def take(store: Path, configuration: Path, /, *, trust: Path, gates: Folder = GATES_FOLDER) -> int:
    """Keep the signed items and dry-run bundles of an evidence store as evidence that gates read.

    Parameters
    ----------
    store
        The folder of the evidence store.
    configuration
        The document of the desk that asks.
    trust
        The trust file, which says whose signatures count.
    gates
        The gates' folder.
    """
    taken = gate_duties.gates_of(gates, configuration, "paper", "desk", (), None, trust).take(store)
    for one in taken:
        status = one.error if one.status is None else one.status.name
        gate_looks.console_of().print(f"{one.source}  {status}  {one.evidence_id}")
    return ExitCode.PASS if taken else ExitCode.COULD_NOT_JUDGE


def _explained(found: Explanation) -> None:
    console = gate_looks.console_of()
    console.print(headline(found.verdict), style="bold")
    for row in found.unmet:
        console.print(f"{row.grade.value:<8} {row.id:<24} {row.standing.value}: {row.reason}")
        console.print(f"         observed {row.observed}; limit {row.limit}")
        console.print(f"         {row.owner}: {row.remedy}; see docs/{row.runbook}")
    for at, one in enumerate(found.sets, 1):
        acts = ", ".join(f"{act.means} {act.on}" for act in one.acts)
        console.print(f"way {at}: {len(one.acts)} acts, about {duration(one.seconds) or '0 s'}: {acts}")
    if found.told_of > len(found.sets):
        console.print(f"and {found.told_of - len(found.sets)} other ways, none with fewer acts")
    if found.beyond:
        console.print(f"no evidence of its own mends {', '.join(found.beyond)}: see its reason above")


def _tightened(words: tuple[str, ...]) -> tuple[str, ...]:
    for one in words:
        if not one.endswith("=critical"):
            raise UsageError(f"--class-override: expected ROW=critical, as rows are only tightened, found {one!r}")
    return tuple(one.removesuffix("=critical") for one in words)
