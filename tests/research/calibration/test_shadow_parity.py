from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.research.backtest.fill_factor import FillFactor
from tradeworthy.research.calibration.recalibration import propose
from tradeworthy.research.calibration.shadow import Shadow
from tradeworthy.research.calibration.shadow_parity import ShadowPolicy, judge_shadow
from tradeworthy.research.calibration.sides import SideFigures
from tradeworthy.trading.model import (
    CancelOrder,
    ExecReport,
    FeeRates,
    Instrument,
    InstrumentKind,
    Liquidity,
    OrderType,
    Quote,
    ReportType,
    Side,
    SubmitOrder,
    TimeInForce,
    Trade,
)
from tradeworthy.trading.simulation.latency import Latency
from tradeworthy.trading.simulation.rules import VenueRules
from tradeworthy.trading.simulation.venue import Matching, SimulatedVenue

PERP = Instrument(
    "BTCUSDT", "SIM", InstrumentKind.LINEAR_PERP, Decimal("0.1"), Decimal("0.01"), "BTC", "USDT",
    FeeRates(Decimal(0), Decimal("0.001")), max_order_lots=1000,
)
ID, T0, SECOND = PERP.instrument_id, 1_700_000_000 * NANOS_PER_SECOND, NANOS_PER_SECOND


def venue():
    return SimulatedVenue(
        (PERP,), latency=Latency.every(0), matching=Matching.L1, seed=1,
        rules=VenueRules(open_orders_max=10_000),
    )


class Session:
    """Write a journal's events by hand, or let a venue of its own answer them."""

    def __init__(self, live=None):
        self.events, self.ts, self.live, self.number = [], T0, live, 0

    def put(self, fact, ts=None):
        self.number += 1
        at = self.ts if ts is None else ts
        self.events.append(event_of(fact, source="test", key=self.number, ts_event=at, ts_init=at))

    def market(self, fact, gap=1):
        self.ts += gap * SECOND
        self.answers()
        self.put(fact)
        if self.live is not None:
            self.live.on_market(fact, self.ts)

    def answers(self):
        while self.live is not None and (due := self.live.next_due()) is not None and due < self.ts:
            for at, report in self.live.advance(due):
                self.put(report, at)

    def submit(self, price=None, side=Side.BUY, lots=1):
        self.number += 1
        order = SubmitOrder(
            f"o{self.number}", f"i{self.number}", "mm", ID, side, lots,
            OrderType.MARKET if price is None else OrderType.LIMIT, TimeInForce.GTC, price,
        )
        self.put(order)
        if self.live is not None:
            self.live.send(order, self.ts)
        return order

    def report(self, order, kind, **fields):
        self.put(ExecReport(kind, order.client_order_id, ID, **fields))

    def judged(self, simulated=None, **policy):
        self.answers()
        samples = list(Shadow({ID: PERP}, simulated or venue()).run(self.events))
        checks, facts = judge_shadow(samples, capital=100_000.0, policy=ShadowPolicy(**policy))
        return {one.code.removeprefix("parity."): one for one in checks}, samples, facts


def takers(session, n):
    for i in range(n):
        session.market(Quote(ID, 1000 + i % 5, 1002 + i % 5, 50, 50))
        session.submit(side=Side.BUY if i % 2 else Side.SELL)
    session.market(Quote(ID, 1000, 1002, 50, 50))
    return session


def test_a_session_that_the_simulated_venue_answered_has_parity_exactly():
    checks, samples, facts = takers(Session(venue()), 40).judged()
    assert {name: one.severity for name, one in checks.items()} == dict.fromkeys(
        ("fill_ratio", "slippage_bps", "reject_rate", "equity_share"), Severity.OK
    )
    assert samples[-1].live == samples[-1].simulated
    assert samples[-1].live.filled == 40
    assert facts[-1][1].slippage_bps == 0.0


def test_thirty_six_intents_without_a_fill_fail():
    checks, _, facts = takers(Session(), 36).judged()
    assert {name: one.severity for name, one in checks.items()} == {"silent_intents": Severity.FAIL}
    assert checks["silent_intents"].observed == "36"
    assert facts[-1][1].severity == Severity.FAIL


@pytest.mark.parametrize(("n", "known"), [(9, False), (10, True)])
def test_fewer_than_ten_intents_are_unknown(n, known):
    checks, _, _ = takers(Session(venue()), n).judged()
    assert (worst(one.severity for one in checks.values()) is Severity.UNKNOWN) != known


def test_rejected_intents_without_a_fill_are_unknown_and_not_silent():
    session = Session()
    for _ in range(20):
        session.market(Quote(ID, 1000, 1002, 50, 50))
        session.report(session.submit(), ReportType.REJECTED, code="venue.down")
    checks, _, _ = session.judged()
    assert checks["samples"].severity is Severity.UNKNOWN


def test_a_venue_that_rejects_and_fills_worse_is_told_from_its_simulation():
    session = Session()
    for i in range(20):
        session.market(Quote(ID, 1000, 1002, 50, 50))
        order = session.submit()
        if i % 4:
            session.report(
                order, ReportType.FILL, trade_id=f"t{i}", side=Side.BUY, lots=1, price=1003,
                liquidity=Liquidity.TAKER, fee=Decimal(0), fee_currency="USDT",
            )
        else:
            session.report(order, ReportType.REJECTED, code="venue.down")
    session.market(Quote(ID, 1000, 1002, 50, 50))
    checks, samples, _ = session.judged()
    assert samples[-1].live.reject_rate == 0.25
    assert checks["reject_rate"].severity is Severity.FAIL
    assert checks["fill_ratio"].severity is Severity.FAIL  # 0.75 against 1: the budget is reached
    assert checks["slippage_bps"].severity is Severity.FAIL  # a tick of ten bps worse than the simulated touch
    assert checks["equity_share"].severity is Severity.OK


