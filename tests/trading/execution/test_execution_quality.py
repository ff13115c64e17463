"""What a parent cost, and why, against a parent computed by hand (EA-07)."""

from decimal import Decimal

import pytest

from tradeworthy.trading.execution.quality import ParentQuality, QualityPolicy
from tradeworthy.trading.model import FeeRates, Instrument, InstrumentKind, Side

D = Decimal
X = Instrument("X", "SIM", InstrumentKind.SPOT, D("0.01"), D(1), "X", "USD", FeeRates(D(0), D(0)))
BPS = D("1e-9")


def parent(side=Side.BUY, lots=100):
    return ParentQuality("p", "one", X, side, lots, decision_mid2=20_000, arrival_mid2=20_020, arrived_at=1_000)


def by_hand(side):
    """60 at mid+1 tick, 30 at mid+2; prices mirrored around 100 for a sale. 10 are never filled."""
    sign = int(side)
    quality = ParentQuality(
        "p", "one", X, side, 100, decision_mid2=20_000, arrival_mid2=20_000 + 20 * sign, arrived_at=1_000
    )
    quality.on_trade(10_000 + 10 * sign, 300)
    quality.on_trade(10_000 + 14 * sign, 100)
    quality.on_fill(10_000 + 13 * sign, 60, 2_000, sent_mid2=20_000 + 22 * sign, mid2=20_000 + 24 * sign, fee=D("0.6"))
    quality.on_fill(10_000 + 20 * sign, 30, 5_000, sent_mid2=20_000 + 30 * sign, mid2=20_000 + 36 * sign, fee=D("0.3"))
    quality.on_mid(20_000 + 40 * sign)
    return quality.finish(QualityPolicy())


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_parent_computed_by_hand(side):
    told, incident = by_hand(side)
    assert incident is None
    assert told.delay == D("0.10") * 90  # decision 100.00, arrival 100.10
    assert told.timing == D("0.01") * 60 + D("0.05") * 30
    assert told.impact == D("0.01") * 60 + D("0.03") * 30
    assert told.spread == D("0.01") * 60 + D("0.02") * 30
    assert told.opportunity == D("0.20") * 10
    assert told.fees == D("0.9")
    paid = D("0.13") * 60 + D("0.20") * 30
    assert told.shortfall == paid + D("2.0") + D("0.9")
    assert (told.fill_ratio, told.time_to_fill_ns) == (D("0.9"), (1_000 * 60 + 4_000 * 30) // 90)
    mean = (D("0.13") * 60 + D("0.20") * 30) / 90
    sign = int(side)
    assert abs(told.decision_bps - mean / 100 * 10_000) < BPS
    assert abs(told.arrival_bps - (mean - D("0.10")) / (100 + sign * D("0.10")) * 10_000) < BPS
    assert abs(told.vwap_bps - (mean - D("0.11")) / (100 + sign * D("0.11")) * 10_000) < BPS


def test_a_parent_without_a_fill_is_all_opportunity_and_has_no_benchmarks():
    quality = parent()
    quality.on_mid(20_100)
    told, incident = quality.finish(QualityPolicy())
    assert (told.shortfall, told.opportunity, incident) == (D("50.00"), D("50.00"), None)
    assert (told.arrival_bps, told.vwap_bps, told.time_to_fill_ns) == (None, None, None)


@pytest.mark.parametrize(("price", "is_incident"), [(10_060, False), (10_061, True)])
def test_slippage_over_the_cap_is_an_incident_with_the_market_around_it(price, is_incident):
    quality = parent(lots=10)
    quality.on_trade(10_050, 7)
    quality.on_fill(price, 10, 2_000, sent_mid2=20_020, mid2=20_040, fee=D(0))
    limit = (D(10_060) * 2 - 20_020) / 20_020 * 10_000
    _, incident = quality.finish(QualityPolicy(slippage_bps_max=limit))
    assert (incident is not None) is is_incident
    if incident is not None:
        assert (incident.arrival_mid2, incident.last_mid2, incident.market_lots) == (20_020, 20_040, 7)


def test_a_parent_of_nothing_is_a_hole_in_the_wiring():
    with pytest.raises(ValueError, match="above 0"):
        parent(lots=0)
