"""The stops that a measured value sets: is it back inside its limit, and who watches for it again (KS-09)."""

from tradeworthy.trading.carrying import CarryMonitors
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.instance_watch import InstanceWatch
from tradeworthy.trading.risk.monitors import DeskLosses


class LossStops:
    """Ask the monitors of losses and margin about a stop of theirs; other stops have no value to be inside of."""

    __slots__ = ("_carry", "_losses", "_watch")

    def __init__(self, losses: DeskLosses, watch: InstanceWatch, carry: CarryMonitors | None) -> None:
        self._losses, self._watch, self._carry = losses, watch, carry

    def outside(self, reason: HeldReason) -> str | None:
        """Tell how the value still lies outside its limit, None where it is back or where there is none."""
        if reason.owner != "risk":
            return None
        kind, _, name = reason.scope.partition(":")
        if reason.scope == "desk":
            return self._losses.outside(reason.code)
        if kind == "strategy":
            return self._watch.outside(name, reason.code)
        return None if self._carry is None else self._carry.margin.outside(reason.scope, reason.code)

    def rearmed(self, reason: HeldReason) -> None:
        """Have the monitor tell the stop again when its limit is reached again."""
        kind, _, name = reason.scope.partition(":")
        if reason.owner != "risk":
            return
        if reason.scope == "desk":
            self._losses.rearm()
        elif kind == "strategy":
            self._watch.rearm(name)
