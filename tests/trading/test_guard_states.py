"""GRD-03, GRD-04, GRD-06 at the whole desk: what each state lets through, and one event a change."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_desk import ID, SECOND, START, Feed, Scripted, build, of, submits, target

from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.control.forensic import SnapshotTaken
from tradeworthy.trading.control.kill import KillRequest, PauseRequest, RearmRequest, ResumeRequest
from tradeworthy.trading.execution.intake import Intake, IntakePolicy, OutsideWish, StateAct, StateWish
from tradeworthy.trading.model import (
    CancelOrder,
    GuardChanged,
    GuardLevel,
    Intent,
    OrderType,
    PositionTarget,
    QuoteTarget,
    Refresh,
    Refused,
    Side,
    Targets,
    Timer,
)

HELD = 100
AT_ONCE = Refresh(interval_ns=0, age_min_ns=0, level_gap_ns=0, keep_ticks=0)
PAUSED, REDUCING, STOPPED = GuardLevel.PAUSED, GuardLevel.REDUCING, GuardLevel.STOPPED


def holding():
    """Return a feed whose desk is long, with a protective stop, a working opening and a working reduction."""
    feed = Feed(build(Scripted([target(HELD)]), intake=Intake(IntakePolicy({"operator": frozenset({"*"})}))))
    (order,) = submits(feed.quote())
    feed.acknowledge(order)
    feed.fill(order)
    (stop,) = submits(wish(feed, "stop", Side.SELL, type=OrderType.STOP, trigger=90_000, reduce_only=True, level=-2))
    feed.acknowledge(stop)
    feed.desk.seats[0].strategy.answers.append(
        Targets(
            quotes=tuple(
                QuoteTarget(ID, side, 0, price, 10, "test")
                for side, price in ((Side.BUY, 99_990), (Side.SELL, 100_010))
            ), refresh=AT_ONCE,
        )
    )  # fmt: skip
    opening, reducing = submits(feed.quote())
    for one in (opening, reducing):
        feed.acknowledge(one)
    return feed, stop, opening, reducing


def wish(feed, name, side, lots=10, **odd):
    expires = feed.ts + 30 * SECOND
    intent = Intent(name, "operator", "script", "hand", "d1", ID, side, lots, expires, **odd)
    return feed.give(OutsideWish("operator", msgspec.json.encode(intent).decode()), source="operator")


def hold(feed, level, *, owner="risk", code="drill", scope="desk", active=True, expires_at=None):
    return feed.give(GuardAsked(owner, code, level, scope, active, expires_at), source="supervision")


def cancelled(outcome):
    return {one.client_order_id for one in of(outcome, CancelOrder)}


def names(*orders):
    return {one.client_order_id for one in orders}


@pytest.mark.parametrize("level", [PAUSED, REDUCING])
def test_a_pause_takes_working_openings_off_and_leaves_what_reduces(level):
    feed, _stop, opening, _reducing = holding()
    assert cancelled(hold(feed, level)) >= names(opening)
    assert cancelled(feed.quote()) & names(opening) == set()


def test_a_pause_leaves_the_reduction_and_the_protective_stop_at_the_venue():
    feed, _, opening, _ = holding()
    assert cancelled(hold(feed, PAUSED)) == names(opening)


@pytest.mark.parametrize(("instance", "gone"), [("own", True), ("other", False)])
def test_failures_in_a_row_cancel_what_is_pending_of_the_paused_instance_alone(instance, gone):
    """AR-20: the pause that the trigger matrix asks for takes pending openings off by ordinary cancel commands."""
    feed, _stop, opening, _reducing = holding()
    scope = f"strategy:{opening.instance if instance == 'own' else 'other'}"
    outcome = hold(feed, PAUSED, owner="escalation", code="execution_failures", scope=scope)
    assert cancelled(outcome) == (names(opening) if gone else set())
    assert [one.reason for one in of(outcome, CancelOrder)] == ["guard.escalation.execution_failures"] * gone


def test_a_stop_takes_all_off_but_what_protects_the_position():
    feed, _stop, opening, reducing = holding()
    assert cancelled(hold(feed, STOPPED)) == names(opening, reducing)


@pytest.mark.parametrize(
    ("level", "kind", "leaves"),
    [
        (PAUSED, "opening", False), (PAUSED, "reducing", True), (PAUSED, "person's opening", False),
        (PAUSED, "person's reducing", True),
        (REDUCING, "opening", False), (REDUCING, "person's opening", False), (REDUCING, "person's reducing", True),
        (STOPPED, "opening", False), (STOPPED, "reducing", False), (STOPPED, "person's opening", False),
        (STOPPED, "person's reducing", True),
    ],
)  # fmt: skip
def test_one_order_of_each_kind_per_state(level, kind, leaves):
    feed = Feed(build(Scripted([target(HELD)]), intake=Intake(IntakePolicy({"operator": frozenset({"*"})}))))
    (order,) = submits(feed.quote())
    feed.acknowledge(order)
    feed.fill(order)
    hold(feed, level)
    if kind.startswith("person"):
        reduces = kind.endswith("reducing")
        outcome = wish(feed, "w", Side.SELL if reduces else Side.BUY, reduce_only=reduces)
    else:
        feed.desk.seats[0].strategy.answers.append(target(HELD // 2 if kind == "reducing" else HELD * 2))
        outcome = feed.quote()
    sent = [one for one in submits(outcome) if not one.intent_id.startswith("guard.")]
    assert bool(sent) is leaves
    if not leaves:
        assert {one.code for one in of(outcome, Refused)} <= {"risk.guard"}


def test_while_reducing_the_position_is_worked_down():
    feed = Feed(build(Scripted([target(HELD)])))
    (order,) = submits(feed.quote())
    feed.acknowledge(order)
    feed.fill(order)
    hold(feed, REDUCING)
    sent = [one for _ in range(30) for one in submits(feed.quote())]
    assert sent
    assert {(one.side, one.reduce_only) for one in sent} == {(Side.SELL, True)}


def test_a_cancel_passes_in_every_state():
    for level in (PAUSED, REDUCING):
        feed, _, _, reducing = holding()
        hold(feed, level)
        feed.desk.seats[0].strategy.answers.append(
            Targets(positions=(PositionTarget(ID, HELD, "test"),), quotes=(), refresh=AT_ONCE)
        )
        later = set()
        for _ in range(3):
            later |= cancelled(feed.quote())
        assert later <= names(reducing)


def test_a_hundred_ticks_in_breach_are_one_event_and_one_cause():
    feed, *_ = holding()
    changes = [change for _ in range(100) for change in of(hold(feed, PAUSED), GuardChanged)]
    assert [(one.reason, one.set, one.level) for one in changes] == [("risk.drill", True, PAUSED)]


def test_a_pause_that_expired_ends_once_and_a_stop_does_not_expire():
    feed, *_ = holding()
    until = feed.ts + 5 * SECOND
    hold(feed, PAUSED, expires_at=until)
    hold(feed, STOPPED, code="hard", expires_at=until)
    changes = [change for _ in range(20) for change in of(feed.quote(), GuardChanged)]
    assert [(one.reason, one.set) for one in changes] == [("risk.drill", False)]
    assert feed.desk.guard.level is STOPPED


def test_a_tick_that_is_healthy_again_ends_the_owners_pause_but_no_stop():
    feed, *_ = holding()
    hold(feed, PAUSED, owner="bus", code="outage")
    hold(feed, STOPPED)
    (cleared,) = of(hold(feed, PAUSED, owner="bus", code="outage", active=False), GuardChanged)
    assert (cleared.reason, cleared.level) == ("bus.outage", STOPPED)
    assert of(hold(feed, STOPPED, active=False), GuardChanged) == []
    assert feed.ts > START


ACTS = {
    "resume": lambda feed: feed.give(ResumeRequest("ann"), source="operator"),
    "pause": lambda feed: feed.give(PauseRequest("lunch", "ann"), source="operator"),
    "wish": lambda feed: feed.give(
        OutsideWish(
            "operator", msgspec.json.encode(
                StateWish(f"w{feed.ts}", "operator", StateAct.RESUME, "kill", "r", "d", feed.ts + 50 * SECOND)
            ).decode()
        ), source="operator",
    ),
    "owner": lambda feed: hold(feed, STOPPED, owner="operator", code="kill", active=False),
    "lower": lambda feed: hold(feed, PAUSED, owner="operator", code="kill", expires_at=feed.ts + SECOND),
    "day": lambda feed: feed.give(Timer("day_roll"), source="clock", ts=feed.ts + 86_400 * SECOND),
    "tick": lambda feed: feed.quote(),
    "one person": lambda feed: feed.give(
        RearmRequest(("ann",), "abc", "INC-1", "fixed", pack="d", reconciliation="clean"), source="operator"
    ),
    "typed names": lambda feed: feed.give(
        RearmRequest(("ann", "bob"), "abc", "INC-1", "fixed", reconciliation="clean"), source="operator"
    ),
}  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=8))
def test_nothing_but_a_signed_rearm_ends_a_stop_in_any_order(names_of_acts):
    feed, *_ = holding()
    feed.give(KillRequest("drill", "ann"), source="operator")
    feed.give(SnapshotTaken("abc", "INC-1", feed.ts, 1, "head", ("operator.kill",), "clean"), source="forensic")
    for name in names_of_acts:
        ACTS[name](feed)
        assert feed.desk.guard.level is STOPPED
    later = feed.ts + 1_000 * SECOND
    asked = RearmRequest(("ann", "bob"), "abc", "INC-1", "fixed", pack="d", reconciliation="clean")
    feed.give(asked, source="operator", ts=later)
    assert feed.desk.guard.level < STOPPED
