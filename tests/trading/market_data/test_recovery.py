"""Cuts, lost books, bad checksums, silent feeds beside busy ones, a backup that takes over (MD-02, 05, 08, 11, 13)."""

from datetime import date
from random import Random

import pytest

from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.market_data.depth import DepthBook
from tradeworthy.trading.market_data.feed_health import Cadence, FeedHealth
from tradeworthy.trading.market_data.quarantine import DataKey, Quarantine
from tradeworthy.trading.market_data.reconnect import Reconnect
from tradeworthy.trading.market_data.top import MarketState
from tradeworthy.trading.market_data.two_sources import TwoSources
from tradeworthy.trading.model import Bar, DepthChecksum, DepthDiff, DepthSnapshot, Quote, Split

X = "X.SIM"
S = 1_000_000_000


def diff(number, bid, lots):
    return DepthDiff(X, number, number, None, ((bid, lots),), ((bid + 500, lots),))


def sum_of(book):
    return sum(price * lots for price, lots in (*book.bids(10), *book.asks(10)))


def test_five_cuts_are_five_reconnects_and_the_book_is_equal_at_the_end():
    whole, cut, line = DepthBook(X), DepthBook(X), Reconnect("x", Random(7))
    for book in (whole, cut):
        book.restore(DepthSnapshot(X, 0, (), ()), 0)
    restored = []
    for number in range(1, 61):
        one = diff(number, 1_000 - number % 7, 1 + number % 5)
        whole.apply(one, number)
        if number % 10 == 5 and line.reconnects < 5:
            line.on_cut("closed by peer", number)
            continue  # the diff is lost, and so the next one breaks the book
        cut.apply(one, number)
        if cut.broken:
            assert line.next_delay() >= S
            cut.restore(whole.snapshot(), number)
            restored += line.on_restored(number)
    assert (line.reconnects, len(restored), cut.resyncs) == (5, 5, 5)
    assert (cut.bids(), cut.asks(), cut.last_id) == (whole.bids(), whole.asks(), whole.last_id)


def test_a_bad_checksum_breaks_the_book_until_a_snapshot():
    market = MarketState(X, checksum=sum_of)
    market.apply(DepthSnapshot(X, 1, ((100, 2),), ((600, 2),)), 0)
    assert market.apply(DepthChecksum(X, 1, 100 * 2 + 600 * 2), 1) == ()
    assert market.apply(DepthChecksum(X, 7, 1), 1) == (), "of an update that did not come yet"
    market.apply(diff(2, 99, 1), 2)
    (gap,) = market.apply(DepthChecksum(X, 2, 1), 2)
    assert (gap.reason, market.book.broken, market.book.gaps, market.usable) == ("checksum", True, 1, False)
    market.apply(DepthSnapshot(X, 5, ((100, 2),), ((600, 2),)), 3)
    assert (market.book.live, market.book.resyncs, market.usable) == (True, 1, True)


def test_a_book_without_a_rule_takes_every_checksum():
    market = MarketState(X)
    assert market.apply(DepthChecksum(X, 1, 1), 1) == ()
    market.apply(DepthSnapshot(X, 1, ((100, 2),), ((600, 2),)), 2)
    assert market.apply(DepthChecksum(X, 1, 1), 3) == ()


def test_market_data_that_died_fails_while_fills_go_on():
    prices, fills = FeedHealth("prices", Cadence.INTRADAY), FeedHealth("fills", Cadence.INTRADAY)
    prices.on_message(0)
    for minute in range(16):
        fills.on_message(minute * 60 * S)
    now = 15 * 60 * S
    assert prices.judge(now, 0).severity is Severity.FAIL
    assert fills.judge(now, 0).severity is Severity.OK


def test_a_sixteen_percent_jump_is_quarantined_the_backup_used_and_nothing_later_rests_on_it():
    quarantine, sources = Quarantine(), TwoSources(X, "primary", "backup")
    keys = {name: DataKey("quotes", name, X) for name in ("primary", "backup")}
    used = []
    for price in (1_000, 1_010, 1_171, 1_012, 1_011):
        for name, seen in (("primary", price), ("backup", 1_010)):
            quarantine.observe(keys[name], seen)
        if not quarantine.available(keys[sources.active]):
            sources.switch("backup", "policy")
        used.append((sources.active, {"primary": price, "backup": 1_010}[sources.active]))
    assert used == [("primary", 1_000), ("primary", 1_010), ("backup", 1_010), ("backup", 1_010), ("backup", 1_010)]
    assert not quarantine.available(keys["primary"])


@pytest.mark.parametrize("source", ["quote", "bar", "depth"])
def test_a_split_leaves_no_price_of_before(source):
    market = MarketState(X)
    facts = {"quote": Quote(X, 100, 102), "bar": Bar(X, 60, 100, 102, 99, 101),
             "depth": DepthSnapshot(X, 1, ((100, 1),), ((102, 1),))}  # fmt: skip
    market.apply(facts[source], 1)
    assert market.usable
    market.apply(Split(X, date(2014, 6, 6), 7, 1), 2)
    assert (market.usable, market.mid2, market.last, len(market.bars())) == (False, None, None, 0)
    market.apply(facts[source], 3)
    assert market.usable
