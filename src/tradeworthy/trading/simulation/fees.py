"""Fees: one rate a fill, asked of a resolver by instrument, side and liquidity (SV-06)."""

from decimal import Decimal
from typing import Protocol

from tradeworthy.trading.model import Instrument, Liquidity, Side


class FeeResolver(Protocol):
    """Tell the fraction of notional that a fill costs; a negative rate is a rebate."""

    def __call__(self, instrument: Instrument, side: Side, liquidity: Liquidity) -> Decimal: ...


def instrument_fees(instrument: Instrument, side: Side, liquidity: Liquidity) -> Decimal:
    """Return the instrument's own maker or taker rate, equal for both sides."""
    return instrument.fees.maker if liquidity is Liquidity.MAKER else instrument.fees.taker


def fee_of(instrument: Instrument, price: int, lots: int, rate: Decimal) -> Decimal:
    """Return the exact fee in the settlement currency: notional times rate."""
    notional = instrument.notional(price, lots)
    return (notional / instrument.price(price) if instrument.inverse else notional) * rate
