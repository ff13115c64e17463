"""Time NautilusTrader on the recorded depth, quotes and trades that `desk_l2.py` plays, quoting at the touch.

Alike: the same messages (a depth message is one `OrderBookDeltas`, a top of book one `QuoteTick`, a trade one
`TradeTick`), venue book L2_MBP, 5 ms to the venue, post-only quotes of 0.010 a side that stay while the touch stands,
one wish again each second, inventory of 1.000 at most, 100 messages a second and 600 a minute, fees 2 and 5 basis
points, objects built before the clock starts.
Different, to the peer's advantage: no journal; the strategy itself keeps the message budget and lets a wish beyond it
go (ours turns each into a journaled verdict); its risk engine has no money checks on a margin account. Different
otherwise: ours amends or replaces in its execution room, here the strategy cancels and submits; its venue matches
against the depth book, ours against the top of book. Lines that carry nothing, and depth older than the snapshot, are
left out (none in this tape).
Run: `.oracles/nautilus/bin/python benchmarks/peers/nautilus_l2.py TAPE [--messages N]`. Prints one JSON object.
"""

import argparse
import gzip
import json
import time
from collections import deque
from decimal import Decimal
from itertools import islice
from pathlib import Path

import nautilus_trader
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.backtest.models import FillModel, LatencyModel, MakerTakerFeeModel
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import BookOrder, OrderBookDelta, OrderBookDeltas, QuoteTick, TradeTick
from nautilus_trader.model.enums import (
    AccountType,
    AggressorSide,
    BookAction,
    BookType,
    OmsType,
    OrderSide,
    TimeInForce,
)
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("SIM")
LATENCY_NS = 5_000_000
SECOND_NS, MINUTE_NS = 1_000_000_000, 60_000_000_000
SECOND_MESSAGES, MINUTE_MESSAGES = 100, 600
LOTS, INVENTORY_LOTS, LOT = 10, 1_000, Decimal("0.001")
PERP = CryptoPerpetual(
    instrument_id=InstrumentId(Symbol("BTCUSDT"), VENUE), raw_symbol=Symbol("BTCUSDT"), base_currency=BTC,
    quote_currency=USDT, settlement_currency=USDT, is_inverse=False, price_precision=1, size_precision=3,
    price_increment=Price.from_str("0.1"), size_increment=Quantity.from_str("0.001"), max_quantity=None,
    min_quantity=None, max_notional=None, min_notional=None, max_price=None, min_price=None,
    margin_init=Decimal("0.05"), margin_maint=Decimal("0.004"), maker_fee=Decimal("0.0002"),
    taker_fee=Decimal("0.0005"), ts_event=0, ts_init=0,
)


def price(text: str) -> Price:
    return Price(Decimal(text), 1)


def size(text: str) -> Quantity:
    return Quantity(Decimal(text), 3)


def deltas(bids: list, asks: list, number: int, ts: int, *, whole: bool) -> OrderBookDeltas:
    batch = [OrderBookDelta.clear(PERP.id, number, ts, ts)] if whole else []
    for side, levels in ((OrderSide.BUY, bids), (OrderSide.SELL, asks)):
        for at, qty in levels:
            action = BookAction.UPDATE if float(qty) else BookAction.DELETE
            order = BookOrder(side, price(at), size(qty), 0)
            batch.append(OrderBookDelta(PERP.id, action, order, 0, number, ts, ts))
    return OrderBookDeltas(PERP.id, batch)


def messages(tape: Path, most: int | None) -> list:
    """Return the tape as the engine's data, in the recorder's order and time."""
    out = []
    known = last = 0
    with gzip.open(tape, "rt") as lines:
        for number, line in enumerate(islice(lines, most)):
            stamp, text = line.split(" ", 1)
            ts = last = max(int(stamp), last + 1)
            message = json.loads(text)
            body = message.get("data", message)
            match body.get("e"):
                case "bookTicker":
                    sizes = size(body["B"]), size(body["A"])
                    out.append(QuoteTick(PERP.id, price(body["b"]), price(body["a"]), *sizes, ts, ts))
                case "trade":
                    if float(body["q"]) > 0 and float(body["p"]) > 0:
                        taker = AggressorSide.SELLER if body["m"] else AggressorSide.BUYER
                        trade = TradeId(str(body["t"]))
                        out.append(TradeTick(PERP.id, price(body["p"]), size(body["q"]), taker, trade, ts, ts))
                case "depthUpdate":
                    if body["u"] > known and (body["b"] or body["a"]):
                        out.append(deltas(body["b"], body["a"], number, ts, whole=False))
                case None:
                    known = body["lastUpdateId"]
                    out.append(deltas(body["bids"], body["asks"], number, ts, whole=True))
    return out


