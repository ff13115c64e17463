from datetime import date
from decimal import Decimal

import pytest

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.market_data.adjust import Adjuster, parse_factors

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
    assert (split.instrument, split.last_day, split.ratio) == ("X.Y", date(2014, 6, 6), 4)


@pytest.mark.parametrize("text", ["", "20140507,0.9", "20140507,0,1,1", "20140507,1,1,1\n20140507,1,1,1", "2014,1,1,1"])
def test_odd_factors_are_refused(text):
    with pytest.raises(InvalidInput):
        Adjuster("X.Y", parse_factors(text))
