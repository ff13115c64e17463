"""Time NautilusTrader's event-driven EMA cross (10/20) on 100 000 one-minute bars; run in the oracle's environment.

`.oracles/nautilus/bin/python benchmarks/peers/nautilus_ema.py [--bars N] [--runs N]` prints the median of three runs
of `engine.run()`, data already loaded; logging off, market orders, one instrument. The last line is one JSON object.
Same seed, steps and bars as `desk_ema.py`; the strategy is the engine's own example, which closes and opens with two
orders a flip, and no journal is kept.
"""

import argparse
import json
import random
import statistics
import time
from decimal import Decimal

import nautilus_trader
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.examples.strategies.ema_cross import EMACross, EMACrossConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider

BARS = 100_000
RUNS = 3
MINUTE_NS = 60_000_000_000
START_NS = 1_577_836_800_000_000_000


def run_once(count: int) -> tuple[float, int]:
    instrument = TestInstrumentProvider.default_fx_ccy("EUR/USD", Venue("SIM"))
    kind = BarType.from_str("EUR/USD.SIM-1-MINUTE-MID-EXTERNAL")
    draws = random.Random(7)
    price = 110_000
    bars = []
    for number in range(count):
        first = price
        price += draws.randint(-20, 20)
        high, low = max(first, price) + 3, min(first, price) - 3
        o, h, lo, c = (Price(Decimal(ticks) / 100_000, 5) for ticks in (first, high, low, price))
        ts = START_NS + number * MINUTE_NS
        bars.append(Bar(kind, o, h, lo, c, Quantity.from_int(1_000_000), ts, ts))
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    engine.add_venue(
        Venue("SIM"), oms_type=OmsType.NETTING, account_type=AccountType.MARGIN, base_currency=USD,
        starting_balances=[Money(1_000_000, USD)],
    )
    engine.add_instrument(instrument)
    engine.add_data(bars)
    engine.add_strategy(EMACross(EMACrossConfig(
        instrument_id=instrument.id, bar_type=kind, trade_size=Decimal(10_000), fast_ema_period=10, slow_ema_period=20,
        subscribe_quote_ticks=False, subscribe_trade_ticks=False, close_positions_on_stop=False,
    )))
    begin = time.perf_counter()
    engine.run()
    elapsed = time.perf_counter() - begin
    orders = engine.get_result().total_orders
    engine.dispose()
    return elapsed, orders


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=BARS)
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args()
    runs = [run_once(options.bars) for _ in range(options.runs)]
    median = statistics.median(elapsed for elapsed, _ in runs)
    name = f"nautilus_trader {nautilus_trader.__version__}"
    print(f"{name}: {options.bars} bars, {runs[0][1]} orders, median {median:.2f} s, "
          f"{options.bars / median:,.0f} bars/s, runs {[round(e, 2) for e, _ in runs]}")
    print(json.dumps({
        "peer": f"NautilusTrader {nautilus_trader.__version__}", "seconds": median, "count": options.bars,
        "orders": runs[0][1],
    }))


if __name__ == "__main__":
    main()
