"""Time NautilusTrader's pre-trade check: `RiskEngine.execute(SubmitOrder)`, the executor behind it a stub.

Two accounts: with a margin account the engine checks trading state, instrument, price, quantity and order rate and
returns before money is looked at (its shortest path); with a cash account it also works out notional, its limit and
the free balance. A notional limit is set and everything is accepted. Orders and commands are made before the clock
starts; logging is off. The order rate is unlimited here: its throttler is passed, never full.
Run: `.oracles/nautilus/bin/python benchmarks/peers/nautilus_risk.py [--account cash] [--calls N]`. Prints one JSON
object; the cost of an empty timing pair is taken off, as in ours.
"""

import argparse
import json
import time
from decimal import Decimal

import nautilus_trader
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common.component import TestClock
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import StrategyId, TraderId, Venue
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider

TRADER = TraderId("BENCH-1")
STRATEGY = StrategyId("S-1")
WARM = 500


def commands(count: int, instrument: object) -> list[SubmitOrder]:
    factory = OrderFactory(TRADER, STRATEGY, clock=TestClock())
    price, size = Price.from_str("50000.00"), Quantity.from_str("0.100000")
    return [
        SubmitOrder(
            trader_id=TRADER, strategy_id=STRATEGY, order=factory.limit(instrument.id, OrderSide.BUY, size, price),
            command_id=UUID4(), ts_init=0,
        )
        for _ in range(count)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=30_000)
    parser.add_argument("--account", choices=("margin", "cash"), default="margin")
    options = parser.parse_args()
    calls, account = options.calls, AccountType.CASH if options.account == "cash" else AccountType.MARGIN
    instrument = TestInstrumentProvider.btcusdt_binance()
    engine = BacktestEngine(BacktestEngineConfig(
        trader_id=TRADER, logging=LoggingConfig(bypass_logging=True), run_analysis=False,
        risk_engine=RiskEngineConfig(max_order_submit_rate="10000000/00:00:01"),
    ))
    engine.add_venue(
        Venue("BINANCE"), oms_type=OmsType.NETTING, account_type=account, base_currency=None,
        starting_balances=[Money(10_000_000, USDT)],
    )
    engine.add_instrument(instrument)
    engine.run()  # opens the account
    kernel = engine.kernel
    sent: list[object] = []
    kernel.msgbus.deregister(endpoint="ExecEngine.execute", handler=kernel.exec_engine.execute)
    kernel.msgbus.register(endpoint="ExecEngine.execute", handler=sent.append)
    risk = kernel.risk_engine
    risk.set_max_notional_per_order(instrument.id, Decimal(1_000_000))
    if kernel.cache.account_for_venue(instrument.id.venue) is None:
        raise SystemExit("expected an account at the venue, found none: the check would return early")
    clock = time.perf_counter_ns
    todo = commands(calls + WARM, instrument)
    for command in todo[:WARM]:
        risk.execute(command)
    pairs = []
    for _ in range(calls):
        begin = clock()
        pairs.append(clock() - begin)
    empty = sorted(pairs)[calls // 2]
    samples = []
    for command in todo[WARM:]:
        begin = clock()
        risk.execute(command)
        samples.append(clock() - begin - empty)
    if len(sent) != calls + WARM:
        raise SystemExit(f"expected {calls + WARM} accepted orders, found {len(sent)}")
    samples.sort()
    print(json.dumps({
        "peer": f"NautilusTrader {nautilus_trader.__version__} RiskEngine, {options.account} account", "count": calls,
        "p50_ns": samples[calls // 2], "p99_ns": samples[calls * 99 // 100],
    }))


if __name__ == "__main__":
    main()
