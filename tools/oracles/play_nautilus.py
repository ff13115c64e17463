"""Play the tapes through NautilusTrader's backtest engine; run by `.oracles/nautilus/bin/python`."""

import sys
from decimal import Decimal

import nautilus_trader
import raw
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.backtest.models import FillModel, LatencyModel, MakerTakerFeeModel
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import BTC, EUR, USDT
from nautilus_trader.model.data import BookOrder, OrderBookDelta, OrderBookDeltas, QuoteTick
from nautilus_trader.model.enums import (
    AccountType,
    BookAction,
    BookType,
    CurrencyType,
    LiquiditySide,
    OmsType,
    OrderSide,
    TimeInForce,
)
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId, Symbol, TraderId, Venue
from nautilus_trader.model.instruments import CryptoPerpetual, CurrencyPair
from nautilus_trader.model.objects import Currency, Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

ORACLE = f"nautilus_trader {nautilus_trader.__version__}"
DOLLAR = Currency("USD", 8, 840, "US dollar, eight digits so that fees are not rounded", CurrencyType.FIAT)
BALANCE = 10_000_000
VENUE = Venue("SIM")
SIDES = {"buy": OrderSide.BUY, "sell": OrderSide.SELL}


def eurusd() -> CurrencyPair:
    """EUR/USD: tick 0.00001, lot 1, maker 1e-5, taker 2e-5, no margin."""
    return CurrencyPair(
        instrument_id=InstrumentId(Symbol("EURUSD"), VENUE), raw_symbol=Symbol("EURUSD"), base_currency=EUR,
        quote_currency=DOLLAR, price_precision=5, size_precision=0, price_increment=Price.from_str("0.00001"),
        size_increment=Quantity.from_str("1"), lot_size=None, max_quantity=None, min_quantity=None,
        max_notional=None, min_notional=None, max_price=None, min_price=None, margin_init=Decimal(0),
        margin_maint=Decimal(0), maker_fee=Decimal("0.00001"), taker_fee=Decimal("0.00002"), ts_event=0, ts_init=0,
    )


def btcusdt() -> CryptoPerpetual:
    """BTCUSDT perpetual: tick 0.1, lot 0.001, maker 2e-4, taker 5e-4, no margin."""
    return CryptoPerpetual(
        instrument_id=InstrumentId(Symbol("BTCUSDT"), VENUE), raw_symbol=Symbol("BTCUSDT"), base_currency=BTC,
        quote_currency=USDT, settlement_currency=USDT, is_inverse=False, price_precision=1, size_precision=3,
        price_increment=Price.from_str("0.1"), size_increment=Quantity.from_str("0.001"), max_quantity=None,
        min_quantity=None, max_notional=None, min_notional=None, max_price=None, min_price=None,
        margin_init=Decimal(0), margin_maint=Decimal(0), maker_fee=Decimal("0.0002"), taker_fee=Decimal("0.0005"),
        ts_event=0, ts_init=0,
    )


class TapePlayer(Strategy):
    """Send each line of a tape at its time and keep every fill."""

    def __init__(self, tape: list[dict], instrument: object, latency_ns: int) -> None:
        super().__init__(StrategyConfig(strategy_id="TAPE-1"))
        self.tape = tape
        self.instrument = instrument
        self.fills: list[list[str | int]] = []
        self.next = 0
        self.latency_ns = latency_ns

    def on_start(self) -> None:
        for number, line in enumerate(self.tape):
            self.clock.set_time_alert_ns(f"line-{number:06}", line["t"], self.act)
            if self.latency_ns:  # the engine looks at commands in flight when time moves: make it move at the arrival
                self.clock.set_time_alert_ns(f"arrival-{number:06}", line["t"] + self.latency_ns, self.arrive)

    def arrive(self, _event: object) -> None:
        """Do nothing; the alert alone advances the engine."""

    def act(self, _event: object) -> None:
        line = self.tape[self.next]
        self.next += 1
        if line["action"] == "cancel":
            order = self.cache.order(ClientOrderId(line["cid"]))
            if order is not None and order.is_open:
                self.cancel_order(order)
            return
        common = {
            "instrument_id": self.instrument.id, "order_side": SIDES[line["side"]],
            "quantity": self.instrument.make_qty(Decimal(line["qty"])),
            "client_order_id": ClientOrderId(line["cid"]), "time_in_force": TimeInForce.GTC,
        }
        if line["type"] == "market":
            self.submit_order(self.order_factory.market(**common))
        else:
            self.submit_order(
                self.order_factory.limit(price=self.instrument.make_price(Decimal(line["px"])), **common)
            )

    def on_order_filled(self, event: object) -> None:
        self.fills.append([
            str(event.client_order_id), event.ts_event, "buy" if event.order_side == OrderSide.BUY else "sell",
            raw.plain(event.last_qty.as_decimal()), raw.plain(event.last_px.as_decimal()),
            raw.plain(event.commission.as_decimal()),
            "taker" if event.liquidity_side == LiquiditySide.TAKER else "maker",
        ])


