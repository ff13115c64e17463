"""What a run may be used for: `release` only when every condition of section 1 was measured to hold."""

import msgspec

from tradeworthy.operations.dry_run.model import Relaxation, RunClass
from tradeworthy.operations.dry_run.policy import (
    RELEASE_HOURS_MIN,
    RELEASE_LIVE_GAP_MINUTES_MAX,
    SECONDS_PER_HOUR,
    TIER_UPTIME_RATIOS,
)

REQUIRED_OBJECTIVES = frozenset({"data_backbone", "understanding", "risk", "governance", "launch_readiness"})


class ReleaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the class depends on; None is not known, and not known is not met."""

    paper_on_live_feed: bool | None = None
    required_seconds: float
    run_seconds: float
    slack_seconds: float = 0.1
    uptime_ratio: float | None = None
    uptime_ratio_min: float
    tier_uptime_ratio: float = TIER_UPTIME_RATIOS[0]
    witness_attached: bool = False
    live_gap_alert_minutes: float | None = None
    heartbeat_source: str = "none"
    window_proved: bool = False
    derived_objectives: frozenset[str] = frozenset()
    relaxations: tuple[Relaxation, ...] = ()
    hashes_equal_release: bool | None = None


def judge_class(facts: ReleaseFacts) -> tuple[RunClass, tuple[str, ...]]:
    """Return the class and, for a rehearsal, every reason why it is one."""
    hours = RELEASE_HOURS_MIN
    needed = hours * SECONDS_PER_HOUR
    gap = facts.live_gap_alert_minutes
    uptime = 0.0 if facts.uptime_ratio is None else facts.uptime_ratio
    missing = sorted(REQUIRED_OBJECTIVES - facts.derived_objectives)
    bare = [one.switch for one in facts.relaxations if one.waiver_id is None]
    table = (
        (facts.paper_on_live_feed is True, "not shown to be paper on a live feed"),
        (facts.required_seconds >= needed, f"required less than {hours:g} h"),
        (facts.run_seconds + facts.slack_seconds >= needed, f"ran less than {hours:g} h"),
        (min(facts.uptime_ratio_min, uptime) >= facts.tier_uptime_ratio,
         f"uptime floor or uptime below the tier's {facts.tier_uptime_ratio:.2%}"),
        (facts.witness_attached, "no witness attached"),
        (gap is not None and gap <= RELEASE_LIVE_GAP_MINUTES_MAX,
         f"no live gap alert of at most {RELEASE_LIVE_GAP_MINUTES_MAX:g} min"),
        (facts.heartbeat_source == "heartbeat", "uptime comes from plain lines, not heartbeats"),
        (facts.window_proved, "the window of the run is not proved"),
        (not missing, f"objectives not derived: {', '.join(missing)}"),
        (not bare, f"relaxed without a waiver: {', '.join(bare)}"),
        (facts.hashes_equal_release is True, "hashes are not shown to equal a release"),
    )  # fmt: skip
    reasons = tuple(reason for met, reason in table if not met)
    return (RunClass.REHEARSAL if reasons else RunClass.RELEASE), reasons
