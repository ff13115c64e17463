"""Each fault flips the check that stands for it, and the check is quiet once the fault is gone (SV-16)."""

import pytest
from venue_bench import X, quote, venue

from tradeworthy.trading.execution import Execution, ExecutionPolicy
from tradeworthy.trading.market_data.age import AgeAct, StreamAge
from tradeworthy.trading.market_data.feed_clock import FeedClock
from tradeworthy.trading.model import (
    Approved,
    CancelOrder,
    Intent,
    OrderState,
    OrderType,
    ReportType,
    Side,
)
from tradeworthy.trading.simulation.faults import Fault, FaultWindow, FaultyVenue, faulty_feed

S = 1_000_000_000
TTL = 60 * S


class Always:
    def matches(self, intent):
        return True


class Rig:
    """Execution against a faulty venue, one step a second."""

    def __init__(self, fault, **policy):
        self.venue = FaultyVenue(venue(), FaultWindow(fault, 0, TTL, delay_ns=40 * S))
        self.execution = Execution(Always(), ExecutionPolicy(**policy))
        self.reasons, self.states, self.fills = [], [], 0
        self.anomalies = 0
        self.filled_at = self.answered_at = 0

    def send(self, name, ts, price=None):
        kind = OrderType.MARKET if price is None else OrderType.LIMIT
        intent = Intent(name, "o", "test", "r", f"d-{name}", X, Side.BUY, 1, ts + 60 * S, kind, price=price,
                        level=len(self.states))  # fmt: skip
        facts = self.execution.submit(Approved(intent, "p", 1), ts)
        self.states.append(facts[-1].client_order_id)
        self._out(facts, ts)
        return facts[-1].client_order_id

    def cancel(self, client_order_id, ts):
        self._out(self.execution.cancel(CancelOrder(client_order_id, X, "test"), ts), ts)

    def run(self, start, seconds):
        for ts in range(start, start + seconds * S, S):
            for due, report in self.venue.advance(ts):
                facts, fill = self.execution.on_report(report, due)
                if fill is not None:
                    self.fills, self.filled_at = self.fills + 1, due
                if report.type in (ReportType.CANCELLED, ReportType.CANCEL_REJECTED):
                    self.answered_at = due
                self.anomalies += any(one.kind == "order.anomaly" for one in facts)
                self._out(facts, ts)
            self._out(self.execution.on_timer(ts), ts)
            self.reasons += [name for name, level in self.execution.drain_reasons() if level]

    def state(self, client_order_id):
        one = self.execution.orders.get(client_order_id)
        return None if one is None else one.state

    def _out(self, facts, ts):
        for one in facts:
            if one.kind.startswith("command."):
                self.venue.send(one, ts)


def story(fault, start):
    """One market order and one resting order, both cancelled a second later; 45 seconds in all."""
    rig = Rig(fault, failed_executions=2, failed_cancels=1)
    rig.venue.on_market(quote(), start)
    rig.taken = rig.send("t", start)
    rig.resting = rig.send("r", start, price=90)
    rig.run(start, 1)
    for name in (rig.taken, rig.resting):
        rig.cancel(name, start + S)
    rig.unknown = False
    for second in range(1, 45):
        rig.run(start + second * S, 1)
        rig.unknown |= OrderState.UNKNOWN in (rig.state(rig.taken), rig.state(rig.resting))
    return rig


CHECKS = {
    Fault.LOST_ACK: lambda rig: rig.anomalies > 0 or rig.unknown,
    Fault.LATE_ACK: lambda rig: rig.anomalies > 0 or rig.unknown,
    Fault.DUPLICATE_FILL: lambda rig: rig.execution.orders.duplicates == 1 and rig.fills == 1,
    Fault.REORDERED_REPORTS: lambda rig: rig.unknown,
    Fault.REJECT_BURST: lambda rig: "execution.failed_in_row" in rig.reasons,
    Fault.REFUSED_CANCEL: lambda rig: "execution.failures" in rig.reasons,
    Fault.DISCONNECT: lambda rig: rig.unknown and rig.fills == 0,
    Fault.HALF_OPEN: lambda rig: rig.unknown and rig.fills == 0,
    Fault.FILL_AFTER_CANCEL: lambda rig: rig.fills == 1 and rig.filled_at > rig.answered_at,
}


@pytest.mark.parametrize("fault", CHECKS)
def test_each_fault_flips_its_check(fault):
    assert CHECKS[fault](story(fault, 0))


@pytest.mark.parametrize("fault", CHECKS)
def test_each_check_is_quiet_after_the_faults_ttl(fault):
    rig = story(fault, TTL)
    assert not CHECKS[fault](rig)
    assert rig.venue.injected == []
    assert (rig.state(rig.taken), rig.state(rig.resting)) == (OrderState.FILLED, OrderState.CANCELLED)
    assert (rig.anomalies, rig.reasons, rig.fills) == (0, [], 1)


def feed(fault):
    tape = [(ts, quote()) for ts in range(0, 200 * S, S)]
    return list(faulty_feed(tape, FaultWindow(fault, 60 * S, TTL, delay_ns=2 * S), []))


def test_a_stale_feed_flips_the_age_and_is_forgiven_after_its_resync():
    age, acts, seen = StreamAge("x", 0), {}, dict(feed(Fault.STALE_FEED))
    for ts in range(0, 200 * S, S):
        if ts in seen:
            age.on_diff(ts)
            if age.stale:
                age.on_resync(ts)
        acts[ts // S] = age.check(ts)[0]
    assert age.stale is False
    assert acts[88] is AgeAct.NONE
    assert acts[89] is acts[119] is AgeAct.RESYNC


def test_a_skewed_clock_flips_its_verdict_and_is_forgotten_after_its_window():
    clock, told = FeedClock("x"), {}
    arrivals = range(0, 200 * S, S)
    for ts, (stamp, _) in zip(arrivals, feed(Fault.CLOCK_SKEW), strict=True):
        clock.observe(stamp, ts)
        told[ts // S] = clock.judge(ts).severity.name
    assert (told[59], told[60], told[119], told[199]) == ("OK", "FAIL", "FAIL", "OK")
