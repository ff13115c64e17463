"""What a desk holds and may come to hold if everything that is working fills, from its journal alone."""

from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec

from tradeworthy.trading.model import Instrument, Side
from tradeworthy.trading.model.order import Intent

Key = tuple[str, str]
"""Instance and instrument."""


def every(key: Key) -> bool:
    """Say yes: all instances and instruments."""
    return True


class SentOrder(msgspec.Struct):
    """An order at the venue: what of it may still fill."""

    key: Key
    side: Side
    lots: int
    level: int
    reduce_only: bool
    filled: int = 0


class Exposure:
    """What is held and may still fill, with one order more; amounts in nanos, at the newest prices."""

    def __init__(
        self, mid2: Mapping[str, tuple[int, int]], instruments: Mapping[str, Instrument], lots: Mapping[Key, int],
        live: Iterable[SentOrder], intent: Intent,
    ) -> None:  # fmt: skip
        self._mid2, self._instruments, self._lots, self._side = mid2, instruments, lots, intent.side
        self._buys: dict[Key, int] = {}
        self._sells: dict[Key, int] = {}
        for one in live:
            if not one.reduce_only:
                self._add(one.key, one.side, max(0, one.lots - one.filled))
        self._earlier = {key: self.projected(key) for key in {*lots, *self._buys, *self._sells}}
        self._add((intent.instance, intent.instrument), intent.side, intent.lots)
        every = {*lots, *self._buys, *self._sells}
        self.keys = sorted(key for key in every if key[1] in instruments)

    def _add(self, key: Key, side: Side, lots: int) -> None:
        part = self._buys if side is Side.BUY else self._sells
        part[key] = part.get(key, 0) + lots

    def before(self, key: Key) -> int:
        """Return the lots that an instance might have held without the order."""
        return self._earlier.get(key, 0)

    def _ends(self, key: Key) -> tuple[int, int]:
        held = self._lots.get(key, 0)
        return held + self._buys.get(key, 0), held - self._sells.get(key, 0)

    def projected(self, key: Key) -> int:
        """Return the most lots that an instance may come to hold, on either side."""
        return max(abs(end) for end in self._ends(key))

    def _worth(self, name: str) -> float:
        instrument = self._instruments[name]
        mid2, _ = self._mid2.get(name, (0, 0))
        return 0.0 if instrument.inverse else mid2 * instrument.value_nanos / 2

    def gross(self, of: Callable[[Key], bool] = every) -> float:
        """Return the projected gross of those instances and instruments."""
        return sum(self.projected(key) * self._worth(key[1]) for key in self.keys if of(key))

    def side(self, name: str) -> float:
        """Return what of one instrument may come to be held on the order's side, instances not netted."""
        found = 0
        for key in self.keys:
            if key[1] == name:
                up, down = self._ends(key)
                found += max(0, up) if self._side is Side.BUY else max(0, -down)
        return found * self._worth(name)

    def net(self, names: Collection[str], signs: Mapping[str, int] | None = None, way: int | None = None) -> float:
        """Return the net of instruments if all orders of the order's side fill; `signs` turn some of them round."""
        towards = int(self._side) if way is None else way
        found = 0.0
        for key in self.keys:
            if key[1] in names:
                turned = towards * (1 if signs is None else signs[key[1]])
                working = self._buys if turned > 0 else self._sells
                found += (turned * self._lots.get(key, 0) + working.get(key, 0)) * self._worth(key[1])
        return found
