"""Faults around a venue: each acts in its window and is gone afterwards (SV-16)."""

import pytest
from venue_bench import X, order, quote, venue

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.model import CancelOrder
from tradeworthy.trading.simulation.faults import Fault, FaultWindow, FaultyVenue, faulty_feed

TTL = 1_000_000
EXPECTED = {
    Fault.LOST_ACK: ["a fill", "r cancelled"],
    Fault.LATE_ACK: ["a fill", "r cancelled", "a acknowledged", "r acknowledged"],
    Fault.DUPLICATE_FILL: ["a acknowledged", "a fill", "a fill", "r acknowledged", "r cancelled"],
    Fault.REORDERED_REPORTS: ["r cancelled", "r acknowledged", "a fill", "a acknowledged"],
    Fault.REJECT_BURST: ["a rejected", "r rejected", "r cancel_rejected"],
    Fault.REFUSED_CANCEL: ["a acknowledged", "a fill", "r acknowledged", "r cancel_rejected"],
    Fault.DISCONNECT: [],
    Fault.HALF_OPEN: [],
    Fault.FILL_AFTER_CANCEL: ["a acknowledged", "r acknowledged", "r cancelled", "a fill"],
}
SOUND = ["a acknowledged", "a fill", "r acknowledged", "r cancelled"]


def story(sim, start):
    sim.on_market(quote(), start)
    reports = []
    for number, command in enumerate((order("a"), order("r", price=90), CancelOrder("r", X, "test")), 1):
        sim.send(command, start + number * 100)
        reports += sim.advance(start + number * 100 + 50)
    reports += sim.advance(start + 20 * TTL)
    return [f"{report.client_order_id} {report.type.value}" for _, report in reports]


@pytest.mark.parametrize("fault", EXPECTED)
def test_fault_changes_the_story_and_leaves_a_fact(fault):
    sim = FaultyVenue(venue(), FaultWindow(fault, 0, TTL, delay_ns=TTL))
    assert story(sim, 0) == EXPECTED[fault]
    assert {note.fault for note in sim.injected} == {fault.value}


@pytest.mark.parametrize("fault", EXPECTED)
def test_fault_is_gone_after_its_ttl(fault):
    sim = FaultyVenue(venue(), FaultWindow(fault, 0, TTL))
    assert story(sim, TTL) == SOUND
    assert sim.injected == []


def test_disconnect_holds_reports_until_the_line_is_back():
    sim = FaultyVenue(venue(), FaultWindow(Fault.DISCONNECT, 150, TTL))
    sim.on_market(quote(), 0)
    sim.send(order(price=101), 149)
    assert sim.advance(TTL) == []
    assert sim.next_due() == TTL + 150
    assert [(ts, report.type.value) for ts, report in sim.advance(2 * TTL)] == [(TTL + 150, "acknowledged")]


@pytest.mark.parametrize(
    ("fault", "expected"), [(Fault.STALE_FEED, [0, 1, 4, 5]), (Fault.CLOCK_SKEW, [0, 1, -8, -7, 4, 5])]
)
def test_feed_faults_touch_their_window_only(fault, expected):
    injected = []
    tape = faulty_feed([(ts, quote()) for ts in range(6)], FaultWindow(fault, 2, 2, delay_ns=-10), injected)
    assert [ts for ts, _ in tape] == expected
    assert [note.ts for note in injected] == [2, 3]


def test_a_feeds_fault_is_refused_at_the_venue_and_the_other_way_round():
    with pytest.raises(InvalidInput, match="faulty_feed"):
        FaultyVenue(venue(), FaultWindow(Fault.STALE_FEED, 0, 1))
    with pytest.raises(InvalidInput, match="FaultyVenue"):
        list(faulty_feed([], FaultWindow(Fault.LOST_ACK, 0, 1), []))
