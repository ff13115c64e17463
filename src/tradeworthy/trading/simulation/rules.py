"""The venue's own rules (SV-08): what an order must satisfy to be accepted, each with its reject code."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.model import Instrument, OrderType, TradingStatus, TriggerPrice
from tradeworthy.trading.simulation.margin import MarginTier
from tradeworthy.trading.simulation.queue import QueueModel

LEVERAGE_MAX = Decimal(5)


class Slippage(msgspec.Struct, frozen=True):
    """What a taker pays beyond the known price (SV-10), told on the report apart from fees.

    spread_ticks  synthetic spread where a source has none (bars); half of it, rounded up, is charged
    bars_bps, quotes_bps  further basis points; quotes carry their own spread, so the default there is none
    """

    spread_ticks: int = 2
    bars_bps: Decimal = Decimal("1.0")
    quotes_bps: Decimal = Decimal(0)

    @property
    def half_spread(self) -> int:
        return (self.spread_ticks + 1) // 2

    def ticks(self, price: int, bps: Decimal) -> int:
        """Return the slippage in whole ticks, rounded up."""
        return -int(-price * bps // 10_000) if bps else 0


class VenueRules(msgspec.Struct, frozen=True):
    """Policy of one simulated venue.

    open_orders_max  open orders of the account;  day_end_ns  offset of the end of day from midnight UTC
    assume_open      True: an instrument without a status is open; False: its orders are rejected
    locates          lots of an equity that may be sold short (SV-14)
    settlement_days  business days until the proceeds of a sale are free
    borrow_rate_year  fraction of value a year for shares sold short;  borrow_rates  by instrument where it differs
    leverage         the account's; above 5 is refused at the start (SV-13)
    penalty          fraction of notional that a liquidation costs;  tiers  margin rates by instrument id
    """

    open_orders_max: int = 50
    day_end_ns: int = 0
    assume_open: bool = True
    locates: Mapping[str, int] = {}
    settlement_days: int = 1
    borrow_rate_year: Decimal = Decimal("0.0030")
    borrow_rates: Mapping[str, Decimal] = {}
    leverage: Decimal = Decimal(1)
    penalty: Decimal = Decimal("0.0050")
    slippage: Slippage = Slippage()
    queue: QueueModel = QueueModel.RISK_AVERSE
    tiers: Mapping[str, tuple[MarginTier, ...]] = {}

    def __post_init__(self) -> None:
        if not 0 < self.leverage <= LEVERAGE_MAX:
            raise ConfigurationRefused(f"leverage must be above 0 and at most {LEVERAGE_MAX}, was {self.leverage}")

    def day_end(self, ts: int) -> int:
        """Return the first end of day after `ts`, nanoseconds UTC."""
        return (ts - self.day_end_ns) // NANOS_PER_DAY * NANOS_PER_DAY + NANOS_PER_DAY + self.day_end_ns


class Broken(msgspec.Struct, frozen=True):
    """The rule that an order breaks."""

    code: str
    text: str


def broken_form(
    instrument: Instrument, *, type: OrderType, lots: int, price: int | None, trigger: int | None,
    trigger_by: TriggerPrice, reduce_only: bool, reference: int | None, index: int | None, ts: int,
) -> Broken | None:
    """Return the first rule of the order's form that is broken, None when all hold; an unknown input is no pass.

    reference  price in ticks against which the band and a market order's notional are judged, None where unknown
    index      the index price in ticks, None where the venue never told one
    """
    if not instrument.valid_at(ts):
        return Broken("venue.not_valid", f"{instrument.instrument_id} is not valid at {ts}")
    if lots <= 0:
        return Broken("venue.lot", f"lots must be above zero, was {lots}")
    if lots < instrument.min_lots:
        return Broken("venue.min_lots", f"lots must be at least {instrument.min_lots}, was {lots}")
    needs_price = type is OrderType.LIMIT or type is OrderType.STOP_LIMIT
    if needs_price and (price is None or price <= 0):
        return Broken("venue.tick", f"price must be above zero, was {price}")
    if type not in (OrderType.MARKET, OrderType.LIMIT):
        if trigger is None or trigger <= 0:
            return Broken("venue.trigger", f"trigger must be above zero, was {trigger}")
        if trigger_by is TriggerPrice.INDEX and index is None:
            return Broken("venue.trigger_not_supported", "there is no index price at this venue")
    judged = price if needs_price else trigger if trigger is not None else reference
    if instrument.min_notional > 0 and not reduce_only:
        if judged is None:
            return Broken("venue.reference_unknown", "min notional needs a price, there is none")
        notional = instrument.notional(judged, lots)
        if notional < instrument.min_notional:
            return Broken("venue.min_notional", f"notional must be at least {instrument.min_notional}, was {notional}")
    if instrument.price_band is not None and needs_price and price is not None:
        if reference is None:
            return Broken("venue.reference_unknown", "the price band needs a reference, there is none")
        if abs(price - reference) > reference * instrument.price_band:
            band = instrument.price_band
            return Broken("venue.price_band", f"price must be within {band} of {reference}, was {price}")
    return None


def broken_session(status: TradingStatus | None, *, assume_open: bool) -> Broken | None:
    """Return what keeps an order out of the session, None when it is open."""
    if status is None:
        return None if assume_open else Broken("venue.session_unknown", "the instrument's status is not known")
    if status is TradingStatus.HALTED:
        return Broken("venue.halted", "trading is halted")
    if status is TradingStatus.AUCTION:
        return Broken("venue.auction", "orders are not taken in an auction")
    if status is TradingStatus.CLOSED:
        return Broken("venue.closed", "the session is closed")
    return None
