"""Uptime of a desk from the journals of its lives, against the floor of its tier (MOD-03)."""

import json

import pytest
from ingesting_scene import document, process, run

from tradeworthy.app.runtime.uptime import Up, UptimePolicy, UptimeWatch, judge_uptime, stretches_of
from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.severity import Severity

S, DAY = NANOS_PER_SECOND, NANOS_PER_DAY
NOW = 100 * DAY
FLOORS = {"tier_0": 99.5, "tier_1": 99.9, "tier_2": 99.99}


def with_gap(days, down_s, tier="tier_0"):
    """Return two stretches of a window of so many days, with a hole of so many seconds."""
    begin, middle = NOW - days * DAY, NOW - DAY // 2
    return Up(begin, middle, tier), Up(middle + round(down_s * S), NOW, tier)


def judged(stretches, tier="tier_0", **odd):
    return judge_uptime(tuple(stretches), tier=tier, now=NOW, policy=UptimePolicy(**odd))


@pytest.mark.parametrize("tier", FLOORS)
@pytest.mark.parametrize(("more_s", "severity"), [(-1.0, Severity.OK), (0.0, Severity.OK), (1.0, Severity.FAIL)])
def test_a_floor_is_broken_below_it_and_not_at_it(tier, more_s, severity):
    allowed = (100 - FLOORS[tier]) / 100 * 20 * 86_400
    found = judged(with_gap(20, allowed + more_s, tier), tier)
    if more_s:  # the floor itself is a matter of the last bit
        assert found.severity is severity
    assert found.observed_pct == pytest.approx(100 - 100 * (allowed + more_s) / (20 * 86_400))
    assert (found.floor_pct, found.lives) == (FLOORS[tier], 2)


@pytest.mark.parametrize(
    ("tier", "hours", "severity"),
    [("tier_0", 23.99, Severity.UNKNOWN), ("tier_0", 24.0, Severity.OK), ("tier_1", 24.0, Severity.OK),
     ("tier_2", 27.7, Severity.UNKNOWN), ("tier_2", 27.9, Severity.OK)],
)  # fmt: skip
def test_a_window_that_is_too_short_to_tell_is_unknown(tier, hours, severity):
    assert judged([Up(NOW - round(hours * 3_600 * S), NOW, tier)], tier).severity is severity


def test_nothing_is_unknown_and_a_future_sign_counts_for_nothing():
    assert judged([]).severity is Severity.UNKNOWN
    assert judged([Up(NOW - DAY, NOW + 1)]).severity is Severity.UNKNOWN


def test_only_the_newest_days_count():
    old = Up(NOW - 40 * DAY, NOW - 39 * DAY)
    found = judged([old, Up(NOW - 28 * DAY, NOW)])
    assert (found.severity, found.lives, found.observed_pct) == (Severity.OK, 1, 100.0)


def test_a_desk_that_is_down_since_its_last_sign_is_down():
    found = judged([Up(NOW - 2 * DAY, NOW - DAY)])
    assert (found.severity, found.observed_pct) == (Severity.FAIL, 50.0)


def test_a_change_of_tier_begins_anew():
    before, after = Up(NOW - 20 * DAY, NOW - 12 * DAY), Up(NOW - 10 * DAY, NOW, "tier_1")
    found = judged([before, after], "tier_1")
    assert (found.severity, found.observed_pct, found.lives) == (Severity.OK, 100.0, 1)
    assert judged([before, after]).severity is Severity.UNKNOWN


def test_stretches_that_overlap_count_once():
    found = judged([Up(NOW - 2 * DAY, NOW - DAY // 2), Up(NOW - DAY, NOW)])
    assert found.observed_pct == 100.0


def test_the_lives_of_a_desk_are_measured_and_shown(tmp_path):
    first = process(tmp_path, document(rows=300))
    assert run(first).exit_code == 0
    (one,) = stretches_of(first.state)
    assert (one.tier, one.since < one.until) == ("tier_0", True)
    second = process(tmp_path, document(rows=300))
    run(second)
    assert len(stretches_of(first.state)) == 2
    shown = json.loads(second.summary(running=True))["uptime"]
    assert (shown["tier"], shown["floor_pct"], shown["severity"]) == ("tier_0", 99.5, int(Severity.UNKNOWN))
    watch = UptimeWatch(first.state, first.state / "none", "tier_0")
    assert watch.report(SystemClock().now(), None).lives == 2
