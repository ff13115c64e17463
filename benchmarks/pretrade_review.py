"""Time pre-trade review: p50 and p99 of five controls, ten and all, of all over fifty positions, and of one mark.

`review_fifty` has groups, sectors and a shared issuer in force, so that no screen says yes before the controls look.
Beside it, in turns, NautilusTrader's `RiskEngine.execute(SubmitOrder)` with a stubbed executor
(`peers/nautilus_risk.py`): with a margin account, its shortest path, and with a cash account, where it also looks at
money. The two check different things.

Run: `PYTHONPATH=src python benchmarks/pretrade_review.py [--json FILE] [--size small]`. Nanoseconds, less an empty
timing pair.
"""

import sys
import time
from collections.abc import Callable
from decimal import Decimal

from measure import PeerRun, Report, arguments, percentile

from tradeworthy.trading.model import Approved, FeeRates, Instrument, InstrumentKind, Intent, Side
from tradeworthy.trading.risk import Reviewer, RiskContext, RiskPolicy
from tradeworthy.trading.risk.controls import all_controls
from tradeworthy.trading.risk.groups import CapitalGroup

CALLS, SMALL_CALLS = 30_000, 500
WARM = 500
"""Calls before the clock starts, as of the peer."""

ACCOUNTS = ("margin", "cash")
TEN = (
    "risk.malformed",
    "risk.reference_stale",
    "risk.price_collar",
    "risk.max_order_value",
    "risk.max_order_quantity",
    "risk.min_order",
    "risk.guard",
    "risk.max_position",
    "risk.gross_leverage",
    "risk.stop_required",
)
FIVE = ("risk.malformed", "risk.not_tradable", "risk.reference_stale", "risk.price_collar", "risk.max_order_value")
POSITIONS = 50


def main() -> int:
    """Measure and print; each sample is one call, less the cost of an empty timing pair."""
    options = arguments(__doc__ or "", rounds=5)
    small = options.size == "small"
    calls = SMALL_CALLS if small else CALLS
    report = Report("pretrade_review", options)
    nautilus = report.peer("nautilus", "nautilus_risk.py")
    instrument = Instrument(
        "BTCUSDT",
        "SIM",
        InstrumentKind.SPOT,
        Decimal("0.1"),
        Decimal("0.001"),
        "BTC",
        "USDT",
        FeeRates(Decimal(0), Decimal(0)),
        max_order_lots=10_000,
    )
    policy = RiskPolicy()
    context = RiskContext((instrument,), policy)
    context.now = 10**18
    context.set_equity(10**6 * 10**9)
    context.set_allocated("ema", 10**6 * 10**9, 2 * 10**18)
    context.mark(instrument.instrument_id, 1_000_000, True, context.now)
    intent = Intent(
        "i-1", "strategy", "ema", "cross", "d-1", instrument.instrument_id, Side.BUY, 100, 2 * 10**18, stop=490_000
    )
    ten = Reviewer(
        policy, (instrument,), context, tuple(c for c in all_controls(policy, (instrument,)) if c.code in TEN)
    )
    five = Reviewer(
        policy, (instrument,), context, tuple(c for c in all_controls(policy, (instrument,)) if c.code in FIVE)
    )
    every = Reviewer(policy, (instrument,), context)
    fifty, opening = fifty_positions()
    marks = [1_000_000 + n % 7 for n in range(calls)]
    iid, now = instrument.instrument_id, context.now
    reviews: dict[str, Callable[[], object]] = {
        "review_five": lambda: five.review(intent), "review_ten": lambda: ten.review(intent),
        "review_all": lambda: every.review(intent), "review_fifty": lambda: fifty.review(opening),
    }  # fmt: skip
    samples: dict[str, list[tuple[int, int]]] = {name: [] for name in reviews}
    theirs: dict[str, list[PeerRun]] = {account: [] for account in ACCOUNTS}
    mark_mean: list[float] = []
    for _ in range(1 if small else options.rounds):
        for name, review in reviews.items():
            samples[name].append(percentiles(review, calls))
        started = time.perf_counter_ns()
        for mid2 in marks:
            context.mark(iid, mid2, True, now)
        mark_mean.append((time.perf_counter_ns() - started) / calls)
        if nautilus is not None:
            for account in ACCOUNTS:
                theirs[account].append(nautilus("--calls", calls, "--account", account))
    for name in reviews:
        for at, percent in enumerate(("p50", "p99")):
            report.nanos(f"{name} {percent}", [one[at] for one in samples[name]])
    report.nanos("mark mean", mark_mean)
    for runs in filter(None, theirs.values()):
        peer = runs[0].peer
        for at, percent in enumerate(("p50", "p99")):
            spent = [(one.p50_ns, one.p99_ns)[at] for one in runs]
            report.nanos(f"execute {percent}", spent, peer=peer)
            for name in reviews:
                report.ratio(f"{name} {percent}", peer, [one[at] for one in samples[name]], spent)
    report.note(f"{len(every.controls)} controls in review_all and review_fifty")
    report.close()
    return 0


def fifty_positions() -> tuple[Reviewer, Intent]:
    """Return a reviewer whose desk holds fifty positions, and an opening that every control lets pass."""
    shares = tuple(
        Instrument(
            f"S{n}", "SIM", InstrumentKind.EQUITY, Decimal("0.01"), Decimal(1), f"S{n}", "USD",
            FeeRates(Decimal(0), Decimal(0)), max_order_lots=10_000,
        )
        for n in range(POSITIONS)
    )  # fmt: skip
    names = [share.instrument_id for share in shares]
    policy = RiskPolicy(
        sectors={name: f"sector{n % 5}" for n, name in enumerate(names)}, issuers=dict.fromkeys(names[:2], "one"),
        capital_groups=(CapitalGroup(level="firm", name="firm"),), positions_instance=POSITIONS,
        positions_desk=POSITIONS, min_provenance="measured",
    )  # fmt: skip
    context = RiskContext(shares, policy)
    context.now = 10**18
    context.set_equity(10**6 * 10**9)
    context.set_allocated("ema", 10**6 * 10**9, 2 * 10**18)
    for n, name in enumerate(names):
        context.set_provenance(name, "measured")
        context.mark(name, 20_000, True, context.now)
        context.book_fill("ema", name, Side.BUY if n % 2 else Side.SELL, 100, 10_000, context.now)
    reviewer = Reviewer(policy, shares, context)
    opening = Intent(
        "i-50", "strategy", "ema", "cross", "d-50", names[1], Side.BUY, 10, 2 * 10**18, stop=9_800
    )  # fmt: skip
    if not isinstance(reviewer.review(opening), Approved):
        raise SystemExit("the opening of the benchmark was refused")
    return reviewer, opening


def percentiles(act: Callable[[], object], calls: int) -> tuple[int, int]:
    """Return p50 and p99 of one call in nanoseconds."""
    clock = time.perf_counter_ns
    for _ in range(WARM):
        act()
    empty = percentile([_timed(clock, lambda: None) for _ in range(calls)], 50)
    samples = [_timed(clock, act) - empty for _ in range(calls)]
    return percentile(samples, 50), percentile(samples, 99)


def _timed(clock: Callable[[], int], act: Callable[[], object]) -> int:
    started = clock()
    act()
    return clock() - started


if __name__ == "__main__":
    sys.exit(main())
