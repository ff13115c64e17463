"""Samples and curves of a long run: bounded, even, and exact whatever the size of a number."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_builder import BOOK, at, fill, quote

from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.research.backtest.sample import EvenSample
from tradeworthy.research.backtest.series import Series
from tradeworthy.trading.model.market import Side

WIDE = 1 << 63
"""The first number that does not fit into 64 bits with a sign."""


@given(count=st.integers(0, 400), most=st.integers(2, 40))
def test_a_sample_is_even_and_never_above_its_bound(count, most):
    sample = EvenSample(most)
    for n in range(count):
        if sample.due():
            sample.add(n)
    assert len(sample.kept) <= most
    steps = {b - a for a, b in zip(sample.kept, sample.kept[1:], strict=False)}
    assert len(steps) <= 1
    assert sample.kept[:1] == ([0] if count else [])
    assert len(sample.kept) >= min(count, most // 2)


def test_a_sample_of_one_is_refused():
    with pytest.raises(ValueError, match="at least two, was 1"):
        EvenSample(1)


def test_a_run_keeps_a_sample_of_its_fills_and_counts_them_all():
    records = RunRecords(BOOK, Decimal(100_000), fills_max=8)
    records.on_event(at(0, quote(1000, 1002)))
    for n in range(21):
        records.on_event(at(1 + n, fill(Side.BUY if n % 2 == 0 else Side.SELL, 1, 1001, position=1 - n % 2)))
    records.finish()
    assert records.positions.fills == 21
    assert len(records.fills) <= 8
    assert [one.ts for one in records.fills] == [at(1 + n, quote(1, 2)).ts_event for n in range(0, 21, 4)]


@given(values=st.lists(st.integers(-WIDE - 5, WIDE + 5), max_size=60), most=st.integers(2, 9))
def test_a_curve_is_the_same_whether_its_values_fit_into_64_bits_or_not(values, most):
    narrow, wide = Series(most), Series(most)
    for ts, value in enumerate(values):
        wide.add(ts, value)
        narrow.add(ts, value % 1_000)
    assert list(wide.ts) == list(narrow.ts)
    if values:
        assert wide.last[-1] == values[-1]
        assert (min(wide.low), max(wide.high)) == (min(values), max(values))

