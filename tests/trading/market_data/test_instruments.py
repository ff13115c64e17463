from decimal import Decimal

from tradeworthy.trading.market_data.calendar import ALWAYS, FOREX
from tradeworthy.trading.market_data.instruments import INSTRUMENTS, shipped


def test_every_shipped_instrument_is_tradable_and_has_one_id():
    assert len(shipped()) == len(INSTRUMENTS)
    for name, instrument in shipped().items():
        assert name == instrument.instrument_id
        assert instrument.max_order_lots is not None
        assert instrument.max_order_lots >= instrument.min_lots
        assert instrument.calendar in (ALWAYS, FOREX, "XNYS")
        assert bool(instrument.funding_hours) is instrument.perpetual
        assert instrument.perpetual <= (instrument.margin is not None)


def test_perpetual_has_the_venues_exact_numbers():
    perp = shipped()["BTCUSDT.BINANCE_USDM"]
    assert (perp.ticks("61800.2"), perp.lots("0.006"), perp.funding_hours) == (618_002, 6, (0, 8, 16))
    assert perp.notional(618_002, 1_000) == Decimal("61800.2")
