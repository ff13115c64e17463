"""Whole small desks, one a feature: a made market, one strategy, the simulated venue, and what came out of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from tradeworthy.app import config
from tradeworthy.app.bootstrap import build_desk, build_timers, build_venue, instruments_of
from tradeworthy.app.config import Document
from tradeworthy.app.runs.folder import states_of, summary_of
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.trading.control.kill import KillRequest
from tradeworthy.trading.environment import Environment, Row
from tradeworthy.trading.market_data.bars import BarBuilder
from tradeworthy.trading.model import Funding, MarketEvent, Quote
from tradeworthy.trading.simulation.synthetic import Walk, flash_crash, l2_flow, quotes, stuck_feed

MONDAY = 1_704_067_200 * NANOS_PER_SECOND
"""2024-01-01 00:00 UTC."""
SETTLE_NS = 5 * NANOS_PER_SECOND
EURUSD, PERP = "EURUSD.DEMO", "BTCUSDT.BINANCE_USDM"
MINUTE = 60 * NANOS_PER_SECOND
Tape = Iterator[tuple[int, MarketEvent]]


@dataclass(frozen=True)
class SmallDesk:
    """One program: its document, its market, and what people did at which time."""

    name: str
    document: dict[str, Any]
    tape: Callable[[], Tape]
    acts: Sequence[tuple[int, Fact]] = field(default=())


class MemoryJournal:
    """Accept each event once, as the journal on disk does."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def accept(self, event: Event) -> int:
        if event.event_id in self._seen:
            return -1
        self._seen.add(event.event_id)
        return len(self._seen)

    def commit(self) -> None:
        return None


def play(desk: SmallDesk, *, beside: Callable[[Event], object] = lambda event: None) -> dict[str, Any]:
    """Run one desk and return its statistics and the digest over all its outcomes; `beside` sees every event too."""
    document = config.parse(desk.document, origin=desk.name)
    built = build_desk(document)
    records = RunRecords(instruments_of(document), document.desk.capital, states=states_of(built))
    waiting = list(desk.acts)

    def acts() -> Sequence[tuple[str, Fact]]:
        due = [(f"act:{ts}", fact) for ts, fact in waiting if ts <= environment.now]
        del waiting[: len(due)]
        return due

    def consume(event: Event) -> None:
        records.on_event(event)
        beside(event)

    environment = Environment(
        built, MemoryJournal(), build_venue(document), build_timers(document, built), durable_commands=False,
        clock=EventClock(), controls=acts, consumer=consume,
    )
    environment.run(_rows(desk, document))
    environment.settle(SETTLE_NS)
    return statistics_of(document, records, environment)


def statistics_of(document: Document, records: RunRecords, environment: Environment) -> dict[str, Any]:
    """Return what is frozen: figures that a person can read, and the digest."""
    s = summary_of(document, records, run_id="golden", manifests=())
    plain = msgspec.to_builtins(s)
    activity = plain["activity"]
    return {
        "activity": {name: activity[name] for name in (
            "abstentions", "cancels", "capture_bps", "fill_rate", "fills", "guard_changes", "hit_rate", "hold_mean_s",
            "maker_share", "notional", "orders", "orders_filled", "profit_factor", "refusals", "turnover",
        )},
        "costs": plain["costs"], "days": plain["days"], "digest": environment.digest.hexdigest(),
        "edge": plain["edge"]["verdict"], "inputs": environment.inputs, "outcomes": environment.digest.outcomes,
        "performance": {name: plain["performance"][name] for name in (
            "days", "drawdown", "drawdown_length_s", "exposure_share", "total_return",
        )},
        "position": {name: one.position for name, one in sorted(records.instruments.items())},
        "profit": plain["profit"], "regimes": plain["regimes"],
    }


