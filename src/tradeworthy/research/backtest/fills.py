"""A fill with the mids around it, and the formulas that judge it (section 16).

Mids are doubled ticks (bid + ask), so they are exact. Rates are fractions of the mid at the fill.
"""

from collections import deque
from decimal import Decimal

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import Liquidity

HORIZONS_S = (1, 5, 30, 300)
HORIZONS_NS = tuple(h * NANOS_PER_SECOND for h in HORIZONS_S)
NEVER = 1 << 62


def capture(side: int, price: int, mid2: int) -> float:
    """Return s(mid - price)/mid: what the fill gained against the mid at its time."""
    return side * (mid2 - 2 * price) / mid2


def adverse(side: int, mid2: int, later2: int) -> float:
    """Return s(mid - later mid)/mid: positive when the market moved against the fill."""
    return side * (mid2 - later2) / mid2


def markout(side: int, price: int, mid2: int, later2: int) -> float:
    """Return capture less adverse selection: the fill's gain at the later mid."""
    return capture(side, price, mid2) - adverse(side, mid2, later2)


class FillRecord:
    """One fill; `mid2` and `spread` are None without a quoted book, a later mid is None while its horizon is open.

    notional   absolute quote value;  fee in quote currency, None when unknown
    regime     the label its instance held, None without one
    """

    __slots__ = (
        "fee", "instance", "instrument", "later2", "level", "liquidity", "lots", "mid2", "notional", "price",
        "realized", "regime", "side", "spread", "trade_id", "ts",
    )

    def __init__(
        self, *, ts: int, instrument: str, instance: str, side: Side, lots: int, price: int, liquidity: Liquidity,
        notional: Decimal, fee: Decimal | None = None, realized: Decimal = Decimal(0), level: int | None = None,
        mid2: int | None = None, spread: int | None = None, regime: str | None = None,
        trade_id: str = "",
    ) -> None:
        self.ts = ts
        self.instrument = instrument
        self.instance = instance
        self.side = side
        self.lots = lots
        self.price = price
        self.liquidity = liquidity
        self.notional = notional
        self.fee = fee
        self.realized = realized
        self.level = level
        self.mid2 = mid2
        self.spread = spread
        self.regime = regime
        self.trade_id = trade_id
        self.later2: list[int | None] = [None] * len(HORIZONS_NS)

    @property
    def capture(self) -> float | None:
        return None if self.mid2 is None else capture(self.side, self.price, self.mid2)

    def adverse(self, horizon: int) -> float | None:
        """Return the adverse selection at the horizon of this index, None while open or without a mid."""
        later2 = self.later2[horizon]
        return None if self.mid2 is None or later2 is None else adverse(self.side, self.mid2, later2)


class MidWatch:
    """Give waiting fills of one instrument the mid in force exactly at each horizon."""

    __slots__ = ("_waiting", "due")

    def __init__(self) -> None:
        self.due = NEVER
        self._waiting: tuple[deque[tuple[int, FillRecord]], ...] = tuple(deque() for _ in HORIZONS_NS)

    def add(self, fill: FillRecord) -> None:
        """Wait for the four mids after `fill`."""
        for nanos, queue in zip(HORIZONS_NS, self._waiting, strict=True):
            queue.append((fill.ts + nanos, fill))
        self.due = min(self.due, fill.ts + HORIZONS_NS[0])

    def settle(self, ts: int, mid2: int) -> None:
        """Hand out `mid2`, in force until `ts`, to every horizon that ended before `ts`."""
        due = NEVER
        for index, queue in enumerate(self._waiting):
            while queue and queue[0][0] < ts:
                queue.popleft()[1].later2[index] = mid2
            if queue and queue[0][0] < due:
                due = queue[0][0]
        self.due = due
