import pytest

from tradeworthy.adapters.tapes import TapeSpec, open_tape
from tradeworthy.adapters.tapes.csv_bars import parse_time
from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.model import Bar

EURUSD = shipped()["EURUSD.DEMO"]
HOUR = 3_600_000_000_000
GOOD = b"2017-01-01T22:00:00,1.05236,1.05253,1.05221,1.05227,12.9"


def spec(tmp_path, *lines: bytes, header: bytes = b"Time,Open,High,Low,Close,Volume") -> TapeSpec:
    path = tmp_path / "bars.csv"
    path.write_bytes(b"\n".join((header, *lines)))
    return TapeSpec("csv_bars", path, EURUSD, HOUR)


def test_bar_is_stamped_at_its_close(tmp_path):
    ((ts, _, bar),) = open_tape(spec(tmp_path, GOOD))
    assert ts == parse_time("2017-01-01T23:00:00") == 1_483_311_600 * 1_000_000_000
    assert bar == Bar("EURUSD.DEMO", HOUR, 105_236, 105_253, 105_221, 105_227, 12)


def test_columns_come_in_any_order_and_volume_may_be_absent(tmp_path):
    tape = spec(tmp_path, b"1,3,1,2,01.01.2017 22:00:00.500", header=b"OPEN,HIGH,LOW,CLOSE,TIME")
    ((ts, _, bar),) = open_tape(tape)
    assert ts == 1_483_311_600_500_000_000
    assert bar.volume is None
    assert parse_time("2017-01-01T22:00:00+02:00") == parse_time("2017-01-01T20:00:00")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"2017-01-01T23:00:00,1,1,1", "6 fields"),
        (b"yesterday,1,1,1,1,1", "Invalid isoformat"),
        (b"2017-01-01T23:00:00,1,,1,1,1", "must be a number"),
        (b"2017-01-01T23:00:00,1,1,1,inf,1", "finite"),
        (b"2017-01-01T23:00:00,1,1,1,1,-1", "at least zero"),
        (b"2017-01-01T23:00:00,1,1,1,2,1", "low <= open"),
        (b"2017-01-01T22:00:00,1,1,1,1,1", "go forward"),
        (b"2017-01-01T23:00:00,1,1,1,1,\xff", "utf-8"),
        (b"", "6 fields"),
    ],
    ids=["fields", "time", "absent", "inf", "volume", "shape", "again", "bytes", "empty"],
)
def test_malformed_bar_goes_out_with_its_bytes(tmp_path, line, reason):
    bad: list[tuple[bytes, str]] = []
    later = GOOD.replace(b"01T22", b"02T22")
    rows = list(open_tape(spec(tmp_path, GOOD, line, later), lambda raw, why: bad.append((raw, why))))
    assert len(rows) == 2
    assert [raw for raw, _ in bad] == [line]
    assert reason in bad[0][1]


def test_header_and_interval_are_needed(tmp_path):
    with pytest.raises(InvalidInput, match="missing close"):
        list(open_tape(spec(tmp_path, GOOD, header=b"time,open,high,low")))
    with pytest.raises(UsageError, match="needs its interval"):
        open_tape(TapeSpec("csv_bars", spec(tmp_path, GOOD).path, EURUSD))
