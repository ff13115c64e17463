"""The validation ladder: a level is derived from evidence, never stored and never typed (VL-0 to VL-7)."""

from collections.abc import Iterable
from functools import cache

import msgspec

from tradeworthy.operations.gates.engine import judge
from tradeworthy.operations.gates.model import HASHES, Context, Evidence, Gate, Grade, Requirement, Row, Standing
from tradeworthy.operations.gates.promotion import DAY, row

NEEDED = {"paper": 1, "canary": 3, "live_micro": 4, "pilot": 6, "limited_live": 6, "live": 7}
"""The level that each tier needs; a tier that is not here needs the highest."""


def _proof(
    name: str, title: str, remedy: str, mutation: str, environment: str = "simulated", age_max_s: int | None = None
) -> Requirement:
    """Return an item of a level: it holds for the very release, as long as nothing of it changes."""
    return row(
        name, title, remedy, mutation, age_max_s=age_max_s, depends_on=HASHES, environment_min=environment
    )  # fmt: skip


LEVELS: dict[int, tuple[str, tuple[Requirement, ...]]] = {
    1: ("tests and backtest", (
        _proof("tests", "Every test group passes.", "run the whole suite and record its report", "tests.failing_file"),
        _proof("replay_determinism", "The same journal gives the same outcomes.", "replay the windows twice",
               "replay_determinism.other_strategy"),
        _proof("regression", "Golden desks are equal.", "run `tradeworthy regression`", "regression.no_expiry"),
        _proof("out_of_sample", "The strategy holds on the last fifth of its data.",
               "judge it by `tradeworthy soak --kind out_of_sample`", "out_of_sample.sharpe"),
    )),
    2: ("paper smoke", (
        _proof("paper_smoke", "Ten minutes on paper: a fill, no real order.", "run and judge a smoke",
               "paper_smoke.no_fills", "paper"),
    )),
    3: ("paper soak", (
        _proof("paper_soak", "Two hours on a tape keep all seven figures.", "run and judge a soak",
               "paper_soak.turnover", "paper"),
        _proof("paper_soak_live", "Four hours on live data keep them too.", "run and judge it on live data",
               "paper_soak_live.old_messages", "paper"),
    )),
    4: ("venue's test environment", (
        _proof("venue_conformance", "Every conformance case passes.", "run the conformance suite",
               "venue_conformance.case", "testnet"),
        _proof("venue_kill", "A real kill and scan for orphans there.", "drill the kill there", "venue_kill.order_left",
               "testnet"),
        _proof("venue_soak", "48 hours there, each minute sampled.", "run the soak there", "venue_soak.gap", "testnet"),
        _proof("venue_restart", "A killed desk adopts its orders there.", "drill the restart there",
               "venue_restart.lost_order", "testnet"),
        _proof("environment_parity", "An hour side by side gives the same.", "run the parity hour",
               "environment_parity.score", "testnet"),
    )),
    5: ("calibration", (
        _proof("calibration", "A hundred fills say what an order costs.", "judge it by `tradeworthy calibration`",
               "calibration.few_fills", "testnet"),
    )),
    6: ("post-trade", (
        _proof("post_trade", "A hundred live micro fills cost what was said.", "judge them",
               "post_trade.fill_factor_ratio", "live_micro"),
    )),
    7: ("scaled live", (
        _proof("live_baseline", "Five live sessions stay near their baseline.", "judge them", "live_baseline.diverged",
               "live_micro", age_max_s=30 * DAY),
        _proof("certificate", "The certificate of this release is signed.", "sign it", "certificate.unsigned",
               "live_micro", age_max_s=14 * DAY),
    )),
}  # fmt: skip
"""Name and items of each level; each needs those below it too."""
HIGHEST = max(LEVELS)
PROVEN = "ladder:"


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One level as it stands."""

    level: int
    name: str
    met: bool
    rows: tuple[Row, ...]


class Standings(msgspec.Struct, frozen=True, kw_only=True):
    """The whole ladder: the level reached, and the first item that is missing above it."""

    level: int
    rungs: tuple[Rung, ...]
    missing: Row | None


@cache
def gate_of(level: int) -> Gate:
    """Return the table of one level alone."""
    name, items = LEVELS[level]
    return Gate(name=f"ladder_{level}", title=f"Level {level}: {name}", requirements=items)


def climb(evidence: Iterable[Evidence], context: Context, now: int, *, run_id: str) -> Standings:
    """Return how far the evidence of this very release goes; waivers count for nothing here.

    A proof of an item stands in `context.proven` under `ladder:` and its id.
    """
    known = tuple(evidence)
    proven = frozenset(one.removeprefix(PROVEN) for one in context.proven if one.startswith(PROVEN))
    context = msgspec.structs.replace(context, proven=proven)
    rungs = []
    for level, (name, _) in LEVELS.items():
        verdict = judge(gate_of(level), known, (), context, now, run_id=run_id)
        rungs.append(Rung(level=level, name=name, met=all(row.met for row in verdict.rows), rows=verdict.rows))
    reached = 0
    for rung in rungs:
        if not rung.met:
            break
        reached = rung.level
    above = [one for rung in rungs[reached:] for one in rung.rows if not one.met]
    return Standings(level=reached, rungs=tuple(rungs), missing=above[0] if above else None)


def needed_of(tier: str) -> int:
    """Return the level that a tier needs."""
    return NEEDED.get(tier, HIGHEST)


def row_of(found: Standings, tier: str) -> Row:
    """Return the row `ladder` of a gate: the level reached against the one that the tier needs."""
    needed = needed_of(tier)
    met = found.level >= needed
    missing = found.missing
    ends = [one.ends_at for rung in found.rungs[:needed] for one in rung.rows if one.ends_at is not None] if met else []
    why = f"level {found.level} is reached"
    if not met and missing is not None:
        why = f"missing first: {missing.id}, {missing.reason}"
    return Row(
        id="ladder", title="The validation ladder is climbed as high as the tier needs.", grade=Grade.CRITICAL, met=met,
        standing=Standing.MET if met else Standing.FAILED, observed=f"level {found.level}",
        limit=f"level {needed} for {tier}", reason=why, source="ladder", owner="operations",
        ends_at=min(ends, default=None), runbook="runbooks/gate.md",
        remedy="see the first missing item: tradeworthy gate ladder" if missing is None else missing.remedy,
        evidence=tuple(sorted({one for rung in found.rungs[:needed] for row in rung.rows for one in row.evidence})),
    )  # fmt: skip
