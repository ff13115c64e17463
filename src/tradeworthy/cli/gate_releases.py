"""`tradeworthy gate certificate|summary|weekly|scorecard|drill|supply`: tell a release and its verdicts to people."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from tradeworthy.app.gates.locked_packages import locked_in, packages
from tradeworthy.cli.gate_duties import GATES_FOLDER, Folder, gates_of, given_verdict
from tradeworthy.cli.gate_looks import console_of, time_of_words
from tradeworthy.cli.regression import present
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.operations.evidence.trust import read_trust
from tradeworthy.operations.gates import sign_off
from tradeworthy.operations.gates.due_reports import LOOK_S, due_reports
from tradeworthy.operations.gates.model import Answer
from tradeworthy.operations.gates.release_checks import Advisory, supply_report
from tradeworthy.operations.gates.releases.certificate_page import certificate_page
from tradeworthy.operations.gates.releases.game_day import GameDay, game_day_report
from tradeworthy.operations.gates.releases.scorecard import scorecard_page, scores
from tradeworthy.operations.gates.releases.step_summary import step_summary
from tradeworthy.operations.gates.store import GateStore
from tradeworthy.operations.gates.weekly_review import monday_before, weekly_review

HOUR_NS = 3_600 * NANOS_PER_SECOND
Repeated = Annotated[tuple[str, ...], Parameter(negative="")]


def certificate(
    gate: str, verdict: str, /, *, gates: Folder = GATES_FOLDER, trust: Path | None = None, at: str | None = None,
    barred: Repeated = (), output: Path | None = None,
) -> int:  # fmt: skip
    """Write the certificate of a verdict as it stands at a time: 0 GO and signed by all, 1 not by all, 2 NO-GO.

    Parameters
    ----------
    gate
        Its gate.
    verdict
        Its id, or how that begins.
    gates
        The gates' folder.
    trust
        The trust file, which says whose signatures count.
    at
        The instant, like 2026-01-31T00:00:00Z; now when not given.
    barred
        Who may not sign: the author of the change, the operator of the run.
    output
        Write there instead of standard output.
    """
    clock = SystemClock()
    given = given_verdict(GateStore(gates, clock), gate, verdict)
    moment = clock.now() if at is None else time_of_words(at)
    tier = given.verdict.context.binding.tier
    found: tuple[sign_off.Signature, ...] = ()
    lacking: tuple[str, ...] = sign_off.roles_of(tier)
    if trust is not None:
        known = read_trust(trust)
        found = sign_off.signatures(gates / gate, sign_off.of_verdict(given), known, barred=barred)
        lacking = sign_off.lacking(gates / gate, sign_off.of_verdict(given), known, barred=barred)
    _write(certificate_page(given, found, lacking, moment), output)
    if given.verdict.standing(moment) is Answer.NO_GO:
        return ExitCode.FAIL
    return ExitCode.WARN if lacking else ExitCode.PASS


def summary(gate: str, verdict: str = "", /, *, gates: Folder = GATES_FOLDER, output: Path | None = None) -> int:
    """Write a verdict for a build's step summary and leave with its code.

    Parameters
    ----------
    gate
        Its gate.
    verdict
        Its id, or how that begins; the newest when not given.
    gates
        The gates' folder.
    output
        Add it to this file, such as the build's own summary.
    """
    store = GateStore(gates, SystemClock())
    newest = store.read().newest(gate)
    given = given_verdict(store, gate, verdict) if verdict or newest is None else newest
    text = step_summary(given)
    if output is None:
        print(text, end="")
    else:
        before = output.read_bytes() if output.exists() else b""
        write_durably(output, before + text.encode())
    return given.verdict.exit_code


def weekly(*, gates: Folder = GATES_FOLDER, until: str | None = None, output: Path | None = None) -> int:
    """Write the review of the seven days before a time, from the gates' journal alone.

    Parameters
    ----------
    gates
        The gates' folder.
    until
        The end of the week, like 2026-02-02T00:00:00Z; the newest Monday when not given.
    output
        Write there instead of standard output.
    """
    clock = SystemClock()
    end = monday_before(clock.now()) if until is None else time_of_words(until)
    _write(weekly_review(GateStore(gates, clock).read(), end), output)
    return ExitCode.PASS


def reports(
    *, gates: Folder = GATES_FOLDER, output: Path | None = None, every: int = LOOK_S, times: int = 1
) -> int:
    """Write the day's report after 16:30 in New York and the week's from Monday on, each once.

    Parameters
    ----------
    gates
        The gates' folder.
    output
        Where they go; `reports` in the gates' folder when not given.
    every
        Seconds between two looks.
    times
        Looks after which to end; 0 goes on until it is interrupted.
    """
    if every <= 0 or times < 0:
        raise UsageError(f"expected --every above 0 and --times of at least 0, found {every} and {times}")
    clock, folder, looked = SystemClock(), output or gates / "reports", 0
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        there = {one.name for one in folder.glob("*.md")}
        for one in due_reports(GateStore(gates, clock).read(), there, clock.now()):
            write_durably(folder / one.name, one.text.encode())
            console_of().print(f"written  {folder / one.name}")
        looked += 1
        if times and looked >= times:
            return ExitCode.PASS
        clock.sleep(every * NANOS_PER_SECOND)


def scorecard(
    configuration: Path, /, *, gates: Folder = GATES_FOLDER, tier: str = "paper",
    assessments: Annotated[tuple[Path, ...], Parameter(negative="")] = (), output: Path | None = None,
) -> int:  # fmt: skip
    """Write the level of each service in six fields, from the newest evidence, and its three largest gaps.

    Parameters
    ----------
    configuration
        The document of the desk.
    gates
        The gates' folder.
    tier
        The tier that it is for.
    assessments
        Journals of snapshots; by default that of the desk, state/DESK/assessments beside the gates' folder.
    output
        Write there instead of standard output.
    """
    asked = gates_of(gates, configuration, tier, assessments=assessments)
    found = scores(asked.newest(asked.now()), asked.now())
    _write(scorecard_page(found), output)
    return ExitCode.WARN if any(one.missing for one in found) else ExitCode.PASS


def drill(
    gate: str, requirement: str, before: str, during: str, after: str, /, *, name: str,
    gates: Folder = GATES_FOLDER, coupled: Repeated = (), out: Path = Path(),
) -> int:  # fmt: skip
    """Judge a game day by three verdicts: it counts only if its own requirement flipped and returned.

    Parameters
    ----------
    gate
        The gate that was asked.
    requirement
        The row that the drill breaks.
    before
        The verdict before the drill, its id or how that begins.
    during
        The one during it.
    after
        The one after it.
    name
        The drill's name.
    gates
        The gates' folder.
    coupled
        Rows that the drill may flip too.
    out
        Where the report goes.
    """
    store = GateStore(gates, SystemClock())
    first, second, third = (given_verdict(store, gate, one).verdict for one in (before, during, after))
    return present(game_day_report(GameDay(
        drill=name, requirement=requirement, before=first, during=second, after=third, coupled=coupled
    )), out)  # fmt: skip


def supply(*, lock: Path, advisories: Path | None = None, out: Path = Path()) -> int:
    """Judge the packages of a lock file: each locked with a hash, installed as locked, without an open weakness.

    Parameters
    ----------
    lock
        The lock file.
    advisories
        Published weaknesses as JSON: {"stamp": nanoseconds, "advisories": [{id, package, versions, severity,
        open_days}]}.
    out
        Where the report goes; `gate record` keeps it.
    """
    try:
        locked = locked_in(lock.read_text())
        told = None if advisories is None else msgspec.json.decode(advisories.read_bytes(), type=Published)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise UsageError(f"expected a lock file and advisories, found {problem}") from None
    age = None if told is None else (SystemClock().now() - told.stamp) / HOUR_NS
    return present(supply_report(packages(locked), None if told is None else told.advisories, age), out)


class Published(msgspec.Struct, frozen=True):
    """Published weaknesses, and when they were fetched."""

    stamp: int
    advisories: tuple[Advisory, ...]


def _write(text: str, output: Path | None) -> None:
    if output is None:
        print(text, end="")
    else:
        write_durably(output, text.encode())
