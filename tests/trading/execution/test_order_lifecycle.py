"""The story of every order out of its journaled facts (OM-08)."""

import msgspec
import pytest
from order_builders import BTC, approved, execution, filled, report

from tradeworthy.kernel.facts import event_of
from tradeworthy.trading.execution.lifecycle import Stage, lifecycle, who
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import CancelOrder, Liquidity, ReportType

R = ReportType


class Log:
    """What a journal would hold: every fact with a number and its time."""

    def __init__(self):
        self.events = []

    def add(self, ts, *facts):
        for one in facts:
            event = event_of(one, source="t", key=len(self.events), ts_event=ts, ts_init=ts)
            self.events.append(msgspec.structs.replace(event, seq=len(self.events) + 1))

    def steps(self, name):
        return [(s.stage, s.by, s.latency_ns) for s in lifecycle(self.events).steps[name]]


class Tape(Log):
    def __init__(self):
        super().__init__()
        self.desk = execution()

    def submit(self, ts, **changes):
        facts = self.desk.submit(approved(**changes), ts)
        self.add(ts, *facts)
        return facts[-1].client_order_id

    def report(self, ts, one):
        self.add(ts, one, *self.desk.on_report(one, ts)[0])

    def cancel(self, ts, name, reason):
        self.add(ts, *self.desk.cancel(CancelOrder(name, BTC, reason), ts))


def test_a_filled_order_tells_its_ids_latencies_and_liquidity():
    tape = Tape()
    name = tape.submit(100)
    tape.report(150, report(R.ACKNOWLEDGED, name, venue_order_id="v1"))
    fill = report(R.FILL, name, trade_id="t1", lots=10, price=100, side=Side.BUY, liquidity=Liquidity.MAKER)
    tape.report(400, fill)
    assert tape.steps(name) == [
        (Stage.CREATED, "strategy", None), (Stage.SUBMITTED, "execution", None),
        (Stage.ACKNOWLEDGED, "venue", 50), (Stage.FILLED, "venue", 300),
    ]
    story = lifecycle(tape.events)
    last = story.steps[name][-1]
    assert (last.trade_id, last.liquidity, last.lots, story.steps[name][2].venue_order_id) == (
        "t1", Liquidity.MAKER, 10, "v1")
    assert [one.seq for one in story.steps[name]] == [1, 2, 3, 5]
    assert story.missing() == {}


@pytest.mark.parametrize(
    ("reason", "by"),
    [("strategy.replaced", "strategy"), ("guard.risk.daily_loss", "risk"), ("guard.operator.kill", "operator"),
     ("kill.flatten", "operator"), ("execution.ack_timeout", "execution")],
)
def test_a_cancel_names_who_wanted_it(reason, by):
    tape = Tape()
    name = tape.submit(0)
    tape.report(1, report(R.ACKNOWLEDGED, name))
    tape.cancel(5, name, reason)
    tape.report(9, report(R.CANCELLED, name))
    assert tape.steps(name)[-2:] == [(Stage.CANCEL_ASKED, by, None), (Stage.CANCELLED, by, 4)]
    assert who(reason) == by


def test_a_cancel_that_nobody_asked_for_is_the_venues():
    tape = Tape()
    name = tape.submit(0)
    tape.report(1, report(R.ACKNOWLEDGED, name))
    tape.report(9, report(R.CANCELLED, name))
    assert tape.steps(name)[-1] == (Stage.CANCELLED, "venue", None)


def test_rejections_tell_at_which_command():
    tape = Tape()
    created = tape.submit(0)
    tape.report(7, report(R.REJECTED, created, code="venue.halted"))
    assert tape.steps(created)[-1] == (Stage.REJECTED_AT_CREATE, "venue", 7)
    other = tape.submit(10, name="d2:0")
    tape.report(11, report(R.ACKNOWLEDGED, other))
    tape.cancel(20, other, "strategy.replaced")
    tape.report(22, report(R.CANCEL_REJECTED, other))
    assert tape.steps(other)[-1] == (Stage.REJECTED_AT_CANCEL, "venue", 2)
    tape.add(30, *tape.desk.shrink(other, 5, 30))
    tape.report(33, report(R.AMEND_REJECTED, other))
    assert tape.steps(other)[-1] == (Stage.REJECTED_AT_UPDATE, "venue", 3)


def test_a_doubt_is_told_and_so_is_its_end():
    tape = Tape()
    name = tape.submit(0)
    tape.add(30 * 10**9, *tape.desk.on_timer(30 * 10**9))
    assert tape.steps(name)[2][0] is Stage.UNKNOWN
    assert lifecycle(tape.events).missing() == {name: ("resolved",)}
    tape.report(31 * 10**9, report(R.ABSENT, name))
    assert tape.steps(name)[-1][:2] == (Stage.RESOLVED, "venue")
    assert lifecycle(tape.events).missing() == {}


def test_an_order_without_an_answer_or_beginning_is_named():
    tape = Tape()
    name = tape.submit(0)
    assert lifecycle(tape.events).missing() == {name: ("answer",)}
    rest = Log()
    rest.add(5, filled("tw-lost", "t9", 1))
    assert lifecycle(rest.events).missing() == {"tw-lost": ("created", "submitted")}
