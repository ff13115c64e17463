"""What a run knows of one instance, and what an earlier run of the desk brought forward."""

from collections.abc import Mapping
from decimal import Decimal

from tradeworthy.research.backtest.instrument_record import InstrumentRecord
from tradeworthy.trading.restoring import DeskRestored


class InstanceRecord:
    """One instance's totals in quote currency: trade cash in half nanos, signed lots by instrument."""

    __slots__ = ("cash2", "fees", "fills", "funding", "positions")

    def __init__(self) -> None:
        self.cash2 = 0
        self.fees = Decimal(0)
        self.funding = Decimal(0)
        self.fills = 0
        self.positions: dict[str, int] = {}


def bring_forward(
    memory: DeskRestored, instruments: Mapping[str, InstrumentRecord], instances: dict[str, InstanceRecord]
) -> list[int]:
    """Open the positions that an earlier run left, at their last prices; return each instrument's signed lots."""
    for price in memory.prices:
        if price.instrument in instruments:
            instruments[price.instrument].mid2 = price.mid2
    for held in memory.positions:
        record = instruments[held.instrument]
        instance = instances.setdefault(held.instance, InstanceRecord())
        instance.positions[held.instrument] = held.lots
        instance.cash2 -= held.lots * record.mid2 * record.value
        record.position += held.lots
    return [record.position for record in instruments.values()]
