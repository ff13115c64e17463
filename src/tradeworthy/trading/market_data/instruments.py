"""The instruments that are shipped: exact ticks, lots, fees and limits. A desk's file may add or replace any."""

from decimal import Decimal

from tradeworthy.trading.model.instrument import FeeRates, Instrument, InstrumentKind, MarginRates

_NO_FEES = FeeRates(Decimal(0), Decimal(0))
_EQUITY_FEES = FeeRates(Decimal("0.00005"), Decimal("0.00005"))


def _fx(symbol: str, venue: str) -> Instrument:
    """A currency pair in units of its base; the cost is the spread."""
    return Instrument(
        symbol, venue, InstrumentKind.FX, Decimal("0.00001"), Decimal(1), symbol[:3], symbol[3:], _NO_FEES,
        calendar="24x5", margin=MarginRates(Decimal("0.0333"), Decimal("0.0333")), max_order_lots=5_000_000,
    )


def _equity(symbol: str, venue: str, *, tick: str = "0.01") -> Instrument:
    return Instrument(
        symbol, venue, InstrumentKind.EQUITY, Decimal(tick), Decimal(1), symbol, "USD", _EQUITY_FEES,
        price_band=Decimal("0.05"), calendar="XNYS", max_order_lots=50_000,
    )


def _coinbase(symbol: str, max_order_lots: int) -> Instrument:
    """Spot at Coinbase with the fees of 2017 and 2018; lots of 1e-7, the finest whose value is a whole nano."""
    return Instrument(
        symbol, "COINBASE", InstrumentKind.SPOT, Decimal("0.01"), Decimal("0.0000001"), symbol[:3], symbol[3:],
        FeeRates(Decimal(0), Decimal("0.003")), min_lots=10_000, max_order_lots=max_order_lots,
    )


_EIGHT_HOURS = (0, 8, 16)

INSTRUMENTS: tuple[Instrument, ...] = (
    _fx("EURUSD", "OANDA"),
    _fx("EURUSD", "FXCM"),
    _fx("EURUSD", "DEMO"),
    Instrument(
        "BTCUSDT", "BINANCE_USDM", InstrumentKind.LINEAR_PERP, Decimal("0.10"), Decimal("0.001"), "BTC", "USDT",
        FeeRates(Decimal("0.0002"), Decimal("0.0005")), min_notional=Decimal(100), price_band=Decimal("0.05"),
        funding_hours=_EIGHT_HOURS, margin=MarginRates(Decimal("0.05"), Decimal("0.004")), max_order_lots=120_000,
    ),
    Instrument(
        "BTCUSDT", "BINANCE_SPOT", InstrumentKind.SPOT, Decimal("0.01"), Decimal("0.00001"), "BTC", "USDT",
        FeeRates(Decimal("0.001"), Decimal("0.001")), min_notional=Decimal(5), max_order_lots=9_000_000,
    ),
    Instrument(
        "BTCUSD", "BINANCE_COINM", InstrumentKind.INVERSE_PERP, Decimal("0.1"), Decimal(1), "BTC", "USD",
        FeeRates(Decimal("0.0001"), Decimal("0.0005")), multiplier=Decimal(100), funding_hours=_EIGHT_HOURS,
        margin=MarginRates(Decimal("0.05"), Decimal("0.004")), max_order_lots=60_000,
    ),
    Instrument(
        "BTCUSDT", "BYBIT", InstrumentKind.LINEAR_PERP, Decimal("0.5"), Decimal("0.001"), "BTC", "USDT",
        FeeRates(Decimal("0.0001"), Decimal("0.0006")), funding_hours=_EIGHT_HOURS,
        margin=MarginRates(Decimal("0.05"), Decimal("0.005")), max_order_lots=100_000,
    ),
    _coinbase("BTCUSD", 700_000_000),
    _coinbase("ETHUSD", 7_000_000_000),
    _equity("SPY", "ARCX"),
    _equity("AAPL", "XNAS"),
    _equity("IBM", "XNYS"),
    *(_equity(symbol, "DEMO", tick="0.001") for symbol in ("AAPL", "JPM", "KO", "XOM")),
)
"""Demo equities have ticks of 0.001: their closes are adjusted for splits and dividends."""


def shipped() -> dict[str, Instrument]:
    """Return the shipped instruments by id."""
    return {instrument.instrument_id: instrument for instrument in INSTRUMENTS}
