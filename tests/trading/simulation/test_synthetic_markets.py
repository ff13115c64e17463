"""Made markets (SV-15)."""

import pytest
from venue_bench import X

from tradeworthy.trading.model import DepthDiff, DepthSnapshot, Quote, Trade
from tradeworthy.trading.simulation.book import VenueBook
from tradeworthy.trading.simulation.synthetic import (
    Walk,
    fat_finger,
    flash_crash,
    l2_flow,
    mean_reversion,
    quotes,
    random_walk,
    regime_switch,
    stuck_feed,
)


@pytest.mark.parametrize("market", [random_walk, mean_reversion, regime_switch])
def test_same_seed_gives_the_same_facts_and_another_seed_others(market):
    assert list(market(X, seed=3)) == list(market(X, seed=3))
    assert list(market(X, seed=3)) != list(market(X, seed=4))


def test_l2_flow_is_seeded_and_never_crosses_its_book():
    tape = list(l2_flow(Walk(X, steps=300), seed=1))
    assert tape == list(l2_flow(Walk(X, steps=300), seed=1))
    assert any(isinstance(fact, Trade) for _, fact in tape)
    book = VenueBook()
    for _, fact in tape:
        if isinstance(fact, DepthSnapshot):
            book.restore(fact)
        elif isinstance(fact, DepthDiff):
            book.apply(fact)
            assert book.best_bid() < book.best_ask()
            assert len(book.bids) == len(book.asks) == 10


def test_mean_reversion_stays_nearer_to_its_start_than_a_walk():
    def spread(pull):
        bids = [fact.bid for _, fact in quotes(Walk(X, steps=2_000, pull=pull), seed=1)]
        return max(bids) - min(bids)

    assert spread(0.2) < spread(0.0) / 3


def calm():
    return [(ts, Quote(X, 1_000 + ts, 1_002 + ts)) for ts in range(10)]


def test_stuck_feed_repeats_the_last_fact_inside_its_window_only():
    tape = [fact.bid for _, fact in stuck_feed(calm(), start=3, length_ns=3)]
    assert tape == [1_000, 1_001, 1_002, 1_002, 1_002, 1_002, 1_006, 1_007, 1_008, 1_009]


def test_flash_crash_is_deepest_in_the_middle_and_over_at_its_end():
    tape = [fact.bid for _, fact in flash_crash(calm(), start=2, length_ns=4, depth=0.5)]
    assert tape[4] == 502
    assert tape[2] == 1_002
    assert tape[6] == 1_006


def test_fat_finger_misprices_one_quote():
    tape = [fact.bid for _, fact in fat_finger(calm(), at=5)]
    assert tape[5] == 10_050
    assert tape[:5] + tape[6:] == [1_000, 1_001, 1_002, 1_003, 1_004, 1_006, 1_007, 1_008, 1_009]
