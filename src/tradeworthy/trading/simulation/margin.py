"""Margin arithmetic (SV-13): rates by tier, initial and maintenance requirement."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.model import Instrument, MarginRates


class MarginTier(msgspec.Struct, frozen=True):
    """Rates up to and including a notional in settlement currency; None = without end."""

    notional_max: Decimal | None
    rates: MarginRates


def rates_at(instrument: Instrument, tiers: Sequence[MarginTier], notional: Decimal) -> MarginRates | None:
    """Return the rates of the first tier that holds `notional`, else the instrument's own; None where it has none."""
    for tier in tiers:
        if tier.notional_max is None or notional <= tier.notional_max:
            return tier.rates
    if tiers:
        raise InvalidInput(f"{instrument.symbol}: no margin tier holds the notional {notional}")
    return instrument.margin


def initial_margin(notional: Decimal, rates: MarginRates | None, leverage: Decimal) -> Decimal:
    """Return what an exposure must be covered with: the tier's rate, at least one over the account's leverage."""
    floor = notional / leverage
    return floor if rates is None else max(floor, notional * rates.initial)


def maintenance_margin(notional: Decimal, rates: MarginRates | None) -> Decimal | None:
    """Return the equity below which a position is liquidated, None where no rate was told."""
    return None if rates is None else notional * rates.maintenance


def borrow_cash(instrument: Instrument, lots: int, price: int, annual_rate: Decimal, *, days: int = 1) -> Decimal:
    """Return the borrow fee of a short equity position for whole days, as negative cash; long pays nothing (SV-14)."""
    return -instrument.notional(price, min(lots, 0)) * annual_rate * days / 365
