"""`tradeworthy gate list|show|status|ladder|verify|history`: look at tables and verdicts; nothing is kept."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console

from tradeworthy.cli.gate_duties import GATES_FOLDER, Folder, gates_of, given_verdict
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.operations.dry_run.page import duration
from tradeworthy.operations.evidence.canonical import Malformed, stamp_of
from tradeworthy.operations.evidence.certificate_store import nanos_of_stamp
from tradeworthy.operations.evidence.trust import read_trust
from tradeworthy.operations.gates.asking import again, faults_of, journals_of
from tradeworthy.operations.gates.bundle import encoded
from tradeworthy.operations.gates.ladder import climb, needed_of
from tradeworthy.operations.gates.model import Answer, Standing, Verdict
from tradeworthy.operations.gates.named import GATES, gate_named
from tradeworthy.operations.gates.page import first_acts, headline, reason, remedy
from tradeworthy.operations.gates.store import GateStore
from tradeworthy.operations.gates.table_page import table_page

Flag = Annotated[bool, Parameter(negative="")]
ID_DIGITS = 12
STYLES = {Standing.MET: "green", Standing.WARNED: "yellow", Standing.WAIVED: "yellow"}


def list_() -> int:
    """List every gate with its number of rows."""
    console = console_of()
    for gate in GATES.values():
        console.print(f"{gate.name:<22} {len(gate.requirements):>3} rows  {gate.title}")
    return ExitCode.PASS


def show(gate: str | None = None, /, *, markdown: Flag = False) -> int:
    """Show the table of a gate.

    Parameters
    ----------
    gate
        Its name; with --markdown all gates when not given.
    markdown
        Print the page of docs/gates.md.
    """
    console = console_of()
    if markdown:
        print(table_page(GATES.values() if gate is None else (gate_named(gate),)), end="")
        return ExitCode.PASS
    if gate is None:
        raise UsageError(f"name a gate of {', '.join(GATES)}")
    for one in gate_named(gate).requirements:
        age = "this release" if one.age_max_s is None else duration(one.age_max_s)
        console.print(f"{one.grade.value:<8} {one.id:<24} {age or '-':<14} {one.title}")
    return ExitCode.PASS


def status(*, gates: Folder = GATES_FOLDER) -> int:
    """Show the newest verdict of each gate as it stands now; a gate without one is NO-GO.

    Parameters
    ----------
    gates
        The gates' folder.
    """
    clock, console = SystemClock(), console_of()
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
        Journals of snapshots; by default that of the desk, state/DESK/assessments beside the gates' folder.
    """
    asked = gates_of(gates, configuration, tier, "desk", assessments, None, None)
    now = SystemClock().now()
    found = climb(asked.inputs(now).evidence, asked.ladder_context(), now, run_id="ladder")
    console, needed = console_of(), needed_of(tier)
    for rung in found.rungs:
        met = sum(row.met for row in rung.rows)
        mark = "reached" if rung.level <= found.level else "next" if rung.level == found.level + 1 else ""
        style = "green" if rung.level <= found.level else "yellow" if mark else "dim"
        console.print(f"L{rung.level}  {rung.name:<26} {met} of {len(rung.rows)}  {mark}", style=style)
    console.print(f"level {found.level}; tier {tier} needs {needed}")
    if found.missing is not None:
        console.print(f"missing first: {found.missing.id}, {found.missing.reason}; {found.missing.remedy}")
    return ExitCode.PASS if found.level >= needed else ExitCode.FAIL


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
        The journals of snapshots that it was judged over; those beside the gates' folder that it cites by default.
    trust
        The trust file, to check who signed it.
    """
    store = GateStore(gates, SystemClock())
    given = given_verdict(store, gate, verdict)
    journals = assessments or journals_of(store, given)
    faults = faults_of(store, given, journals, None if trust is None else read_trust(trust))
    console = console_of()
    for one in faults:
        console.print(one, style="red")
    if faults:
        return ExitCode.FAIL
    console.print(f"the same answer: {given.verdict.answer} at {stamp_of(given.verdict.evaluated_at)}")
    return ExitCode.PASS


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
        The journals of snapshots, for --today-rules; those beside the gates' folder that a verdict cites by default.
    """
    store = GateStore(gates, SystemClock())
    until = SystemClock().now() if at is None else time_of_words(at)
    console, last = console_of(), ExitCode.COULD_NOT_JUDGE
    for given in store.read().verdicts:
        verdict = given.verdict
        if (gate is not None and verdict.gate != gate) or verdict.evaluated_at > until:
            continue
        moment = stamp_of(verdict.evaluated_at)
        told = f"{moment}  {verdict.gate:<22} {headline(verdict)}  {given.verdict_id[:ID_DIGITS]}"
        if today_rules:
            now = again(store, given, assessments or journals_of(store, given), gate_named(verdict.gate))
            same = "the same" if encoded(now) == encoded(verdict) else headline(now)
            told += f"\n{'':<22}under today's table: {same}"
        console.print(told)
        last = verdict.exit_code
    return last


def told(verdict: Verdict, name: str, folder: Path, *, json: bool) -> int:
    """Print a verdict and return its code; `name` is its id, empty where it was not kept."""
    if json:
        print(msgspec.json.format(encoded(verdict), indent=1).decode())
        return verdict.exit_code
    console = console_of()
    style = "green" if verdict.exit_code == ExitCode.PASS else "yellow" if verdict.exit_code == ExitCode.WARN else "red"
    for one in verdict.waivers:
        console.print(f"waiver in force  {one}", style="yellow")
    for one in verdict.refused_waivers:
        console.print(f"waiver refused   {one}", style="red")
    for row in sorted(verdict.rows, key=lambda row: row.met):
        left = verdict.lapse(row, verdict.evaluated_at)
        until = "" if left is None else f"ends in {duration(left)}"
        why = row.reason if row.standing is not Standing.MET else until
        console.print(
            f"{row.standing.value:<18} {row.grade.value:<8} {row.id:<24} {why}",
            style=STYLES.get(row.standing, "red" if row.grade.value == "critical" else "yellow"),
        )
    console.print(headline(verdict), style=f"bold {style}")
    for at, row in enumerate(first_acts(verdict), 1):
        console.print(f"  {at}. {row.id}: {remedy(row)}  {row.owner}, docs/{row.runbook}")
    if name:
        console.print(f"verdict  {folder / verdict.gate / name}.html\nbundle   {verdict.bundle_id}")
    return verdict.exit_code


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


def time_of_words(text: str) -> int:
    """Return the time of --at; raises `UsageError` for words that are none."""
    try:
        return nanos_of_stamp(text)
    except Malformed as problem:
        raise UsageError(f"--at: {problem}") from None


def console_of() -> Console:
    """Return the console of the gates' verbs."""
    return Console(highlight=False, markup=False, soft_wrap=True)
