"""`tradeworthy gate watch|soak|ready|daily|sign`: what is done with gates day by day."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from tradeworthy.app import identity
from tradeworthy.app.config import Document, load
from tradeworthy.app.gates.cycle import head_of
from tradeworthy.app.gates.desk_gates import Gates, assessments_of, binding_of
from tradeworthy.app.halting.guard_memory import last_folder
from tradeworthy.app.runs.folder import state_of
from tradeworthy.cli.evidence import private_key
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.operations.evidence.canonical import Malformed, stamp_of
from tradeworthy.operations.evidence.certificate_store import nanos_of_stamp
from tradeworthy.operations.evidence.trust import TrustFile, read_trust
from tradeworthy.operations.gates import sign_off
from tradeworthy.operations.gates.daily_report import daily_report
from tradeworthy.operations.gates.model import Mode
from tradeworthy.operations.gates.named import gate_named
from tradeworthy.operations.gates.page import headline
from tradeworthy.operations.gates.readiness import Decision, readiness_page
from tradeworthy.operations.gates.store import GateStore, GivenVerdict
from tradeworthy.operations.gates.watcher import WatchPolicy

Folder = Annotated[Path, Parameter(name="--gates")]
Flag = Annotated[bool, Parameter(negative="")]
GATES_FOLDER = Path("runs/gates")


def watch(
    gate: str, configuration: Path, /, *, gates: Folder = GATES_FOLDER, tier: str = "paper",
    assessments: tuple[Path, ...] = (), strict: Flag = False, every: int = WatchPolicy().period_s, times: int = 0,
) -> int:  # fmt: skip
    """Ask a gate again and again, and tell each turn of its answer once; leaves with the code of the last.

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
    strict
        Warning rows are critical.
    every
        Seconds between two looks.
    times
        Looks after which to end; 0 goes on until it is interrupted.
    """
    if every <= 0 or times < 0:
        raise UsageError(f"expected --every above 0 and --times of at least 0, found {every} and {times}")
    asked, clock, console = gates_of(gates, configuration, tier, assessments=assessments), SystemClock(), _console()
    watcher = asked.watcher(
        gate_named(gate), mode=Mode(strict=strict), policy=WatchPolicy(period_s=every)
    )  # fmt: skip
    looked = 0
    while True:
        tick = watcher.tick(clock.now())
        looked += 1
        if tick.turned is not None:
            console.print(f"{stamp_of(clock.now())}  {headline(tick.verdict)}  {tick.turned.verdict_id}")
        for one in tick.signals:
            console.print(f"{'raise' if one.firing else 'resolve'}  {one.code}  {one.message}")
        if times and looked >= times:
            return tick.verdict.exit_code
        clock.sleep(every * NANOS_PER_SECOND)


def soak(
    configuration: Path, /, *, gates: Folder = GATES_FOLDER, tier: str = "paper", assessments: tuple[Path, ...] = ()
) -> int:  # fmt: skip
    """Say whether the soak is ready or on hold, and every blocker: 0 ready, 2 hold.

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
    """
    found = gates_of(gates, configuration, tier, assessments=assessments).soak(SystemClock().now())
    console = _console()
    console.print("ready" if found.ready else f"hold: {', '.join(found.blockers)}")
    for name, given in found.inputs.items():
        console.print(f"  {name:<16} {given or 'nothing'}")
    return found.exit_code


def ready(
    configuration: Path, /, *, gates: Folder = GATES_FOLDER, tier: str = "paper", assessments: tuple[Path, ...] = (),
    key: Path | None = None,
) -> int:  # fmt: skip
    """Decide GO or HOLD over log maturity, strict cycle and soak by their ids, for 24 hours: 0 GO, 2 HOLD.

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
    key
        The private key that signs the decision.
    """
    signer = None if key is None else private_key(key)
    found = gates_of(gates, configuration, tier, assessments=assessments).ready(SystemClock().now(), signer)
    print(readiness_page(found), end="")
    return ExitCode.PASS if found.decision is Decision.GO else ExitCode.FAIL


def daily(*, gates: Folder = GATES_FOLDER, until: str | None = None, output: Path | None = None) -> int:
    """Write the operations report of the 24 hours before a time, from the gates' journal alone.

    Parameters
    ----------
    gates
        The gates' folder.
    until
        The end of the day, like 2026-01-31T21:30:00Z; now when not given.
    output
        Write there instead of standard output.
    """
    try:
        end = SystemClock().now() if until is None else nanos_of_stamp(until)
    except Malformed as problem:
        raise UsageError(f"--until: {problem}") from None
    text = daily_report(GateStore(gates, SystemClock()).read(), end)
    if output is None:
        print(text, end="")
    else:
        write_durably(output, text.encode())
    return ExitCode.PASS


def sign(
    gate: str, verdict: str, /, *, role: str, key: Path, trust: Path, gates: Folder = GATES_FOLDER,
    barred: tuple[str, ...] = (),
) -> int:  # fmt: skip
    """Sign off the bundle of a verdict in a role: 0 all roles signed, 1 some are lacking; what may not sign is refused.

    Parameters
    ----------
    gate
        Its gate.
    verdict
        Its id, or how that begins.
    role
        strategy_owner, risk or operations; with money compliance and senior_management too.
    key
        The signer's private key.
    trust
        The trust file.
    gates
        The gates' folder.
    barred
        Who may not sign: the author of the change, the operator of the run.
    """
    clock, known = SystemClock(), read_trust(trust)
    subject = sign_off.of_verdict(given_verdict(GateStore(gates, clock), gate, verdict))
    return _signed(gates / gate, subject, role, key, known, barred)


def sign_page(
    document: Path, /, *, decision: str, role: str, key: Path, trust: Path, barred: tuple[str, ...] = ()
) -> int:
    """Sign a readiness decision, or a week's review as the committee, over its very bytes: 0 all roles signed, 1 not.

    Parameters
    ----------
    document
        The decision's JSON, or the page.
    decision
        GO or HOLD; only signatures of the same word count together.
    role
        strategy_owner, risk or operations.
    key
        The signer's private key.
    trust
        The trust file.
    barred
        Who may not sign: the author of the change, the operator of the run.
    """
    subject = sign_off.of_document(document, decision)
    return _signed(document.parent, subject, role, key, read_trust(trust), barred)


def _signed(
    folder: Path, subject: sign_off.Subject, role: str, key: Path, trust: TrustFile, barred: tuple[str, ...]
) -> int:
    at = stamp_of(SystemClock().now())
    place = sign_off.sign(folder, subject, role, private_key(key), trust, at=at, barred=barred)
    lacking = sign_off.lacking(folder, subject, trust, barred=barred)
    _console().print(f"signed   {place}\nlacking  {', '.join(lacking) or 'nobody'}")
    return ExitCode.WARN if lacking else ExitCode.PASS


def given_verdict(store: GateStore, gate: str, start: str) -> GivenVerdict:
    """Return the one verdict of a gate whose id begins so; raises `UsageError` where it is not one."""
    found = [one for one in store.read().verdicts if one.verdict.gate == gate and one.verdict_id.startswith(start)]
    if len({one.verdict_id for one in found}) != 1:
        raise UsageError(f"expected one verdict of {gate} that begins with {start!r}, found {len(found)}")
    return found[-1]


def gates_of(
    folder: Path, configuration: Path, tier: str, scope: str = "desk", assessments: tuple[Path, ...] = (),
    waivers: Path | None = None, trust: Path | None = None,
) -> Gates:  # fmt: skip
    """Return the gates of a document's desk; without `assessments` those that it keeps beside the gates' folder."""
    return gates_for(load(configuration), folder, tier, scope, assessments, waivers, trust)


def head_of_desk(folder: Path, configuration: Path) -> tuple[int, str] | None:
    """Return seq and hash of the head of the desk's last run beside the gates' folder, None where there is none."""
    runs = folder.parent
    return head_of(last_folder(runs, state_of(runs, load(configuration).desk.name)))


def gates_for(
    document: Document, folder: Path, tier: str, scope: str = "desk", assessments: tuple[Path, ...] = (),
    waivers: Path | None = None, trust: Path | None = None,
) -> Gates:  # fmt: skip
    """Return the gates of a desk by its document."""
    known = None if trust is None else read_trust(trust)
    if waivers is not None and known is None:
        raise UsageError("--waivers needs --trust: nobody else says whose signatures count")
    clock = SystemClock()
    binding = binding_of(document, code=identity.code_hash(), tier=tier, scope=scope)
    return Gates(
        GateStore(folder, clock), binding, clock, assessments=assessments or assessments_of(document, folder.parent),
        waivers=waivers, trust=known,
    )  # fmt: skip


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)
