"""Small market tapes that ship with the product, each with its origin and an honest label; needs the `data` extra.

`real`: recorded prices. `derived`: made from recorded prices by the rule its provenance states.
"""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.model import Bar, Instrument, MarketEvent, Quote, TapeManifest

Row = tuple[int, int, MarketEvent]
HALF_SPREAD_TICKS = 5
"""Half a pip of EUR/USD, in ticks of 0.00001."""
_QUARTER_NS = 900 * NANOS_PER_SECOND
_FOLDER = Path(__file__).parent
_EURUSD = "EUR/USD hourly ask bars of 2017, UTC, from the package gym-anytrading 2.0.0 (MIT)"
_EQUITY = (
    "adjusted daily closes 2013 to 2022 from the package skfolio 1.12.2 (BSD-3-Clause); only closes are recorded: "
    "open, high and low repeat the close; stamped 16:00 New York"
)
_QUOTES = (
    f"{_EURUSD}; four quotes an hour along open, low, high, close (open, high, low, close where the bar fell), "
    "the recorded price as the ask, the bid one pip below"
)


class DemoTape(msgspec.Struct, frozen=True):
    """One tape: `rows()` starts it anew."""

    name: str
    instrument: Instrument
    provenance: str
    label: str
    sha256: str
    rows: Callable[[], Iterator[Row]]

    def manifest(self) -> TapeManifest:
        """Return the record of this tape for the journal."""
        return TapeManifest(self.name, self.instrument.instrument_id, self.label, self.provenance, self.sha256)


def demo_tapes() -> list[DemoTape]:
    """Return the shipped tapes: EUR/USD hours (real), EUR/USD quotes and four equities' days (derived)."""
    instruments = shipped()
    eurusd = instruments["EURUSD.DEMO"]
    hourly, daily = _FOLDER / "eurusd_hourly.parquet", _FOLDER / "sp500_daily.parquet"
    tapes = [
        DemoTape("eurusd_hourly", eurusd, _EURUSD, "real", _sha256(hourly), partial(_stored, hourly, eurusd)),
        DemoTape("eurusd_quotes", eurusd, _QUOTES, "derived", _sha256(hourly), partial(_quotes, hourly, eurusd)),
    ]
    for symbol in ("AAPL", "JPM", "KO", "XOM"):
        equity = instruments[f"{symbol}.DEMO"]
        tapes.append(DemoTape(f"{symbol.lower()}_daily", equity, _EQUITY, "derived", _sha256(daily),
                              partial(_stored, daily, equity)))
    return tapes


def _stored(path: Path, instrument: Instrument) -> Iterator[Row]:
    from tradeworthy.adapters.tapes.parquet import parquet_rows

    return parquet_rows(path, instrument)


def _quotes(path: Path, instrument: Instrument) -> Iterator[Row]:
    """Quotes at the quarters of each hour; the last one stands at the bar's close."""
    for close_ts, _, bar in _stored(path, instrument):
        assert isinstance(bar, Bar)
        between = (bar.low, bar.high) if bar.close >= bar.open else (bar.high, bar.low)
        for quarter, ask in enumerate((bar.open, *between, bar.close)):
            ts = close_ts - (3 - quarter) * _QUARTER_NS
            yield ts, ts, Quote(bar.instrument, ask - 2 * HALF_SPREAD_TICKS, ask)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
