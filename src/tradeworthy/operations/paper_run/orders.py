"""What was traded, by symbol and side, as the ledger booked it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from tradeworthy.operations.paper_run.model import OrderLine, OrderSummary
from tradeworthy.trading.model import Instrument
from tradeworthy.trading.model.order import FillBooked


class _Line:
    """Running totals of one symbol and side."""

    def __init__(self, at: datetime) -> None:
        self.fills = self.lots = 0
        self.notional = self.fee = Decimal(0)
        self.fees_told = True
        self.first_at = self.last_at = at


class Orders:
    """Fold booked fills; a bust or correction is counted, its lots stay out as they are no fill of their own."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments
        self._lines: dict[tuple[str, str], _Line] = {}
        self.fills = self.restatements = 0

    def take(self, fill: FillBooked, at: datetime) -> None:
        """Take one booked fill."""
        if fill.lots <= 0:
            self.restatements += 1
            return
        self.fills += 1
        line = self._lines.setdefault((fill.instrument, fill.side.name.lower()), _Line(at))
        line.fills += 1
        line.lots += fill.lots
        line.notional += self._instruments[fill.instrument].notional(fill.price, fill.lots)
        line.last_at = at
        if fill.fee is None:
            line.fees_told = False
        else:
            line.fee += fill.fee

    def summary(self) -> OrderSummary | None:
        """Return the summary, None while nothing was filled."""
        if not self._lines:
            return None
        lines = tuple(self._line(symbol, side, one) for (symbol, side), one in sorted(self._lines.items()))
        return OrderSummary(
            self.fills, self.restatements, min(one.first_at for one in lines), max(one.last_at for one in lines), lines
        )

    def _line(self, symbol: str, side: str, one: _Line) -> OrderLine:
        instrument = self._instruments[symbol]
        return OrderLine(
            symbol, side, one.fills, instrument.quantity(one.lots), one.notional, instrument.quote,
            one.fee if one.fees_told else None, one.first_at, one.last_at,
        )  # fmt: skip
