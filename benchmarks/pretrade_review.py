"""Time pre-trade review: p50 and p99 of five controls, ten and all, of all over fifty positions, and of one mark.

`review_fifty` has groups, sectors and a shared issuer in force, so that no screen says yes before the controls look.

Run: `PYTHONPATH=src python benchmarks/pretrade_review.py`. Prints one JSON object; nanoseconds.
"""

import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal

from tradeworthy.trading.model import Approved, FeeRates, Instrument, InstrumentKind, Intent, Side
from tradeworthy.trading.risk import Reviewer, RiskContext, RiskPolicy
from tradeworthy.trading.risk.controls import all_controls
from tradeworthy.trading.risk.groups import CapitalGroup

ROUNDS = 30_000
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
    marks = [1_000_000 + n % 7 for n in range(ROUNDS)]
    iid, now = instrument.instrument_id, context.now
    started = time.perf_counter_ns()
    for mid2 in marks:
        context.mark(iid, mid2, True, now)
    mark_mean = (time.perf_counter_ns() - started) // ROUNDS
    result = {
        "review_ten": percentiles(lambda: ten.review(intent)),
        "review_five": percentiles(lambda: five.review(intent)),
        "review_fifty": percentiles(lambda: fifty.review(opening)),
        "review_all": percentiles(lambda: every.review(intent)),
        "controls_all": len(every.controls),
        "mark_mean": mark_mean,
    }
    sys.stdout.write(json.dumps(result) + "\n")
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


def percentiles(act: Callable[[], object]) -> dict[str, int]:
    """Return p50 and p99 of one call in nanoseconds."""
    clock = time.perf_counter_ns
    empty = sorted(_timed(clock, lambda: None) for _ in range(ROUNDS))[ROUNDS // 2]
    samples = sorted(_timed(clock, act) - empty for _ in range(ROUNDS))
    return {"p50": samples[ROUNDS // 2], "p99": samples[ROUNDS * 99 // 100]}


def _timed(clock: Callable[[], int], act: Callable[[], object]) -> int:
    started = clock()
    act()
    return clock() - started


if __name__ == "__main__":
    sys.exit(main())