def _rows(desk: SmallDesk, document: Document) -> Iterator[Row]:
    """Number the market's rows; bars that close go before the row that closed them, as the tapes of the app do."""
    section = document.tapes[0]
    builder = BarBuilder(section.instrument, section.bar_seconds * NANOS_PER_SECOND) if section.bar_seconds else None
    bars = 0
    for number, (ts, fact) in enumerate(desk.tape(), 1):
        if builder is not None and isinstance(fact, Quote):
            for close, bar in builder.add((fact.bid + fact.ask) // 2, None, ts):
                bars += 1
                yield Row(f"tape.{section.name}.bars", bars, close, ts, bar)
        yield Row(f"tape.{section.name}", number, ts, ts, fact)


def document(
    strategy: str, *, instrument: str = EURUSD, role: str = "directional", policy: dict[str, Any], kind: str = "quotes",
    bar_seconds: int = 0, venue: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the document of one instance on one made market."""
    return {
        "schema": "desk@1",
        "desk": {
            "name": strategy, "environment": "backtest", "capital": "1000000", "seed": 7,
            "base_currency": "USDT" if instrument == PERP else "USD", "evaluate_seconds": 15.0,
            "sample_seconds": 10.0,
        },
        "tapes": [{
            "name": "made", "format": "synthetic", "instrument": instrument, "label": "synthetic", "kind": kind,
            "bar_seconds": bar_seconds,
        }],
        "venue": venue or {},
        "instances": [{"id": strategy, "strategy": strategy, "instrument": instrument, "role": role, "policy": policy}],
    }


def _walk(instrument: str, **fields: Any) -> Walk:
    return Walk(instrument, ts=MONDAY, **fields)


def _bars(walk: Walk, *, seed: int) -> Tape:
    """Minutes of a walk without its quotes."""
    builder = BarBuilder(walk.instrument, MINUTE)
    for ts, fact in quotes(walk, seed=seed):
        assert isinstance(fact, Quote)
        yield from builder.add((fact.bid + fact.ask) // 2, None, ts)


def _funded() -> Tape:
    """A perpetual's quotes of three days with funding at 00, 08 and 16 UTC, both signs."""
    rates = [Decimal("0.0001"), Decimal("-0.00005"), Decimal("0.0003")]
    due, number = MONDAY + 8 * 60 * MINUTE, 0
    walk = _walk(PERP, start=420_000, steps=4_320, every_ns=MINUTE, step=400.0, spread=4, size_max=5_000, pull=0.002)
    for ts, fact in quotes(walk, seed=5):
        while due <= ts:
            yield due, Funding(PERP, rates[number % len(rates)])
            due, number = due + 8 * 60 * MINUTE, number + 1
        yield ts, fact


_QUOTER = {"lots": 2_000, "inventory_lots_max": 20_000, "interval_ns": 30 * NANOS_PER_SECOND,
           "repeat_ns": 60 * NANOS_PER_SECOND}
_TREND = _walk(EURUSD, start=110_000, steps=8_000, every_ns=15 * NANOS_PER_SECOND, step=12.0, spread=10,
               size_max=5_000_000, calm_steps=900, storm=2.0)
_FLAT = _walk(EURUSD, start=110_000, steps=8_000, every_ns=15 * NANOS_PER_SECOND, step=14.0, spread=4,
              size_max=5_000_000, pull=0.01)
_BOOK = _walk(PERP, start=420_000, steps=3_000, step=3.0, spread=2, size_max=60, pull=0.001)
_FAST = _walk(EURUSD, start=110_000, steps=6_000, step=5.0, spread=10, size_max=1_000_000, pull=0.001)

DESKS: tuple[SmallDesk, ...] = (
    SmallDesk(
        "ema_trend", document("ema_trend", policy={"bar_interval_ns": MINUTE}, bar_seconds=60),
        lambda: quotes(_TREND, seed=11),
    ),
    SmallDesk(
        "mean_reversion",
        document("mean_reversion", policy={"bar_interval_ns": MINUTE, "bollinger_width": 1.5}, bar_seconds=60),
        lambda: quotes(_FLAT, seed=12),
    ),
    SmallDesk(
        "market_maker_on_quotes",
        document("market_maker", role="maker", policy={
            "order_cap": 12_000.0, "instance_cap": 48_000.0, "fixed_spread": 0.0011, "exit_slippage": 0.00001,
            "band_in_floor": 0.0, "edge_gate": {"fills_min": 40},
        }, bar_seconds=60),
        lambda: quotes(_FLAT, seed=13),
    ),
    SmallDesk(
        "touch_quoter_on_depth",
        document("touch_quoter", instrument=PERP, role="maker", kind="l2_flow", venue={
            "matching": "l2", "submit_ms": 10, "cancel_ms": 10,
        }, policy={"lots": 5, "inventory_lots_max": 50, "interval_ns": NANOS_PER_SECOND}),
        lambda: l2_flow(_BOOK, seed=14),
    ),
    SmallDesk(
        "kill_in_the_middle", document("touch_quoter", role="maker", policy=_QUOTER),
        lambda: quotes(_FAST, seed=15),
        [(MONDAY + 3_000 * NANOS_PER_SECOND, KillRequest("golden", "drill", flatten=True))],
    ),
    SmallDesk(
        "crash_through_a_quoter", document("touch_quoter", role="maker", policy=_QUOTER | {
            "lots": 10_000, "inventory_lots_max": 20_000,
        }),
        lambda: flash_crash(
            quotes(_FAST, seed=17), start=MONDAY + 3_000 * NANOS_PER_SECOND, length_ns=300 * NANOS_PER_SECOND,
            depth=0.20,
        ),
    ),
    SmallDesk(
        "a_stuck_feed", document("touch_quoter", role="maker", policy=_QUOTER),
        lambda: stuck_feed(
            quotes(_FAST, seed=18), start=MONDAY + 2_000 * NANOS_PER_SECOND, length_ns=900 * NANOS_PER_SECOND
        ),
    ),
    SmallDesk(
        "cut_to_a_tight_limit",
        document("touch_quoter", role="maker", policy=_QUOTER) | {"risk": {"max_order_value": "2198"}},
        lambda: quotes(_FAST, seed=19),
    ),
    SmallDesk(
        "funding_on_a_perpetual",
        document("ema_trend", instrument=PERP, policy={"bar_interval_ns": 15 * MINUTE, "exit": "bracket"},
                 bar_seconds=900),
        _funded,
    ),
    SmallDesk(
        "trend_on_bars_alone",
        document("ema_trend", policy={"bar_interval_ns": MINUTE}, venue={"matching": "bars"}),
        lambda: _bars(_TREND, seed=16),
    ),
)
