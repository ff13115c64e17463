"""A long and a short beside each other (LG-09)."""

import pytest
from ledger_builders import PERP, D, fill, ledger

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.ledger.hedge import Leg, book_leg, hedged, leg_of
from tradeworthy.trading.model import Side

X = PERP.instrument_id


def test_long_one_short_one_is_net_zero_and_gross_two():
    book = ledger()
    book_leg(book, fill(PERP, 1, 10_000), None, opens=True)
    book_leg(book, fill(PERP, -1, 10_100, "t2"), None, opens=True)
    both = hedged(book, "a", X)
    assert (both.net, both.gross, both.long.lots, both.short.lots) == (0, 2, 1, -1)
    assert (both.long.average, both.short.average) == (10_000, 10_100)


@pytest.mark.parametrize(
    ("side", "opens", "leg"),
    [(Side.BUY, True, Leg.LONG), (Side.SELL, False, Leg.LONG), (Side.SELL, True, Leg.SHORT),
     (Side.BUY, False, Leg.SHORT)],
)
def test_the_intent_and_not_the_side_names_the_leg(side, opens, leg):
    assert leg_of(side, opens=opens) is leg


def test_closing_one_leg_realises_its_profit_and_leaves_the_other():
    book = ledger()
    book_leg(book, fill(PERP, 10, 10_000), None, opens=True)
    book_leg(book, fill(PERP, -10, 10_000, "t2"), None, opens=True)
    done = book_leg(book, fill(PERP, -10, 10_500, "t3"), None, opens=False)
    assert (done.realized, done.instance) == (D("0.05"), "a#long")
    assert (hedged(book, "a", X).net, hedged(book, "a", X).gross) == (-10, 10)


def test_a_closing_fill_that_the_leg_does_not_hold_is_refused():
    book = ledger()
    book_leg(book, fill(PERP, 1, 10_000), None, opens=True)
    with pytest.raises(InvalidInput, match="holds 1 lots"):
        book_leg(book, fill(PERP, -2, 10_000, "t2"), None, opens=False)
    assert hedged(book, "a", X).net == 1
