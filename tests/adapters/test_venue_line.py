"""The line to a venue in another process: the same digest, three outcomes, scopes, tokens, nothing lost (WD-06)."""

import threading
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeworthy.adapters.venue_line import Aids, EmergencyLine, LinePolicy, VenueClient, VenueServer, protocol
from tradeworthy.adapters.venue_line.drop_copy import DropCopy
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ConfigurationRefused, InvalidInput, UsageError
from tradeworthy.trading.execution.states import after_report
from tradeworthy.trading.model import (
    CancelOrder,
    FeeRates,
    Instrument,
    InstrumentKind,
    OrderState,
    OrderType,
    QueryOrder,
    Quote,
    ReportType,
    Side,
    SubmitOrder,
    TimeInForce,
)
from tradeworthy.trading.simulation import Latency, SimulatedVenue

INSTRUMENT = Instrument(
    "X", "SIM", InstrumentKind.LINEAR_PERP, Decimal(1), Decimal(1), "XXX", "USD", FeeRates(Decimal(0), Decimal("0.001"))
)
X = INSTRUMENT.instrument_id
QUICK = LinePolicy(answer_within_s=0.15, connect_within_s=0.15, retry_every_s=0.05)
LATER = 10**9


def simulated(**odd):
    return SimulatedVenue([INSTRUMENT], latency=Latency(submit_ns=10, cancel_ns=10, amend_ns=10, report_ns=5), **odd)


def order(name="a", price=90, lots=2, instance="i", **odd):
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    return SubmitOrder(name, name, instance, X, Side.BUY, lots, kind, TimeInForce.GTC, price, **odd)


