import pytest

from tradeworthy.trading.market_data.bars import FILLED_MAX, BarBuilder

MINUTE = 60_000_000_000
SECOND = 1_000_000_000


def builder() -> BarBuilder:
    return BarBuilder("X.Y", MINUTE)


def test_bar_closes_one_second_after_its_end_and_takes_the_grace_ticks():
    bars = builder()
    for price, ts in ((100, 0), (105, SECOND), (95, 2 * SECOND), (101, MINUTE - 1)):
        assert bars.add(price, 2, ts) == []
    assert bars.add(110, 1, MINUTE + SECOND - 1) == []
    assert bars.add(99, 1, MINUTE - SECOND) == [], "within the grace: still its bar"
    ((closed_at, bar),) = bars.advance(MINUTE + SECOND)
    assert closed_at == MINUTE
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.filled) == (100, 105, 95, 99, 9, False)


def test_late_tick_is_counted_and_not_merged():
    bars = builder()
    bars.add(100, 1, 0)
    bars.advance(MINUTE + SECOND)
    assert bars.add(1, 1, MINUTE - 1) == []
    assert bars.late == 1


def test_three_missing_minutes_are_flat_and_filled():
    bars = builder()
    bars.add(100, 1, 0)
    closed = [bar for _, bar in bars.add(200, 1, 4 * MINUTE + SECOND)]
    assert [bar.filled for bar in closed] == [False, True, True, True]
    assert {(bar.open, bar.close, bar.volume) for bar in closed[1:]} == {(100, 100, None)}


def test_very_long_silence_is_a_new_start():
    bars = builder()
    bars.add(100, 1, 0)
    closed = bars.add(200, 1, (FILLED_MAX + 10) * MINUTE)
    assert len(closed) == 1
    assert [bar.open for _, bar in bars.advance((FILLED_MAX + 11) * MINUTE + SECOND)] == [200]


def test_mids_have_no_volume_and_nothing_is_built_from_nothing():
    bars = builder()
    assert bars.advance(9 * MINUTE) == []
    bars.add(100, None, 10 * MINUTE)
    ((_, bar),) = bars.advance(11 * MINUTE + SECOND)
    assert bar.volume is None


def test_grace_must_be_shorter_than_the_interval():
    with pytest.raises(ValueError, match="grace"):
        BarBuilder("X.Y", SECOND, grace_ns=SECOND)
