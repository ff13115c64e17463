"""`tradeworthy gate`: may this release go on? 0 GO, 1 GO with warnings, 2 NO-GO, 3 nobody can say."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.console import Console

from tradeworthy.app import identity
from tradeworthy.app.config import load
from tradeworthy.app.gates import Gates, binding_of, cycle_of
from tradeworthy.cli import gate_duties
from tradeworthy.cli.evidence import private_key
from tradeworthy.cli.gate_duties import GATES_FOLDER, Folder
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.operations.dry_run.page import duration
from tradeworthy.operations.evidence.canonical import Malformed, stamp_of
from tradeworthy.operations.evidence.certificate_store import nanos_of_stamp
from tradeworthy.operations.evidence.trust import TrustFile, read_trust
from tradeworthy.operations.gates.asking import again, faults_of
from tradeworthy.operations.gates.bundle import encoded
from tradeworthy.operations.gates.explain import Explanation, explain
from tradeworthy.operations.gates.ladder import LEVELS, climb, gate_of, needed_of
from tradeworthy.operations.gates.model import Answer, Mode, Standing, Verdict
from tradeworthy.operations.gates.named import GATES, gate_named
from tradeworthy.operations.gates.page import headline, reason
from tradeworthy.operations.gates.store import GateStore
from tradeworthy.operations.gates.table_page import table_page

app = App(name="gate", help="Say GO or NO-GO over evidence, why, and when the answer ends.")
Flag = Annotated[bool, Parameter(negative="")]
STYLES = {Standing.MET: "green", Standing.WARNED: "yellow", Standing.WAIVED: "yellow"}
ID_DIGITS = 12
app.command(gate_duties.watch)
app.command(gate_duties.soak)
app.command(gate_duties.ready)
app.command(gate_duties.daily)
app.command(gate_duties.sign)


@app.command(name="list")
def list_() -> int:
    """List every gate with its number of rows."""
    console = _console()
    for gate in GATES.values():
        console.print(f"{gate.name:<22} {len(gate.requirements):>3} rows  {gate.title}")
    return ExitCode.PASS


@app.command
def show(gate: str | None = None, /, *, markdown: Flag = False) -> int:
    """Show the table of a gate.

    Parameters
    ----------
    gate
        Its name; with --markdown all gates when not given.
    markdown
        Print the page of docs/gates.md.
    """
    console = _console()
    if markdown:
        print(table_page(GATES.values() if gate is None else (gate_named(gate),)), end="")
        return ExitCode.PASS
    if gate is None:
        raise UsageError(f"name a gate of {', '.join(GATES)}")
    for one in gate_named(gate).requirements:
        age = "this release" if one.age_max_s is None else duration(one.age_max_s)
        console.print(f"{one.grade.value:<8} {one.id:<24} {age or '-':<14} {one.title}")
    return ExitCode.PASS


@app.command
def check(
    gate: str, configuration: Path, /, *, gates: Folder = GATES_FOLDER, tier: str = "paper", scope: str = "desk",
    assessments: tuple[Path, ...] = (), waivers: Path | None = None, trust: Path | None = None,
    key: Path | None = None, ci: Flag = False, strict: Flag = False, class_override: tuple[str, ...] = (),
    at: str | None = None, json: Flag = False,
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
        Journals of snapshots; may be given several times.
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
    at
        Judge for this time, like 2026-01-31T00:00:00Z, and keep nothing.
    json
        Print the verdict's JSON.
    """
    asked = _gates(gates, configuration, tier, scope, assessments, waivers, trust)
    table, mode = gate_named(gate), Mode(ci=ci, strict=strict, tightened=_tightened(class_override))
    verdict = asked.judge(table, at=None if at is None else _time(at), mode=mode)
    name = "" if at is not None else asked.store.keep(verdict, table, None if key is None else private_key(key))
    return _told(verdict, name, gates, json=json)


