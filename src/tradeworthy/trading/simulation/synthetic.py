"""Made markets (SV-15): seeded, the same seed gives the same bytes; their source is `synthetic`."""

from collections.abc import Iterable, Iterator
from random import Random

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.model import DepthDiff, DepthSnapshot, Level, MarketEvent, Quote, Side, Trade

SOURCE = "synthetic"
Tape = Iterator[tuple[int, MarketEvent]]


class Walk(msgspec.Struct, frozen=True):
    """A made market of one instrument. Prices in ticks, sizes in lots, times in nanoseconds.

    step         standard deviation of one move;  spread  ask less bid;  size_max  displayed sizes are 1..size_max
    jump_chance  probability of a jump a step;  jump  its standard deviation
    pull         share of the distance to the start price that a step takes back (mean reversion), 0..1
    calm_steps   mean length of a regime in steps, 0 = one regime;  storm  factor on `step` in every second regime
    """

    instrument: str
    start: int = 100_000
    ts: int = 0
    every_ns: int = NANOS_PER_SECOND
    steps: int = 1_000
    step: float = 5.0
    spread: int = 2
    size_max: int = 100
    jump_chance: float = 0.0
    jump: float = 0.0
    pull: float = 0.0
    calm_steps: int = 0
    storm: float = 5.0

    def __post_init__(self) -> None:
        if self.start <= self.spread or self.spread < 1 or self.size_max < 1 or self.every_ns < 1:
            raise InvalidInput(f"start, spread, size_max and every_ns must be positive, start > spread, was {self!r}")
        if not (0 <= self.pull <= 1 and 0 <= self.jump_chance <= 1):
            raise InvalidInput(f"pull and jump_chance must be in [0, 1], was {self.pull} and {self.jump_chance}")


def random_walk(instrument: str, *, seed: int, steps: int = 1_000) -> Tape:
    """Yield quotes of a random walk with jumps."""
    return quotes(Walk(instrument, steps=steps, jump_chance=0.005, jump=200.0), seed=seed)


def mean_reversion(instrument: str, *, seed: int, steps: int = 1_000) -> Tape:
    """Yield quotes that return to their start price."""
    return quotes(Walk(instrument, steps=steps, pull=0.05), seed=seed)


def regime_switch(instrument: str, *, seed: int, steps: int = 1_000) -> Tape:
    """Yield quotes that alternate between calm and storm."""
    return quotes(Walk(instrument, steps=steps, calm_steps=max(1, steps // 8)), seed=seed)


def quotes(walk: Walk, *, seed: int) -> Tape:
    """Yield one quote a step."""
    random = Random(seed)
    for ts, bid in _path(walk, random):
        yield ts, Quote(
            walk.instrument, bid, bid + walk.spread, random.randint(1, walk.size_max), random.randint(1, walk.size_max)
        )


def l2_flow(walk: Walk, *, seed: int, levels: int = 10) -> Tape:
    """Yield a snapshot, then a diff a step that keeps `levels` a side around the path, and trades at the touch."""
    random = Random(seed)
    shown: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for number, (ts, bid) in enumerate(_path(walk, random)):
        bid = max(bid, levels)
        wanted = (
            {bid - k: random.randint(1, walk.size_max) for k in range(levels)},
            {bid + walk.spread + k: random.randint(1, walk.size_max) for k in range(levels)},
        )
        if number == 0:
            bids = tuple(sorted(wanted[0].items(), reverse=True))
            yield ts, DepthSnapshot(walk.instrument, 0, bids, tuple(sorted(wanted[1].items())))
        else:
            bids, asks = _changes(shown[0], wanted[0]), _changes(shown[1], wanted[1])
            yield ts, DepthDiff(walk.instrument, number, number, number - 1, bids, asks)
            if random.random() < 0.5:
                side = Side.BUY if random.random() < 0.5 else Side.SELL
                price = bid + walk.spread if side is Side.BUY else bid
                lots = random.randint(1, walk.size_max)
                yield ts, Trade(walk.instrument, price, lots, side, f"{SOURCE}-{number}")
        shown = wanted


def stuck_feed(tape: Iterable[tuple[int, MarketEvent]], *, start: int, length_ns: int) -> Tape:
    """Yield `tape` with the last quote before `start` repeated in place of what follows, for `length_ns`."""
    last: MarketEvent | None = None
    for ts, fact in tape:
        stuck = start <= ts < start + length_ns
        if not stuck:
            last = fact
        yield ts, last if stuck and last is not None else fact


def flash_crash(tape: Iterable[tuple[int, MarketEvent]], *, start: int, length_ns: int, depth: float = 0.10) -> Tape:
    """Yield `tape` with quotes falling by `depth` (fraction) until the middle of the window and back again."""
    if not 0 < depth < 1 or length_ns < 2:
        raise InvalidInput(f"depth must be in (0, 1) and length_ns at least 2, was {depth} and {length_ns}")
    half = length_ns // 2
    for ts, fact in tape:
        into = ts - start
        if isinstance(fact, Quote) and 0 <= into < length_ns:
            fallen = depth * (1 - abs(into - half) / half) if into <= 2 * half else 0.0
            bid = max(1, int(fact.bid * (1 - fallen)))
            fact = Quote(fact.instrument, bid, bid + fact.ask - fact.bid, fact.bid_lots, fact.ask_lots)
        yield ts, fact


def fat_finger(tape: Iterable[tuple[int, MarketEvent]], *, at: int, factor: int = 10) -> Tape:
    """Yield `tape` with the first quote at or after `at` mispriced by `factor`, once."""
    done = False
    for ts, fact in tape:
        if not done and ts >= at and isinstance(fact, Quote):
            done = True
            fact = Quote(fact.instrument, fact.bid * factor, fact.ask * factor, fact.bid_lots, fact.ask_lots)
        yield ts, fact


def _path(walk: Walk, random: Random) -> Iterator[tuple[int, int]]:
    price = float(walk.start)
    storm = False
    for number in range(walk.steps):
        if walk.calm_steps and random.random() < 1 / walk.calm_steps:
            storm = not storm
        price += random.gauss(0.0, walk.step * (walk.storm if storm else 1.0)) + walk.pull * (walk.start - price)
        if walk.jump_chance and random.random() < walk.jump_chance:
            price += random.gauss(0.0, walk.jump)
        price = max(price, 1.0)
        yield walk.ts + number * walk.every_ns, max(1, round(price))


def _changes(before: dict[int, int], after: dict[int, int]) -> tuple[Level, ...]:
    gone = [(price, 0) for price in before if price not in after]
    return (*gone, *((price, lots) for price, lots in after.items() if before.get(price) != lots))
