"""Equity in integers, moved by each mark: what the desk reads on every quote and bar.

Equity of cash, held assets and contracts is linear in each mark, so one weight an instrument is enough: a mark that
moves changes the desk's equity by weight times move. Inverse contracts are linear too once told in quote currency:
`-lots x face - cost x price`. Amounts are kept in 1e-18 of the base currency, fine enough for a tick times a
quantity to be whole, and told in nanos.
"""

from collections.abc import Mapping
from decimal import Decimal

from tradeworthy.trading.model.instrument import Instrument, InstrumentKind
from tradeworthy.trading.model.state import Unknown

_SCALE = Decimal("1e18")
_VALUE_SCALE = 10**9  # 1e-18 a nano
_DOUBLE_NANO = 2 * 10**9  # marks come doubled


class _Line:
    """One instrument: desk-wide weight (1e-18 base currency a tick) and the last doubled mark."""

    __slots__ = ("instrument_id", "mid2", "unit", "weight")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument_id = instrument.instrument_id
        self.unit = instrument.tick * instrument.multiplier * _SCALE  # weight of one unit of the base asset
        self.weight = 0
        self.mid2: int | None = None


class _Part:
    """One instance: doubled cash and its share of each line's weight."""

    __slots__ = ("cash2", "weights")

    def __init__(self) -> None:
        self.cash2 = 0
        self.weights: dict[str, int] = {}


class EquityMarks:
    """Running equity of the desk and of each instance, in nanos of the base currency; the ledger feeds it."""

    __slots__ = ("_base", "_lines", "_missing", "_parts", "_pricing", "_total2", "_unpriced")

    def __init__(self, instruments: Mapping[str, Instrument], base_currency: str) -> None:
        self._base = base_currency
        self._lines = {name: _Line(instrument) for name, instrument in instruments.items()}
        self._pricing: dict[str, _Line] = {}
        for rank in (InstrumentKind.SPOT, InstrumentKind.FX, InstrumentKind.EQUITY, *InstrumentKind):
            for name, instrument in instruments.items():
                if instrument.kind is rank and instrument.quote == base_currency:
                    self._pricing.setdefault(instrument.base, self._lines[name])
        self._parts: dict[str, _Part] = {}
        self._total2 = 0
        self._missing: dict[str, None] = {}  # instruments held without a mark, in order of discovery
        self._unpriced: dict[tuple[str, str], Decimal] = {}  # (instance, asset) that no instrument prices

    def mark(self, instrument_id: str, mid2: int | None) -> int | Unknown:
        """Take a doubled mark in ticks and return the desk's equity in nanos (rounded down); None makes it unknown."""
        line = self._lines[instrument_id]
        old = line.mid2
        if mid2 is None or old is None:
            self._first_or_lost(line, mid2)
        elif mid2 != old:
            line.mid2 = mid2
            self._total2 += line.weight * (mid2 - old)
        if self._missing or self._unpriced:
            return self._unknown()
        return self._total2 // _DOUBLE_NANO

    def desk(self) -> int | Unknown:
        """Return the desk's equity in nanos at the last marks."""
        return self._unknown() if self._missing or self._unpriced else self._total2 // _DOUBLE_NANO

    def equity(self, instance: str) -> int | Unknown:
        """Return one instance's equity in nanos at the last marks, rounded down."""
        for owner, asset in self._unpriced:
            if owner == instance:
                return Unknown(f"no rate of {asset} in {self._base}")
        part = self._parts.get(instance)
        if part is None:
            return 0
        total2 = part.cash2
        for name, weight in part.weights.items():
            if weight:
                mid2 = self._lines[name].mid2
                if mid2 is None:
                    return Unknown(f"no mark of {name}")
                total2 += weight * mid2
        return total2 // _DOUBLE_NANO

    def weight(self, instance: str, instrument_id: str) -> int:
        """Return what one tick of the mark moves an instance's equity, in 1e-18 of the base currency."""
        part = self._parts.get(instance)
        return 0 if part is None else part.weights.get(instrument_id, 0)

    def money(self, instance: str, currency: str, amount: Decimal) -> None:
        """Add to what an instance holds of a currency or asset."""
        if currency == self._base:
            self._cash(instance, 2 * int(amount * _SCALE))
            return
        line = self._pricing.get(currency)
        if line is not None:
            self._shift(instance, line, int(amount * line.unit))
            return
        held = self._unpriced.get((instance, currency), 0) + amount
        if held:
            self._unpriced[(instance, currency)] = held
        else:
            self._unpriced.pop((instance, currency), None)

    def contract(self, instance: str, instrument: Instrument, signed_lots: int, cost: Decimal) -> None:
        """Add contracts and the change of their cost in the settlement currency."""
        if instrument.quote != self._base:
            key = (instance, instrument.quote)
            self._unpriced[key] = self._unpriced.get(key, Decimal(0)) + signed_lots
            if not self._unpriced[key]:
                del self._unpriced[key]
            return
        line = self._lines[instrument.instrument_id]
        if instrument.inverse:
            face = instrument.lot * instrument.multiplier
            self._shift(instance, line, -int(cost * instrument.tick * _SCALE))
            self._cash(instance, -2 * int(signed_lots * face * _SCALE))
            return
        self._shift(instance, line, signed_lots * instrument.value_nanos * _VALUE_SCALE)
        self._cash(instance, -2 * int(cost * _SCALE))

    def _part(self, instance: str) -> _Part:
        part = self._parts.get(instance)
        if part is None:
            part = self._parts[instance] = _Part()
        return part

    def _cash(self, instance: str, amount2: int) -> None:
        self._part(instance).cash2 += amount2
        self._total2 += amount2

    def _shift(self, instance: str, line: _Line, weight: int) -> None:
        line.weight += weight
        weights = self._part(instance).weights
        weights[line.instrument_id] = weights.get(line.instrument_id, 0) + weight
        if line.mid2 is not None:
            self._total2 += weight * line.mid2
        elif line.weight:
            self._missing[line.instrument_id] = None
        else:
            self._missing.pop(line.instrument_id, None)

    def _first_or_lost(self, line: _Line, mid2: int | None) -> None:
        if line.mid2 is not None:
            self._total2 -= line.weight * line.mid2
        line.mid2 = mid2
        if mid2 is not None:
            self._total2 += line.weight * mid2
            self._missing.pop(line.instrument_id, None)
        elif line.weight:
            self._missing[line.instrument_id] = None

    def _unknown(self) -> Unknown:
        for name in self._missing:
            return Unknown(f"no mark of {name}")
        asset = next(iter(self._unpriced))[1]
        return Unknown(f"no rate of {asset} in {self._base}")
