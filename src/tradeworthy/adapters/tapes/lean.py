"""LEAN-style zipped CSV: ticks of currency pairs, minute quotes and trades, daily bars of equities."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from tradeworthy.adapters.tapes.lines import OnBad, TapeRow, check_bar, lines_of, lots_reader, price_reader, refuse
from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.market_data.adjust import Adjuster, parse_factors
from tradeworthy.trading.model import Bar, Dividend, Instrument, MarketEvent, Quote, Split

NEW_YORK = ZoneInfo("America/New_York")
MINUTE_NS = 60 * NANOS_PER_SECOND
DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
FX_ZONES: dict[str, tzinfo] = {"OANDA": UTC, "FXCM": timezone(timedelta(hours=-5))}
"""The vendors stamp in different zones: OANDA's Friday ends at 21:00 in summer, which is 17:00 New York, and the same
prices stand five hours earlier in FXCM's files. Other vendors: New York."""
EQUITY_DIVISOR = 10_000
"""LEAN writes equity prices as integers times 10 000."""
EQUITY_CLOSE = time(16)

Parse = Callable[[list[str]], tuple[int, MarketEvent]]


def fx_ticks(path: Path, instrument: Instrument, on_bad: OnBad = refuse) -> Iterator[TapeRow]:
    """Yield the quotes of one day, `ms since midnight, bid, ask`, in the vendor's zone; sizes are not stated."""
    zone = FX_ZONES.get(instrument.venue, NEW_YORK)
    stamp, price, name = _Day(path, zone), price_reader(instrument), instrument.instrument_id

    def parse(row: list[str]) -> tuple[int, MarketEvent]:
        ms, bid, ask = row
        return stamp(ms), Quote(name, price(bid), price(ask))

    return _rows(path, parse, on_bad)


def crypto_minute(path: Path, instrument: Instrument, on_bad: OnBad = refuse) -> Iterator[TapeRow]:
    """Yield minute quotes or trade bars (told by the file's name) of one UTC day, stamped at the minute's end."""
    return _minute(path, instrument, UTC, 1, on_bad)


def equity_minute(path: Path, instrument: Instrument, on_bad: OnBad = refuse) -> Iterator[TapeRow]:
    """Yield minute quotes or trade bars of one New York day, prices times 10 000."""
    return _minute(path, instrument, NEW_YORK, EQUITY_DIVISOR, on_bad)


def equity_factors(path: Path, instrument: Instrument, on_bad: OnBad = refuse) -> Iterator[TapeRow]:
    """Yield the splits and dividends of a factor file, each at the New York midnight after its last day (MD-11).

    The file tells no pay dates: a dividend comes when the share goes without it. A file that cannot be read is one
    bad line: half of its factors would be worse than none.
    """
    raw = path.read_bytes()
    try:
        adjuster = Adjuster(instrument.instrument_id, parse_factors(raw.decode("ascii")))
        found: list[Split | Dividend] = [*adjuster.splits(), *adjuster.dividends()]
    except (InvalidInput, ArithmeticError, ValueError) as problem:
        on_bad(raw, str(problem))
        return
    for one in sorted(found, key=lambda item: item.last_day):
        midnight = datetime.combine(one.last_day + timedelta(days=1), time(), NEW_YORK)
        ts = int(midnight.timestamp()) * NANOS_PER_SECOND
        yield ts, ts, one


def equity_daily(path: Path, instrument: Instrument, on_bad: OnBad = refuse) -> Iterator[TapeRow]:
    """Yield daily bars, `YYYYMMDD HH:MM, o, h, l, c, volume`, prices times 10 000, stamped 16:00 New York.

    Early closes are not stated in the file: the stamp is the regular close. A price between two ticks is bad.
    """
    price, lots = price_reader(instrument, divisor=EQUITY_DIVISOR), lots_reader(instrument)
    name = instrument.instrument_id

    def parse(row: list[str]) -> tuple[int, MarketEvent]:
        when, o, h, low, c, volume = row
        day = datetime.strptime(when, "%Y%m%d %H:%M").date()
        return _nanos(datetime.combine(day, EQUITY_CLOSE, NEW_YORK)), _bar(
            name, NANOS_PER_DAY, price(o), price(h), price(low), price(c), lots(volume)
        )

    return _rows(path, parse, on_bad)


def _minute(path: Path, instrument: Instrument, zone: tzinfo, divisor: int, on_bad: OnBad) -> Iterator[TapeRow]:
    """A quote file gives the top at the end of each minute: the closing bid and ask with their sizes."""
    stamp, price = _Day(path, zone), price_reader(instrument, divisor=divisor)
    lots, name = lots_reader(instrument), instrument.instrument_id

    def parse_quote(row: list[str]) -> tuple[int, MarketEvent]:
        ms, bo, bh, bl, bc, bid_size, ao, ah, al, ac, ask_size = row
        check_bar(price(bo), price(bh), price(bl), price(bc))
        check_bar(price(ao), price(ah), price(al), price(ac))
        return stamp(ms) + MINUTE_NS, Quote(name, price(bc), price(ac), lots(bid_size), lots(ask_size))

    def parse_trade(row: list[str]) -> tuple[int, MarketEvent]:
        ms, o, h, low, c, volume = row
        return stamp(ms) + MINUTE_NS, _bar(name, MINUTE_NS, price(o), price(h), price(low), price(c), lots(volume))

    if "_quote" in path.name:
        return _rows(path, parse_quote, on_bad)
    if "_trade" in path.name:
        return _rows(path, parse_trade, on_bad)
    raise InvalidInput(f"a minute file's name must hold _quote or _trade, was {path.name}")


def _rows(path: Path, parse: Parse, on_bad: OnBad) -> Iterator[TapeRow]:
    last = 0
    for raw in lines_of(path, on_bad):
        try:
            ts, event = parse(raw.decode("ascii").split(","))
            if ts < last:
                raise InvalidInput(f"time must not go back, was {last - ts} ns before the line above")
        except (ValueError, InvalidInput) as bad:  # ValueError: field count, number, encoding
            on_bad(raw, str(bad))
            continue
        last = ts
        yield ts, ts, event


def _bar(name: str, interval_ns: int, open_: int, high: int, low: int, close: int, volume: int) -> Bar:
    check_bar(open_, high, low, close)
    return Bar(name, interval_ns, open_, high, low, close, volume)


class _Day:
    """Stamps of one file: milliseconds of the local wall clock since midnight, the day from the file's name."""

    def __init__(self, path: Path, zone: tzinfo) -> None:
        found = re.match(r"(\d{8})_", path.name)
        if found is None:
            raise InvalidInput(f"a LEAN file's name must begin with YYYYMMDD_, was {path.name}")
        midnight = datetime.strptime(found[1], "%Y%m%d").date()
        self._hours = [_hour(midnight, hour, zone) for hour in range(24)]

    def __call__(self, text: str) -> int:
        ms = int(text)
        if not 0 <= ms < DAY_MS:
            raise InvalidInput(f"milliseconds since midnight must be within a day, was {text}")
        return self._hours[ms // _HOUR_MS] + ms % _HOUR_MS * NANOS_PER_MILLI


def _hour(day: date, hour: int, zone: tzinfo) -> int:
    return _nanos(datetime.combine(day, time(hour), zone))


def _nanos(when: datetime) -> int:
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000
