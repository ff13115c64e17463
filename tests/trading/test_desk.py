"""The loop as a whole: what one event may and may not lead to."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_desk import ID, QUIET, SECOND, START, Feed, Scripted, build, of, perpetual, quotes, submits, target

from tradeworthy.kernel.facts import event_of
from tradeworthy.trading.control.forensic import SnapshotTaken
from tradeworthy.trading.control.kill import KillRequest, PauseRequest, RearmRefused, RearmRequest, ResumeRequest
from tradeworthy.trading.ledger.bookings import FundingBooked
from tradeworthy.trading.model import (
    Abstain,
    Abstained,
    ApprovedIntent,
    Bar,
    CancelOrder,
    FillBooked,
    Funding,
    GuardChanged,
    GuardLevel,
    Intent,
    Mark,
    OrderChanged,
    OrderState,
    Quote,
    Refused,
    ReportType,
    Side,
    Status,
    SubmitOrder,
    Targets,
    Timer,
    TradingStatus,
)
from tradeworthy.trading.risk.context import CAUSES
from tradeworthy.trading.strategies.catalogue import CATALOGUE

BOTH = (Side.BUY, Side.SELL)


def desk_with_quotes():
    """Return a feed whose desk has two acknowledged quotes."""
    feed = Feed(build(Scripted([quotes(*BOTH)])))
    orders = submits(feed.quote())
    assert [one.side for one in orders] == [*BOTH]
    for order in orders:
        feed.acknowledge(order)
    return feed, orders


def desk_with_position(lots=100, answers=()):
    """Return a feed whose desk holds `lots`, bought by a filled order."""
    feed = Feed(build(Scripted([target(lots), *answers])))
    (order,) = submits(feed.quote())
    feed.acknowledge(order)
    feed.fill(order)
    assert feed.desk.seats[0].position == lots
    return feed


def test_a_decision_leads_to_approval_order_and_command_in_this_order():
    feed = Feed(build(Scripted([quotes(Side.BUY)])))
    outcome = feed.quote()
    assert [type(one) for one in outcome.facts] == [ApprovedIntent, OrderChanged, SubmitOrder]
    assert outcome.commands == (outcome.facts[2],)
    assert outcome.facts[0].intent.intent_id == outcome.facts[2].intent_id


def test_only_the_difference_is_ordered_again():
    feed, _ = desk_with_quotes()
    feed.desk.seats[0].strategy.answers.append(quotes(*BOTH))
    assert feed.quote().commands == ()


def test_execution_takes_nothing_but_an_approved_intent():
    desk = build(Scripted())
    intent = Intent("i", "strategy", "script", "test", "d", ID, Side.BUY, 1, START)
    with pytest.raises(TypeError, match="was Intent"):
        desk.execution.submit(intent, START)


def test_a_refusal_tells_code_observed_and_limit():
    feed = Feed(build(Scripted([quotes(Side.BUY, lots=10)]), max_order_value=Decimal(50), scale=False))
    outcome = feed.quote()
    (refused,) = of(outcome, Refused)
    assert outcome.commands == ()
    assert refused.code == "risk.max_order_value"
    found = refused.violations[0]
    assert Decimal(found.observed) > Decimal(found.limit) == 50
    assert len(refused.policy_hash) == 64


def test_a_refused_intent_holds_no_capacity():
    feed = Feed(build(Scripted([quotes(Side.BUY)]), max_order_value=Decimal(50), scale=False))
    feed.quote()
    assert len(feed.desk.context.reservations) == 0


def test_a_kill_cancels_what_works_in_the_same_outcome_and_nothing_leaves_afterwards():
    feed, orders = desk_with_quotes()
    outcome = feed.give(KillRequest("drill", "ann"), source="operator")
    assert {one.client_order_id for one in of(outcome, CancelOrder)} == {one.client_order_id for one in orders}
    assert [(one.level, one.set) for one in of(outcome, GuardChanged)] == [(GuardLevel.STOPPED, True)]
    for number in range(20):
        feed.desk.seats[0].strategy.answers.append(quotes(*BOTH, bid=99_980 - number))
        assert submits(feed.quote(99_980 - number)) == []
    for order in orders:
        feed.report(ReportType.CANCELLED, order)
    feed.desk.seats[0].strategy.answers.append(quotes(*BOTH))
    outcome = feed.quote()
    assert submits(outcome) == []
    assert {one.code for one in of(outcome, Refused)} == {"risk.guard"}


def test_a_stop_is_not_ended_by_resume_time_or_one_person():
    feed, _ = desk_with_quotes()
    feed.give(KillRequest("drill", "ann"), source="operator")
    feed.give(ResumeRequest("ann"), source="operator")
    feed.give(Timer("day_roll"), source="clock", ts=feed.ts + 2 * 86_400 * SECOND)
    asked = {"snapshot": "abc", "incident": "INC-1", "reason": "all well", "pack": "d1", "reconciliation": "clean"}
    outcome = feed.give(RearmRequest(("ann", "bob"), **asked), source="operator")
    assert of(outcome, RearmRefused)[0].faults == ("snapshot must be taken first, was abc",)
    feed.give(SnapshotTaken("abc", "INC-1", feed.ts, 1, "head", ("operator.kill",), "clean"), source="forensic")
    feed.give(RearmRequest(("ann", "Ann "), **asked), source="operator")
    assert feed.desk.guard.level is GuardLevel.STOPPED
    feed.give(RearmRequest(("ann", "bob"), **asked), source="operator")
    assert feed.desk.guard.level is GuardLevel.RUNNING


def test_a_kill_of_one_instance_leaves_the_other_one_working():
    one, other = Scripted(), Scripted([quotes(Side.BUY)], instance="other")
    feed = Feed(build(one, other, quoting=("script", "other")))
    feed.give(KillRequest("drill", "ann", "strategy:script"), source="operator")
    one.answers.append(quotes(Side.SELL))
    assert [order.instance for order in submits(feed.quote())] == ["other"]


def test_a_kill_with_a_scope_nobody_knows_stops_the_whole_desk():
    feed, orders = desk_with_quotes()
    outcome = feed.give(KillRequest("drill", "ann", "strateyg:script"), source="operator")
    assert len(of(outcome, CancelOrder)) == len(orders)
    assert feed.desk.guard.level is GuardLevel.STOPPED


def test_an_order_that_reduces_leaves_while_paused_and_one_that_opens_does_not():
    feed = desk_with_position(100, [target(40), target(200)])
    feed.give(PauseRequest("lunch", "ann"), source="operator")
    feed.desk.seats[0].strategy.answers[:] = [target(40)]
    (order,) = submits(feed.quote())
    assert (order.side, order.lots, order.reduce_only) == (Side.SELL, 60, True)
    feed.acknowledge(order)
    feed.fill(order)
    feed.desk.seats[0].strategy.answers.append(target(200))
    outcome = feed.give(Quote(ID, 99_990, 100_010), ts=feed.ts + 61 * SECOND)
    assert submits(outcome) == []
    assert of(outcome, Refused)[0].code == "risk.guard"


def test_a_pause_takes_openings_off_the_market_and_keeps_what_reduces():
    feed = desk_with_position(100)
    feed.desk.seats[0].strategy.answers[:] = [quotes(*BOTH)]
    buy, sell = submits(feed.give(Quote(ID, 99_990, 100_010), ts=feed.ts + 61 * SECOND))
    feed.acknowledge(buy)
    feed.acknowledge(sell)
    outcome = feed.give(PauseRequest("lunch", "ann"), source="operator")
    assert [one.client_order_id for one in of(outcome, CancelOrder)] == [buy.client_order_id]


def test_kill_with_flatten_sells_a_small_position_at_once():
    feed = desk_with_position(99)
    outcome = feed.give(KillRequest("out", "ann", flatten=True), source="operator")
    (order,) = submits(outcome)
    assert (order.side, order.lots, order.reduce_only) == (Side.SELL, 99, True)


def test_a_fill_under_way_at_a_flatten_is_closed_when_it_lands():
    feed = Feed(build(Scripted([quotes(Side.BUY)])))
    (buy,) = submits(feed.quote())
    feed.acknowledge(buy)
    assert submits(feed.give(KillRequest("out", "ann", flatten=True), source="operator")) == []
    feed.fill(buy)
    assert feed.desk.seats[0].position == buy.lots
    (order,) = submits(feed.give(Quote(ID, 99_990, 100_010), ts=feed.ts + 2 * SECOND))
    assert (order.side, order.lots, order.reduce_only) == (Side.SELL, buy.lots, True)


def test_unknown_keeps_the_capacity_until_the_venue_gives_evidence():
    feed, (buy, sell) = desk_with_quotes()
    reservations = feed.desk.context.reservations
    feed.report(ReportType.UNKNOWN, buy)
    assert feed.desk.execution.orders.get(buy.client_order_id).state is OrderState.UNKNOWN
    assert reservations.open_lots(buy.intent_id) == buy.lots
    feed.report(ReportType.ABSENT, buy)
    assert reservations.open_lots(buy.intent_id) == 0
    assert reservations.open_lots(sell.intent_id) == sell.lots


def test_silence_of_the_venue_becomes_unknown_and_a_question_never_a_second_order():
    feed = Feed(build(Scripted([quotes(Side.BUY)])))
    (order,) = submits(feed.quote())
    outcome = feed.give(Quote(ID, 99_990, 100_010), ts=feed.ts + 31 * SECOND)
    assert [one.kind for one in outcome.commands] == ["command.query", "command.cancel"]
    assert {one.client_order_id for one in outcome.commands} == {order.client_order_id}
    assert feed.desk.context.reservations.open_lots(order.intent_id) == order.lots
    feed.desk.seats[0].strategy.answers.append(quotes(Side.BUY))
    assert submits(feed.quote()) == []


def test_a_fill_books_position_fee_and_frees_the_capacity():
    feed = Feed(build(Scripted([target(100)])))
    (order,) = submits(feed.quote())
    feed.acknowledge(order)
    outcome = feed.fill(order, price=100_010, fee="1.25")
    (booked,) = of(outcome, FillBooked)
    assert (booked.position, booked.price, booked.fee) == (100, 100_010, Decimal("1.25"))
    assert len(feed.desk.context.reservations) == 0
    (line,) = feed.desk.lines()
    assert (line.position, line.fees, line.fills) == (Decimal("0.1"), Decimal("1.25"), 1)


def test_a_fill_told_twice_is_booked_once():
    feed = Feed(build(Scripted([target(100)])))
    (order,) = submits(feed.quote())
    feed.acknowledge(order)
    number = feed.number
    assert of(feed.fill(order), FillBooked)
    feed.number = number
    assert of(feed.fill(order), FillBooked) == []
    assert feed.desk.seats[0].position == 100


def test_funding_is_paid_by_longs_at_the_mark_to_the_cent():
    feed = desk_with_position(100)
    feed.give(Mark(ID, 100_000))
    before = feed.desk.ledger.realized("script", "USD")
    outcome = feed.give(Funding(ID, Decimal("0.0001")))
    (booked,) = of(outcome, FundingBooked)
    assert booked.amount == Decimal("-0.1")  # 0.1 BTC at 10 000 USD, 1 bp
    assert feed.desk.ledger.realized("script", "USD") == before


def test_a_funding_rate_nobody_knows_pauses_the_holder():
    feed = desk_with_position(100)
    outcome = feed.give(Funding(ID, None))
    (changed,) = of(outcome, GuardChanged)
    assert (changed.reason, changed.scope) == ("risk.funding_unknown", "strategy:script")


@pytest.mark.parametrize(
    ("bid", "ask"), [(100_010, 99_990), (100_000, 100_000), (0, 100_010), (-5, 100_010), (float("nan"), float("nan"))]
)
def test_a_crossed_locked_or_empty_top_is_unusable_and_no_order_leaves(bid, ask):
    feed = Feed(build(Scripted([QUIET, quotes(*BOTH), target(50)])))
    feed.quote()
    for _ in range(2):
        outcome = feed.give(Quote(ID, bid, ask))
        assert submits(outcome) == []
        codes = {one.code for one in of(outcome, Refused)}
        assert codes
        assert codes <= {"risk.reference_stale", "risk.reference_stale.unknown"}
    assert not feed.desk.markets[ID].usable
    assert [usable for *_, usable in feed.desk.seats[0].strategy.seen] == [True, False, False]


def test_a_halted_instrument_gets_no_opening():
    feed = Feed(build(Scripted([quotes(*BOTH)])))
    feed.give(Status(ID, TradingStatus.HALTED))
    outcome = feed.quote()
    assert submits(outcome) == []
    assert of(outcome, Refused)


@pytest.mark.parametrize("status", [TradingStatus.AUCTION, TradingStatus.CLOSED])
def test_a_closed_session_or_an_auction_takes_no_opening_until_it_opens(status):
    feed = Feed(build(Scripted([quotes(*BOTH), quotes(*BOTH)])))
    feed.give(Status(ID, status))
    outcome = feed.quote()
    assert submits(outcome) == []
    assert len(of(outcome, Refused)) == 2
    assert feed.desk.context.books[ID].causes == 1 << CAUSES.index("session_closed")
    feed.give(Status(ID, TradingStatus.OPEN))
    assert len(submits(feed.quote())) == 2


def test_an_abstention_is_told_once_until_its_code_changes():
    feed = Feed(build(Scripted([Abstain("warming"), Abstain("warming"), Abstain("regime"), Abstain("warming")])))
    told = [of(feed.quote(), Abstained) for _ in range(4)]
    assert [[one.code for one in some] for some in told] == [["warming"], [], ["regime"], ["warming"]]
    assert feed.desk.seats[0].abstentions == {"warming": 3, "regime": 1}


def test_an_abstention_that_withdraws_takes_the_quotes_off():
    feed, orders = desk_with_quotes()
    feed.desk.seats[0].strategy.answers.append(Abstain("market_unusable", withdraw=True))
    outcome = feed.quote()
    assert {one.reason for one in of(outcome, CancelOrder)} == {"strategy.market_unusable"}
    assert len(outcome.commands) == len(orders)


def test_a_fact_that_is_nobodys_business_leads_to_nothing():
    feed = Feed(build(Scripted()))
    assert feed.give(Abstained("someone", "else")).facts == ()


def test_the_day_begins_with_the_equity():
    feed = Feed(build(Scripted()))
    outcome = feed.give(Timer("day_roll"), source="clock")
    assert [one.equity for one in outcome.facts if one.kind == "desk.day_began"] == [Decimal(1_000_000)]


PATH = st.lists(
    st.tuples(st.integers(-300, 300), st.integers(-2, 40), st.sampled_from((1, 30, 3_600))), min_size=1, max_size=60
)


@settings(max_examples=25, deadline=None)
@given(path=PATH, name=st.sampled_from(sorted(CATALOGUE)))
def test_every_evaluation_gives_targets_or_a_code(path, name):
    entry = CATALOGUE[name]
    strategy = entry.strategy("script", perpetual(), entry.parse({}))
    answers = []

    class Watched:
        instance, instrument_id = strategy.instance, strategy.instrument_id
        observes, decides_on = strategy.observes, strategy.decides_on
        observe = strategy.observe

        def decide(self, view):
            answers.append(strategy.decide(view))
            return answers[-1]

    desk = build(Watched())
    ts, mid = START, 100_000
    for number, (move, spread, seconds) in enumerate(path):
        ts, mid = ts + seconds * SECOND, mid + move
        facts = (
            Quote(ID, mid, mid + spread, 500, 500), Bar(ID, 60 * SECOND, mid, mid + 50, mid - 50, mid + 7, 10),
            Timer("sample"), Timer("evaluate"),
        )  # fmt: skip
        for fact in facts:
            key = f"{number}{getattr(fact, 'name', '')}"
            desk.step(event_of(fact, source=f"tape.{fact.kind}", key=key, ts_event=ts, ts_init=ts))
    (seat,) = desk.seats
    wishes = sum(isinstance(one, Targets) for one in answers)
    assert all(isinstance(one, Targets) or one.code for one in answers)
    assert seat.decisions == len(answers) == wishes + sum(seat.abstentions.values())
    assert seat.decisions > 0


def test_a_looping_strategy_whose_orders_are_rejected_is_paused_within_a_minute():
    limits = {"runaway_orders": 2, "throttle_quoting": 100, "runaway_rejects": Decimal("0.5")}
    feed = Feed(build(Scripted([quotes(Side.BUY)] * 10), **limits))
    paused = []
    for _ in range(6):
        outcome = feed.quote()
        paused += [one for one in of(outcome, GuardChanged) if one.reason == "risk.runaway"]
        for order in submits(outcome):
            paused += [one for one in of(feed.report(ReportType.REJECTED, order, code="busy"), GuardChanged)
                       if one.reason == "risk.runaway"]  # fmt: skip
    assert [(one.scope, one.reason_level) for one in paused] == [("strategy:script", GuardLevel.PAUSED)]
    assert feed.desk.seats[0].guard is GuardLevel.PAUSED
