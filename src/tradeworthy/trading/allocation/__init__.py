"""Capital across instances."""

from tradeworthy.trading.allocation.drawdown_tiers import DrawdownTiers as DrawdownTiers
from tradeworthy.trading.allocation.drawdown_tiers import ReleaseTier as ReleaseTier
from tradeworthy.trading.allocation.drawdown_tiers import TierChanged as TierChanged
from tradeworthy.trading.allocation.drawdown_tiers import TierPolicy as TierPolicy
from tradeworthy.trading.allocation.static_split import AllocationPolicy as AllocationPolicy
from tradeworthy.trading.allocation.static_split import Budget as Budget
from tradeworthy.trading.allocation.static_split import Role as Role
from tradeworthy.trading.allocation.static_split import StaticSplit as StaticSplit
