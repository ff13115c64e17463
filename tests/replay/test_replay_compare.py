"""What a replay says of equal, changed, missing and cut-off outcomes."""

import msgspec
import pytest

from tradeworthy.kernel.facts import event_of
from tradeworthy.trading.digest import OutcomeDigest
from tradeworthy.trading.model import (
    NOTHING,
    Abstained,
    ExecReport,
    OrderType,
    Outcome,
    Quote,
    ReportType,
    RunEnded,
    RunStarted,
    Side,
    SubmitOrder,
    TimeInForce,
)
from tradeworthy.trading.replay import replay

SUBMIT = SubmitOrder("tw-1", "i", "one", "X", Side.BUY, 1, OrderType.MARKET, TimeInForce.GTC)


class Desk:
    """Say a fixed list of codes at each input."""

    def __init__(self, *codes):
        self._codes = codes

    def step(self, event):
        return Outcome(tuple(Abstained("one", code) for code in self._codes), ())


def journal(*steps, digest=None, source="desk"):
    """Return events: a start, then of each step an input and its outcomes by code, then an end if `digest`."""
    start = RunStarted("r", "backtest", "{}", "", "", ())
    events = [event_of(start, source="run", key="started", ts_event=1, ts_init=1)]
    for number, codes in enumerate(steps, 1):
        cause = event_of(Quote("X", number, number + 1), source="tape", key=number, ts_event=number, ts_init=number)
        events.append(cause)
        for place, code in enumerate(codes):
            fact = Abstained("one", code)
            key = f"{number}-{place}"
            events.append(event_of(fact, source=source, key=key, ts_event=number, ts_init=number, cause=cause))
    if digest is not None:
        events.append(event_of(RunEnded("completed", digest, 0, 0), source="run", key="ended", ts_event=9, ts_init=9))
    return events


def digest_of(*steps):
    digest = OutcomeDigest()
    for number, codes in enumerate(steps, 1):
        if codes:
            digest.add(f"tape:{number}", tuple(Abstained("one", code) for code in codes))
    return digest.hexdigest()


def test_equal_outcomes_pass_with_the_recorded_digest():
    steps = (("a", "b"), ("a", "b"))
    result = replay(journal(*steps, digest=digest_of(*steps)), Desk("a", "b"))
    assert result.ok
    assert (result.inputs, result.outcomes, result.equal, result.unrecorded) == (2, 4, 4, 0)


def test_equal_outcomes_with_another_recorded_digest_do_not_pass():
    result = replay(journal(("a",), digest="0" * 64), Desk("a"))
    assert result.first is None
    assert not result.ok


@pytest.mark.parametrize(
    ("recorded", "derived", "expected"),
    [
        (("a", "b"), ("a", "c"), ("b", "c")), (("a", "b"), ("a",), ("b", None)), (("b", "a"), ("a", "b"), ("b", "a")),
        (("a",), ("a", "b"), (None, "b")), ((), ("a",), (None, "a")),
    ],
)  # fmt: skip
def test_the_first_difference_shows_both_sides(recorded, derived, expected):
    result = replay(journal(recorded, recorded), Desk(*derived))
    first = result.first
    assert not result.ok
    assert first.cause == "tape:1"
    assert (first.recorded and first.recorded.code, first.derived and first.derived.code) == expected


def test_what_a_crash_cut_off_is_counted_and_no_difference():
    result = replay(journal(("a", "b"), ("a",)), Desk("a", "b"))
    assert result.ok
    assert (result.equal, result.unrecorded) == (3, 1)


def test_an_outcome_with_another_cause_is_a_difference():
    events = journal(("a",), ("a",))
    events[2], events[4] = events[4], events[2]
    assert not replay(events, Desk("a")).ok


def test_the_digest_tells_which_input_led_to_an_outcome_and_in_which_order():
    assert digest_of(("a",), ()) != digest_of((), ("a",))
    assert digest_of(("a", "b")) != digest_of(("b", "a"))
    assert digest_of(("a",), ("b",)) != digest_of(("a", "b"))


def test_a_long_digest_is_that_of_its_parts():
    one, other = OutcomeDigest(), OutcomeDigest()
    for number in range(5_000):
        one.add(f"tape:{number}", (Abstained("one", "a"),))
        other.add(f"tape:{number}", (Abstained("one", "a"),))
        other.hexdigest()
    assert one.hexdigest() == other.hexdigest()


def ordered(report_cause, correlation="tape:1"):
    """Return a journal of one order and the venue's answer, the answer with these links."""
    start = RunStarted("r", "backtest", "{}", "", "", ())
    quote = event_of(Quote("X", 1, 2), source="tape", key=1, ts_event=1, ts_init=1)
    sent = event_of(SUBMIT, source="desk", key=1, ts_event=1, ts_init=1, cause=quote)
    answer = event_of(ExecReport(ReportType.ACKNOWLEDGED, "tw-1", "X"), source="venue", key=1, ts_event=2, ts_init=2)
    answer = msgspec.structs.replace(answer, causation_id=report_cause, correlation_id=correlation)
    return [event_of(start, source="run", key="started", ts_event=1, ts_init=1), quote, sent, answer]


class Sender:
    """Send one order at a quote."""

    def step(self, event):
        return Outcome((SUBMIT,), (SUBMIT,)) if type(event.payload) is Quote else NOTHING


def test_a_report_that_names_its_submit_is_equal():
    assert replay(ordered("desk:1"), Sender()).ok


@pytest.mark.parametrize(
    ("cause", "correlation", "why"),
    [("desk:7", "tape:1", "the cause desk:1, found desk:7"), (None, "tape:1", "found None"),
     ("desk:1", "venue:1", "the chain tape:1, found venue:1")],
)  # fmt: skip
def test_a_report_with_another_cause_or_chain_is_a_difference(cause, correlation, why):
    result = replay(ordered(cause, correlation), Sender())
    assert not result.ok
    assert why in result.first.why
