"""Pre-trade review, its limits and its running context; loss monitors that move the guard."""

from tradeworthy.trading.risk.context import RiskContext as RiskContext
from tradeworthy.trading.risk.policy import RiskPolicy as RiskPolicy
from tradeworthy.trading.risk.review import Leg as Leg
from tradeworthy.trading.risk.review import Reviewer as Reviewer
