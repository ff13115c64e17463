"""Is everything that a source numbered in the journal? (AS-120)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_least,
    at_most,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit

ASK = "ask the source for the numbers that are named; a loss is acknowledged by two people by name"


class SourceComparePolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Numbers of a source that never came: none of orders, intents, decisions, acts; of market data a few at most.

    What gave way to newer data of its kind on purpose, and what two people acknowledged as lost, is no loss here.
    """

    lost: Limit = at_most("events", fail=1)
    market_lost: Limit = at_most("events", warn=1, fail=5)
    sources: Limit = at_least("sources", fail=1)


ASSESSMENT = Assessment(
    title="Nothing that a source sent is missing from the journal.",
    topic="telemetry.desk.source_compare", section="desk", owner="operations", runbook="runbooks/journal.md",
    category=Category.DATA, policy=SourceComparePolicy(),
    facts=(
        FactSpec("sources", Kind.INTEGER, "sources", 3), FactSpec("lost", Kind.INTEGER, "events", 0),
        FactSpec("market_lost", Kind.INTEGER, "events", 0),
    ),
    rules=(
        threshold("sources", "sources", what="no_numbers", primitive="floor",
                  remedy="let at least one source number what it sends"),
        threshold("lost", "lost", what="cut_event", remedy=ASK), threshold("market_lost", "market_lost", remedy=ASK),
    ),
)  # fmt: skip
