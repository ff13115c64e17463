import json
import random
import re
from decimal import Decimal

from run_builder import BOOK, at, fill, quote

from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.research.backtest.report import render_html
from tradeworthy.research.backtest.summary import Tape, summarise
from tradeworthy.trading.model.market import Side


def report(*, origin="recorded", caveat="none", title="A run", fills=1):
    records = RunRecords(BOOK, Decimal(1000))
    records.on_event(at(0, quote(999, 1001)))
    for i in range(fills):
        records.on_event(at(1 + i, fill(Side.BUY, 1, 999, fee="0.01")))
    records.on_event(at(4000, quote(1009, 1011)))
    tapes = (Tape("tape", origin, "ab" * 32),)
    summary = summarise(records, run_id="f" * 64, rng=random.Random(1), tapes=tapes, caveats=(caveat,))
    return render_html(summary, records, title=title, labels={"seed": "<1>"})


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


def test_the_page_needs_no_network_and_has_no_placeholder_left():
    page = report()
    assert not re.search(r"https?://|src=|@import|url\(", page)
    assert not re.search(r"\{\{[A-Z]+\}\}", page)
    assert "default-src 'none'" in page


def test_text_that_would_end_the_script_is_escaped():
    page = report(caveat="</script><b>x</b> {{JS}} <!--", title="<i>run</i>")
    assert page.count("</script>") == 2
    assert data_of(page)["summary"]["caveats"][0] == "</script><b>x</b> {{JS}} <!--"
    assert "<i>run</i>" not in page
    assert "&lt;1&gt;" in page


def test_a_synthetic_tape_and_the_fill_bias_are_said_on_top():
    assert 'class="banner synthetic"' in report(origin="synthetic")
    assert 'class="banner synthetic"' in report(origin="derived")
    page = report()
    assert 'class="banner synthetic"' not in page
    assert "optimistic_estimated" in page


def test_the_curves_hold_the_run_in_the_instrument_s_units():
    data = data_of(report())
    assert data["summary"]["profit"]["net"] == "0.001"  # 11 ticks of 0.001 less a fee of 0.01
    assert data["equity"]["v"][-1] == 1000.001
    (curves,) = data["instruments"].values()
    assert curves["candles"]["c"] == [100.0, 101.0]
    assert curves["fills"] == [[data["equity"]["t"][0] + 1000, 1, 99.9, 0.01, "maker", "mm-1", "0.01", "0"]]
    assert data["months"] == [[2023, 11, data["months"][0][2]]]


def test_a_run_without_fills_renders():
    data = data_of(report(fills=0))
    assert data["summary"]["edge"]["verdict"] == "insufficient"
    assert data["summary"]["activity"]["maker_share"] == {"reason": "no fills", "value": None}