class Scene:
    """A served venue with whoever connects."""

    def __init__(self, folder):
        self.url, self.clock = f"unix://{folder}/venue.sock", SystemClock()
        self.ends = []
        self.serve()

    def serve(self):
        self.server = VenueServer(simulated(), protocol.listening(self.url), self.clock, aids=True)
        self.thread = threading.Thread(target=self.server.serve, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.stop()
        self.thread.join()

    def trader(self, **odd):
        return self._kept(VenueClient(self.url, self.clock, policy=QUICK, **odd))

    def helper(self, scope="cancel_only", policy=QUICK, **odd):
        return self._kept(EmergencyLine(self.url, self.clock, name="helper", scope=scope, policy=policy, **odd))

    def fail(self, **aids):
        self.helper("view").aid(Aids(**aids))

    def _kept(self, one):
        self.ends.append(one)
        return one


@pytest.fixture
def scene(tmp_path):
    one = Scene(tmp_path)
    yield one
    for end in one.ends:
        end.close()
    one.stop()


def opened(scene, *orders, **odd):
    """Return a trader whose orders rest at the venue."""
    trader = scene.trader(**({"cancel_on_disconnect": False} | odd))
    trader.on_market(Quote(X, 100, 102), 1)
    for one in orders or (order(),):
        trader.send(one, 100)
    assert {report.type for _, report in trader.advance(200)} == {ReportType.ACKNOWLEDGED}
    return trader


def kinds(reports):
    return [(report.type, report.client_order_id, report.code) for _, report in reports]


# three outcomes


@pytest.mark.parametrize("silent", ["lost", "unanswered"])
def test_an_order_without_an_answer_is_unknown_and_is_told_when_the_line_is_back(scene, silent):
    trader = opened(scene)
    scene.fail(silent=silent, scopes=("trade",))
    trader.send(order("b"), 300)
    assert not trader.connected
    assert trader.next_due() == 301
    assert kinds(trader.advance(400)) == [(ReportType.UNKNOWN, "b", "venue.no_answer")]
    scene.fail()
    _until_back(scene, trader)
    if silent == "lost":
        assert trader.advance(600) == []
        trader.send(QueryOrder("b", X), 700)
        assert kinds(trader.advance(800)) == [(ReportType.ABSENT, "b", "venue.unknown_order")]
    else:
        assert kinds(trader.advance(600)) == [(ReportType.ACKNOWLEDGED, "b", None)]


def test_a_venue_that_is_half_open_is_waited_for_once_and_opened_anew_beside_the_desks_steps(scene):
    trader = opened(scene)
    scene.fail(silent="unanswered", scopes=("trade",))
    for ts in range(300, 320):
        trader.advance(ts)
        scene.clock.sleep(10_000_000)
    assert (trader.unanswered, trader.connected) == (1, False)
    scene.fail()
    _until_back(scene, trader)
    assert trader.unanswered == 1


def test_an_emergency_is_asked_again_on_a_fresh_connection_while_the_first_is_silent(scene):
    opened(scene)
    line = scene.helper(policy=LinePolicy(answer_within_s=30.0, hedge_after_s=0.02))
    line.greet()
    scene.fail(silent="lost", scopes=("cancel_only",))
    mend = threading.Timer(0.1, scene.fail)
    mend.start()
    assert line.take_off(("desk",), token=0) == ("a",)
    mend.join()
    assert line.view().requests["cancel_only.hello"] > 1


def test_an_emergency_without_any_answer_says_so_in_time(scene):
    line = scene.helper()
    scene.fail(silent="lost", scopes=("cancel_only",))
    with pytest.raises(TimeoutError, match=r"found none within 0\.15 s"):
        line.view()
    scene.fail()
    assert line.view().open_orders == ()


def test_an_emergency_whose_line_died_is_asked_anew_at_once(scene):
    line = scene.helper(policy=LinePolicy(answer_within_s=30.0, hedge_after_s=20.0))
    line.greet()
    scene.stop()
    scene.serve()
    assert line.take_off(("desk",), token=0) == ()


def test_a_cancel_without_an_answer_is_unknown(scene):
    trader = opened(scene)
    scene.fail(silent="lost", scopes=("trade",))
    trader.send(CancelOrder("a", X, "test"), 300)
    assert kinds(trader.advance(400)) == [(ReportType.UNKNOWN, "a", "venue.no_answer")]


def test_a_look_up_without_an_answer_reports_nothing_so_that_it_is_not_asked_for_ever(scene):
    trader = opened(scene)
    scene.fail(silent="lost", scopes=("trade",))
    trader.send(QueryOrder("a", X), 300)
    assert trader.advance(400) == []


def test_what_never_left_is_rejected_and_a_cancel_that_never_left_is_unknown(scene):
    trader = opened(scene)
    scene.stop()
    trader.advance(300)
    assert not trader.connected
    trader.send(order("b"), 400)
    trader.send(CancelOrder("a", X, "test"), 400)
    assert kinds(trader.advance(500)) == [
        (ReportType.REJECTED, "b", "venue.not_connected"), (ReportType.UNKNOWN, "a", "venue.not_connected"),
    ]  # fmt: skip
    scene.serve()


@pytest.mark.parametrize("state", [OrderState.SUBMITTED, OrderState.WORKING, OrderState.PENDING_CANCEL])
def test_the_orders_life_knows_these_reports(state):
    assert after_report(state, ReportType.UNKNOWN, 0) is OrderState.UNKNOWN


def _until_back(scene, trader):
    for _ in range(100):
        trader.on_market(Quote(X, 100, 102), 500)
        if trader.connected:
            return
        scene.clock.sleep(10_000_000)
    raise AssertionError("expected the line to come back")


def test_no_report_is_lost_or_doubled_by_a_line_that_breaks_before_the_answer(scene):
    trader = opened(scene)
    trader.send(CancelOrder("a", X, "test"), 300)
    scene.fail(silent="unanswered", scopes=("trade",))
    assert trader.advance(400) == []
    scene.fail()
    _until_back(scene, trader)
    assert kinds(trader.advance(600)) == [(ReportType.CANCELLED, "a", "test")]
    assert trader.advance(LATER) == []


def test_a_new_venue_numbers_its_reports_anew(scene):
    trader = opened(scene)
    scene.stop()
    scene.serve()
    trader.on_market(Quote(X, 100, 102), 400)
    _until_back(scene, trader)
    trader.send(order("b"), 500)
    assert (ReportType.ACKNOWLEDGED, "b", None) in kinds(trader.advance(LATER))


def test_nobody_at_the_other_end_refuses_the_start(tmp_path):
    with pytest.raises(ConfigurationRefused, match="is it served"):
        VenueClient(f"unix://{tmp_path}/nobody.sock", SystemClock(), policy=QUICK)


# scopes, tokens, sessions


def test_a_cancel_only_session_takes_everything_off_also_what_has_not_arrived(scene):
    trader = opened(scene, order("a"), order("b"))
    trader.send(order("late"), 300)
    helper = scene.helper(token=1)
    assert [(one.client_order_id, one.under_way) for one in helper.view().open_orders] == [
        ("a", False), ("b", False), ("late", True),
    ]  # fmt: skip
    assert helper.take_off(("desk",), token=1) == ("a", "b", "late")
    view = helper.view()
    assert (view.open_orders, view.disagreements(), view.orders, view.last_order) == ((), (), 3, "late")
    assert [(one.client_order_id, one.by, one.token) for one in view.cancels] == [
        ("a", "helper", 1), ("b", "helper", 1), ("late", "helper", 1),
    ]  # fmt: skip
    assert kinds(trader.advance(LATER)) == [
        (ReportType.CANCELLED, "a", "venue.emergency_cancel"), (ReportType.CANCELLED, "b", "venue.emergency_cancel"),
        (ReportType.REJECTED, "late", "venue.emergency_cancel"),
    ]  # fmt: skip


def test_a_scope_is_taken_off_alone(scene):
    opened(scene, order("a", instance="i"), order("b", instance="j"))
    helper = scene.helper()
    assert helper.take_off(("strategy:j",), token=0) == ("b",)
    assert [one.client_order_id for one in helper.view().open_orders] == ["a"]


def test_the_session_whose_orders_were_taken_off_may_send_none_until_it_opens_a_new_one(scene):
    trader = opened(scene)
    helper = scene.helper()
    helper.take_off(("desk",), token=0)
    trader.send(order("b"), 300)
    assert (ReportType.REJECTED, "b", "venue.session_blocked") in kinds(trader.advance(400))
    assert (helper.view().orders, helper.view().blocked) == (1, 1)
    trader.send(order("close", reduce_only=True), 450)
    assert {report.code for _, report in trader.advance(480)} != {"venue.session_blocked"}
    trader.reopen()
    trader.send(order("c"), 500)
    assert kinds(trader.advance(600)) == [(ReportType.ACKNOWLEDGED, "c", None)]


def test_a_new_session_on_the_same_line_keeps_the_orders_that_nobody_took_off(scene):
    trader = opened(scene, order("a", instance="i"), order("b", instance="j"), cancel_on_disconnect=True)
    helper = scene.helper()
    helper.take_off(("strategy:i",), token=0)
    trader.reopen()
    trader.send(order("c", instance="i"), 300)
    trader.advance(400)
    assert [one.client_order_id for one in helper.view().open_orders] == ["b", "c"]


def test_an_older_token_is_refused_also_on_a_line_that_stood_before(scene):
    old = scene.helper(token=1)
    old.greet()
    scene.helper(token=2).greet()
    with pytest.raises(PermissionError, match="1 is older than 2"):
        old.take_off(("desk",), token=1)
    with pytest.raises(ConfigurationRefused, match="1 is older than 2"):
        scene.helper(token=1).greet()


def test_a_newer_desk_fences_the_older_out(scene):
    old = opened(scene, token=1)
    new = scene.trader(token=2)
    old.send(order("b"), 300)
    assert kinds(old.advance(400)) == [(ReportType.REJECTED, "b", "venue.not_connected")]
    new.send(order("c"), 300)
    assert (ReportType.ACKNOWLEDGED, "c", None) in kinds(new.advance(400))


@pytest.mark.parametrize("scope", ["view", "cancel_only"])
def test_a_session_may_do_what_its_scope_says_only(scene, scope):
    helper = scene.helper(scope)
    with pytest.raises(PermissionError, match="needs scope"):
        helper._ask(protocol.Advance(0, 1, 0))
    if scope == "view":
        with pytest.raises(PermissionError, match="needs scope"):
            helper.take_off(("desk",), token=9)


def test_an_order_is_stamped_when_it_is_received_not_when_a_slow_venue_judges_it(scene):
    trader = opened(scene)
    scene.fail(slow_s=0.1, scopes=("trade",))
    before = scene.clock.now()
    trader.send(order("b"), 300)
    view = scene.helper("view").view()
    assert view.last_order == "b"
    assert view.last_order_at - before < 90_000_000 < scene.clock.now() - before


@pytest.mark.parametrize(("asked", "left"), [(True, 0), (False, 1)])
def test_orders_go_with_the_connection_where_that_was_asked_for(scene, asked, left):
    trader = opened(scene, cancel_on_disconnect=asked)
    helper = scene.helper("view")
    trader.close()
    for _ in range(100):
        if len(helper.view().open_orders) == left:
            break
        scene.clock.sleep(5_000_000)
    assert len(helper.view().open_orders) == left


def test_a_protective_stop_stays_in_an_emergency(scene):
    stop = SubmitOrder(
        "stop", "stop", "i", X, Side.SELL, 2, OrderType.STOP, TimeInForce.GTC, trigger=90, reduce_only=True
    )
    trader = scene.trader()
    trader.on_market(Quote(X, 100, 102), 1)
    trader.send(order("entry", None), 100)
    trader.advance(200)
    trader.send(stop, 300)
    trader.send(order("rest"), 300)
    trader.advance(400)
    helper = scene.helper()
    assert helper.take_off(("desk",), token=0) == ("rest",)
    assert [(one.client_order_id, one.protective) for one in helper.view().open_orders] == [("stop", True)]
    assert helper.view().positions == helper.view().copy_positions == {X: 2}


def test_positions_from_before_are_held_by_a_fresh_venue_only(scene):
    trader = scene.trader()
    held = [("i", X, 5, Decimal("100.5"))]
    trader.restore(held)
    trader.restore(held)
    view = scene.helper("view").view()
    assert (view.positions, view.disagreements()) == ({X: 5}, ())


def test_aids_are_for_venues_that_were_started_with_them(tmp_path):
    server = VenueServer(simulated(), protocol.listening(f"unix://{tmp_path}/v.sock"), SystemClock())
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    helper = EmergencyLine(f"unix://{tmp_path}/v.sock", SystemClock(), name="test", policy=QUICK)
    with pytest.raises(PermissionError, match="start it with aids"):
        helper.aid(Aids(slow_s=1.0))
    helper.close()
    server.stop()
    thread.join()


# the format


@pytest.mark.parametrize("url", ["tcp://10.0.0.1:80", "tcp://0.0.0.0:80", "unix://relative", "http://127.0.0.1:80", ""])
def test_a_venue_is_reached_on_this_machine_only(url):
    for connect in (protocol.listening, lambda one: protocol.connected(one, 0.1)):
        with pytest.raises(UsageError, match="expected unix"):
            connect(url)


def test_what_is_no_message_is_refused():
    for parse in (protocol.request_of, protocol.answer_of):
        with pytest.raises(InvalidInput, match="expected"):
            parse(b'{"op":1}')
    with pytest.raises(InvalidInput, match="registered kind"):
        protocol.fact_of("no.such", protocol.raw(order()))
    with pytest.raises(InvalidInput, match=r"expected a command\.cancel"):
        protocol.fact_of("command.cancel", protocol.raw(order()))


ACTS = st.lists(st.tuples(st.integers(90, 110), st.sampled_from(["submit", "cancel", "quote", "wait"])), max_size=40)


@given(ACTS)
@settings(max_examples=25, deadline=None)
def test_the_line_tells_what_the_venue_itself_tells(tmp_path_factory, acts):
    one = Scene(tmp_path_factory.mktemp("v"))
    there, here = one.trader(), simulated()
    copy = DropCopy()
    here.wire.copy = copy.on_report
    for number, (price, act) in enumerate(acts):
        ts = 100 * (number + 1)
        for venue in (there, here):
            match act:
                case "submit":
                    venue.send(order(f"o{number}", price), ts)
                case "cancel":
                    venue.send(CancelOrder(f"o{number - 1}", X, "test"), ts)
                case "quote":
                    venue.on_market(Quote(X, price, price + 2, 5, 5), ts)
        assert there.next_due() == here.next_due()
        assert there.advance(ts + 7) == here.advance(ts + 7)
    view = one.helper("view").view()
    assert view.disagreements() == ()
    assert {o.client_order_id for o in here.open_orders()} == set(copy.open)
    for end in one.ends:
        end.close()
    one.stop()
