"""Is each feed awake, without holes, and without prices that nobody traded? (AS-16)"""

from collections.abc import Mapping
from typing import Any

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Case,
    Category,
    FactSpec,
    Kind,
    Verdict,
    at_most,
    custom,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.operations.assessments.framework.primitives import against

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
HOURS_6_S, HOURS_24_S = 21_600.0, 86_400.0


class DataFeedPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Ages in seconds beyond the feed's own interval, with `grace_s`; gaps in session; suspect prices of an hour."""

    daily: Limit = at_most("s", warn=HOURS_6_S, fail=2 * HOURS_6_S)
    intraday: Limit = at_most("s", warn=900.0, fail=1_800.0)
    macro: Limit = at_most("s", warn=HOURS_24_S, fail=2 * HOURS_24_S)
    grace_s: float = 120.0
    gap: Limit = at_most("s", warn=90.0, fail=270.0)
    false_ticks: Limit = at_most("prices", warn=1, fail=3)
    book_gaps: Limit = at_most("gaps", warn=1)
    events_min: int = 5


def stale(values: Mapping[str, Any], policy: DataFeedPolicy, now: int) -> Verdict:
    """Judge the age of the last event by the feed's cadence while its market is open."""
    limit = {"daily": policy.daily, "intraday": policy.intraday, "macro": policy.macro}.get(values["cadence"])
    age_s = (now - values["last_event"]) / NANOS_PER_SECOND
    if limit is None:
        return Verdict(UNKNOWN, values["cadence"], "daily, intraday, macro", "nobody knows this cadence")
    if age_s < 0:
        return Verdict(FAIL, age_s, 0, f"{-age_s:g} s ahead of now", "s", what="future_timestamp")
    if values["events"] < policy.events_min:
        return Verdict(UNKNOWN, values["events"], policy.events_min, "too few events to judge a feed by", "events")
    if not values["in_session"]:
        return Verdict(OK, age_s, None, f"{age_s:g} s ago; its market is closed", "s")
    late = max(0.0, age_s - values["interval"] - policy.grace_s)
    return against(limit, late, f"{age_s:g} s ago, {late:g} s late; {limit.said()}")


ASSESSMENT = Assessment(
    title="Each feed is awake, without holes, and without prices that nobody traded.",
    topic="telemetry.data_feed.health", section="data-backbone", owner="trading", runbook="runbooks/feed.md",
    category=Category.DATA, policy=DataFeedPolicy(),
    facts=(
        FactSpec("cadence", Kind.TEXT, "", "intraday", per="feed"),
        FactSpec("interval", Kind.NUMBER, "s", 0.0, per="feed"),
        FactSpec("events", Kind.INTEGER, "events", 100, per="feed"),
        FactSpec("last_event", Kind.TIME, "", 1, per="feed"), FactSpec("in_session", Kind.FLAG, "", True, per="feed"),
        FactSpec("longest_gap", Kind.NUMBER, "s", 1.0, per="feed"),
        FactSpec("false_ticks", Kind.INTEGER, "prices", 0, per="instrument"),
        FactSpec("book_gaps", Kind.INTEGER, "gaps", 0, per="instrument"),
    ),
    rules=(
        custom("freshness", stale, facts=("cadence", "interval", "events", "last_event", "in_session"), primitive="age",
               limit="intraday", remedy="see the provider's state, then the connection", cases=(
                   Case("under", {"last_event": 1_019.999}, OK), Case("at_15_min", {"last_event": 1_020}, WARN),
                   Case("at_30_min", {"last_event": 1_920}, FAIL),
                   Case("hourly_bars", {"last_event": 4_619.999, "interval": 3_600.0}, OK),
                   Case("hourly_bars_late", {"last_event": 4_620, "interval": 3_600.0}, WARN),
                   Case("daily_under", {"last_event": 21_719.999, "cadence": "daily"}, OK),
                   Case("daily_at_6_h", {"last_event": 21_720, "cadence": "daily"}, WARN),
                   Case("macro_at_48_h", {"last_event": 172_920, "cadence": "macro"}, FAIL),
                   Case("closed", {"last_event": 90_000, "in_session": False}, OK),
                   Case("few", {"events": 4}, UNKNOWN), Case("five", {"events": 5}, OK),
                   Case("unheard_of", {"cadence": "x"}, UNKNOWN),
                   Case("ahead", {"last_event": -1}, FAIL, code="future_timestamp"),
               )),
        threshold("longest_gap", "gap", what="gap", remedy="ask the feed again for the hole; see its connection"),
        threshold("false_ticks", "false_ticks", remedy="see the prices in the journal; they were not used"),
        threshold("book_gaps", "book_gaps", remedy="the book was built anew: see why a diff was missing"),
    ),
)  # fmt: skip
