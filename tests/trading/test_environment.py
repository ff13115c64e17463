"""What is delivered, when, and in which order."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_desk import (
    ID,
    SECOND,
    START,
    Scripted,
    SilentVenue,
    around,
    build,
    quotes,
    row,
    simulated,
    target,
)

from tradeworthy.kernel.clock import NANOS_PER_DAY, EventClock
from tradeworthy.trading.control.kill import KillRequest
from tradeworthy.trading.environment import POLL_EVERY, TIMER_BURST_MAX, Timers, merged
from tradeworthy.trading.model import (
    NOTHING,
    Abstain,
    ExecReport,
    GuardLevel,
    Quote,
    ReportType,
    Side,
    SubmitOrder,
    Timer,
)
from tradeworthy.trading.replay import replay

MIDNIGHT = 19_700 * NANOS_PER_DAY


class Listener:
    """A desk that only keeps what it was given."""

    def __init__(self):
        self.events = []

    def step(self, event):
        self.events.append(event)
        return NOTHING

    def timers(self, name=None):
        fired = [one for one in self.events if type(one.payload) is Timer]
        return [(one.payload.name, one.ts_event) for one in fired if name in (None, one.payload.name)]


def flat_rows(*stamps):
    return [row(number, ts) for number, ts in enumerate(stamps, 1)]


@pytest.mark.parametrize("latency_ns", [0, 150_000_000])
def test_a_fill_is_a_later_event_than_the_decision_that_asked_for_it(latency_ns):
    environment, journal = around(build(Scripted([target(100)])), simulated(latency_ns))
    environment.run(flat_rows(*(START + n * SECOND for n in range(4))))
    by_id = {event.event_id: (place, event) for place, event in enumerate(journal.events)}
    (submit,) = [one for one in journal.events if type(one.payload) is SubmitOrder]
    (booked,) = [one for one in journal.events if one.kind == "ledger.fill_booked"]
    place, cause = by_id[booked.causation_id]
    assert cause.source == "venue"
    assert cause.kind == "venue.report"
    assert cause.event_id != submit.causation_id
    assert place > by_id[submit.event_id][0]
    assert cause.ts_init >= submit.ts_init + 2 * latency_ns


def test_the_venue_moves_before_the_desk_sees_the_same_row():
    order = []

    class Venue(SilentVenue):
        def on_market(self, fact, ts):
            order.append("venue")

    class Desk(Listener):
        def step(self, event):
            order.append("desk")
            return NOTHING

    environment, _ = around(Desk(), Venue())
    environment.run(flat_rows(START))
    assert order == ["venue", "desk"]


def test_a_row_that_comes_twice_moves_desk_and_venue_once():
    desk, venue = Listener(), SilentVenue()
    environment, journal = around(desk, venue)
    first, second = flat_rows(START, START + SECOND)
    environment.run([first, first, second, first, second])
    assert [event.event_id for event in desk.events] == ["tape.test:1", "tape.test:2"]
    assert [ts for _, ts in venue.markets] == [START, START + SECOND]
    assert environment.inputs == len(journal.events) == 2


@given(gaps=st.lists(st.integers(-5 * SECOND, 5 * SECOND), min_size=1, max_size=30))
def test_the_desks_time_never_goes_back_and_the_sources_stamp_stays(gaps):
    stamps = list(itertools.accumulate(gaps, initial=START))
    desk = Listener()
    environment, _ = around(desk, timers=[("evaluate", SECOND)])
    environment.run([row(number, ts, ts_event=ts - 3) for number, ts in enumerate(stamps, 1)])
    times = [event.ts_init for event in desk.events]
    assert times == sorted(times)
    quotes_seen = [event for event in desk.events if type(event.payload) is Quote]
    assert [event.ts_event for event in quotes_seen] == [ts - 3 for ts in stamps]
    assert [event.ts_init for event in quotes_seen] == list(itertools.accumulate(stamps, max))


def test_timers_fire_at_multiples_of_their_interval_between_the_rows():
    desk = Listener()
    environment, _ = around(desk, timers=[("evaluate", 10 * SECOND), ("sample", 15 * SECOND)])
    at = MIDNIGHT + 3_600 * SECOND
    environment.run(flat_rows(at, at + 10 * SECOND, at + 31 * SECOND))
    assert desk.timers() == [
        ("evaluate", at + 10 * SECOND), ("sample", at + 15 * SECOND), ("evaluate", at + 20 * SECOND),
        ("evaluate", at + 30 * SECOND), ("sample", at + 30 * SECOND),
    ]  # fmt: skip
    shape = [event.kind[0] for event in desk.events]
    assert "".join(shape) == "mmcccccm"  # the row at ten seconds goes before the timer of ten seconds


def test_the_day_rolls_at_the_desks_hour():
    desk = Listener()
    timers = Timers([], rollover_ns=17 * 3_600 * SECOND)
    environment, _ = around(desk)
    environment._timers = timers
    environment.run(flat_rows(MIDNIGHT, MIDNIGHT + 2 * NANOS_PER_DAY))
    roll = MIDNIGHT + 17 * 3_600 * SECOND
    assert desk.timers() == [("day_roll", roll), ("day_roll", roll + NANOS_PER_DAY)]


@pytest.mark.parametrize("behind", [TIMER_BURST_MAX - 1, TIMER_BURST_MAX, TIMER_BURST_MAX + 1, 10 * TIMER_BURST_MAX])
def test_a_long_silence_is_skipped_and_counted(behind):
    desk = Listener()
    environment, _ = around(desk, timers=[("evaluate", SECOND)])
    start = MIDNIGHT + 3_600 * SECOND
    environment.run(flat_rows(start, start + behind * SECOND + SECOND // 2))
    fired = desk.timers("evaluate")
    assert len(fired) == min(behind, TIMER_BURST_MAX)
    assert len(fired) + environment._timers.skipped == behind
    assert fired[-1][1] == start + behind * SECOND


def test_no_timer_fires_twice_for_the_same_time():
    desk = Listener()
    environment, _ = around(desk, timers=[("evaluate", SECOND)])
    start = MIDNIGHT + SECOND
    environment.run(flat_rows(start, start + 500 * SECOND, start + 500 * SECOND + 1, start + 503 * SECOND))
    fired = desk.timers("evaluate")
    assert len(fired) == len(set(fired))
    assert fired == sorted(fired)


def test_reports_and_timers_come_in_order_of_time_the_venue_first_on_a_tie():
    class Venue(SilentVenue):
        due = [START + 10 * SECOND, START + 12 * SECOND]  # noqa: RUF012

        def next_due(self):
            return self.due[0] if self.due else None

        def advance(self, ts):
            self.due.pop(0)
            return [(ts, ExecReport(ReportType.ACKNOWLEDGED, "tw-1", ID))]

    desk = Listener()
    environment, _ = around(desk, Venue(), timers=[("evaluate", 10 * SECOND)])
    start = START - START % (10 * SECOND)
    assert start == START
    environment.run(flat_rows(START, START + 25 * SECOND))
    assert [event.source for event in desk.events] == ["tape.test", "venue", "clock", "venue", "clock", "tape.test"]


def test_outcomes_name_their_cause_and_the_start_of_their_chain():
    environment, journal = around(build(Scripted([quotes(Side.BUY)])))
    environment.run(flat_rows(START))
    cause, *facts = journal.events
    assert {(one.source, one.causation_id, one.correlation_id) for one in facts} == {
        ("desk", cause.event_id, cause.event_id)
    }
    assert [one.event_id for one in facts] == ["desk:1", "desk:2", "desk:3"]


def test_what_the_venue_tells_names_the_command_it_answers_and_the_chain_of_its_order():
    environment, journal = around(build(Scripted([target(100)])), simulated(latency_ns=SECOND))
    environment.run(flat_rows(START, START + SECOND, START + 5 * SECOND))
    submit = next(one for one in journal.events if type(one.payload) is SubmitOrder)
    reports = [one for one in journal.events if type(one.payload) is ExecReport]
    assert [one.payload.type for one in reports] == [ReportType.ACKNOWLEDGED, ReportType.FILL]
    assert {(one.causation_id, one.correlation_id) for one in reports} == {(submit.event_id, "tape.test:1")}
    (booked,) = [one for one in journal.events if one.kind == "ledger.fill_booked"]
    assert (booked.causation_id, booked.correlation_id) == (reports[1].event_id, "tape.test:1")


def test_a_cancelled_order_names_its_cancel_and_keeps_its_chain():
    desk = build(Scripted([quotes(Side.BUY), Abstain("off", withdraw=True)]))
    environment, journal = around(desk, simulated(latency_ns=SECOND))
    environment.run(flat_rows(START, START + 5 * SECOND, START + 9 * SECOND))
    (cancel,) = [one for one in journal.events if one.kind == "command.cancel"]
    cancelled = [one for one in journal.events if getattr(one.payload, "type", None) is ReportType.CANCELLED]
    assert [(one.causation_id, one.correlation_id) for one in cancelled] == [(cancel.event_id, "tape.test:1")]
    assert cancel.correlation_id == "tape.test:2"


def test_a_command_leaves_after_its_outcome_was_made_durable():
    order = []
    venue = SilentVenue()
    environment, journal = around(build(Scripted([quotes(Side.BUY)])), venue)
    journal.commit = lambda: order.append(("commit", journal.events[-1].kind))
    venue.send = lambda command, ts: order.append(("send", command.kind))
    environment.run(flat_rows(START))
    assert order == [("commit", "command.submit"), ("send", "command.submit")]


def test_a_kill_is_heard_within_512_rows():
    desk = build(Scripted())
    kill = [("k", KillRequest("drill", "ann"))]
    environment, journal = around(desk, controls=lambda: kill)
    environment.run(flat_rows(*(START + n * SECOND for n in range(POLL_EVERY - 1))))
    assert desk.guard.level is GuardLevel.RUNNING
    environment.run([row(POLL_EVERY, START + POLL_EVERY * SECOND)])
    assert desk.guard.level is GuardLevel.STOPPED
    assert sum(event.source == "operator" for event in journal.events) == 1


def test_a_kill_is_heard_while_a_paced_run_waits_for_its_next_row():
    desk, clock = build(Scripted()), EventClock()
    heard = []

    def controls():
        heard.append(clock.now())
        return [("k", KillRequest("drill", "ann"))]

    environment, journal = around(desk, clock=clock, speed=1.0, controls=controls)
    environment.run(flat_rows(START, START + 3_600 * SECOND))
    assert heard[0] <= SECOND // 5
    kinds = [event.kind for event in journal.events]
    assert kinds.index("operator.kill") < len(kinds) - 1 - kinds[::-1].index("market.quote")


def test_a_stop_while_waiting_plays_no_further_row():
    clock = EventClock()
    desk = Listener()
    environment, _ = around(desk, clock=clock, speed=1.0, controls=lambda: environment.request_stop("signal") or ())
    assert environment.run(flat_rows(START, START + 60 * SECOND)) == "signal"
    assert len(desk.events) == 1


def test_pace_keeps_the_tapes_time():
    clock = EventClock()
    environment, _ = around(Listener(), clock=clock, speed=10.0)
    environment.run(flat_rows(START, START + 5 * SECOND, START + 60 * SECOND))
    assert clock.now() == 6 * SECOND


def test_an_empty_tape_completes():
    environment, journal = around(Listener())
    assert environment.run([]) == "completed"
    assert journal.events == []


@given(st.lists(st.lists(st.integers(0, 50), max_size=10), min_size=1, max_size=4))
def test_tapes_merge_by_arrival_and_a_tie_goes_to_the_earlier_tape(tapes):
    lanes = [[row(lane * 100 + n, ts) for n, ts in enumerate(sorted(tape))] for lane, tape in enumerate(tapes)]
    rows = list(merged([iter(lane) for lane in lanes]))
    assert rows == sorted((one for lane in lanes for one in lane), key=lambda one: (one.ts_init, one.source_seq // 100))


class Breaks(Listener):
    """A real desk whose step fails at the second row."""

    def __init__(self):
        super().__init__()
        self.inner = build(Scripted([quotes(Side.BUY)]))

    def step(self, event):
        if event.event_id == "tape.test:2":
            raise ZeroDivisionError("in risk")
        return self.inner.step(event)


def test_a_desk_that_fails_stops_for_good_and_takes_its_orders_off_before_the_run_ends():
    venue, desk = SilentVenue(), Breaks()
    environment, journal = around(desk, venue)
    with pytest.raises(ZeroDivisionError):
        environment.run(flat_rows(START, START + SECOND, START + 2 * SECOND))
    assert [one.kind for one in venue.sent] == ["command.submit", "command.cancel"]
    assert desk.inner.guard.level is GuardLevel.STOPPED
    (failed,) = [one for one in journal.events if one.kind == "desk.failed"]
    assert failed.payload.text == "ZeroDivisionError: in risk"
    assert "risk.self_failure" in {getattr(one.payload, "reason", "") for one in journal.events}
    assert replay(journal.events, Breaks()).ok


def test_a_replay_that_fails_where_the_desk_did_not_is_a_difference():
    environment, journal = around(build(Scripted([quotes(Side.BUY)])))
    environment.run(flat_rows(START, START + SECOND, START + 2 * SECOND))
    result = replay(journal.events, Breaks())
    assert not result.ok
    assert result.first.why == "the desk fails here"
