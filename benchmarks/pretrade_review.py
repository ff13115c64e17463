"""Time pre-trade review: p50 and p99 of ten controls and of all, and the cost of one mark.

Run: `PYTHONPATH=src python benchmarks/pretrade_review.py`. Prints one JSON object; nanoseconds.
"""

import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal

from tradeworthy.trading.model import FeeRates, Instrument, InstrumentKind, Intent, Side
from tradeworthy.trading.risk import Reviewer, RiskContext, RiskPolicy
from tradeworthy.trading.risk.controls import all_controls

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
    every = Reviewer(policy, (instrument,), context)
    marks = [1_000_000 + n % 7 for n in range(ROUNDS)]
    iid, now = instrument.instrument_id, context.now
    started = time.perf_counter_ns()
    for mid2 in marks:
        context.mark(iid, mid2, True, now)
    mark_mean = (time.perf_counter_ns() - started) // ROUNDS
    result = {
        "review_ten": percentiles(lambda: ten.review(intent)),
        "review_all": percentiles(lambda: every.review(intent)),
        "controls_all": len(every.controls),
        "mark_mean": mark_mean,
    }
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


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
