"""Where the day's profit came from: prices, spread, fees, funding (AC-07)."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.ledger.accounts import ZERO
from tradeworthy.trading.model.instrument import NANOS, Instrument
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import FillBooked

MINOR_UNIT = Decimal("0.01")
RESIDUAL_FAIL = Decimal("0.0001")
"""Residual as a fraction of equity that fails: 1 bp."""


class Explained(msgspec.Struct, frozen=True):
    """A day's profit by source, quote currency; flows stand apart from it."""

    price_move: Decimal
    captured_spread: Decimal
    fees: Decimal
    funding: Decimal
    borrow: Decimal
    currency: Decimal
    flows: Decimal
    residual: Decimal
    severity: Severity
    dividends: Decimal = ZERO


class ExplainedLine(msgspec.Struct, frozen=True):
    """One instrument's share of the sources."""

    instrument: str
    price_move: Decimal
    captured_spread: Decimal
    fees: Decimal
    funding: Decimal


class Explainer:
    """Folds marks and bookings of one instance in linear instruments; each is a source by instrument as well."""

    __slots__ = ("_instruments", "_lots", "_mids2", "borrow", "currency", "dividends", "fees", "flows", "funding",
                 "move2", "spread2")  # fmt: skip

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments
        self._mids2: dict[str, int | Decimal] = {}
        self._lots: dict[str, int] = {}
        self.begin()

    def begin(self) -> None:
        """Begin a day: sources count from zero, positions and their last mids stay."""
        self.move2: dict[str, int | Decimal] = {}  # doubled nanos by instrument
        self.spread2: dict[str, int] = {}
        self.fees: dict[str, Decimal] = {}
        self.funding: dict[str, Decimal] = {}
        self.borrow = self.currency = self.flows = self.dividends = ZERO

    def mark(self, instrument: str, mid2: int) -> None:
        """Move the held lots to a new doubled mid."""
        before = self._mids2.get(instrument)
        lots = self._lots.get(instrument, 0)
        self._mids2[instrument] = mid2
        if before is not None and lots:
            gain2 = lots * (mid2 - before) * self._instruments[instrument].value_nanos
            self.move2[instrument] = self.move2.get(instrument, 0) + gain2

    def fill(self, booked: FillBooked, fee: Decimal) -> None:
        """Take a booked fill; its distance to the mid is captured spread. Without a mid the price stands for it."""
        name = booked.instrument
        mid2 = 2 * booked.price if booked.mid is None else int(2 * booked.mid)
        self.mark(name, mid2)
        signed = booked.lots if booked.side is Side.BUY else -booked.lots
        gain2 = signed * (mid2 - 2 * booked.price) * self._instruments[name].value_nanos
        self.spread2[name] = self.spread2.get(name, 0) + gain2
        self._lots[name] = self._lots.get(name, 0) + signed
        self.fees[name] = self.fees.get(name, ZERO) - fee

    def hold(self, instrument: str, lots: int) -> None:
        """Begin with a position that an earlier run left, at the last mid."""
        self._lots[instrument] = lots

    def fund(self, instrument: str, amount: Decimal) -> None:
        """Take funding received, negative when paid."""
        self.funding[instrument] = self.funding.get(instrument, ZERO) + amount

    def split(self, instrument: str, new: int, old: int) -> None:
        """Scale the held lots by a split, and their last mid the other way: no value moves."""
        self._lots[instrument] = self._lots.get(instrument, 0) * new // old
        if instrument in self._mids2:
            self._mids2[instrument] = Decimal(self._mids2[instrument]) * old / new

    def lines(self) -> tuple[ExplainedLine, ...]:
        """Return the sources by instrument, in the order of their names."""
        names = sorted({*self.move2, *self.spread2, *self.fees, *self.funding})
        return tuple(
            ExplainedLine(
                name, Decimal(self.move2.get(name, 0)) / (2 * NANOS), Decimal(self.spread2.get(name, 0)) / (2 * NANOS),
                self.fees.get(name, ZERO), self.funding.get(name, ZERO),
            )
            for name in names
        )

    def explain(self, equity_open: Decimal, equity_now: Decimal) -> Explained:
        """Compare the sources with the change of equity; what no source explains is the residual."""
        move = Decimal(sum(self.move2.values())) / (2 * NANOS)
        spread = Decimal(sum(self.spread2.values())) / (2 * NANOS)
        fees, funding = sum(self.fees.values(), ZERO), sum(self.funding.values(), ZERO)
        known = move + spread + fees + funding - self.borrow + self.currency + self.dividends
        residual = equity_now - equity_open - self.flows - known
        return Explained(
            move, spread, fees, funding, -self.borrow, self.currency, self.flows, residual,
            _judge(abs(residual), equity_now), self.dividends,
        )  # fmt: skip


def _judge(residual: Decimal, equity: Decimal) -> Severity:
    if residual > RESIDUAL_FAIL * abs(equity):
        return Severity.FAIL
    return Severity.WARN if residual > MINOR_UNIT else Severity.OK
