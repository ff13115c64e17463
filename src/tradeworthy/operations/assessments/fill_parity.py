"""Is every fill of the venue booked, once and as it was told? (AS-111)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_most,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit

FILLS = "name the fill by venue and trade id, compare both sides, and book what is missing; never guess a fill"


class FillParityPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Fills of the last 24 hours that differ; prices by tick and as a share, fees by one minor unit (0.01)."""

    missing: Limit = at_most("fills", fail=1)
    phantom: Limit = at_most("fills", fail=1)
    quantity: Limit = at_most("fills", fail=1)
    price_ticks: Limit = at_most("ticks", warn=1)
    price: Limit = at_most("share", fail=0.01)
    fees: Limit = at_most("fills", warn=1)


ASSESSMENT = Assessment(
    title="Every fill of the venue is booked, once and as it was told.",
    topic="telemetry.desk.fill_parity", section="desk", owner="trading", runbook="runbooks/fill_parity.md",
    category=Category.TRADING, policy=FillParityPolicy(),
    facts=(
        FactSpec("venue_fills", Kind.INTEGER, "fills", 10), FactSpec("booked_fills", Kind.INTEGER, "fills", 10),
        FactSpec("missing", Kind.INTEGER, "fills", 0), FactSpec("phantom", Kind.INTEGER, "fills", 0),
        FactSpec("quantity_differs", Kind.INTEGER, "fills", 0),
        FactSpec("price_difference_ticks", Kind.INTEGER, "ticks", 0),
        FactSpec("price_difference", Kind.NUMBER, "share", 0.0),
        FactSpec("fee_differs", Kind.INTEGER, "fills", 0),
    ),
    rules=(
        threshold("missing", "missing", what="missing_local", remedy=FILLS),
        threshold("phantom", "phantom", remedy=FILLS),
        threshold("quantity_differs", "quantity", what="quantity", remedy=FILLS),
        threshold("price_difference_ticks", "price_ticks", what="price_ticks", remedy=FILLS),
        threshold("price_difference", "price", what="price", remedy=FILLS),
        threshold("fee_differs", "fees", what="fee", remedy="see which fee the venue charged, and its schedule",
                  runbook="runbooks/venue.md"),
    ),
)  # fmt: skip
