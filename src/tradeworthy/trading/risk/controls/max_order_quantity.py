"""RK-06: the quantity of one order; an instrument without a limit is not tradable."""

from collections.abc import Iterable

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.model import Instrument, Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control


class MaxOrderQuantity(Control):
    """Cap an order's lots; raises `ConfigurationRefused` naming an instrument without `max_order_lots`."""

    __slots__ = ("_limits",)
    code = "risk.max_order_quantity"
    scales = True
    slices = True

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._limits: dict[str, int] = {}
        for instrument in instruments:
            if instrument.max_order_lots is None:
                raise ConfigurationRefused(f"{instrument.instrument_id}: max_order_lots is required, was absent")
            self._limits[instrument.instrument_id] = instrument.max_order_lots

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Compare the order's lots with the cap; equality passes."""
        limit = self._limits[intent.instrument]
        return None if intent.lots <= limit else Violation(self.code, f"{intent.lots} lots", f"{limit} lots")

    def cap_lots(self, intent: Intent, ctx: RiskContext) -> int | None:
        """Return the cap."""
        return self._limits[intent.instrument]