def quote_ticks(instrument: CurrencyPair) -> list[QuoteTick]:
    size = Quantity.from_int(raw.TICK_SIZE)
    return [
        QuoteTick(instrument.id, Price.from_str(f"{Decimal(bid):.5f}"), Price.from_str(f"{Decimal(ask):.5f}"),
                  size, size, ts, ts)
        for ts, bid, ask in raw.ticks()
    ]


def deltas(instrument: CryptoPerpetual) -> list[OrderBookDeltas]:
    out: list[OrderBookDeltas] = []
    for number, (ts, what, body) in enumerate(raw.depth()):
        if what == "trade":
            continue
        batch = [OrderBookDelta.clear(instrument.id, number, ts, ts)] if what == "book" else []
        for side, levels in zip((OrderSide.BUY, OrderSide.SELL), body, strict=True):
            for price, qty in levels:
                gone = not Decimal(qty)
                batch.append(OrderBookDelta(
                    instrument.id, BookAction.DELETE if gone else BookAction.UPDATE,
                    BookOrder(side, Price(Decimal(price), 1), Quantity(Decimal(qty), 3), 0), 0, number, ts, ts,
                ))
        out.append(OrderBookDeltas(instrument.id, batch))
    return out


def play(name: str, rung: str, *, level: int, latency_ns: int = 0) -> None:
    """Run one tape and write its golden file."""
    quiet = LoggingConfig(bypass_logging=True)
    engine = BacktestEngine(BacktestEngineConfig(trader_id=TraderId("PARITY-1"), logging=quiet))
    instrument = eurusd() if level == 1 else btcusdt()
    money = DOLLAR if level == 1 else USDT
    engine.add_venue(
        venue=VENUE, oms_type=OmsType.NETTING, account_type=AccountType.MARGIN, base_currency=None,
        starting_balances=[Money(BALANCE, money)], default_leverage=Decimal(1), fill_model=FillModel(),
        fee_model=MakerTakerFeeModel(), book_type=BookType.L1_MBP if level == 1 else BookType.L2_MBP,
        latency_model=LatencyModel(base_latency_nanos=latency_ns) if latency_ns else None, bar_execution=False,
        trade_execution=False,
    )
    engine.add_instrument(instrument)
    engine.add_data(quote_ticks(instrument) if level == 1 else deltas(instrument))
    player = TapePlayer(raw.read_tape(rung), instrument, latency_ns)
    engine.add_strategy(player)
    engine.run()
    total = engine.cache.account_for_venue(VENUE).balance_total(money)
    positions = engine.cache.positions_open()
    account = {
        "starting": str(BALANCE), "balance": raw.plain(total.as_decimal()),
        "fees": raw.plain(sum((Decimal(row[5]) for row in player.fills), Decimal(0))),
        "position": raw.plain(sum((p.signed_decimal_qty() for p in positions), Decimal(0))),
    }
    raw.write_golden(
        name, rung=rung, oracle=ORACLE, data=raw.TICKS if level == 1 else raw.DEPTH, fills=player.fills, account=account
    )
    engine.dispose()


RUNS = {
    "T1_nautilus": lambda: play("T1_nautilus", "T1", level=1),
    "T2_nautilus": lambda: play("T2_nautilus", "T2", level=1),
    "T3_nautilus": lambda: play("T3_nautilus", "T3", level=2),
    "T5_nautilus": lambda: play("T5_nautilus", "T1", level=1, latency_ns=10_000_000),
}

if __name__ == "__main__":
    Currency.register(DOLLAR, overwrite=True)
    for chosen in sys.argv[1:] or RUNS:
        RUNS[chosen]()
