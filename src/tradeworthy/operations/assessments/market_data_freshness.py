"""Does every stream bring market data while its market is open? (AS-117)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    age,
    at_least,
    at_most,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit

FEED = "see the provider's state, then the connection; other traffic does not count"


class MarketDataFreshnessPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Age of the last market event in seconds, and market events of the last 20 minutes."""

    period_s: float = 5.0
    fact_age_max_s: float = 30.0
    message_age: Limit = at_most("s", warn=5.0, fail=30.0)
    recent: Limit = at_least("events", fail=1)


ASSESSMENT = Assessment(
    title="Every stream brings market data while its market is open.",
    topic="telemetry.desk.market_data_freshness", section="desk", owner="trading", runbook="runbooks/market_data.md",
    category=Category.TRADING, policy=MarketDataFreshnessPolicy(),
    facts=(
        FactSpec("last_event", Kind.TIME, "", 1, per="stream"),
        FactSpec("recent_events", Kind.INTEGER, "events", 100, per="stream"),
        FactSpec("in_session", Kind.FLAG, "", True, per="stream"),
    ),
    rules=(
        age("last_event", "message_age", what="message_age", when="in_session", remedy=FEED),
        threshold("recent_events", "recent", what="silent", primitive="floor", when="in_session", remedy=FEED),
    ),
)  # fmt: skip
