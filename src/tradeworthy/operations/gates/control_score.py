"""How many disabled controls another part of the product notices in time (AS-42, GE-18)."""

from collections.abc import Iterable

import msgspec

from tradeworthy.kernel.report import Check, Report
from tradeworthy.kernel.severity import Severity

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
SCORE = "control_mutation.score"


class ControlScorePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A floor in percent of disabled controls that are noticed, and when a notice is late, in seconds."""

    score_pct_min: float = 95.0
    notice_s_fail: float = 300.0


class Disabled(msgspec.Struct, frozen=True, kw_only=True):
    """One control that was disabled in simulation while an order came that it would have stopped.

    how     what was done to it;  stopped  whether the whole desk stopped the order, which shows that the scene is one
    by      what noticed first, empty = nothing did;  after_s  simulated seconds after the order
    """

    control: str
    how: str
    stopped: bool
    by: str = ""
    after_s: float | None = None

    def noticed(self, policy: ControlScorePolicy) -> bool:
        """Tell whether something noticed in time."""
        return self.after_s is not None and self.after_s < policy.notice_s_fail


def control_report(
    played: Iterable[Disabled], *, before_pct: float | None = None, policy: ControlScorePolicy | None = None
) -> Report:
    """Return the report of gate row `control_mutation`: the score, survivors by name, and each control's own row.

    before_pct  the score of the release before, below which this one may not fall; None = nobody knows one
    """
    p, every = policy or ControlScorePolicy(), tuple(played)
    noticed = [one for one in every if one.noticed(p)]
    score = round(100 * len(noticed) / len(every), 4) if every else None
    checks = [_score(every, noticed, score, p)]
    if score is not None and before_pct is not None:
        fell = score < before_pct
        checks.append(Check(
            "control_mutation.fall", FAIL if fell else OK, f"{score:g} %", f"no fall below {before_pct:g} %",
            "it fell against the release before" if fell else "",
        ))  # fmt: skip
    for control in dict.fromkeys(one.control for one in every):
        checks.append(_control(control, [one for one in every if one.control == control], p))
    return Report(
        name="control-mutation", title="Control mutations", sources=(), checks=tuple(checks),
        figures={"score_pct": score, "disabled": len(every), "noticed": len(noticed)},
    )  # fmt: skip


def _score(
    every: tuple[Disabled, ...], noticed: list[Disabled], score: float | None, policy: ControlScorePolicy
) -> Check:
    limit = f"at least {policy.score_pct_min:g} % within {policy.notice_s_fail:g} s"
    unplayed = [one for one in every if not one.stopped]
    if score is None:
        return Check(SCORE, UNKNOWN, "none was played", limit, "play them: tradeworthy gate controls")
    told = f"{score:.4g} %, {len(noticed)} of {len(every)}"
    if unplayed:
        names = ", ".join(one.control for one in unplayed)
        return Check(SCORE, FAIL, told, limit, f"the whole desk lets through what these should stop: {names}")
    survivors = ", ".join(f"{one.control} {one.how}" for one in every if not one.noticed(policy))
    severity = OK if score >= policy.score_pct_min else FAIL
    return Check(SCORE, severity, told, limit, f"not noticed: {survivors}" if survivors else "every one was noticed")


def _control(control: str, ways: list[Disabled], policy: ControlScorePolicy) -> Check:
    seen = [one for one in ways if one.noticed(policy)]
    first = "; ".join(f"{one.how}: {one.by} after {one.after_s:g} s" for one in seen)
    return Check(
        "control_mutation.control", OK if len(seen) == len(ways) else WARN, f"{len(seen)} of {len(ways)}",
        "every way is noticed", f"{control}: {first}" if first else f"{control}: nothing noticed",
    )  # fmt: skip
