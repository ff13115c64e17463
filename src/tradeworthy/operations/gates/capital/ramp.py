"""The capital ramp: what each tier may use, and when the next step is taken, held or undone (PS-08, PS-09)."""

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum

import msgspec

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.operations.gates.capital.paired_test import Finding, PairedPolicy, PairedTest
from tradeworthy.operations.gates.policy_ledger import STAGES, TIER_STAGES, PolicyStanding, may_trade

RAMP = ("shadow", "paper", "canary", "live_micro", "pilot", "limited_live", "live")
"""Tiers from the least to the most capital."""


class Step(StrEnum):
    """What is done now."""

    PROMOTE = "promote"
    HOLD = "hold"
    PAUSE = "pause"
    ABORT = "abort"


class RampPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of the limits in percent by tier, absolute caps in quote currency, and what a step needs.

    errors_in_a_row  failed measurements after which the ramp is undone;  pairs_max  after which no finding is a pause
    """

    limits_pct: tuple[tuple[str, float], ...] = (
        ("shadow", 0.0), ("paper", 0.0), ("canary", 0.0), ("live_micro", 1.0), ("pilot", 5.0), ("limited_live", 25.0),
        ("live", 100.0),
    )  # fmt: skip
    live_micro_capital_max: Decimal = Decimal(100)
    canary_units: int = 1
    sessions_min: int = 5
    fills_min: int = 100
    errors_in_a_row: int = 4
    pairs_max: int = 10_000
    test: PairedPolicy = PairedPolicy()


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One input that both sides were given; None = nobody could measure that side."""

    session: str
    filled: bool
    candidate_erred: bool | None
    baseline_erred: bool | None


@fact("gate.ramp_decided")
class RampDecided(Fact, frozen=True):
    """One decision of the ramp; `acts` are what an abort does, in this order."""

    policy_id: str
    tier: str
    to: str
    step: Step
    reason: str
    sessions: int
    fills: int
    pairs: int
    acts: tuple[str, ...] = ()


ABORT_ACTS = ("flat", "previous_configuration", "demote", "incident")
"""What an abort does: no position, the configuration before, one stage down, and people are told."""


def next_tier(tier: str) -> str:
    """Return the tier above, the same one at the top; raises `UsageError` for an unknown one."""
    if tier not in RAMP:
        raise UsageError(f"expected a tier of {', '.join(RAMP)}, found {tier!r}")
    return RAMP[min(RAMP.index(tier) + 1, len(RAMP) - 1)]


def capital_of(tier: str, limit: Decimal, policy: RampPolicy | None = None) -> Decimal:
    """Return how much of a limit a tier may use; canary trades single units and no capital share."""
    p = policy or RampPolicy()
    next_tier(tier)
    share = limit * Decimal(str(dict(p.limits_pct)[tier])) / 100
    return min(share, p.live_micro_capital_max) if tier == "live_micro" else share


def decide(
    standing: PolicyStanding, tier: str, measured: Iterable[Measurement], policy: RampPolicy | None = None
) -> RampDecided:
    """Return what to do after these measurements at a tier, oldest first: the first abort ends it.

    A side that nobody measured is a failed measurement; inconclusive pauses and never promotes.
    """
    p, to = policy or RampPolicy(), next_tier(tier)
    test, failed, fills = PairedTest(), 0, 0
    sessions: set[str] = set()

    def told(step: Step, reason: str) -> RampDecided:
        acts = ABORT_ACTS if step is Step.ABORT else ()
        return RampDecided(standing.policy_id, tier, to, step, reason, len(sessions), fills, test.pairs, acts)

    for one in measured:
        if one.candidate_erred is None or one.baseline_erred is None:
            failed += 1
            if failed >= p.errors_in_a_row:
                return told(Step.ABORT, f"{failed} measurements in a row failed")
            continue
        failed = 0
        sessions.add(one.session)
        fills += one.filled
        test = test.seen(
            candidate_erred=one.candidate_erred, baseline_erred=one.baseline_erred, policy=p.test
        )  # fmt: skip
        if test.finding(p.test) is Finding.WORSE:
            return told(Step.ABORT, f"the candidate erred alone {test.only_candidate} times, {test.only_baseline} not")
    if failed or not test.pairs:
        return told(Step.PAUSE, "the newest measurement failed" if failed else "nothing was measured")
    if to == tier:
        return told(Step.HOLD, "it is the highest tier")
    if len(sessions) < p.sessions_min or fills < p.fills_min:
        return told(Step.HOLD, f"{len(sessions)} of {p.sessions_min} sessions, {fills} of {p.fills_min} fills")
    if test.finding(p.test) is Finding.OPEN:
        over = test.pairs >= p.pairs_max
        return told(Step.PAUSE if over else Step.HOLD, "inconclusive: the pairs do not tell the two apart yet")
    if not may_trade(standing, to):
        needed = TIER_STAGES.get(to, STAGES[-1])
        return told(Step.HOLD, f"tier {to} needs stage {needed}, the policy stands at {standing.stage}")
    return told(Step.PROMOTE, f"{test.pairs} pairs: not worse than the baseline")
