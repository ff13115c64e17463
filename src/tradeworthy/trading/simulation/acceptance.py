"""Which orders and amendments the venue takes in: session, form, account, and what would trade at once (SV-08)."""

from collections.abc import Container, Mapping

from tradeworthy.trading.model import OrderType, SubmitOrder
from tradeworthy.trading.simulation.account import Account
from tradeworthy.trading.simulation.bars import BarMarket
from tradeworthy.trading.simulation.credit import broken_credit
from tradeworthy.trading.simulation.market import Market
from tradeworthy.trading.simulation.rules import Broken, VenueRules, broken_form, broken_session
from tradeworthy.trading.simulation.venue_order import VenueOrder


class Acceptance:
    """Judge what arrives against the venue's rules, on the venue's own orders, account and markets.

    held  signed lots by (instance, instrument): each instance trades a sub-account
    """

    __slots__ = ("_account", "_ended", "_held", "_markets", "_orders", "_rules")

    def __init__(
        self, rules: VenueRules, account: Account, markets: Mapping[str, Market], orders: Mapping[str, VenueOrder],
        ended: Container[str], held: Mapping[tuple[str, str], int],
    ) -> None:
        self._rules, self._account, self._markets = rules, account, markets
        self._orders, self._ended, self._held = orders, ended, held

    def submit(self, command: SubmitOrder, ts: int) -> Broken | None:
        """Return the first rule that a new order breaks, None when it is taken."""
        market = self._markets.get(command.instrument)
        if market is None:
            return Broken("venue.unknown_instrument", f"no instrument {command.instrument}")
        if command.client_order_id in self._orders or command.client_order_id in self._ended:
            return Broken("venue.duplicate_client_id", f"{command.client_order_id} was used before")
        broken = broken_session(market.status, assume_open=self._rules.assume_open) or broken_form(
            market.instrument, type=command.type, lots=command.lots, price=command.price, trigger=command.trigger,
            trigger_by=command.trigger_by, reduce_only=command.reduce_only, reference=market.reference,
            index=market.index, ts=ts,
        )
        if broken is not None:
            return broken
        if len(self._orders) >= self._rules.open_orders_max:
            return Broken("venue.open_orders", f"at most {self._rules.open_orders_max} open orders")
        order = VenueOrder(command, 0, "", 0)
        if order.reduce_only:
            if self.reducible(order) <= 0:
                return Broken("venue.reduce_only", "there is no position to reduce")
        else:
            self._account.settle(ts)
            broken = broken_credit(order, market, self._account, self._rules, self._orders.values(), self._markets)
            if broken is not None:
                return broken
        if order.trigger is None and order.post_only and market.crosses(order):
            return Broken("venue.post_only_crosses", f"price {order.price} would trade at once")
        if (
            order.type is OrderType.MARKET and not isinstance(market, BarMarket)
            and market.best(order.side.opposite) is None
        ):
            return Broken("venue.no_market", "there is no price to trade at")
        return None

    def amend(self, order: VenueOrder, price: int | None, lots: int, ts: int) -> Broken | None:
        """Return the first rule that an open order would break at `price` and `lots`, None when it may change."""
        market = self._markets[order.instrument]
        if order.price is None and price is not None:
            return Broken("venue.not_priced", f"a {order.type.value} order has no price to amend")
        if lots <= order.cum:
            return Broken("venue.lots_below_filled", f"lots must be above the filled {order.cum}, was {lots}")
        broken = broken_session(market.status, assume_open=self._rules.assume_open) or broken_form(
            market.instrument, type=order.type, lots=lots, price=price, trigger=order.trigger or 1,
            trigger_by=order.trigger_by, reduce_only=order.reduce_only, reference=market.reference,
            index=market.index, ts=ts,
        )
        if broken is not None:
            return broken
        before = order.price, order.lots
        order.price, order.lots = price, lots  # judged as it would be, put back below
        if order.trigger is None and order.post_only and market.crosses(order):
            broken = Broken("venue.post_only_crosses", f"price {price} would trade at once")
        elif not order.reduce_only:
            self._account.settle(ts)
            others = [other for other in self._orders.values() if other is not order]
            broken = broken_credit(order, market, self._account, self._rules, others, self._markets)
        order.price, order.lots = before
        return broken

    def reducible(self, order: VenueOrder) -> int:
        """Return the lots by which this order may reduce the position of its instance."""
        return max(0, -self._held.get((order.instance, order.instrument), 0) * order.side)
