"""Drive the real desk with trades and measure it: wishes through its intake, review, venue and ledger (PBL-01)."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tradeworthy.app import config
from tradeworthy.app.bootstrap import build_desk, build_timers, build_venue, instruments_of, risk_policy
from tradeworthy.app.config import Document
from tradeworthy.app.market_data import tapes
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.host import machine_identity
from tradeworthy.kernel.journal import Journal
from tradeworthy.operations.dry_run.model import stamp
from tradeworthy.operations.performance_baseline.decision_latency import (
    SHIPPED,
    DecisionLatency,
    LatencyBaseline,
    judge_latency,
)
from tradeworthy.operations.performance_baseline.judge import judge
from tradeworthy.operations.performance_baseline.model import (
    BaselineReport,
    Measured,
    Resource,
    ThrottleScope,
    Trade,
)
from tradeworthy.operations.performance_baseline.options import BaselineOptions
from tradeworthy.operations.performance_baseline.resources import ProcessPort, Usage
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.environment import Environment, Row
from tradeworthy.trading.execution.intake import DeadLetter, OutsideWish
from tradeworthy.trading.model import NANOS, FillBooked, Intent, Refused, Side, SubmitOrder
from tradeworthy.trading.model.order import ApprovedIntent, ExecReport, ReportType
from tradeworthy.trading.risk.controls.throttle import Throttle
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.risk.throttle_window import ThrottleWindow

INSTANCE, INSTRUMENT, OPERATOR = "driven", "EURUSD.DEMO", "operator"
MARKET_BEGINS_NS = 1_704_067_200 * NANOS_PER_SECOND
"""2024-01-01 00:00 UTC, a Monday: where the made market begins."""
STOP_SHARE = Decimal("0.98")
"""The protective stop of each opening, as a share of the bid."""
WISH_LIFE_NS = 30 * NANOS_PER_SECOND
SETTLE_NS = 5 * NANOS_PER_SECOND
CAPITAL = "10000000"
BYTES_PER_MB = 1_000_000


def performance_baseline(
    options: BaselineOptions, *, clock: Clock, process: ProcessPort,
    baseline_of: Callable[[str], LatencyBaseline | None] = lambda machine: None,
    machine: Callable[[], str] = machine_identity, require_latency: bool = False,
) -> BaselineReport:  # fmt: skip
    """Measure a driven desk and return the judged report.

    baseline_of      tells a machine's approved latency baseline, e.g. `LatencyBaselines.of`
    require_latency  a decision latency that could not be judged makes the desk unhealthy too
    """
    with TemporaryDirectory(prefix="tradeworthy-baseline-") as folder:
        measured = _Drive(options, clock, process, Path(folder)).measure()
    name = machine()
    latency = _latency(measured, baseline_of, name)
    return judge(
        measured, options, latency, machine=name, at=stamp(clock.now()), require_latency=require_latency
    )


def document_of(options: BaselineOptions) -> Document:
    """Return the desk that is driven: one instance that never trades by itself, on a quiet made market."""
    steps = options.warmup_quotes + options.trades
    risk: dict[str, object] = {
        "throttle_directional": options.throttle_max_trades, "throttle_window": _nanos(options.throttle_window_seconds),
        "throttle_cooldown": _nanos(options.throttle_cooldown_seconds),
        "throttle_spacing": _nanos(options.throttle_min_spacing_seconds),
        "throttle_scope": list(options.throttle_scope_fields),
        "repeated_executions": options.trades + 1,  # all trades are of one side, and the throttle is what is measured
    }  # fmt: skip
    for name in ("throttle_max_notional", "throttle_multiplier"):
        value = getattr(options, name)
        if value is not None:
            risk[name.replace("max_", "")] = str(value)
    walk = {
        "ts": MARKET_BEGINS_NS, "every_ns": _nanos(options.trade_spacing_seconds), "start": 110_000, "steps": steps,
        "step": 1.0, "spread": 10, "size_max": 10_000_000, "pull": 0.05,
    }  # fmt: skip
    return config.parse(
        {
            "schema": "desk@1", "desk": {"name": "performance_baseline", "environment": "paper", "capital": CAPITAL},
            "tapes": [{
                "name": "made", "format": "synthetic", "instrument": INSTRUMENT, "label": "synthetic",
                "kind": "quotes", "seed": 11, "walk": walk,
            }],
            "instances": [{"id": INSTANCE, "strategy": "ema_trend", "instrument": INSTRUMENT}],
            "venue": {"submit_ms": 1, "cancel_ms": 1}, "risk": risk,
        },
        origin="performance baseline",
    )  # fmt: skip


class _Drive:
    """One desk under load: trades come at their own times, so that a slow one makes the next late (open loop)."""

    def __init__(self, options: BaselineOptions, clock: Clock, process: ProcessPort, folder: Path) -> None:
        self._options, self._clock, self._process = options, clock, process
        self._document = document_of(options)
        self._instrument = instruments_of(self._document)[INSTRUMENT]
        self._desk = build_desk(self._document)
        self._journal = Journal.open(folder / "journal", clock=clock)
        self._environment = Environment(
            self._desk, self._journal, build_venue(self._document), build_timers(self._document, self._desk),
            durable_commands=True, clock=clock, consumer=self._on_event,
        )  # fmt: skip
        self._trades: list[Trade] = []
        self._events = self._orders = self._fills = self._rejected = self._dead = 0
        self._notional = Decimal(0)
        self._approved = False
        self._refused: Refused | None = None
        self._begun: tuple[int, Usage, int] | None = None
        self._ended: tuple[int, Usage, int] | None = None
        self._scopes: tuple[ThrottleScope, ...] = ()

    def measure(self) -> Measured:
        """Play warm-up and trades, let the venue answer, and return what was seen."""
        try:
            self._environment.run(self._rows())
            self._environment.settle(SETTLE_NS)
        finally:
            self._journal.close()
        assert self._begun is not None
        assert self._ended is not None
        (began, before, seen), (ended, after, all_seen) = self._begun, self._ended
        return Measured(
            trades=tuple(self._trades), elapsed_ns=ended - began, events=all_seen - seen, orders=self._orders,
            fills=self._fills, notional=self._notional, rejected=self._rejected, dead_letters=self._dead,
            resource=_resource(before, after, ended - began), scopes=self._scopes,
        )  # fmt: skip

    def _rows(self) -> Iterator[Row]:
        """Yield the quotes, and trade between two of them; the measured time begins with the first trade."""
        warmup, interval = self._options.warmup_quotes, round(self._options.trade_interval_ms * NANOS_PER_MILLI)
        rows = tapes.rows(self._document.tapes[0], self._instrument, lambda raw, reason: None)
        due = 0
        for number, row in enumerate(rows, 1):
            yield row
            if number < warmup or len(self._trades) == self._options.trades:
                continue
            if self._begun is None:
                before = self._process.read()
                self._begun = self._clock.monotonic(), before, self._events
                due = self._begun[0]
            self._trade(due)
            due += interval
            if len(self._trades) == self._options.trades:
                self._ended = self._clock.monotonic(), self._process.read(), self._events
                self._scopes = _scopes(self._desk, risk_policy(self._document), self._probe(), self._environment.now)

    def _trade(self, due: int) -> None:
        """Wait until the trade is due, then have the desk decide on it; what it waited longer is its lag."""
        ahead = due - self._clock.monotonic()
        if ahead > 0:
            self._clock.sleep(ahead)
        environment, number = self._environment, len(self._trades) + 1
        body = msgspec.json.encode(self._intent(f"trade-{number}")).decode()
        self._approved, self._refused = False, None
        began = self._clock.monotonic()
        environment.offer(OutsideWish(OPERATOR, body), source=OPERATOR, key=f"trade-{number}", ts=environment.now)
        took = self._clock.monotonic() - began
        codes = () if self._refused is None else tuple(one.code for one in self._refused.violations)
        held = None if self._refused is None else next(
            (one.observed for one in self._refused.violations if one.code == Throttle.code), None
        )
        self._trades.append(Trade(max(0, began - due), took, self._approved, codes, held))

    def _intent(self, name: str) -> Intent:
        top = self._desk.markets[INSTRUMENT]
        stop = int((top.bid or 0) * STOP_SHARE)
        return Intent(
            name, OPERATOR, INSTANCE, "performance_baseline", f"{name}.decision", INSTRUMENT, Side.BUY,
            self._options.lots, self._environment.now + WISH_LIFE_NS, stop=stop,
        )  # fmt: skip

    def _probe(self) -> Intent:
        """Return one more opening, which the throttle is asked about and nobody sends."""
        return self._intent("probe")

    def _on_event(self, event: Event) -> None:
        self._events += 1
        match event.payload:
            case ApprovedIntent():
                self._approved = True
            case Refused() as refused:
                self._refused = refused
            case DeadLetter():
                self._dead += 1
            case SubmitOrder():
                self._orders += 1
            case ExecReport(type=ReportType.REJECTED):
                self._rejected += 1
            case FillBooked() as fill:
                self._fills += 1
                self._notional += self._instrument.notional(fill.price, fill.lots)


def _scopes(desk: Desk, policy: RiskPolicy, probe: Intent, now: int) -> tuple[ThrottleScope, ...]:
    """Return the throttle's windows of the driven instance; buys and sells share one unless the scope parts them."""
    context, throttle = desk.context, Throttle(policy)
    holding = context.holding_of(INSTANCE, INSTRUMENT)
    values = {"strategy": INSTANCE, "instrument": INSTRUMENT, "venue": holding.book.venue}
    windows: list[tuple[Side, ThrottleWindow]] = [(Side.BUY, holding.throttle_buys)]
    if holding.throttle_sells is not holding.throttle_buys:
        windows.append((Side.SELL, holding.throttle_sells))
    found = []
    for side, window in windows:
        asked = msgspec.structs.replace(probe, side=side)
        context.propose(asked)
        answer = throttle.answer(asked, context)
        consumed = Decimal(sum(window.values2[bisect_right(window.stamps, now - policy.throttle_window) :])) / 2 / NANOS
        left = None if answer.remaining_nanos is None else Decimal(answer.remaining_nanos) / NANOS
        limit = None if left is None else consumed + left
        named = {**values, "side": side.name.lower()}
        found.append(
            ThrottleScope(
                {name: named[name] for name in policy.throttle_scope}, answer.state, answer.used, answer.limit,
                None if answer.retry_at is None else stamp(answer.retry_at), consumed, left, limit,
                float(consumed / limit) if limit else None,
            )
        )  # fmt: skip
    return tuple(found)


def _latency(
    measured: Measured, baseline_of: Callable[[str], LatencyBaseline | None], machine: str
) -> DecisionLatency:
    """Judge the decisions by this machine's approved baseline, by the shipped one where nobody approved one."""
    samples = [one.processing_ns for one in measured.trades]
    try:
        held = baseline_of(machine)
    except DeskError as problem:
        return judge_latency(samples, None, machine=machine, unreadable=f"the approved baselines: {problem}")
    return judge_latency(samples, held or SHIPPED, machine=machine)


def _resource(before: Usage, after: Usage, nanos: int) -> Resource:
    cpu = None
    if before.cpu_s is not None and after.cpu_s is not None and nanos:
        cpu = round(100 * (after.cpu_s - before.cpu_s) * NANOS_PER_SECOND / nanos, 3)
    memory = None if after.rss_bytes is None else round(after.rss_bytes / BYTES_PER_MB, 3)
    return Resource(cpu, memory, None if after.memory_percent is None else round(after.memory_percent, 3))


def _nanos(seconds: float) -> int:
    return round(seconds * NANOS_PER_SECOND)