class Toucher(Strategy):
    """Join best bid and best ask; one working order a side."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig(strategy_id="TOUCH-1"))
        self.sent: deque[int] = deque(maxlen=MINUTE_MESSAGES)
        self.quotes: dict = {OrderSide.BUY: None, OrderSide.SELL: None}
        self.lots = self.submitted = self.fills = 0
        self.wished: tuple = (None, None, -1)
        self.when = 0

    def on_start(self) -> None:
        self.subscribe_order_book_deltas(PERP.id, book_type=BookType.L2_MBP)
        self.subscribe_quote_ticks(PERP.id)
        self.subscribe_trade_ticks(PERP.id)
        self.each = PERP.make_qty(LOTS * LOT)

    def on_order_book_deltas(self, _deltas: OrderBookDeltas) -> None:
        book = self.cache.order_book(PERP.id)
        self.decide(book.best_bid_price(), book.best_ask_price())

    def on_quote_tick(self, tick: QuoteTick) -> None:
        self.decide(tick.bid_price, tick.ask_price)

    def decide(self, bid: Price | None, ask: Price | None) -> None:
        if bid is None or ask is None:
            return
        now = self.clock.timestamp_ns()
        wish = (bid, ask, self.fills)
        if wish == self.wished and now - self.when < SECOND_NS:
            return
        self.wished, self.when = wish, now
        if self.lots + LOTS <= INVENTORY_LOTS:
            self.quote(OrderSide.BUY, bid, now)
        if self.lots - LOTS >= -INVENTORY_LOTS:
            self.quote(OrderSide.SELL, ask, now)

    def quote(self, side: OrderSide, at: Price, now: int) -> None:
        old = self.quotes[side]
        if old is not None and not old.is_closed:
            if old.price == at or old.is_pending_cancel:
                return
            if self.room(now, 2):
                self.cancel_order(old)
                self.submit(side, at, now)
            return
        if self.room(now, 1):
            self.submit(side, at, now)

    def submit(self, side: OrderSide, at: Price, now: int) -> None:
        order = self.order_factory.limit(
            PERP.id, side, self.each, at, time_in_force=TimeInForce.GTC, post_only=True
        )
        self.quotes[side] = order
        self.submitted += 1
        self.submit_order(order)

    def room(self, now: int, wanted: int) -> bool:
        """Count `wanted` messages when the second and the minute have room for them."""
        sent = self.sent
        if len(sent) + wanted > MINUTE_MESSAGES and now - sent[wanted - 1] < MINUTE_NS:
            return False
        at = len(sent) + wanted - SECOND_MESSAGES - 1
        if at >= 0 and now - sent[at] < SECOND_NS:
            return False
        sent.extend([now] * wanted)
        return True

    def on_order_filled(self, event: object) -> None:
        lots = round(event.last_qty.as_decimal() / LOT)
        self.lots += lots if event.order_side == OrderSide.BUY else -lots
        self.fills += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tape", type=Path)
    parser.add_argument("--messages", type=int)
    options = parser.parse_args()
    data = messages(options.tape, options.messages)
    engine = BacktestEngine(BacktestEngineConfig(
        logging=LoggingConfig(bypass_logging=True), run_analysis=False,
        risk_engine=RiskEngineConfig(max_order_submit_rate=f"{SECOND_MESSAGES}/00:00:01"),
    ))
    engine.add_venue(
        venue=VENUE, oms_type=OmsType.NETTING, account_type=AccountType.MARGIN, base_currency=None,
        starting_balances=[Money(10_000_000, USDT)], default_leverage=Decimal(1), fill_model=FillModel(),
        fee_model=MakerTakerFeeModel(), book_type=BookType.L2_MBP,
        latency_model=LatencyModel(base_latency_nanos=LATENCY_NS), bar_execution=False, trade_execution=False,
    )
    engine.add_instrument(PERP)
    engine.add_data(data)
    strategy = Toucher()
    engine.add_strategy(strategy)
    begin = time.perf_counter()
    engine.run()
    elapsed = time.perf_counter() - begin
    print(json.dumps({
        "peer": f"NautilusTrader {nautilus_trader.__version__}", "seconds": elapsed, "count": len(data),
        "orders": strategy.submitted, "fills": strategy.fills,
    }))
    engine.dispose()


if __name__ == "__main__":
    main()
