"""Log maturity counts uptime that somebody observed, and a loss begins the count anew."""

import msgspec
import pytest

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.maturity import Record, judge_maturity, lost_of, maturity_report, uptime_s

S, HOUR = NANOS_PER_SECOND, 3_600
NOW = 1_772_625_600 * S  # 2026-03-04T12:00:00Z


def beats(first_s, last_s, step_s=10):
    return tuple(NOW + at * S for at in range(first_s, last_s + 1, step_s))


def record(**rest):
    today = NOW // NANOS_PER_DAY
    plain = {
        "beats": beats(-24 * HOUR, 0), "checkpoint_verified": True, "unknown_causes": 0, "lost": lost_of({}),
        "days": (today - 1, today),
    }  # fmt: skip
    return Record(**{**plain, **rest})


def severities(**rest):
    return {one.code.partition(".")[2]: one.severity for one in judge_maturity(record(**rest), NOW)}


def test_a_whole_day_that_was_observed_is_enough():
    assert set(severities().values()) == {Severity.OK}


def test_a_day_by_the_clock_with_an_outage_is_not():
    seen = (*beats(-24 * HOUR, -17 * HOUR), *beats(-7 * HOUR, 0))
    (first, *_) = judge_maturity(record(beats=seen), NOW)
    assert (first.severity, first.observed) == (Severity.FAIL, "14 h of 24 h")


@pytest.mark.parametrize(("gap_s", "up_s"), [(29, 29), (30, 30), (31, 0)])
def test_a_beat_counts_until_the_next_where_that_came_in_time(gap_s, up_s):
    assert uptime_s((NOW, NOW + gap_s * S), start=NOW, end=NOW + HOUR * S, gap_max_s=30) == up_s


def test_silence_at_head_and_tail_is_down():
    assert uptime_s(beats(-100, -50), start=NOW - HOUR * S, end=NOW, gap_max_s=30) == 50
    assert severities(beats=beats(-24 * HOUR + 10, 0))["uptime"] is Severity.FAIL


def test_what_is_older_than_the_window_does_not_count():
    old = (*beats(-72 * HOUR, -50 * HOUR), *beats(-2 * HOUR, 0))
    assert severities(beats=old)["uptime"] is Severity.FAIL


def test_a_loss_begins_the_count_anew():
    assert severities(lost_at=NOW - 24 * HOUR * S)["uptime"] is Severity.OK
    assert severities(lost_at=NOW - 24 * HOUR * S + S)["uptime"] is Severity.FAIL


@pytest.mark.parametrize(("kind", "count", "severity"), [
    ("orders", 1, Severity.FAIL), ("intents", 1, Severity.FAIL), ("decisions", 1, Severity.FAIL),
    ("audit", 1, Severity.FAIL), ("market_data", 4, Severity.OK), ("market_data", 5, Severity.FAIL),
    ("market_data", 6, Severity.FAIL),
])  # fmt: skip
def test_no_order_may_be_lost_and_few_market_events(kind, count, severity):
    assert severities(lost=lost_of({kind: count}))[f"lost_{kind}"] is severity


def test_a_gap_without_a_reason_is_a_loss_too():
    assert severities(gap_reasons=False)["lost_market_data"] is Severity.FAIL


@pytest.mark.parametrize(("change", "code"), [
    ({"beats": None}, "uptime"), ({"checkpoint_verified": None}, "checkpoint"),
    ({"unknown_causes": None}, "unknown_causes"), ({"lost": {}}, "lost_orders"), ({"lost": {}}, "lost_market_data"),
])  # fmt: skip
def test_what_nobody_looked_at_is_unknown(change, code):
    assert severities(**change)[code] is Severity.UNKNOWN


def test_each_day_needs_its_partition():
    today = NOW // NANOS_PER_DAY
    assert severities(days=(today,))["partitions"] is Severity.FAIL
    assert severities(days=(today - 1,))["partitions"] is Severity.FAIL


def test_the_report_is_the_worst_of_them():
    whole = maturity_report(record(), NOW)
    broken = maturity_report(msgspec.structs.replace(record(), checkpoint_verified=False), NOW)
    assert (whole.severity, broken.severity) == (Severity.OK, Severity.FAIL)
