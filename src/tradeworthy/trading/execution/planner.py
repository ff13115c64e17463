"""From a strategy's wish to intents and cancels: only the difference is traded, only what moved is replaced."""

from collections.abc import Mapping

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.trading.execution.orders import Order, WorkingOrders
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import (
    CancelOrder,
    Intent,
    OrderType,
    PositionTarget,
    QuoteTarget,
    Refresh,
    Targets,
)

DIRECTIONAL = -1
"""Level of orders that move a position to its target."""
Plan = tuple[list[Intent], list[CancelOrder]]


class PlanPolicy(msgspec.Struct, frozen=True):
    """Lifetime of an intent that follows a target (MO-04), nanoseconds."""

    intent_ttl_ns: int = 60 * NANOS_PER_SECOND


def plan(
    instance: str, targets: Targets, *, owner: str, decision_id: str, positions: Mapping[str, int],
    orders: WorkingOrders, now: int, policy: PlanPolicy,
) -> Plan:  # fmt: skip
    """Return the intents and cancels that bring positions and quotes to `targets`.

    positions  signed lots of the instance by instrument id, a missing one is flat

    A flip is one intent that is not reduce-only: risk parts its closing from its opening lots. A slot that holds a
    live order gets no new one; what should not rest there is cancelled and replaced at a later decision.
    """
    intents: list[Intent] = []
    cancels: list[CancelOrder] = []
    expires_at = now + policy.intent_ttl_ns
    for target in targets.positions:
        _position(instance, target, owner, decision_id, positions.get(target.instrument, 0), orders, expires_at,
                  intents, cancels)  # fmt: skip
    if targets.quotes is not None:
        _quotes(instance, targets.quotes, targets.refresh, owner, decision_id, orders, now, expires_at,
                intents, cancels)  # fmt: skip
    return intents, cancels


def withdraw(instance: str, orders: WorkingOrders, reason: str) -> list[CancelOrder]:
    """Return the cancels that take every quote of the instance off the market."""
    return [
        CancelOrder(order.client_order_id, order.instrument, reason)
        for order in orders.live(instance)
        if order.level >= 0 and not order.cancel_sent
    ]


def _position(
    instance: str, target: PositionTarget, owner: str, decision_id: str, held: int, orders: WorkingOrders,
    expires_at: int, intents: list[Intent], cancels: list[CancelOrder],
) -> None:  # fmt: skip
    wanted = target.lots - held
    instrument = target.instrument
    working = 0
    resting: list[Order] = []
    for order in orders.live(instance):
        if order.level == DIRECTIONAL and order.instrument == instrument:
            working += order.side * order.leaves
            resting.append(order)
    if wanted == working:
        return
    if resting:
        cancels += [
            CancelOrder(order.client_order_id, instrument, "strategy.target_moved")
            for order in resting
            if order.settled
        ]
        return
    side = Side.BUY if wanted > 0 else Side.SELL
    reduces = held * wanted < 0 and abs(wanted) <= abs(held)
    intents.append(
        Intent(
            f"{decision_id}:{len(intents)}", owner, instance, target.reason, decision_id, instrument, side,
            abs(wanted), expires_at, reduce_only=reduces, stop=None if reduces else target.stop,
        )
    )


def _quotes(
    instance: str, quotes: tuple[QuoteTarget, ...], refresh: Refresh | None, owner: str, decision_id: str,
    orders: WorkingOrders, now: int, expires_at: int, intents: list[Intent], cancels: list[CancelOrder],
) -> None:  # fmt: skip
    wanted = {(instance, quote.instrument, quote.level, quote.side, 0): quote for quote in quotes}
    for order in orders.live(instance):
        if order.level < 0 or order.cancel_sent:
            continue
        quote = wanted.get(order.slot)
        if quote is None:
            cancels.append(CancelOrder(order.client_order_id, order.instrument, "strategy.withdrawn"))
        elif order.settled and _outdated(order, quote, refresh, now):
            cancels.append(CancelOrder(order.client_order_id, order.instrument, "strategy.replaced"))
    gap = 0 if refresh is None else refresh.level_gap_ns
    for slot, quote in wanted.items():
        last = orders.last_created(slot)
        if orders.in_slot(slot) is None and (last is None or now - last >= gap):
            intents.append(
                Intent(
                    f"{decision_id}:{len(intents)}", owner, instance, quote.reason, decision_id, quote.instrument,
                    quote.side, quote.lots, expires_at, OrderType.LIMIT, price=quote.price, post_only=True,
                    level=quote.level,
                )
            )


def _outdated(order: Order, quote: QuoteTarget, refresh: Refresh | None, now: int) -> bool:
    """Tell whether a resting quote is to be replaced: it moved or changed size, and it is old enough (MM-08)."""
    moved = abs((order.price or 0) - quote.price)
    if refresh is None:
        return moved > 0 or order.lots != quote.lots
    if moved <= refresh.keep_ticks and order.lots == quote.lots:
        return False
    return now - order.created_at >= max(refresh.interval_ns, refresh.age_min_ns, refresh.level_gap_ns)
