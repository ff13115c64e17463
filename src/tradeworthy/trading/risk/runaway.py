"""RK-13: a strategy that sends far more orders than it should, or mostly rejected ones, is paused or stopped."""

from collections import deque
from math import sqrt

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.model import GuardLevel, GuardReason
from tradeworthy.trading.risk.policy import RiskPolicy

MINUTE = 60 * NANOS_PER_SECOND
ORDERS_KEPT = 10_000
"""Bound of one instance's orders of a minute; the venue's message budget lies far below."""


@fact("risk.order_anomaly")
class OrderAnomalyFound(Fact, frozen=True):
    """A minute's orders of one instance are unusual: WARN. `score` in standard deviations of the minutes before."""

    instance: str
    orders: int
    score: float
    minutes: int


class _Minutes:
    """One instance: stamps of the last minute's orders and rejects, and orders of the whole minutes before."""

    __slots__ = ("count", "orders", "rejects", "whole")

    def __init__(self, kept: int) -> None:
        self.orders: deque[int] = deque(maxlen=ORDERS_KEPT)
        self.rejects: deque[int] = deque(maxlen=ORDERS_KEPT)
        self.whole: deque[int] = deque(maxlen=kept)
        self.count = 0


class Runaway:
    """Count orders and rejections of each instance; a fresh minute is compared with the minutes before it.

    The usual p99 of orders a minute is told from outside, out of the last sessions; where nobody told it, the first
    rule rests. With fewer minutes than the minimum the score is unknown and judges nothing.
    """

    __slots__ = ("_instances", "_p99", "_policy")

    def __init__(self, policy: RiskPolicy) -> None:
        self._policy = policy
        self._instances: dict[str, _Minutes] = {}
        self._p99: dict[str, int] = {}

    def set_usual(self, instance: str, p99_per_minute: int) -> None:
        """Take the p99 of orders a minute over the last sessions."""
        self._p99[instance] = p99_per_minute

    def on_order(self, instance: str, ts: int) -> tuple[GuardReason, ...]:
        """Count one new order; return the pause at the limit."""
        minutes = self._of(instance)
        minutes.count += 1
        minutes.orders.append(ts)
        return self._judge(instance, minutes, ts)

    def on_reject(self, instance: str, ts: int) -> tuple[GuardReason, ...]:
        """Count one rejection by the venue."""
        minutes = self._of(instance)
        minutes.rejects.append(ts)
        return self._judge(instance, minutes, ts)

    def on_minute(self, ts: int) -> tuple[GuardReason | OrderAnomalyFound, ...]:
        """Judge the minute that ends at `ts` for every instance; call it once a minute of event time."""
        found: list[GuardReason | OrderAnomalyFound] = []
        for instance, minutes in self._instances.items():
            score = self.score(instance)
            orders, known = minutes.count, len(minutes.whole)
            minutes.whole.append(orders)
            minutes.count = 0
            if score is None or score < self._policy.anomaly_warn:
                continue
            if score >= self._policy.anomaly_stop:
                evidence = f"{orders} orders in a minute, {score:.2f} deviations above {known} minutes"
                scope = f"strategy:{instance}"
                found.append(GuardReason("risk", "order_anomaly", GuardLevel.STOPPED, scope, evidence=evidence))
            else:
                found.append(OrderAnomalyFound(instance, orders, round(score, 6), known))
        return tuple(found)

    def score(self, instance: str) -> float | None:
        """Return how unusual the running minute is; None while too few minutes are known.

        The deviation counts as one order at least: a strategy that never varied is not stopped for a second order.
        """
        minutes = self._instances[instance]
        known = len(minutes.whole)
        if known < self._policy.anomaly_windows_min:
            return None
        mean = sum(minutes.whole) / known
        deviation = sqrt(sum((count - mean) ** 2 for count in minutes.whole) / known)
        return (minutes.count - mean) / max(1.0, deviation)

    def _of(self, instance: str) -> _Minutes:
        minutes = self._instances.get(instance)
        if minutes is None:
            minutes = self._instances[instance] = _Minutes(self._policy.anomaly_windows)
        return minutes

    def _judge(self, instance: str, minutes: _Minutes, ts: int) -> tuple[GuardReason, ...]:
        for stamps in (minutes.orders, minutes.rejects):
            while stamps and ts - stamps[0] >= MINUTE:
                stamps.popleft()
        orders, rejects = len(minutes.orders), len(minutes.rejects)
        usual = self._p99.get(instance)
        policy = self._policy
        if usual is not None and orders > policy.runaway_multiple * usual:
            evidence = f"{orders} orders in a minute, above {policy.runaway_multiple} times {usual}"
        elif orders >= policy.runaway_orders and rejects >= orders * policy.runaway_rejects:
            evidence = f"{orders} orders in a minute, {rejects} rejected"
        else:
            return ()
        return (GuardReason("risk", "runaway", GuardLevel.PAUSED, f"strategy:{instance}", evidence=evidence),)
