from datetime import date
from decimal import Decimal

import pytest

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.market_data.adjust import Adjuster, parse_factors
from tradeworthy.trading.model import Split

TEXT = "20140507,0.9,0.25,100\n20140606,0.9,0.25,648\n20140806,0.95,1,95\n20501231,1,1,0\n"


def test_factor_holds_up_to_and_including_its_day():
    adjuster = Adjuster("X.Y", parse_factors(TEXT))
    assert adjuster.factor(date(2014, 6, 6)) == Decimal("0.225")
    assert adjuster.factor(date(2014, 6, 9)) == Decimal("0.95")
    assert adjuster.factor(date(2014, 6, 6), dividends=False) == Decimal("0.25")
    assert adjuster.factor(date(2060, 1, 1)) == 1
    assert adjuster.adjusted(Decimal(400), date(2014, 6, 6)) == 90


def test_split_is_told_with_its_day_and_ratio():
    (split,) = Adjuster("X.Y", parse_factors(TEXT)).splits()
    assert (split.instrument, split.last_day, split.new, split.old) == ("X.Y", date(2014, 6, 6), 4, 1)


def test_dividend_is_told_with_its_day_and_cash():
    (special, last) = Adjuster("X.Y", parse_factors(TEXT)).dividends()
    assert (special.last_day, special.per_unit) == (date(2014, 6, 6), Decimal("34.1053"))
    assert (last.last_day, last.per_unit) == (date(2014, 8, 6), Decimal("4.7500"))
    with pytest.raises(InvalidInput, match="needs that day's close"):
        Adjuster("X.Y", parse_factors("20140507,0.9,1,0\n20501231,1,1,0\n")).dividends()


@pytest.mark.parametrize(("new", "old"), [(0, 1), (1, 0), (1, 1), (-2, 1)])
def test_a_split_that_is_none_cannot_be_built(new, old):
    with pytest.raises(InvalidInput, match="two counts above 0"):
        Split("X.Y", date(2014, 6, 6), new, old)


@pytest.mark.parametrize("text", ["", "20140507,0.9", "20140507,0,1,1", "20140507,1,1,1\n20140507,1,1,1", "2014,1,1,1"])
def test_odd_factors_are_refused(text):
    with pytest.raises(InvalidInput):
        Adjuster("X.Y", parse_factors(text))
