"""A funding time without a rate is told between the rows of the tape (SV-12)."""

from decimal import Decimal

from small_desk import ID, Feed, Scripted, build, submits, target

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.trading.environment import Row
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.missed_funding import with_missed
from tradeworthy.trading.model import Funding, Quote

NAME = "BTCUSDT.BINANCE_USDM"
PERP = shipped()[NAME]
HOUR = 3_600 * NANOS_PER_SECOND
GRACE = 60 * NANOS_PER_SECOND
MIDNIGHT = 1_704_067_200 * NANOS_PER_SECOND


def played(*rows):
    tape = [Row("tape", number, ts, ts, fact) for number, (ts, fact) in enumerate(rows, 1)]
    return [(one.source, one.ts_event - MIDNIGHT, one.ts_init - MIDNIGHT, one.fact)
            for one in with_missed(tape, [PERP], GRACE)]  # fmt: skip


def quote(hours, nanos=0):
    return MIDNIGHT + hours * HOUR + nanos, Quote(NAME, 1, 2)


def test_a_missed_time_comes_before_the_first_row_after_its_grace():
    found = played(quote(1), quote(8, GRACE - 1), quote(8, GRACE), quote(9))
    assert [one[0] for one in found] == ["tape", "tape", "funding", "tape", "tape"]
    assert found[2] == ("funding", 8 * HOUR, 8 * HOUR + GRACE, Funding(NAME, None))


def test_a_rate_in_time_is_no_miss_and_each_missed_time_is_told_once():
    told = (MIDNIGHT + 8 * HOUR, Funding(NAME, Decimal("0.0001")))
    assert [one[0] for one in played(quote(1), told, quote(15))] == ["tape"] * 3
    found = played(quote(1), told, quote(33))
    assert [one[1] // HOUR for one in found if one[0] == "funding"] == [16, 24, 32]


def test_a_tape_without_rows_and_an_instrument_without_funding_tell_nothing():
    assert list(with_missed([], [PERP], GRACE)) == []
    share = shipped()["AAPL.XNAS"]
    rows = [Row("tape", 1, MIDNIGHT, MIDNIGHT, Quote("AAPL.XNAS", 1, 2))]
    assert list(with_missed(rows, [share], GRACE)) == rows


def test_an_unknown_rate_pauses_who_holds_the_position():
    feed = Feed(build(Scripted([target(10)])))
    (order,) = submits(feed.quote())
    feed.acknowledge(order)
    feed.fill(order)
    (changed,) = [one for one in feed.give(Funding(ID, None)).facts if one.kind == "guard.changed"]
    assert (changed.reason, changed.scope) == ("risk.funding_unknown", "strategy:script")
