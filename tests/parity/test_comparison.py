"""The judge of the ladder must itself be able to fail."""

from decimal import Decimal
from pathlib import Path

import pytest

from tradeworthy.kernel.errors import UsageError
from tradeworthy.research.parity.compare import (
    beyond_100_ticks,
    compare,
    multi_level_cross,
    nothing_explains,
    traded_through,
)
from tradeworthy.research.parity.oracle import as_last_level, realized_and_position
from tradeworthy.research.parity.play import FillRow, command_of, digest
from tradeworthy.research.parity.streams import mirrored, restated, scaled
from tradeworthy.research.parity.tape import BTCUSDT, EURUSD, Line, read_golden
from tradeworthy.trading.model import DepthDiff, DepthSnapshot, OrderType, Quote, Side, SubmitOrder

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAME = BTCUSDT.instrument_id


def fill(cid: str, t: int, price: str, qty: str = "1", side: str = "buy", liquidity: str = "maker") -> FillRow:
    return FillRow(cid, t, side, Decimal(qty), Decimal(price), Decimal("0.1"), liquidity)


CHANGES = [{"t": 2}, {"price": "10.1"}, {"qty": "2"}, {"side": "sell"}, {"liquidity": "taker"}]


@pytest.mark.parametrize("change", CHANGES)
def test_one_changed_field_is_an_unexplained_difference(change: dict[str, str]):
    other = fill(**({"cid": "a", "t": 1, "price": "10"} | change))
    result = compare("x", "other", [fill("a", 1, "10")], [other], nothing_explains)
    assert (result.equal, len(result.unexplained)) == (0, 1)
    assert not result.passed


def test_fill_that_only_one_engine_has_is_unexplained():
    assert not compare("x", "other", [fill("a", 1, "10")], [], nothing_explains).passed
    assert not compare("x", "other", [], [fill("a", 1, "10")], nothing_explains).passed


def test_multi_level_cross_needs_a_better_own_price_at_the_same_update():
    own = [fill("best", 1, "11"), fill("worse", 1, "10")]
    late = [fill("best", 1, "11"), fill("worse", 2, "10")]
    assert compare("x", "other", own, late, multi_level_cross(own)).classed == {"MULTI_LEVEL_CROSS": 1}
    alone = own[1:]
    assert not compare("x", "other", alone, late[1:], multi_level_cross(alone)).passed
    early = [fill("best", 1, "11"), fill("worse", 0, "10")]
    assert not compare("x", "other", own, early, multi_level_cross(own)).passed


def test_traded_through_needs_a_trade_beyond_the_limit_and_equal_quantity():
    own = [fill("a", 1, "10", "0.4"), fill("a", 2, "10", "0.6")]
    own = [FillRow(r.cid, r.t, r.side, r.qty, r.price, Decimal("0.05"), r.liquidity) for r in own]
    theirs = [fill("a", 1, "10")]
    assert compare("x", "o", own, theirs, traded_through({1: Decimal("9.9")})).classed == {"TRADED_THROUGH": 1}
    assert not compare("x", "o", own, theirs, traded_through({1: Decimal(10)})).passed
    assert not compare("x", "o", own[:1], theirs, traded_through({1: Decimal("9.9")})).passed


def test_beyond_100_ticks_needs_a_wide_own_sweep_and_no_fill_of_the_oracle():
    wide = [fill("a", 1, "100"), fill("a", 1, "110")]
    explain = beyond_100_ticks(wide, Decimal("0.1"))
    assert compare("x", "o", wide, [], explain).classed == {"BEYOND_100_TICKS": 1}
    assert not compare("x", "o", wide, wide[:1], explain).passed
    narrow = [fill("a", 1, "100"), fill("a", 1, "109.9")]
    assert not compare("x", "o", narrow, [], beyond_100_ticks(narrow, Decimal("0.1"))).passed


def test_last_level_of_each_order_is_kept():
    rows = [fill("a", 1, "10"), fill("b", 1, "10"), fill("a", 1, "11")]
    assert [(row.cid, row.price) for row in as_last_level(rows)] == [("a", 11), ("b", 10)]


def test_realized_profit_is_taken_at_average_cost_through_a_flip():
    rows = [fill("a", 1, "10"), fill("b", 2, "12"), fill("c", 3, "13", "3", "sell")]
    assert realized_and_position(rows) == (Decimal(4), Decimal(-1))


def test_digest_tells_a_changed_fill():
    assert digest([fill("a", 1, "10")]) != digest([fill("a", 1, "10.1")])


def test_line_becomes_the_command_in_ticks_and_lots():
    command = command_of(Line(5, "a", "submit", "sell", "limit", "1.39100", "1000"), EURUSD)
    assert isinstance(command, SubmitOrder)
    assert (command.side, command.type, command.price, command.lots) == (Side.SELL, OrderType.LIMIT, 139_100, 1_000)


def test_mirror_swaps_sides_and_scale_multiplies_prices():
    quote = Quote(EURUSD.instrument_id, 90, 95, 1, 2)
    assert mirrored([(1, quote)], about=200) == [(1, Quote(EURUSD.instrument_id, 105, 110, 2, 1))]
    assert mirrored(mirrored([(1, quote)], about=200), about=200) == [(1, quote)]
    assert scaled([(1, quote)], by=10) == [(1, Quote(EURUSD.instrument_id, 900, 950, 1, 2))]


def test_book_is_stated_again_as_the_diffs_left_it():
    start = DepthSnapshot(NAME, 1, ((10, 1), (9, 2)), ((11, 3),))
    diff = DepthDiff(NAME, 2, 2, 1, ((10, 0),), ((12, 4),))
    again = restated([(1_000, start), (2_000, diff), (3_000, diff)], [2_500])
    assert again[2] == (2_499, DepthSnapshot(NAME, 2, ((9, 2),), ((11, 3), (12, 4))))


def test_golden_of_another_tape_is_refused(tmp_path: Path):
    (tmp_path / "T1.jsonl").write_text("{}")
    with pytest.raises(UsageError, match="answers tape"):
        read_golden(HERE / "golden" / "T1_nautilus.json.gz", tapes=tmp_path)


def test_no_module_of_the_product_imports_an_oracle():
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text()
        assert "import nautilus_trader" not in text, path
        assert "from nautilus_trader" not in text, path
        assert "import hftbacktest" not in text, path
        assert "from hftbacktest" not in text, path
