"""The rungs T0 to T7: each plays tapes through the simulated venue and compares the fills."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_MILLI
from tradeworthy.kernel.errors import UsageError
from tradeworthy.research.parity import metamorphic, oracle
from tradeworthy.research.parity.compare import (
    Comparison,
    Explain,
    beyond_100_ticks,
    compare,
    multi_level_cross,
    nothing_explains,
    traded_through,
)
from tradeworthy.research.parity.play import FillRow, digest, play
from tradeworthy.research.parity.streams import Stream, depth_stream, quote_stream, restated
from tradeworthy.research.parity.tape import BTCUSDT, EURUSD, Golden, Line, read_golden, read_tape
from tradeworthy.trading.model import Instrument, MarketEvent, Trade
from tradeworthy.trading.simulation.latency import Latency
from tradeworthy.trading.simulation.rules import VenueRules
from tradeworthy.trading.simulation.venue import Matching, SimulatedVenue

LATENCY_NS = 10 * NANOS_PER_MILLI
RULES = VenueRules(open_orders_max=1_000)
Rows = Iterable[tuple[int, int, MarketEvent]]

EXPECTED: Mapping[str, Mapping[str, int]] = {
    "T2 nautilus": {"MULTI_LEVEL_CROSS": 1},
    "T3 hftbacktest": {"BEYOND_100_TICKS": 2},
    "T4 hftbacktest": {"TRADED_THROUGH": 34},
    "T5 hftbacktest": {"BEYOND_100_TICKS": 2},
    "T5 queue hftbacktest": {"TRADED_THROUGH": 33},
    "T6 sweeps": {"AVERAGE_ROUNDED": 1},
}
"""Classed differences by comparison; any other count fails the rung."""


class Material:
    """What the ladder needs: the folder with `tapes/` and `golden/`, and readers of the two carriers.

    golden        the folder of the answers, where it is not `golden/`
    ticks, depth  return `(ts_event, ts_init, event)` of EURUSD 2014-05-08 and of the BTCUSDT tape of 2024-08-08
    """

    def __init__(
        self, folder: Path, *, ticks: Callable[[], Rows], depth: Callable[[], Rows], golden: Path | None = None
    ) -> None:
        self.folder = folder
        self._golden = golden or folder / "golden"
        self._ticks, self._depth = ticks, depth

    @cached_property
    def quotes(self) -> Stream:
        return quote_stream(self._ticks())

    @cached_property
    def depth(self) -> Stream:
        return depth_stream(self._depth())

    def tape(self, name: str) -> list[Line]:
        return read_tape(self.folder / "tapes" / f"{name}.jsonl")

    def golden(self, name: str) -> Golden:
        return read_golden(self._golden / f"{name}.json.gz", tapes=self.folder / "tapes")


class RungResult(msgspec.Struct, frozen=True):
    """One rung: it passes when no comparison holds an unexplained difference."""

    rung: str
    comparisons: tuple[Comparison, ...]

    @property
    def passed(self) -> bool:
        return all(one.passed for one in self.comparisons)


def run_rung(rung: str, material: Material) -> RungResult:
    """Run one rung of `RUNGS`; raises `UsageError` for an unknown one and for missing tapes or golden files."""
    if rung not in RUNGS:
        raise UsageError(f"rung must be one of {', '.join(RUNGS)}, was {rung!r}")
    return RungResult(rung, tuple(_counted(one) for one in RUNGS[rung](material)))


def own_takers(material: Material, latency_ns: int = 0) -> list[FillRow]:
    """Play the EUR/USD market orders (T1)."""
    return play(material.tape("T1"), material.quotes, l1_venue(latency_ns), EURUSD, latency_ns=latency_ns)


def own_passive(material: Material) -> list[FillRow]:
    """Play the EUR/USD resting limits (T2)."""
    return play(material.tape("T2"), material.quotes, l1_venue(0), EURUSD)


def own_sweeps(material: Material, latency_ns: int = 0) -> list[FillRow]:
    """Play the BTCUSDT sweeps (T3), the book stated again before each arrival."""
    tape = material.tape("T3")
    stream = restated(material.depth, [line.t + latency_ns for line in tape])
    return play(tape, stream, l2_venue(latency_ns), BTCUSDT, latency_ns=latency_ns)


def own_joins(material: Material, latency_ns: int = 0) -> list[FillRow]:
    """Play the BTCUSDT joins at the touch (T4)."""
    return play(material.tape("T4"), material.depth, l2_venue(latency_ns), BTCUSDT, latency_ns=latency_ns)


def l1_venue(latency_ns: int, *others: Instrument, capital: Decimal | None = None) -> SimulatedVenue:
    """Return the venue of the tick rungs; `capital` in US dollars."""
    return SimulatedVenue(
        (EURUSD, *others), latency=Latency.every(latency_ns), matching=Matching.L1, rules=RULES,
        capital=None if capital is None else {"USD": capital},
    )


def l2_venue(latency_ns: int, *others: Instrument) -> SimulatedVenue:
    """Return the venue of the order book rungs."""
    return SimulatedVenue((BTCUSDT, *others), latency=Latency.every(latency_ns), matching=Matching.L2, rules=RULES)


def _t0(material: Material) -> list[Comparison]:
    one, two = own_passive(material), own_passive(material)
    same = digest(one) == digest(two)
    return [compare("T0 own", "own", one, two if same else [], nothing_explains)]


def _t1(material: Material) -> list[Comparison]:
    return [_against(material, "T1", "T1_nautilus", own_takers(material))]


def _t2(material: Material) -> list[Comparison]:
    own = own_passive(material)
    return [_against(material, "T2", "T2_nautilus", own, multi_level_cross(own))]


def _t3(material: Material) -> list[Comparison]:
    own = own_sweeps(material)
    return [_against(material, "T3", "T3_nautilus", own), _sweeps_hftbacktest(material, "T3", "T3_hftbacktest", own)]


def _t4(material: Material) -> list[Comparison]:
    return [_against(material, "T4", "T4_hftbacktest", own_joins(material), traded_through(_trades(material.depth)))]


def _t5(material: Material) -> list[Comparison]:
    return [
        _against(material, "T5", "T5_nautilus", own_takers(material, LATENCY_NS)),
        _sweeps_hftbacktest(material, "T5", "T5_hftbacktest", own_sweeps(material, LATENCY_NS)),
        _against(
            material, "T5 queue", "T5_queue_hftbacktest", own_joins(material, LATENCY_NS),
            traded_through(_trades(material.depth)),
        ),
    ]


def _t6(material: Material) -> list[Comparison]:
    return [
        oracle.accounts("T6 takers", material.golden("T1_nautilus"), own_takers(material), EURUSD),
        oracle.accounts("T6 sweeps", material.golden("T3_nautilus"), own_sweeps(material), BTCUSDT),
    ]


def _t7(material: Material) -> list[Comparison]:
    return [
        *metamorphic.compare_all("T7 ticks", material.quotes, material.tape("T2"), EURUSD, l1_venue),
        *metamorphic.compare_all("T7 depth", material.depth, material.tape("T4"), BTCUSDT, l2_venue),
    ]


def _against(
    material: Material, rung: str, name: str, own: list[FillRow], explain: Explain = nothing_explains
) -> Comparison:
    golden = material.golden(name)
    return compare(f"{rung} {oracle.short(golden)}", golden.oracle, own, oracle.fills(golden), explain)


def _sweeps_hftbacktest(material: Material, rung: str, name: str, own: list[FillRow]) -> Comparison:
    golden = material.golden(name)
    return compare(
        f"{rung} {oracle.short(golden)}", golden.oracle, oracle.as_last_level(own), oracle.fills(golden),
        beyond_100_ticks(own, BTCUSDT.tick),
    )


def _trades(stream: Stream) -> dict[int, Decimal]:
    return {ts: BTCUSDT.price(event.price) for ts, event in stream if isinstance(event, Trade)}


def _counted(one: Comparison) -> Comparison:
    expected = dict(EXPECTED.get(one.name, {}))
    if one.classed == expected:
        return one
    text = f"classes must be {expected}, were {one.classed}"
    return msgspec.structs.replace(one, unexplained=(*one.unexplained, text))


RUNGS: Mapping[str, Callable[[Material], list[Comparison]]] = {
    "T0": _t0, "T1": _t1, "T2": _t2, "T3": _t3, "T4": _t4, "T5": _t5, "T6": _t6, "T7": _t7,
}
