"""What execution cost: spread, slippage and fees apart, and their sum (SV-10)."""

import re
from decimal import Decimal

import msgspec

from tradeworthy.trading.model.order import Liquidity

_HALF_SPREAD = re.compile(r"half_spread_ticks=(\d+)")
_SLIPPAGE = re.compile(r"slippage_ticks=(\d+)")


class CostPart(msgspec.Struct, frozen=True):
    """Costs of some fills in base currency, positive = paid; total = spread + slippage + fees, to the last unit.

    spread     what the quoted (or, on bars, the assumed) spread cost; below zero where resting orders earned it
    slippage   what a taker paid beyond the touch
    """

    spread: Decimal
    slippage: Decimal
    fees: Decimal
    total: Decimal
    fills: int


class Costs(msgspec.Struct, frozen=True):
    """Execution cost of a run against the mid at each fill. `unpriced` fills had neither quote nor stated spread."""

    all: CostPart
    maker: CostPart
    taker: CostPart
    unpriced: int


class CostRecord:
    """Fold fills: `[spread, slippage]` in half nanos, fees in base currency, by liquidity."""

    __slots__ = ("fees", "fills", "slippage2", "spread2", "unpriced")

    def __init__(self) -> None:
        self.spread2 = dict.fromkeys(Liquidity, 0)
        self.slippage2 = dict.fromkeys(Liquidity, 0)
        self.fees = dict.fromkeys(Liquidity, Decimal(0))
        self.fills = dict.fromkeys(Liquidity, 0)
        self.unpriced = 0

    def add(
        self, *, side: int, price: int, weight: int, liquidity: Liquidity, fee: Decimal | None, mid2: int | None,
        spread: int, told: tuple[int, int] | None,
    ) -> None:
        """Take up one fill.

        weight   nanos a tick: lots (unsigned) times the value of one lot;  spread in ticks
        told     (half spread, slippage) in ticks as the venue stated them, where no book was quoted
        """
        self.fills[liquidity] += 1
        if fee is not None:
            self.fees[liquidity] += fee
        if mid2 is not None:
            paid2 = side * (2 * price - mid2) * weight
            of_spread2 = spread * weight if liquidity is Liquidity.TAKER else paid2
            self.spread2[liquidity] += of_spread2
            self.slippage2[liquidity] += paid2 - of_spread2
        elif told is not None:
            self.spread2[liquidity] += 2 * told[0] * weight
            self.slippage2[liquidity] += 2 * told[1] * weight
        else:
            self.unpriced += 1

    def late_fee(self, fee: Decimal, liquidity: Liquidity) -> None:
        """Take up a fee that came after its fill."""
        self.fees[liquidity] += fee


def told_costs(text: str | None) -> tuple[int, int] | None:
    """Return (half spread, slippage) in ticks as the venue's report states them; None where it states none."""
    if text is None:
        return None
    half, slippage = _HALF_SPREAD.search(text), _SLIPPAGE.search(text)
    if half is None and slippage is None:
        return None
    return int(half[1]) if half else 0, int(slippage[1]) if slippage else 0


def costs_of(records: list[CostRecord], half_nanos: int) -> Costs:
    """Return the sum over instruments; `half_nanos` converts to base currency."""

    def part(kinds: tuple[Liquidity, ...]) -> CostPart:
        spread = Decimal(sum(r.spread2[k] for r in records for k in kinds)) / half_nanos
        slippage = Decimal(sum(r.slippage2[k] for r in records for k in kinds)) / half_nanos
        fees = sum((r.fees[k] for r in records for k in kinds), Decimal(0))
        return CostPart(
            spread, slippage, fees, spread + slippage + fees, sum(r.fills[k] for r in records for k in kinds)
        )

    return Costs(
        part((Liquidity.MAKER, Liquidity.TAKER)), part((Liquidity.MAKER,)), part((Liquidity.TAKER,)),
        sum(r.unpriced for r in records),
    )