def test_samples_come_each_five_minutes_and_silence_counts_after_one():
    session = Session()
    session.market(Quote(ID, 1000, 1002, 50, 50))
    session.submit(price=900)
    session.market(Quote(ID, 1000, 1002, 50, 50), gap=650)
    _, samples, _ = session.judged()
    assert {b.ts - a.ts for a, b in pairwise(samples[:-1])} == {300 * SECOND}
    assert (samples[0].live.silent, samples[-1].live.silent) == (0, 1)


def test_equity_that_drifts_apart_by_a_percent_of_capital_within_the_window_fails():
    _, samples, _ = takers(Session(venue()), 12).judged()
    base = samples[-1]

    def at_minute(minute, gap):
        live = msgspec.structs.replace(base.live, equity_change=base.simulated.equity_change - gap)
        return msgspec.structs.replace(base, ts=T0 + minute * 60 * SECOND, live=live)

    def equity(*given):
        checks, _ = judge_shadow(given, capital=100_000.0)
        return next(one.severity for one in checks if one.code == "parity.equity_share")

    assert equity(at_minute(5, 0.0), at_minute(100, 999.0)) is Severity.OK
    assert equity(at_minute(5, 0.0), at_minute(100, 1000.0)) is Severity.FAIL
    slow = [at_minute(5 * n, 10.0 * n) for n in range(1, 80)]  # 2,000 in ten hours, but 360 in any three
    assert equity(*slow[:1], *slow[36:]) is Severity.OK


class OptimisticQueue:
    """A simulated venue that takes each trade for ten times its size, so that any queue is soon through."""

    def __init__(self):
        self._venue = venue()
        self.send, self.next_due, self.advance = self._venue.send, self._venue.next_due, self._venue.advance

    def on_market(self, fact, ts):
        if isinstance(fact, Trade):
            fact = msgspec.structs.replace(fact, lots=10 * fact.lots)
        self._venue.on_market(fact, ts)


def joined(simulated):
    """Orders join a queue of ten; every second one sees enough trades to be filled, before the level moves on."""
    session = Session(venue())
    for i in range(240):
        price = 1000 + i % 2
        session.market(Quote(ID, price, price + 10, 10, 10))
        order = session.submit(price=price)
        session.market(Trade(ID, price, 11 if i % 2 else 3, Side.SELL))
        session.live.send(CancelOrder(order.client_order_id, ID, "test"), session.ts)
        session.put(CancelOrder(order.client_order_id, ID, "test"))
    session.market(Quote(ID, 1000, 1010, 10, 10))
    return list(Shadow({ID: PERP}, simulated).run(session.events))[-1]


FACTOR = FillFactor("all", 0.4, None, 1.0, 120, Severity.OK, None)


def proposal(live, models, *, factor=FACTOR, submit_ms=1.0):
    return propose(
        live, models, in_force="optimistic", factor=factor, factor_in_force=0.4, submit_ms=submit_ms
    )


def side(**fields):
    return SideFigures(
        intents=240, filled=120, fills=120, failed=0, rejected=0, silent=0, reject_rate=0.0, slippage_bps=-5.0,
        maker_share=1.0, equity_change=0.0, answer_ms=1.0, **fields,
    )


def test_a_planted_optimistic_queue_is_flagged_and_the_better_model_proposed():
    planted, fitting = joined(OptimisticQueue()), joined(venue())
    live = msgspec.structs.replace(planted.live, answer_ms=1.0)
    assert live.fills == 120
    found = proposal(live, {"optimistic": planted.simulated, "risk_averse": fitting.simulated})
    flagged = {one.code: one.severity for one in found.checks}
    assert flagged["recalibration.queue"] is Severity.WARN
    assert flagged["recalibration.fill_probability"] is Severity.WARN
    assert found.optimism["optimistic"] == pytest.approx(0.5)
    (queue,) = [one for one in found.changes if one.key == "venue.queue"]
    assert found.optimism["risk_averse"] == 0.0
    assert (queue.before, queue.after) == ("optimistic", "risk_averse")


def test_a_simulation_that_fits_proposes_nothing():
    live = side(fill_ratio=0.5)
    found = proposal(live, {"optimistic": side(fill_ratio=0.5)})
    assert found.changes == ()
    assert {one.severity for one in found.checks} == {Severity.OK}


@pytest.mark.parametrize(("factor", "proposed"), [(0.4599, False), (0.46, True), (0.34, True), (0.341, False)])
def test_a_fill_factor_that_moved_by_fifteen_percent_is_proposed(factor, proposed):
    live = side(fill_ratio=0.5)
    found = proposal(
        live, {"optimistic": side(fill_ratio=0.5)}, factor=msgspec.structs.replace(FACTOR, factor=factor)
    )
    assert bool(found.changes) == proposed


@pytest.mark.parametrize(("fills", "known"), [(99, False), (100, True)])
def test_recalibration_waits_for_a_hundred_fills(fills, known):
    found = proposal(msgspec.structs.replace(side(fill_ratio=0.5), fills=fills), {"optimistic": side(fill_ratio=0.5)})
    assert (worst(one.severity for one in found.checks) is Severity.UNKNOWN) != known


def test_a_latency_that_moved_is_refitted_from_the_answers():
    found = proposal(side(fill_ratio=0.5), {"optimistic": side(fill_ratio=0.5)}, submit_ms=2.0)
    (change,) = found.changes
    assert (change.key, change.before, change.after) == ("venue.submit_ms", "2", "1")
