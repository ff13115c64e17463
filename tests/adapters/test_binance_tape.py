import gzip
import os
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from tradeworthy.adapters.tapes import TapeSpec, open_tape
from tradeworthy.trading.market_data.depth import BookRestored, DepthBook
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.model import DepthDiff, DepthSnapshot, Quote, Side, Trade

DATA = Path(os.environ.get("TRADEWORTHY_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
USDM, SPOT = shipped()["BTCUSDT.BINANCE_USDM"], shipped()["BTCUSDT.BINANCE_SPOT"]
GOLDEN = Path(__file__).parent / "golden"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="market data folder is absent (TRADEWORTHY_DATA)")


def spec(path: Path, instrument=USDM) -> TapeSpec:
    return TapeSpec("binance", path, instrument)


def trade_line(s: bytes = b'"BTCUSDT"', p: bytes = b'"1.0"', q: bytes = b'"1"') -> bytes:
    return b'1 {"stream":"btcusdt@trade","data":{"s":%s,"t":1,"p":%s,"q":%s,"m":true,"E":1}}' % (s, p, q)


@pytest.mark.parametrize(("name", "instrument"), [("usdm", USDM), ("spot", SPOT)])
def test_messages_normalise_to_the_golden_events(name, instrument):
    rows = list(open_tape(spec(GOLDEN / f"binance_{name}.txt", instrument)))
    found = [msgspec.json.decode(msgspec.json.encode([*stamps, event.kind, event])) for *stamps, event in rows]
    golden = (GOLDEN / f"binance_{name}_events.jsonl").read_bytes()
    assert found == [msgspec.json.decode(line) for line in golden.splitlines()]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "invalid literal"),
        (b"x {}", "invalid literal"),
        (b"1 {", "truncated"),
        (b"1 {}", "lastUpdateId"),
        (b'1 {"stream":"btcusdt@kline_1m","data":{}}', "stream must be"),
        (trade_line().replace(b',"m":true', b""), "missing required field `m`"),
        (trade_line(s=b'"ETHUSDT"'), "symbol must be"),
        (trade_line(p=b'"1.05"'), "multiple of 0.10"),
        (trade_line(p=b'"0"'), "above zero"),
        (trade_line(q=b'"-1"'), "at least zero"),
        (trade_line(p=b'"NaN"'), "finite"),
        (trade_line(p=b'"' + b"9" * 60 + b'"'), "digits"),
        (trade_line(p=b"1.0"), "Expected `str`"),
        (b'1 {"stream":"x@depth","data":{"s":"BTCUSDT","E":1,"U":1,"u":1,"pu":0,"b":[["1.0"]],"a":[]}}', "length 2"),
        (b"1 \xff\xfe", "malformed"),
    ],
    ids=[
        "empty", "stamp", "cut", "nothing", "stream", "field", "symbol", "tick", "zero", "negative", "nan", "digits",
        "type", "pair", "bytes",
    ],
)
def test_malformed_line_goes_out_with_its_bytes_and_the_next_is_read(tmp_path, line, reason):
    good = b'5 {"stream":"btcusdt@bookTicker","data":{"s":"BTCUSDT","b":"1.0","B":"1","a":"1.1","A":"1"}}'
    path = tmp_path / "tape.gz"
    path.write_bytes(gzip.compress(line + b"\n" + good + b"\n"))
    bad: list[tuple[bytes, str]] = []
    rows = list(open_tape(spec(path), lambda raw, why: bad.append((raw, why))))
    assert [raw for raw, _ in bad] == [line]
    assert reason in bad[0][1]
    assert rows == [(5, 5, Quote("BTCUSDT.BINANCE_USDM", 10, 11, 1000, 1000))]


def test_over_long_line_is_bad_and_bounded(tmp_path):
    path = tmp_path / "tape.txt"
    path.write_bytes(b"1 " + b"x" * 3_000_000 + b"\n" + b"2 {}\n")
    bad: list[bytes] = []
    assert list(open_tape(spec(path), lambda raw, why: bad.append(raw))) == []
    assert [len(raw) for raw in bad] == [1 << 20, 4]


@pytest.fixture(scope="module")
def usdm_depth():
    rows, kinds = [], Counter()
    for ts_event, _, event in open_tape(spec(DATA / "crypto_l2/binance_usdm/btcusdt_20240808.gz")):
        kinds[type(event)] += 1
        if isinstance(event, DepthDiff | DepthSnapshot):
            rows.append((ts_event, event))
    return rows, kinds


def feed(book: DepthBook, event, ts):
    return book.apply(event, ts) if isinstance(event, DepthDiff) else book.restore(event, ts)


@needs_data
def test_perpetual_tape_has_6551_diffs_and_no_gap(usdm_depth):
    rows, kinds = usdm_depth
    assert kinds == {DepthDiff: 6_551, DepthSnapshot: 1, Quote: 66_089, Trade: 21_313}
    book = DepthBook(USDM.instrument_id)
    facts = [fact for ts, event in rows for fact in feed(book, event, ts)]
    assert [type(fact) for fact in facts] == [BookRestored]
    assert (book.gaps, book.live) == (0, True)
    assert book.best_bid is not None
    assert book.best_ask is not None
    assert book.best_bid < book.best_ask


@needs_data
def test_removed_diff_gives_one_gap_one_resync_and_the_same_book(usdm_depth):
    rows, _ = usdm_depth
    whole, cut = DepthBook(USDM.instrument_id), DepthBook(USDM.instrument_id)
    for i, (ts, event) in enumerate(rows):
        feed(whole, event, ts)
        if i != 3_000:
            feed(cut, event, ts)
        if i == 3_050:
            assert cut.broken
            cut.restore(whole.snapshot(), ts)
    assert (cut.gaps, cut.resyncs, cut.live) == (1, 1, True)
    assert cut.snapshot() == whole.snapshot()


@needs_data
def test_spot_tape_has_no_gap():
    book = DepthBook(SPOT.instrument_id)
    sides = Counter()
    for ts, _, event in open_tape(spec(DATA / "crypto_l2/binance_spot/btcusdt_20240808.gz", SPOT)):
        if isinstance(event, DepthDiff | DepthSnapshot):
            feed(book, event, ts)
        elif isinstance(event, Trade):
            sides[event.aggressor] += 1
    assert (book.gaps, book.live) == (0, True)
    assert set(sides) == {Side.BUY, Side.SELL}
