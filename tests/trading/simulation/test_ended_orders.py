"""What a simulated venue remembers of orders that ended: whole for a day, then the id for as long as there is room."""

import pytest
from venue_bench import X, codes, order, quote, venue

from tradeworthy.trading.model import CancelOrder, QueryOrder, ReportType
from tradeworthy.trading.simulation import Latency, ended_orders
from tradeworthy.trading.simulation.ended_orders import ENDED_KEPT_NS, EndedOrders
from tradeworthy.trading.simulation.venue_order import VenueOrder

R = ReportType


def ended(name, ts, into, how=R.CANCELLED):
    one = VenueOrder(order(name), 1, f"v-{name}", 0)
    one.ended = how
    into.keep(one, ts)
    return one


@pytest.fixture
def sim():
    """A venue at which `a` filled at time 2; answers take a nanosecond each way."""
    found = venue(latency=Latency.every(1))
    found.on_market(quote(100, 110), 0)
    found.send(order("a", price=110), 1)
    assert [one.type for _, one in found.advance(10)] == [R.ACKNOWLEDGED, R.FILL]
    return found


def told(sim, command, ts):
    sim.send(command, ts)
    return [report for _, report in sim.advance(ts + 10)]


def another_ends(sim, ts):
    told(sim, order("b", price=90), ts)
    assert codes(told(sim, CancelOrder("b", X, "test"), ts + 100)) == [(R.CANCELLED, "test")]


@pytest.mark.parametrize(("after", "types"), [(-1_000, [R.FILL]), (1_000, [])])
def test_within_a_day_an_ended_order_is_told_in_full_and_later_silence_never_says_that_there_is_none(
    sim, after, types
):
    another_ends(sim, ENDED_KEPT_NS + after)
    assert [one.type for one in told(sim, QueryOrder("a", X), ENDED_KEPT_NS + after + 500)] == types
    assert codes(told(sim, QueryOrder("never", X), ENDED_KEPT_NS + 2_000)) == [(R.ABSENT, "venue.unknown_order")]


def test_a_retired_order_keeps_its_id_and_its_end(sim):
    another_ends(sim, ENDED_KEPT_NS + 1_000)
    late = ENDED_KEPT_NS + 2_000
    assert codes(told(sim, order("a", price=90), late)) == [(R.REJECTED, "venue.duplicate_client_id")]
    assert codes(told(sim, CancelOrder("a", X, "x"), late + 100)) == [(R.CANCEL_REJECTED, "venue.already_filled")]


def test_what_is_held_has_a_bound_in_orders_and_in_ids(monkeypatch):
    monkeypatch.setattr(ended_orders, "ENDED_KEPT_MAX", 3)
    monkeypatch.setattr(ended_orders, "IDS_KEPT_MAX", 4)
    kept = EndedOrders()
    for n in range(10):
        ended(f"o{n}", n, kept, R.EXPIRED)
    assert len(kept) == 3
    assert [n for n in range(10) if kept.get(f"o{n}")] == [7, 8, 9]
    assert [n for n in range(10) if f"o{n}" in kept] == [3, 4, 5, 6, 7, 8, 9]
    assert kept.how("o3") is kept.how("o9") is R.EXPIRED
    assert kept.how("o2") is None


def test_the_last_nanosecond_of_the_day_still_counts():
    kept = EndedOrders()
    first = ended("a", 1, kept)
    ended("b", ENDED_KEPT_NS, kept)
    assert kept.get("a") is first
    ended("c", ENDED_KEPT_NS + 1, kept)
    assert kept.get("a") is None
    assert "a" in kept
