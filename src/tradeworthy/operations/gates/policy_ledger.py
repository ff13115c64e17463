"""The policy ledger: the stage that a policy has reached, a step at a time, by evidence and people (PS-01, PS-02)."""

from collections.abc import Iterable, Mapping

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.report import Check, Report
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.capital.graduation import override_faults

STAGES = ("experiment", "paper", "pilot", "limited_live")
APPROVALS = {"paper": 0, "pilot": 1, "limited_live": 2}
"""How many people beside the author a stage needs."""
KINDS = {"oos_regime_grid": "out_of_sample", "leakage_checks": "leakage_checks", "risk_audit": "risk_audit"}
"""What limited_live needs evidence of, each by an id, and the source whose evidence alone shows it."""
CHECKLIST = tuple(KINDS)
GAPS_SHOWN = 3
TIER_STAGES = {
    "paper": "experiment", "canary": "paper", "live_micro": "pilot", "pilot": "pilot", "limited_live": "limited_live",
    "live": "limited_live",
}  # fmt: skip
"""The stage that each tier of capital needs (PS-08)."""


@fact("gate.stage")
class StageChanged(Fact, frozen=True):
    """A policy moved to a stage. `approvals` are people's names; `checklist` evidence ids by item, as pairs.

    evidence_id  what the step rests on; empty only for a step down
    overrides    thresholds of the diary that are tighter for this policy from here on, as pairs of name and value
    """

    policy_id: str
    stage: str
    author: str
    reason: str
    evidence_id: str = ""
    approvals: tuple[str, ...] = ()
    checklist: tuple[tuple[str, str], ...] = ()
    overrides: tuple[tuple[str, str], ...] = ()


class PolicyStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Where a policy stands, and every step that brought it there, oldest first."""

    policy_id: str
    stage: str = STAGES[0]
    history: tuple[StageChanged, ...] = ()

    @property
    def overrides(self) -> dict[str, str]:
        """The thresholds in force: of each name the newest."""
        return dict(pair for one in self.history for pair in one.overrides)


def audit_gaps(
    change: StageChanged, now: PolicyStanding, known: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Return everything that a step lacks; nothing lacking may be recorded. A step down lacks nothing, ever.

    known  the source of evidence that is there and good, by its id; None: nobody looks, as when the past is folded
    """
    if change.stage not in STAGES:
        return (f"expected a stage of {', '.join(STAGES)}, found {change.stage!r}",)
    to, at = STAGES.index(change.stage), STAGES.index(now.stage)
    if to < at:
        return ()
    if to == at:
        return (f"{change.policy_id} stands at {now.stage} already",)
    gaps = [] if to == at + 1 else [f"one step at a time: {STAGES[at + 1]} comes after {now.stage}"]
    if not change.evidence_id:
        gaps.append("no evidence")
    people = {one for one in change.approvals if one.strip() and one != change.author}
    needed = APPROVALS[change.stage]
    if len(people) < needed:
        gaps.append(f"{len(people)} of {needed} approvals by people other than {change.author}")
    if change.stage == STAGES[-1]:
        shown = {name for name, evidence in change.checklist if evidence}
        gaps += [f"no evidence of {name}" for name in CHECKLIST if name not in shown]
    gaps += override_faults(change.stage, dict(change.overrides))
    if known is not None:
        cited = (change.evidence_id, *(evidence for _, evidence in change.checklist))
        gaps += [f"no good evidence of id {one}" for one in dict.fromkeys(cited) if one and one not in known]
        gaps += [
            f"{name} is shown by evidence of {KINDS[name]}, found that of {known[shown]}"
            for name, shown in change.checklist if shown in known and name in KINDS and known[shown] != KINDS[name]
        ]  # fmt: skip
    return tuple(gaps)


def standings(changes: Iterable[StageChanged]) -> dict[str, PolicyStanding]:
    """Fold recorded steps; raises `InvalidInput` for one that could not have been taken: the ledger was altered."""
    found: dict[str, PolicyStanding] = {}
    for one in changes:
        found[one.policy_id] = step(one, found.get(one.policy_id, PolicyStanding(policy_id=one.policy_id)))
    return found


def step(change: StageChanged, now: PolicyStanding, known: Mapping[str, str] | None = None) -> PolicyStanding:
    """Return the standing after a step; raises `InvalidInput` with every gap."""
    gaps = audit_gaps(change, now, known)
    if gaps:
        raise InvalidInput(f"{change.policy_id} to {change.stage} is refused: {'; '.join(gaps)}")
    return PolicyStanding(policy_id=now.policy_id, stage=change.stage, history=(*now.history, change))


def ledger_report(changes: Iterable[StageChanged], known: Mapping[str, str]) -> Report:
    """Return whether every stage of every policy was taken by evidence that is good today, and by people.

    known  the source of good evidence by its id
    """
    steps = tuple(changes)
    now: dict[str, PolicyStanding] = {}
    gaps: list[str] = []
    for one in steps:
        before = now.get(one.policy_id, PolicyStanding(policy_id=one.policy_id))
        gaps += [f"{one.policy_id} to {one.stage}: {gap}" for gap in audit_gaps(one, before, known)]
        now[one.policy_id] = PolicyStanding(
            policy_id=one.policy_id, stage=one.stage, history=(*before.history, one)
        )
    severity, told = Severity.FAIL if gaps else Severity.OK, "; ".join(gaps[:GAPS_SHOWN])
    check = Check("stage_approvals.gaps", severity, str(len(gaps)), "none", told)
    return Report(
        name="stage-approvals", title="Stages of the policy ledger", sources=(), checks=(check,),
        figures={"policies": len(now), "steps": len(steps)},
    )  # fmt: skip


def may_trade(now: PolicyStanding, tier: str) -> bool:
    """Tell whether a policy's stage is enough for a tier of capital; an unknown tier needs the highest."""
    return STAGES.index(now.stage) >= STAGES.index(TIER_STAGES.get(tier, STAGES[-1]))
