"""What the account must hold for an order: shares to sell short, cash, margin (SV-08, SV-13, SV-14)."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from tradeworthy.trading.model import InstrumentKind, Side
from tradeworthy.trading.simulation.account import Account
from tradeworthy.trading.simulation.margin import initial_margin, maintenance_margin, rates_at
from tradeworthy.trading.simulation.market import Market
from tradeworthy.trading.simulation.rules import Broken, VenueRules
from tradeworthy.trading.simulation.venue_order import VenueOrder

_CASH = frozenset({InstrumentKind.SPOT, InstrumentKind.EQUITY})


def broken_credit(
    order: VenueOrder, market: Market, account: Account, rules: VenueRules, working: Iterable[VenueOrder],
    markets: Mapping[str, Market],
) -> Broken | None:
    """Return the rule of the account that the order breaks, None when it is covered; open orders count as filled."""
    instrument = market.instrument
    if instrument.kind is not InstrumentKind.EQUITY and not account.funded:
        return None
    others = tuple(working)
    name = order.instrument
    held = account.positions.get(name, 0)
    same_side = sum(o.leaves for o in others if o.instrument == name and o.side is order.side) + order.leaves
    if instrument.kind is InstrumentKind.EQUITY and order.side is Side.SELL:
        short = same_side - max(held, 0) + max(-held, 0)
        located = rules.locates.get(name, 0)
        if short > located:
            return Broken("venue.no_locate", f"{short} lots would be short, {located} are located")
    if not account.funded:
        return None
    if instrument.kind in _CASH:
        return _broken_balance(order, market, account, others, markets)
    return _broken_margin(order, market, account, rules, held + same_side * order.side, markets)


def equity_below_maintenance(
    market: Market, account: Account, rules: VenueRules, markets: Mapping[str, Market]
) -> bool:
    """Tell whether the equity in the settlement currency fell below what its positions must maintain."""
    currency = market.instrument.settlement
    equity = _equity(currency, account, markets)
    if equity is None:
        return False
    needed = Decimal(0)
    for other, notional in _exposures(currency, account, markets):
        tiers = rules.tiers.get(other.instrument.instrument_id, ())
        needed += maintenance_margin(notional, rates_at(other.instrument, tiers, notional)) or Decimal(0)
    return equity < needed


def _broken_balance(
    order: VenueOrder, market: Market, account: Account, others: tuple[VenueOrder, ...], markets: Mapping[str, Market]
) -> Broken | None:
    instrument = market.instrument
    if order.side is Side.SELL:
        if instrument.kind is InstrumentKind.EQUITY:
            return None
        wanted = sum(
            (
                markets[o.instrument].instrument.quantity(o.leaves)
                for o in (*others, order)
                if o.side is Side.SELL and markets[o.instrument].instrument.base == instrument.base
                and markets[o.instrument].instrument.kind is InstrumentKind.SPOT
            ),
            Decimal(0),
        )
        available = account.balances.get(instrument.base, Decimal(0))
        currency = instrument.base
    else:
        wanted = Decimal(0)
        for o in (*others, order):
            other = markets[o.instrument]
            if o.side is Side.SELL or other.instrument.kind not in _CASH or other.instrument.quote != instrument.quote:
                continue
            price = o.price or o.trigger or other.best(Side.SELL) or other.reference
            if price is None:
                return Broken("venue.reference_unknown", "the balance rule needs a price, there is none")
            wanted += other.instrument.notional(price, o.leaves)
        available = account.spendable(instrument.quote)
        currency = instrument.quote
    if wanted > available:
        return Broken("venue.balance", f"{wanted} {currency} wanted with open orders, {available} available")
    return None


def _broken_margin(
    order: VenueOrder, market: Market, account: Account, rules: VenueRules, projected: int,
    markets: Mapping[str, Market],
) -> Broken | None:
    instrument = market.instrument
    name = instrument.instrument_id
    if abs(projected) <= abs(account.positions.get(name, 0)):
        return None
    price = order.price or market.reference
    equity = _equity(instrument.settlement, account, markets)
    if price is None or equity is None:
        return Broken("venue.reference_unknown", "the margin rule needs a price, there is none")
    needed = Decimal(0)
    own = _notional(market, projected, price)
    for other, notional in (*_exposures(instrument.settlement, account, markets, but=name), (market, own)):
        tiers = rules.tiers.get(other.instrument.instrument_id, ())
        needed += initial_margin(notional, rates_at(other.instrument, tiers, notional), rules.leverage)
    if needed > equity:
        return Broken("venue.margin", f"initial margin {needed} {instrument.settlement}, equity {equity}")
    return None


def _equity(currency: str, account: Account, markets: Mapping[str, Market]) -> Decimal | None:
    """Return wallet plus open profit in one currency; None when a position has no price."""
    equity = account.balances.get(currency, Decimal(0))
    for name, lots in account.positions.items():
        market = markets[name]
        if not lots or market.instrument.settlement != currency or market.instrument.kind in _CASH:
            continue
        price = market.reference
        if price is None:
            return None
        equity += account.unrealized(market.instrument, price)
    return equity


def _exposures(
    currency: str, account: Account, markets: Mapping[str, Market], *, but: str | None = None
) -> Iterable[tuple[Market, Decimal]]:
    for name, lots in account.positions.items():
        market = markets[name]
        price = market.reference
        if not lots or name == but or not price or market.instrument.kind in _CASH:
            continue
        if market.instrument.settlement == currency:
            yield market, _notional(market, lots, price)


def _notional(market: Market, lots: int, price: int) -> Decimal:
    notional = market.instrument.notional(price, lots)
    return notional / market.instrument.price(price) if market.instrument.inverse else notional
