"""`tradeworthy gate capital graduate|tune|ramp|envelope`: how a strategy earns capital, and how it loses it."""

from pathlib import Path
from typing import TypeVar

import msgspec
from cyclopts import App

from tradeworthy.app.config import load
from tradeworthy.app.gates.acts import gate_fault
from tradeworthy.cli.gate_duties import GATES_FOLDER, Folder
from tradeworthy.cli.gate_looks import console_of, time_of_words
from tradeworthy.cli.regression import present
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.operations.gates.capital.envelope import Candidate, envelope_report
from tradeworthy.operations.gates.capital.graduation import DiaryEntry, graduation_report
from tradeworthy.operations.gates.capital.ramp import Measurement, RampDecided, Step, decide
from tradeworthy.operations.gates.capital.tuning import Advice, PaperSession, advise
from tradeworthy.operations.gates.named import TIERS, Act
from tradeworthy.operations.gates.policy_ledger import STAGES, PolicyStanding, StageChanged, standings, step
from tradeworthy.operations.gates.store import GateStore

app = App(name="capital", help="Say what a strategy may use, and what its next step needs.")
CODES = {Step.PROMOTE: ExitCode.PASS, Step.HOLD: ExitCode.WARN, Step.PAUSE: ExitCode.WARN, Step.ABORT: ExitCode.FAIL}
ADVICE = {Advice.KEEP: ExitCode.PASS, Advice.ADJUST: ExitCode.WARN, Advice.HOLD: ExitCode.COULD_NOT_JUDGE}
Line = TypeVar("Line")


@app.command
def graduate(
    diary: Path, /, *, to: str, at: str | None = None, out: Path = Path(), policy_id: str = "",
    gates: Folder = GATES_FOLDER,
) -> int:  # fmt: skip
    """Judge a policy's diary for a step up: 0 it carries it, 2 it does not, 3 there is too little of it.

    A named policy is judged by its own thresholds, and a counterfactual at its limit puts it back to paper at once.

    Parameters
    ----------
    diary
        Decisions as JSON lines: at, stage, regime, mood (normal, warn, forced), alerts, counterfactual.
    to
        paper, pilot or limited_live.
    at
        Judge for this time.
    out
        Where the report goes.
    policy_id
        The policy whose diary it is.
    gates
        The gates' folder, where its stage is kept.
    """
    if to not in STAGES[1:]:
        raise UsageError(f"expected a stage of {', '.join(STAGES[1:])}, found {to!r}")
    now = SystemClock().now() if at is None else time_of_words(at)
    store = GateStore(gates, SystemClock())
    standing = PolicyStanding(policy_id=policy_id)
    if policy_id:
        standing = standings(store.read().stages).get(policy_id, standing)
    found = graduation_report(_lines(diary, DiaryEntry), to, now, overrides=standing.overrides)
    forced = str(found.figures["stage_forced"])
    if forced and STAGES.index(standing.stage) > STAGES.index(forced):
        change = StageChanged(policy_id, forced, "graduation", "a counterfactual reached its limit")
        step(change, standing)
        store.note(change)
        console_of().print(f"{policy_id} is put back to {forced}: {change.reason}")
    return present(found, out)


@app.command
def tune(sessions: Path, /) -> int:
    """Say whether paper settings are kept (0), adjusted (1) or held because nobody can tell (3).

    Parameters
    ----------
    sessions
        Paper sessions as JSON lines: decisions, hits, misses and gaps.
    """
    found = advise(_lines(sessions, PaperSession))
    console_of().print(": ".join((found.advice, "; ".join(found.reasons))) if found.reasons else found.advice)
    return ADVICE[found.advice]


@app.command
def ramp(
    policy_id: str, tier: str, measurements: Path, /, *, gates: Folder = GATES_FOLDER,
    configuration: Path | None = None,
) -> int:  # fmt: skip
    """Decide the capital ramp's next step and journal it: 0 promote, 1 hold or pause, 2 abort, which demotes.

    A step to a tier with money asks the gate for that tier; without its GO it is held, and the code is 2.

    Parameters
    ----------
    policy_id
        The policy.
    tier
        The tier at which candidate and baseline ran side by side.
    measurements
        What both sides made of each input, as JSON lines: session, filled, candidate_erred, baseline_erred.
    gates
        The gates' folder.
    configuration
        The document of the desk that the step is for; without it no step goes to a tier with money.
    """
    store = GateStore(gates, SystemClock())
    standing = standings(store.read().stages).get(policy_id, PolicyStanding(policy_id=policy_id))
    found = decide(standing, tier, _lines(measurements, Measurement))
    refused = "" if found.step is not Step.PROMOTE else _refused(found, gates, configuration)
    if refused:
        found = msgspec.structs.replace(found, step=Step.HOLD, reason=refused)
    store.note(found)
    if found.step is Step.ABORT and standing.stage != STAGES[0]:
        lower = STAGES[STAGES.index(standing.stage) - 1]
        change = StageChanged(policy_id, lower, "ramp", found.reason)
        step(change, standing)
        store.note(change)
    console = console_of()
    console.print(f"{found.step} {policy_id}, {tier} to {found.to}: {found.reason}")
    console.print(f"{found.sessions} sessions, {found.fills} fills, {found.pairs} pairs")
    for act in found.acts:
        console.print(f"do now: {act.replace('_', ' ')}")
    return ExitCode.FAIL if refused else CODES[found.step]


@app.command
def envelope(candidate: Path, /, *, out: Path = Path()) -> int:
    """Judge an instance's envelope against its mandate: 0 within, 2 refused, 3 not known.

    Parameters
    ----------
    candidate
        The candidate as JSON.
    out
        Where the report goes.
    """
    try:
        found = msgspec.json.decode(candidate.read_bytes(), type=Candidate)
    except (OSError, msgspec.MsgspecError) as problem:
        raise UsageError(f"{candidate}: expected a candidate, found {problem}") from None
    return present(envelope_report(found), out)


def _refused(found: RampDecided, gates: Path, configuration: Path | None) -> str:
    """Return why the gate does not let a step be taken, empty where it does or the tier has no money."""
    if found.to not in TIERS[1:]:
        return ""
    if configuration is None:
        return f"a step to {found.to} needs the gate's GO: expected --configuration, found none"
    return gate_fault(
        load(configuration), Act.CAPITAL_STEP, f"{found.policy_id} to {found.to}", runs=gates.parent,
        clock=SystemClock(), tier=found.to,
    )  # fmt: skip


def _lines(path: Path, kind: type[Line]) -> list[Line]:
    try:
        return msgspec.json.Decoder(kind).decode_lines(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as problem:
        raise UsageError(f"{path}: expected JSON lines of {kind.__name__}, found {problem}") from None