@app.command
def promote(
    configuration: Path, /, *, gates: Folder = GATES_FOLDER, tier: str = "paper", assessments: tuple[Path, ...] = (),
    waivers: Path | None = None, trust: Path | None = None, key: Path | None = None, ci: Flag = False,
    strict: Flag = False, docs: Path = Path("docs"), json: Flag = False,
) -> int:  # fmt: skip
    """Make what this cycle needs (preflight, proofs of mutation), then judge gate promotion.

    Parameters
    ----------
    configuration
        The document of the desk that is to be promoted.
    gates
        The gates' folder.
    tier
        The tier that it is for.
    assessments
        Journals of snapshots; may be given several times.
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
    docs
        Where runbooks and schemas lie.
    json
        Print the verdict's JSON.
    """
    asked = _gates(gates, configuration, tier, "desk", assessments, waivers, trust)
    table = gate_named("promotion")
    cycle = cycle_of(asked.binding, SystemClock().now())
    asked.mutate(table)
    asked.run_preflight(configuration, docs, cycle)
    verdict = asked.judge(table, mode=Mode(ci=ci, strict=strict), cycle=cycle)
    name = asked.store.keep(verdict, table, None if key is None else private_key(key))
    return _told(verdict, name, gates, json=json)


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
        Journals of snapshots; may be given several times.
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
    asked = _gates(gates, configuration, tier, "desk", assessments, waivers, trust)
    moment = SystemClock().now() if at is None else _time(at)
    table = gate_named(gate)
    given = asked.store.read().newest(gate)
    cycle = "" if given is None else given.verdict.context.cycle
    verdict = asked.judge(table, at=moment, mode=Mode(ci=ci, strict=strict), cycle=cycle)
    active = sum(one.issued_at <= moment < one.expires_at for one in verdict.waivers_known)
    _explained(explain(verdict, table, active_waivers=active))
    return verdict.exit_code


@app.command
def status(*, gates: Folder = GATES_FOLDER) -> int:
    """Show the newest verdict of each gate as it stands now; a gate without one is NO-GO.

    Parameters
    ----------
    gates
        The gates' folder.
    """
    clock, console = SystemClock(), _console()
    known, now = GateStore(gates, clock).read(), clock.now()
    worst = ExitCode.PASS
    for name in GATES:
        given = known.newest(name)
        code = ExitCode.FAIL if given is None else _standing_code(given.verdict, now)
        worst = max(worst, code)
        if given is None:
            console.print(f"NO-GO  {name:<22} no verdict yet: tradeworthy gate check {name} CONFIG", style="red")
            continue
        verdict = given.verdict
        told = reason(verdict) if verdict.answer is Answer.NO_GO else _left(verdict, now)
        style = {ExitCode.PASS: "green", ExitCode.WARN: "yellow"}.get(code, "red")
        console.print(f"{verdict.standing(now):<6} {name:<22} {told}  {given.verdict_id[:ID_DIGITS]}", style=style)
    return worst


@app.command
def ladder(
    configuration: Path, /, *, gates: Folder = GATES_FOLDER, tier: str = "paper", assessments: tuple[Path, ...] = ()
) -> int:  # fmt: skip
    """Show how high this release stands on the validation ladder, and the first item that is missing.

    Parameters
    ----------
    configuration
        The document of the desk.
    gates
        The gates' folder.
    tier
        The tier whose level it must reach.
    assessments
        Journals of snapshots; may be given several times.
    """
    asked = _gates(gates, configuration, tier, "desk", assessments, None, None)
    now = SystemClock().now()
    found = climb(asked.inputs(now).evidence, asked.ladder_context(), now, run_id="ladder")
    console, needed = _console(), needed_of(tier)
    for rung in found.rungs:
        met = sum(row.met for row in rung.rows)
        mark = "reached" if rung.level <= found.level else "next" if rung.level == found.level + 1 else ""
        style = "green" if rung.level <= found.level else "yellow" if mark else "dim"
        console.print(f"L{rung.level}  {rung.name:<26} {met} of {len(rung.rows)}  {mark}", style=style)
    console.print(f"level {found.level}; tier {tier} needs {needed}")
    if found.missing is not None:
        console.print(f"missing first: {found.missing.id}, {found.missing.reason}; {found.missing.remedy}")
    return ExitCode.PASS if found.level >= needed else ExitCode.FAIL


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
    asked = _gates(gates, configuration, "paper", "desk", (), None, None)
    tables = [gate_named(gate)] if gate is not None else [*GATES.values(), *(gate_of(level) for level in LEVELS)]
    console, code = _console(), ExitCode.PASS
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
    asked = _gates(gates, configuration, "paper", "desk", (), None, None)
    kept = asked.record_report(data, source, environment=environment)
    status = "unreadable" if kept.status is None else kept.status.name
    _console().print(f"{kept.source}  {status}  {kept.evidence_id}")
    return ExitCode.PASS


@app.command
def verify(
    gate: str, verdict: str, /, *, gates: Folder = GATES_FOLDER, assessments: tuple[Path, ...] = (),
    trust: Path | None = None,
) -> int:  # fmt: skip
    """Check a kept verdict: its content, artefacts, signature, and that its moment judged again says the same.

    Parameters
    ----------
    gate
        Its gate.
    verdict
        Its id, or how that begins.
    gates
        The gates' folder.
    assessments
        The journals of snapshots that it was judged over.
    trust
        The trust file, to check who signed it.
    """
    store = GateStore(gates, SystemClock())
    given = gate_duties.given_verdict(store, gate, verdict)
    faults = faults_of(store, given, assessments, None if trust is None else read_trust(trust))
    console = _console()
    for one in faults:
        console.print(one, style="red")
    if faults:
        return ExitCode.FAIL
    console.print(f"the same answer: {given.verdict.answer} at {stamp_of(given.verdict.evaluated_at)}")
    return ExitCode.PASS


