"""What fills made of positions: round trips, holding times, gains and losses, and the time with a position."""

from decimal import Decimal

from tradeworthy.research.backtest.statistics import HoldingQueue
from tradeworthy.trading.model.order import FillBooked, Liquidity


class PositionRecords:
    """Fold fills; times in nanoseconds, money in base currency. A close is a fill that reduces a position."""

    __slots__ = (
        "_exposed", "_exposed_since", "_holdings", "closes", "exposed_ns", "fills", "gains", "held_lot_ns", "held_lots",
        "held_ns_max", "losses", "lots", "makers", "wins",
    )

    def __init__(self) -> None:
        self.fills = self.makers = self.lots = 0
        self.closes = self.wins = 0
        self.gains = Decimal(0)
        self.losses = Decimal(0)
        self.held_lot_ns = self.held_lots = self.held_ns_max = 0
        self.exposed_ns = 0
        self._exposed_since = 0
        self._exposed = 0
        self._holdings: dict[tuple[str, str], HoldingQueue] = {}

    def add(self, ts: int, fill: FillBooked) -> None:
        """Take up one fill."""
        self.fills += 1
        self.makers += fill.liquidity is Liquidity.MAKER
        self.lots += fill.lots
        closed = self._holdings.setdefault((fill.instance, fill.instrument), HoldingQueue()).add(
            ts, fill.side * fill.lots
        )
        for nanos, lots in closed:
            self.held_lot_ns += nanos * lots
            self.held_lots += lots
            self.held_ns_max = max(self.held_ns_max, nanos)
        if closed:
            self.closes += 1
            if fill.realized > 0:
                self.wins += 1
                self.gains += fill.realized
            else:
                self.losses -= fill.realized

    def split(self, instrument: str, new: int, old: int) -> None:
        """Scale the open parts of an instrument."""
        for (_, name), holdings in self._holdings.items():
            if name == instrument:
                holdings.split(new, old)

    def expose(self, ts: int, before: int, after: int) -> None:
        """Note that an instrument's position went from `before` to `after` lots."""
        if before == 0 and after:
            if self._exposed == 0:
                self._exposed_since = ts
            self._exposed += 1
        elif before and after == 0:
            self._exposed -= 1
            if self._exposed == 0:
                self.exposed_ns += ts - self._exposed_since

    def finish(self, now: int) -> None:
        """Count an open position's time up to `now`."""
        if self._exposed:
            self.exposed_ns += now - self._exposed_since
            self._exposed_since = now
