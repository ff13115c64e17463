"""Where a resting order stands in its level's queue (SV-04)."""

from enum import Enum

from tradeworthy.trading.simulation.venue_order import VenueOrder


class QueueModel(Enum):
    """RISK_AVERSE: only trades at the price advance it, cancels count as behind. PRO_RATA: a cancelled lot was ahead
    in proportion to what stood ahead; an estimate, labelled on each maker fill."""

    RISK_AVERSE = "risk_averse"
    PRO_RATA = "pro_rata"


def join(order: VenueOrder, displayed: int | None) -> None:
    """Stand behind all that is displayed at the price; None where the size is not known."""
    order.ahead = displayed
    order.shown = displayed or 0
    order.traded = 0


def depth_changed(order: VenueOrder, displayed: int, model: QueueModel) -> None:
    """Account for the level's new displayed size: never more ahead than is displayed."""
    ahead = order.ahead
    if ahead is None:
        return
    if model is QueueModel.PRO_RATA and ahead > 0:
        cancelled = order.shown - displayed - order.traded
        if cancelled > 0 and order.shown > 0:
            ahead -= min(ahead, cancelled * ahead // order.shown)
    order.ahead = min(ahead, displayed)
    order.shown = displayed
    order.traded = 0


def traded(order: VenueOrder, lots: int, own: int) -> int:
    """Move the queue by a trade of `lots` at the price, `own` of them taken already; return the lots that reach us."""
    ahead = order.ahead
    if ahead is None:
        return 0
    order.ahead = max(0, ahead - lots)
    order.traded += lots
    return max(0, lots - own - ahead)
