"""Every strategy by the name that configuration uses."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from tradeworthy.trading.model import Strategy
from tradeworthy.trading.strategies.ema_trend import EmaTrend, EmaTrendPolicy
from tradeworthy.trading.strategies.market_maker import MarketMaker
from tradeworthy.trading.strategies.market_maker_formulas.policy import MarketMakerPolicy
from tradeworthy.trading.strategies.mean_reversion import MeanReversion, MeanReversionPolicy
from tradeworthy.trading.strategies.touch_quoter import TouchQuoter, TouchQuoterPolicy


class Entry(NamedTuple):
    """A strategy, built as `strategy(instance, instrument, policy)`, and the type of its policy."""

    strategy: Callable[..., Strategy]
    policy: type[msgspec.Struct]

    def parse(self, raw: Mapping[str, Any]) -> msgspec.Struct:
        """Return the policy from plain values; raises `msgspec.ValidationError` for a wrong type or value."""
        return msgspec.convert(dict(raw), self.policy)


CATALOGUE: Mapping[str, Entry] = MappingProxyType({
    "ema_trend": Entry(EmaTrend, EmaTrendPolicy),
    "market_maker": Entry(MarketMaker, MarketMakerPolicy),
    "mean_reversion": Entry(MeanReversion, MeanReversionPolicy),
    "touch_quoter": Entry(TouchQuoter, TouchQuoterPolicy),
})