@app.command
def history(
    gate: str | None = None, /, *, gates: Folder = GATES_FOLDER, at: str | None = None, today_rules: Flag = False,
    assessments: tuple[Path, ...] = (),
) -> int:  # fmt: skip
    """Show every verdict, oldest first; with --today-rules also what today's table would have said.

    Parameters
    ----------
    gate
        One gate; all of them when not given.
    gates
        The gates' folder.
    at
        Up to this time.
    today_rules
        Judge each moment again under the table of today.
    assessments
        The journals of snapshots, for --today-rules.
    """
    store = GateStore(gates, SystemClock())
    until = SystemClock().now() if at is None else _time(at)
    console, last = _console(), ExitCode.COULD_NOT_JUDGE
    for given in store.read().verdicts:
        verdict = given.verdict
        if (gate is not None and verdict.gate != gate) or verdict.evaluated_at > until:
            continue
        moment = stamp_of(verdict.evaluated_at)
        told = f"{moment}  {verdict.gate:<22} {headline(verdict)}  {given.verdict_id[:ID_DIGITS]}"
        if today_rules:
            now = again(store, given, assessments, gate_named(verdict.gate))
            same = "the same" if encoded(now) == encoded(verdict) else headline(now)
            told += f"\n{'':<22}under today's table: {same}"
        console.print(told)
        last = verdict.exit_code
    return last


def _gates(
    folder: Path, configuration: Path, tier: str, scope: str, assessments: tuple[Path, ...], waivers: Path | None,
    trust: Path | None,
) -> Gates:  # fmt: skip
    known: TrustFile | None = None if trust is None else read_trust(trust)
    if waivers is not None and known is None:
        raise UsageError("--waivers needs --trust: nobody else says whose signatures count")
    clock = SystemClock()
    binding = binding_of(load(configuration), code=identity.code_hash(), tier=tier, scope=scope)
    return Gates(GateStore(folder, clock), binding, clock, assessments=assessments, waivers=waivers, trust=known)


def _told(verdict: Verdict, name: str, folder: Path, *, json: bool) -> int:
    if json:
        print(msgspec.json.format(encoded(verdict), indent=1).decode())
        return verdict.exit_code
    console = _console()
    style = "green" if verdict.exit_code == ExitCode.PASS else "yellow" if verdict.exit_code == ExitCode.WARN else "red"
    for one in verdict.waivers:
        console.print(f"waiver in force  {one}", style="yellow")
    for one in verdict.refused_waivers:
        console.print(f"waiver refused   {one}", style="red")
    for row in sorted(verdict.rows, key=lambda row: row.met):
        left = verdict.lapse(row, verdict.evaluated_at)
        until = "" if left is None else f"ends in {duration(left)}"
        console.print(
            f"{row.standing.value:<18} {row.grade.value:<8} {row.id:<24} {row.reason or until}",
            style=STYLES.get(row.standing, "red" if row.grade.value == "critical" else "yellow"),
        )
    console.print(headline(verdict), style=f"bold {style}")
    if name:
        console.print(f"verdict  {folder / verdict.gate / name}.html\nbundle   {verdict.bundle_id}")
    return verdict.exit_code


def _explained(found: Explanation) -> None:
    console = _console()
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


def _standing_code(verdict: Verdict, now: int) -> ExitCode:
    return verdict.exit_code if verdict.standing(now) is verdict.answer else ExitCode.FAIL


def _left(verdict: Verdict, now: int) -> str:
    ends = verdict.ends_first
    if ends is None:
        return "nothing ends it"
    left = (ends.at - now) / NANOS_PER_SECOND
    if left > 0:
        return f"ends in {duration(left)}: {ends.requirement}"
    return f"ended {stamp_of(ends.at)}: {ends.requirement}"


def _tightened(words: tuple[str, ...]) -> tuple[str, ...]:
    for one in words:
        if not one.endswith("=critical"):
            raise UsageError(f"--class-override: expected ROW=critical, as rows are only tightened, found {one!r}")
    return tuple(one.removesuffix("=critical") for one in words)


def _time(text: str) -> int:
    try:
        return nanos_of_stamp(text)
    except Malformed as problem:
        raise UsageError(f"--at: {problem}") from None


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)
