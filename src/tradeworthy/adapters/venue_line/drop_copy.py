"""The drop copy: orders and positions told by the venue's reports alone, apart from its book (KS-06)."""

from collections.abc import Iterable

from tradeworthy.trading.model import ExecReport, ReportType

_R = ReportType
_ENDS = frozenset({_R.CANCELLED, _R.EXPIRED, _R.REJECTED, _R.ABSENT})


TRADES_KEPT_MAX = 200_000
"""Trade ids by which a repeated fill is known; a query repeats the fills of recent orders only."""


class DropCopy:
    """Fold each report once; a report that a query repeats is known by its trade id or changes nothing."""

    def __init__(self) -> None:
        self._open: dict[str, None] = {}
        self._trades: dict[str, None] = {}
        self._positions: dict[str, int] = {}

    def hold(self, positions: Iterable[tuple[str, int]]) -> None:
        """Begin with positions from before the copy: `(instrument, signed lots)`."""
        for name, lots in positions:
            self._positions[name] = self._positions.get(name, 0) + lots

    def on_report(self, report: ExecReport, ts: int) -> None:
        """Fold one report."""
        name, kind = report.client_order_id, report.type
        if kind is _R.FILL:
            if report.trade_id is not None and report.trade_id not in self._trades and report.side is not None:
                self._trades[report.trade_id] = None
                if len(self._trades) > TRADES_KEPT_MAX:
                    del self._trades[next(iter(self._trades))]
                held = self._positions.get(report.instrument, 0)
                self._positions[report.instrument] = held + report.lots * report.side
            if report.leaves_lots == 0:
                self._open.pop(name, None)
        elif kind in _ENDS and report.venue_order_id is not None:
            self._open.pop(name, None)
        elif kind is _R.ACKNOWLEDGED and report.code is None:
            self._open[name] = None

    @property
    def open(self) -> tuple[str, ...]:
        """Client order ids of the orders that the copy holds for open, oldest first."""
        return tuple(self._open)

    @property
    def positions(self) -> dict[str, int]:
        """Signed lots by instrument, without the flat ones."""
        return {name: lots for name, lots in sorted(self._positions.items()) if lots}
