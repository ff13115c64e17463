"""`tradeworthy gate controls|rollback|maturity|recover|rebaseline`: rehearse and measure what a release will need."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tradeworthy.app.config import load
from tradeworthy.app.gates import recovery
from tradeworthy.app.gates.desk_gates import Gates
from tradeworthy.app.gates.log_maturity import record_of
from tradeworthy.app.gates.producers import CONTROLS, SIMULATED, played_controls
from tradeworthy.app.gates.rollback import Tree, code_of, own_source, rehearse
from tradeworthy.app.research.regression import open_recording
from tradeworthy.cli import gate_looks
from tradeworthy.cli.evidence import private_key
from tradeworthy.cli.gate_cycles import GIVEN, Given
from tradeworthy.cli.gate_duties import GATES_FOLDER, Folder, gates_for, gates_of
from tradeworthy.cli.gate_looks import console_of
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.report import EXIT_CODES, Report
from tradeworthy.operations.evidence.trust import read_trust
from tradeworthy.operations.gates import signed_rebaseline
from tradeworthy.operations.gates.maturity import Rebaselined, maturity_report
from tradeworthy.operations.gates.release_checks import rollback_report
from tradeworthy.operations.gates.store import GateStore

Repeated = Annotated[tuple[str, ...], Parameter(negative="")]
EVERY_S = 300
"""How often log maturity is judged (GT-03)."""


def rollback(
    configuration: Path, /, *, run: Path, previous: Path, gates: Folder = GATES_FOLDER, tier: str = "paper",
    node: Repeated = (),
) -> int:  # fmt: skip
    """Let the previous release take a run over and give it back, twice, and keep what was seen as evidence.

    Parameters
    ----------
    configuration
        The document of the desk.
    run
        The folder of a run, as the desk left it.
    previous
        The source tree of the previous release: the folder that holds its package.
    gates
        The gates' folder.
    tier
        The tier that it is for.
    node
        NAME=CONFIGURATION_HASH of a node after the rollback; may be given several times.
    """
    asked, clock = gates_of(gates, configuration, tier), SystemClock()
    pairs = [one.partition("=") for one in node]
    if not all(name and mark and value for name, mark, value in pairs):
        raise UsageError(f"--node: expected NAME=CONFIGURATION_HASH, found {', '.join(node)}")
    here = own_source()
    found = rehearse(
        Tree(source=here, code=code_of(here)), Tree(source=previous, code=code_of(previous)), run, clock,
        nodes={name: value for name, _, value in pairs},
    )  # fmt: skip
    return _kept(asked, rollback_report(found), "rollback_rehearsed", f"rollback:{clock.now()}")


def controls(configuration: Path, /, *, gates: Folder = GATES_FOLDER, tier: str = "paper") -> int:
    """Disable each control of risk in a simulated desk, tell what else notices, and keep the score as evidence.

    Parameters
    ----------
    configuration
        The document of the desk that the evidence is for.
    gates
        The gates' folder.
    tier
        The tier that it is for.
    """
    asked, clock = gates_of(gates, configuration, tier), SystemClock()
    report = played_controls(asked)
    for one in report.checks[1:]:
        console_of().print(one.text)
    return _kept(asked, report, CONTROLS, f"controls:{clock.now()}", environment=SIMULATED)


def maturity(
    configuration: Path, /, *, run: Annotated[tuple[Path, ...], Parameter(negative="")], witness: Path | None = None,
    trust: Path | None = None, gates: Folder = GATES_FOLDER, tier: str = "paper", every: int = EVERY_S, times: int = 1,
) -> int:  # fmt: skip
    """Judge whether the record is complete for long enough, again and again, and keep each judgement as evidence.

    Parameters
    ----------
    configuration
        The document of the desk.
    run
        The folder of a run of it; may be given several times, oldest first.
    witness
        The minutes that an outside witness signed; needs --trust.
    trust
        The trust file.
    gates
        The gates' folder.
    tier
        The tier that it is for.
    every
        Seconds between two judgements.
    times
        Judgements after which to end; 0 goes on until it is interrupted.
    """
    if every <= 0 or times < 0 or (witness is not None and trust is None):
        raise UsageError("expected --every above 0, --times of at least 0, and --trust beside --witness")
    clock, asked = SystemClock(), gates_for(load(configuration), gates, tier, trust=trust)
    done = 0
    while True:
        journals = [open_recording(one).directory for one in run]
        told = [one for _, one in asked.store.read().notes if isinstance(one, Rebaselined)]
        report = maturity_report(record_of(journals, witness, asked.trust, rebaselined=told), clock.now())
        code = _kept(asked, report, "log_maturity", f"maturity:{clock.now()}")
        done += 1
        if times and done >= times:
            return code
        clock.sleep(every * NANOS_PER_SECOND)


def rebaseline(
    *, source: str, counted: int, reason: str, key: Annotated[tuple[Path, ...], Parameter(negative="")], trust: Path,
    gates: Folder = GATES_FOLDER,
) -> int:  # fmt: skip
    """Note that two people begin a count anew: what was lost stays counted, and uptime begins again now.

    Parameters
    ----------
    source
        What was counted, such as market_data.
    counted
        What the count was.
    reason
        Why.
    key
        The private keys of two different people, whose signatures the event carries.
    trust
        The trust file, which says whose keys count.
    gates
        The gates' folder.
    """
    clock = SystemClock()
    try:
        told = signed_rebaseline.rebaseline(
            source=source, counted=counted, at=clock.now(), reason=reason, keys=tuple(map(private_key, key)),
            trust=read_trust(trust),
        )  # fmt: skip
    except ValueError as problem:
        raise UsageError(str(problem)) from None
    GateStore(gates, clock).note(told)
    console_of().print(f"{source}: {counted} stay counted; uptime begins again; signed by {' and '.join(told.people)}")
    return 0


def recover(
    configuration: Path | None = None, /, *, given: Given = GIVEN, service: Repeated, gate: str = "live",
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:  # fmt: skip
    """Start services, wait until each answers, then run the strict cycle; what does not come up is named.

    Parameters
    ----------
    configuration
        The document of the desk; that of --run when not given.
    service
        NAME=URL=COMMAND, or NAME=URL where somebody else starts it; may be given several times.
    gate
        The gate that is asked.
    json
        Print the verdict's JSON.
    """
    gates, material = given.wired(configuration)
    found = recovery.recover(tuple(map(_service, service)), gates, gate, material, SystemClock(), policy=given.policy)
    console = console_of()
    for name, told in found.services.items():
        console.print(f"{'up' if not told else 'down':<5} {name:<16} {told}", style="green" if not told else "red")
    if found.asked is None:
        console.print(f"broken: {', '.join(found.broken)}", style="bold red")
        return 2
    return gate_looks.told(found.asked.verdict, found.asked.verdict_id, given.gates, json=json)


def _service(word: str) -> recovery.Service:
    name, _, rest = word.partition("=")
    url, _, command = rest.partition("=")
    if not name or not url.startswith(("http://", "https://")):
        raise UsageError(f"--service: expected NAME=URL=COMMAND, found {word!r}")
    return recovery.Service(name=name, url=url, command=command)


def _kept(asked: Gates, report: Report, source: str, run_id: str, *, environment: str = "") -> int:
    kept = asked.record(report, source, run_id=run_id, environment=environment)
    console = console_of()
    for one in report.checks:
        console.print(f"{one.severity.name:<8} {one.code:<32} {one.observed}; {one.limit}")
    console.print(f"{source}  {report.severity.name}  {kept.evidence_id}")
    return EXIT_CODES[report.severity]
