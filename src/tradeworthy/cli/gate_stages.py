"""`tradeworthy gate stage|approve`: the stage of a policy, a step at a time, by evidence and signed approvals."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tradeworthy.cli.evidence import private_key
from tradeworthy.cli.gate_duties import GATES_FOLDER, Folder, gates_of
from tradeworthy.cli.gate_looks import console_of
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.report import EXIT_CODES
from tradeworthy.operations.evidence.canonical import stamp_of
from tradeworthy.operations.evidence.trust import read_trust
from tradeworthy.operations.evidence.vocabulary import HUMAN_ROLES
from tradeworthy.operations.gates.named import TIERS
from tradeworthy.operations.gates.policy_ledger import (
    STAGES,
    PolicyStanding,
    StageChanged,
    ledger_report,
    may_trade,
    standings,
    step,
)
from tradeworthy.operations.gates.stage_approval import StageApproval, approver_of
from tradeworthy.operations.gates.stage_approval import approve as approved
from tradeworthy.operations.gates.store import GateStore


def stage(
    policy_id: str, stage: str | None = None, /, *, gates: Folder = GATES_FOLDER, author: str = "", reason: str = "",
    evidence: str = "", approval: Annotated[tuple[Path, ...], Parameter(negative="")] = (), trust: Path | None = None,
    checklist: tuple[str, ...] = (), override: Annotated[tuple[str, ...], Parameter(negative="")] = (),
) -> int:  # fmt: skip
    """Show the stage of a policy, or move it: up one step by evidence and people, down always; refused with every gap.

    Parameters
    ----------
    policy_id
        The policy.
    stage
        experiment, paper, pilot or limited_live; only shown when not given.
    gates
        The gates' folder.
    author
        Who moves it.
    reason
        Why.
    evidence
        The id of what the step rests on.
    approval
        A file that `gate approve` wrote, signed by somebody other than the author; may be given several times.
    trust
        The trust file, which says whose approvals count.
    checklist
        ITEM=EVIDENCE_ID, for limited_live; the evidence must be of the item's own kind.
    override
        THRESHOLD=VALUE of the diary, tighter than usual, for this policy from now on; may be given several times.
    """
    store, console = GateStore(gates, SystemClock()), console_of()
    now = standings(store.read().stages).get(policy_id, PolicyStanding(policy_id=policy_id))
    if stage is not None:
        if not author or not reason:
            raise UsageError("a step needs --author and --reason")
        items, tighter = _pairs(checklist), _pairs(override)
        people = _approvers(approval, trust, policy_id, stage, evidence)
        change = StageChanged(policy_id, stage, author, reason, evidence, people, items, tighter)
        now = step(change, now, store.read().good_ids())
        store.note(change)
    for one in now.history:
        console.print(f"{one.stage:<14} {one.author}: {one.reason}  {one.evidence_id}")
    for name, value in now.overrides.items():
        console.print(f"threshold      {name} {value}")
    console.print(f"{now.stage}; open to it: {', '.join(tier for tier in TIERS if may_trade(now, tier))}")
    return ExitCode.PASS


def stage_report(configuration: Path, /, *, gates: Folder = GATES_FOLDER) -> int:
    """Judge whether every stage of the ledger was taken by evidence and people, and keep that as evidence.

    Parameters
    ----------
    configuration
        The document of the desk.
    gates
        The gates' folder.
    """
    asked, clock = gates_of(gates, configuration, TIERS[0]), SystemClock()
    known = asked.store.read()
    report = ledger_report(known.stages, known.good_ids())
    kept = asked.record(report, "stage_approvals", run_id=f"stages:{clock.now()}")
    (check,) = report.checks
    console_of().print(f"{kept.source}  {report.severity.name}  {check.observed} gaps {check.text}  {kept.evidence_id}")
    return EXIT_CODES[report.severity]


def approve(
    policy_id: str, stage: str, /, *, evidence: str, role: str, key: Path, output: Path
) -> int:
    """Sign the approval of a policy's step over its evidence; `gate stage --approval` takes the file.

    Parameters
    ----------
    policy_id
        The policy.
    stage
        paper, pilot or limited_live.
    evidence
        The id of what the step rests on.
    role
        The role in which it is approved, such as risk.
    key
        The private key of the approver.
    output
        Where the approval goes.
    """
    if stage not in STAGES[1:] or role not in HUMAN_ROLES or not evidence:
        raise UsageError(
            f"expected a stage of {', '.join(STAGES[1:])}, a role of {', '.join(HUMAN_ROLES)} and evidence, "
            f"found {stage!r}, {role!r} and {evidence!r}"
        )
    told = StageApproval(
        policy_id=policy_id, stage=stage, evidence_id=evidence, role=role, signed_at=stamp_of(SystemClock().now())
    )
    write_durably(output, approved(told, private_key(key)))
    console_of().print(f"approved  {policy_id} to {stage} by {evidence}  {output}")
    return ExitCode.PASS


def _pairs(words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, _, value in (one.partition("=") for one in words))


def _approvers(
    files: tuple[Path, ...], trust: Path | None, policy_id: str, stage: str, evidence: str
) -> tuple[str, ...]:
    if files and trust is None:
        raise UsageError("--approval needs --trust: nobody else says whose signatures count")
    if trust is None:
        return ()
    known = read_trust(trust)
    try:
        return tuple(
            approver_of(one.read_bytes(), known, policy_id=policy_id, stage=stage, evidence_id=evidence)
            for one in files
        )
    except OSError as problem:
        raise UsageError(f"cannot read an approval: {problem}") from None
