import base64
import hashlib
import json
import random
import re
from decimal import Decimal

from run_builder import BOOK, at, fill, quote

from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.research.backtest.report import Overlay, render_html
from tradeworthy.research.backtest.strategy_state import StrategyState
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


def test_the_policy_allows_the_one_style_and_script_by_hash_and_no_inline_attribute():
    page = report()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.search(r"<[a-z]+[^>]*\s(style|on[a-z]+)=", page.split("<script")[0])


def labelled(states):
    records = RunRecords(BOOK, Decimal(1000), states=lambda: states)
    for i in range(5):
        records.on_event(at(60 * i, quote(999 + i, 1001 + i)))
    records.on_event(at(300, fill(Side.BUY, 1, 1003)))
    return records, summarise(records, run_id="e" * 64, rng=random.Random(1))


def test_regimes_and_the_maker_s_lines_are_drawn_in_basis_points():
    (record,) = BOOK
    records, summary = labelled([StrategyState("mm-1", record, "up", 0.002, 0.001, 0.0005)])
    data = data_of(render_html(summary, records, title="x", labels={}))
    state = data["states"]["mm-1"]
    assert state["bands"][0][1] == "up"
    assert (state["spread"]["v"][0], state["floor"]["v"][0], state["edge"]["v"][0]) == (20.0, 10.0, 5.0)
    assert data["summary"]["regimes"][0]["regime"] == "up"


def test_a_run_without_regimes_renders_with_empty_labels():
    (record,) = BOOK
    records, summary = labelled([StrategyState("mm-1", record)])
    state = data_of(render_html(summary, records, title="x", labels={}))["states"]["mm-1"]
    assert state["bands"] == [[state["bands"][0][0], None]]
    assert state["spread"]["v"] == []
    assert summary.regimes[0].regime is None


def test_another_run_is_drawn_over_rebased_to_this_one_s_capital():
    records, summary = labelled([])
    other = RunRecords(BOOK, Decimal(500))
    other.on_event(at(0, quote(999, 1001)))
    other.on_event(at(1, fill(Side.BUY, 10, 1000, fee="1")))
    overlay = Overlay("other </script>", summarise(other, run_id="d" * 64, rng=random.Random(1)), other)
    data = data_of(render_html(summary, records, title="x", labels={}, overlay=overlay))
    assert data["overlay"]["name"] == "other </script>"
    assert data["overlay"]["equity"]["v"][-1] == 998.0  # a loss of 1 of 500 is one of 2 of 1000
    assert data_of(render_html(summary, records, title="x", labels={}))["overlay"] is None


def test_days_months_and_sources_stand_in_the_page():
    records = RunRecords(BOOK, Decimal(1000))
    for day in range(40):
        records.on_event(at(86_400 * day, quote(1000 + day, 1002 + day)))
        records.on_event(at(86_400 * day + 1, fill(Side.BUY, 1, 1000 + day)))
    summary = summarise(records, run_id="c" * 64, rng=random.Random(1))
    data = data_of(render_html(summary, records, title="x", labels={}))
    assert len(data["summary"]["days"]) == 40
    assert sum(one["fills"] for one in data["summary"]["days"]) == 40
    assert [one[:2] for one in data["months"]] == [[2023, 11], [2023, 12]]
    ends = {name: curve["v"][-1] for name, curve in data["sources"].items()}
    assert abs(sum(ends.values()) - (data["equity"]["v"][-1] - 1000)) < 1e-9
