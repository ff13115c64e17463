"""Funding of perpetuals: one formula for the simulated venue and for the ledger."""

from decimal import Decimal

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.model.instrument import Instrument


def funding_cash(instrument: Instrument, lots: int, mark: int, rate: Decimal) -> Decimal:
    """Return the cash that a position receives (positive) or pays (negative) at a funding time (SV-12).

    lots  signed position;  mark  in ticks, above zero;  rate  what longs pay shorts, a fraction of notional
    The result is in the settlement currency: quote for linear kinds, base for inverse ones.
    """
    if mark <= 0:
        raise InvalidInput(f"{instrument.symbol}: mark must be above zero, was {mark}")
    if instrument.inverse:
        return -(instrument.quantity(lots) * instrument.multiplier / instrument.price(mark)) * rate
    return -instrument.quantity(lots) * instrument.multiplier * instrument.price(mark) * rate


def next_funding(instrument: Instrument, ts: int) -> int | None:
    """Return the first funding time after `ts`, nanoseconds UTC; None for an instrument without a schedule."""
    if not instrument.funding_hours:
        return None
    day = ts - ts % NANOS_PER_DAY
    times = [day + hour * 3_600 * NANOS_PER_SECOND for hour in sorted(instrument.funding_hours)]
    return next((one for one in times if one > ts), times[0] + NANOS_PER_DAY)
