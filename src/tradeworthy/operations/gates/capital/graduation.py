"""Graduate a policy by what its diary shows: decisions, alerts, forced and warned shares, regimes (PS-03, PS-04)."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.report import Check, Report
from tradeworthy.kernel.severity import Severity

OK, UNKNOWN, FAIL = Severity.OK, Severity.UNKNOWN, Severity.FAIL
REGIMES = ("balanced", "bullish", "bearish", "dislocated")
"""Each must have been decided in before paper is approved, and again before limited_live."""


CEILINGS = ("forced_max", "warn_max", "counterfactual_limit")
THRESHOLDS = ("decisions", "normal_min", "streak", "green_days", "regime_decisions", *CEILINGS)
"""What a policy may set tighter for itself (PS-01): floors by raising, ceilings by lowering."""


class Mood(StrEnum):
    """What watched a decision said of it: nothing, a warning, or that another decision was forced."""

    NORMAL = "normal"
    WARN = "warn"
    FORCED = "forced"


class DiaryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One decision of a policy: when (nanoseconds UTC), at which stage, in which regime, and what watched it said.

    alerts          raised over it
    counterfactual  how far the decision lay from what the newest stage would have decided, a fraction
    """

    at: int
    stage: str
    regime: str
    mood: Mood
    alerts: int = 0
    counterfactual: float = 0.0


class StageNeeds(msgspec.Struct, frozen=True, kw_only=True):
    """What a step up needs of the diary of the stage `of`; shares are fractions of its decisions.

    streak             newest decisions in a row that were normal, without alert
    green_days         consecutive days on `green_stage` without alert or forced decision, the last one now
    regime_decisions   of each regime;  counterfactual_limit  reached by one decision: back to paper
    """

    of: str
    decisions: int
    forced_max: float
    warn_max: float
    normal_min: float
    streak: int = 0
    green_days: int = 0
    green_stage: str = "paper"
    regime_decisions: int = 0
    counterfactual_limit: float | None = None


class GraduationPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The needs of each stage."""

    paper: StageNeeds = StageNeeds(
        of="experiment", decisions=20, forced_max=0.35, warn_max=0.40, normal_min=0.50, regime_decisions=3
    )
    pilot: StageNeeds = StageNeeds(
        of="paper", decisions=40, forced_max=0.25, warn_max=0.20, normal_min=0.65, streak=8, counterfactual_limit=0.35
    )
    limited_live: StageNeeds = StageNeeds(
        of="pilot", decisions=60, forced_max=0.10, warn_max=0.10, normal_min=0.80, streak=15, green_days=14,
        regime_decisions=3, counterfactual_limit=0.20,
    )


def override_faults(to: str, overrides: Mapping[str, str], policy: GraduationPolicy | None = None) -> list[str]:
    """Return what is wrong with thresholds of a policy's own: only known ones, and only tighter, may be set."""
    needs, found = getattr(policy or GraduationPolicy(), to, None), []
    for name, text in overrides.items():
        usual = getattr(needs, name, None)
        if name not in THRESHOLDS or usual is None:
            found.append(f"override {name}: expected one of {', '.join(THRESHOLDS)} that {to} has")
            continue
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or (value > usual if name in CEILINGS else value < usual):
            word = "at most" if name in CEILINGS else "at least"
            found.append(f"override {name}: expected {word} {usual:g}, as thresholds are only tightened, found {text}")
    return found


def tightened(needs: StageNeeds, overrides: Mapping[str, str]) -> StageNeeds:
    """Return the needs with a policy's own thresholds laid over; what this stage does not ask for is left out."""
    own = {name: float(text) for name, text in overrides.items() if getattr(needs, name, None) is not None}
    return msgspec.structs.replace(needs, **{
        name: value if isinstance(getattr(needs, name), float) else math.ceil(value) for name, value in own.items()
    })  # fmt: skip


