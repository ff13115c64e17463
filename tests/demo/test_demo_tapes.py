from itertools import pairwise

import pytest

pytest.importorskip("polars", reason="the data extra is not installed")
from tradeworthy.demo import HALF_SPREAD_TICKS, demo_tapes
from tradeworthy.trading.model import Bar, Quote


def test_every_tape_runs_forward_and_names_its_origin():
    counts = {}
    for tape in demo_tapes():
        rows = list(tape.rows())
        counts[tape.name] = (len(rows), tape.label)
        assert all(a[0] < b[0] for a, b in pairwise(rows))
        assert {event.instrument for _, _, event in rows} == {tape.instrument.instrument_id}
        assert tape.manifest().provenance
        assert len(tape.sha256) == 64
    assert counts == {
        "eurusd_hourly": (6_225, "real"), "eurusd_quotes": (24_900, "derived"),
        **{f"{symbol}_daily": (2_516, "derived") for symbol in ("aapl", "jpm", "ko", "xom")},
    }


def test_derived_quotes_walk_along_the_real_bar():
    hourly, quotes, *_ = demo_tapes()
    rows = quotes.rows()
    for (close_ts, _, bar), _ in zip(hourly.rows(), range(200), strict=False):
        assert isinstance(bar, Bar)
        four = [next(rows) for _ in range(4)]
        asks = [quote.ask for _, _, quote in four if isinstance(quote, Quote)]
        assert (asks[0], asks[3], max(asks), min(asks)) == (bar.open, bar.close, bar.high, bar.low)
        assert four[-1][0] == close_ts
        assert all(quote.ask - quote.bid == 2 * HALF_SPREAD_TICKS for _, _, quote in four)
