"""Who holds what, signed, and when two instances lean the same way on one asset (AL-04)."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from tradeworthy.trading.model import FillBooked, Instrument


class OverlapPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Caps as fractions of the desk's capital; a cap may be filled.

    overlap   of the part that two instances hold together;  exposure  of one instance, the largest role's share
    """

    overlap: Decimal = Decimal("0.05")
    exposure: Decimal = Decimal("0.60")


class Overlap(msgspec.Struct, frozen=True):
    """One interval in which two instances held the same side of one asset.

    first, second   in the order in which they took that side;  start, end  nanoseconds UTC, end None while it lasts
    quantity        the most they held together, base units;  notional  that quantity's value then, quote currency
    """

    asset: str
    side: int
    first: str
    second: str
    start: int
    end: int | None
    quantity: Decimal
    notional: Decimal


class Exposures:
    """Fold booked fills and mids. An instance that holds cash only has exposure 0; instances are never averaged."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments
        self._lots: dict[tuple[str, str], int] = {}
        self._prices: dict[str, Decimal] = {}
        self._since: dict[tuple[str, str], tuple[int, int]] = {}
        self._order = 0
        self._open: dict[tuple[str, str, str], Overlap] = {}
        self._closed: list[Overlap] = []
        self.largest: dict[str, Decimal] = {}

    def on_mid(self, instrument: str, mid2: int) -> None:
        """Take twice the mid of an instrument, in ticks."""
        self._prices[instrument] = self._instruments[instrument].tick * mid2 / 2

    def on_fill(self, fill: FillBooked, ts: int) -> None:
        """Take a fill: the position it left, and where no mid is known its price."""
        known = self._instruments[fill.instrument]
        if fill.instrument not in self._prices:
            self._prices[fill.instrument] = known.price(fill.price)
        self._lots[fill.instance, fill.instrument] = fill.position
        asset = known.base
        held = self.held(fill.instance, asset)
        side = (held > 0) - (held < 0)
        before = self._since.get((fill.instance, asset), (0, 0))[0]
        if side != before:
            self._order += 1
            self._since[fill.instance, asset] = side, self._order
        exposure = self.exposure(fill.instance)
        if abs(exposure) > abs(self.largest.get(fill.instance, Decimal(0))):
            self.largest[fill.instance] = exposure
        for instance in dict.fromkeys(name for name, _ in self._lots if name != fill.instance):
            self._pair(fill.instance, instance, asset, ts)

    def held(self, instance: str, asset: str) -> Decimal:
        """Return an instance's signed quantity of an asset over all its instruments, base units."""
        return sum(
            (
                self._instruments[name].quantity(lots)
                for (holder, name), lots in self._lots.items()
                if holder == instance and self._instruments[name].base == asset
            ),
            Decimal(0),
        )

    def exposure(self, instance: str) -> Decimal:
        """Return the signed value of everything an instance holds in linear instruments, quote currency."""
        return sum(
            (
                self._instruments[name].quantity(lots) * self._instruments[name].multiplier * self._prices[name]
                for (holder, name), lots in self._lots.items()
                if holder == instance and lots
            ),
            Decimal(0),
        )

    def overlaps(self) -> tuple[Overlap, ...]:
        """Return the closed intervals in order of their end, then those that last."""
        return (*self._closed, *self._open.values())

    def _pair(self, one: str, other: str, asset: str, ts: int) -> None:
        low, high = sorted((one, other))
        key = low, high, asset
        held, beside = self.held(one, asset), self.held(other, asset)
        side = (held > 0) - (held < 0)
        running = self._open.get(key)
        together = side != 0 and held * beside > 0
        if running is not None and (not together or running.side != side):
            self._closed.append(msgspec.structs.replace(self._open.pop(key), end=ts))
            running = None
        if not together:
            return
        quantity = min(abs(held), abs(beside))
        notional = quantity * self._price_of(asset)
        if running is None:
            first, second = sorted((one, other), key=lambda name: self._since[name, asset][1])
            self._open[key] = Overlap(asset, side, first, second, ts, None, quantity, notional)
        elif quantity > running.quantity:
            self._open[key] = msgspec.structs.replace(running, quantity=quantity, notional=notional)

    def _price_of(self, asset: str) -> Decimal:
        """Return the latest known price of an asset, among the instruments that trade it the first held."""
        for _, name in self._lots:
            if self._instruments[name].base == asset and name in self._prices:
                return self._prices[name]
        return Decimal(0)