def graduation_report(
    diary: Iterable[DiaryEntry], to: str, now: int, policy: GraduationPolicy | None = None, *,
    overrides: Mapping[str, str] | None = None,
) -> Report:  # fmt: skip
    """Return whether the diary carries a step to `to`; shares of too few decisions are unknown, never good.

    overrides  thresholds of this policy's own, as its ledger has them
    """
    needs: StageNeeds = tightened(getattr(policy or GraduationPolicy(), to), overrides or {})
    whole = sorted((one for one in diary if one.at <= now), key=lambda one: one.at)
    own = [one for one in whole if one.stage == needs.of]
    return Report(
        name="graduation", title=f"Graduation to {to}", sources=(), checks=_checks(own, whole, needs, now),
        figures={"to": to, "of": needs.of, "decisions": len(own), "stage_forced": forced_back(own, needs)},
    )  # fmt: skip


def forced_back(own: Sequence[DiaryEntry], needs: StageNeeds) -> str:
    """Return the stage that a breach of the counterfactual limit forces a policy back to, empty for none."""
    limit = needs.counterfactual_limit
    return "paper" if limit is not None and any(one.counterfactual >= limit for one in own) else ""


def _checks(
    own: Sequence[DiaryEntry], whole: Sequence[DiaryEntry], needs: StageNeeds, now: int
) -> tuple[Check, ...]:
    count, moods = len(own), Counter(one.mood for one in own)
    alerts = sum(one.alerts for one in own)
    enough = count >= needs.decisions

    def share(mood: Mood, limit: float, *, floor: bool) -> Check:
        code, word = f"graduation.{mood}", f"{'at least' if floor else 'at most'} {limit:.0%}"
        if not enough:
            return Check(code, UNKNOWN, f"of {count} decisions", word, f"judged from {needs.decisions} on")
        found = moods[mood] / count
        right = found >= limit if floor else found <= limit
        return Check(code, OK if right else FAIL, f"{found:.1%}", word)

    checks = [
        Check("graduation.decisions", OK if enough else FAIL, str(count), f"at least {needs.decisions} in {needs.of}"),
        Check("graduation.alerts", FAIL if alerts else OK, str(alerts), "none"),
        share(Mood.FORCED, needs.forced_max, floor=False), share(Mood.WARN, needs.warn_max, floor=False),
        share(Mood.NORMAL, needs.normal_min, floor=True),
    ]  # fmt: skip
    if needs.streak:
        found = _streak(own)
        checks.append(Check("graduation.streak", OK if found >= needs.streak else FAIL, str(found),
                            f"at least {needs.streak} in a row"))  # fmt: skip
    if needs.green_days:
        days = green_days([one for one in whole if one.stage == needs.green_stage], now)
        checks.append(Check("graduation.green_days", OK if days >= needs.green_days else FAIL, str(days),
                            f"at least {needs.green_days} on {needs.green_stage}, the last one now"))  # fmt: skip
    if needs.regime_decisions:
        checks += _coverage(own, needs.regime_decisions)
    if needs.counterfactual_limit is not None:
        worst = max((one.counterfactual for one in own), default=0.0)
        bad = worst >= needs.counterfactual_limit
        checks.append(Check("graduation.counterfactual", FAIL if bad else OK, f"{worst:.3g}",
                            f"below {needs.counterfactual_limit:g}", "back to paper" if bad else ""))  # fmt: skip
    return tuple(checks)


def green_days(entries: Sequence[DiaryEntry], now: int) -> int:
    """Return how many days in a row up to today had decisions, and none with an alert or forced."""
    by_day: dict[int, bool] = {}
    for one in entries:
        day = one.at // NANOS_PER_DAY
        by_day[day] = by_day.get(day, True) and not one.alerts and one.mood is not Mood.FORCED
    day, found = now // NANOS_PER_DAY, 0
    while by_day.get(day, False):
        day, found = day - 1, found + 1
    return found


def _streak(own: Sequence[DiaryEntry]) -> int:
    found = 0
    for one in reversed(own):
        if one.mood is not Mood.NORMAL or one.alerts:
            break
        found += 1
    return found


def _coverage(own: Sequence[DiaryEntry], least: int) -> list[Check]:
    counts = Counter(one.regime for one in own)
    limit = f"at least {least}"
    return [
        Check(f"graduation.regime.{name}", OK if counts[name] >= least else FAIL, str(counts[name]), limit)
        for name in REGIMES
    ]
