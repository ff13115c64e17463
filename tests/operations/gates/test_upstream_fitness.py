"""Three things ask for another look at an adapter, each at its own number; what nobody keeps is unknown."""

import pytest

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.upstream import DAY_S, Upstream, fitness_report, upstreams_of
from tradeworthy.operations.incidents.lifecycle import Incident, IncidentOpened, Phase

S = 10**9
NOW = 1_772_625_600 * S
OK, WARN, UNKNOWN = Severity.OK, Severity.WARN, Severity.UNKNOWN


def incident(name="i", *, lasted_s=60.0, living=False, **odd):
    began = NOW - round(lasted_s * S)
    usual = {
        "incident": name, "title": name, "sev": 3, "alert": "", "code": "venue.errors", "component": "binance",
        "subject": "", "opened_by": "rule", "owner": "operations", "first_impact": began, "detected_at": began,
        "source": "alert",
    }  # fmt: skip
    phase = Phase.OPEN if living else Phase.RESOLVED
    return Incident(
        opened=IncidentOpened(**{**usual, **odd}), phase=phase, sev=3, resolved_at=None if living else NOW
    )  # fmt: skip


def found(incidents=(), *, fails=0, live_s=0.0):
    report = fitness_report(upstreams_of(incidents, NOW), post_trade_fails=fails, live_s=live_s)
    return {one.code.partition(".")[2]: one.severity for one in report.checks if one.severity}


def test_incidents_are_counted_by_dependency_and_venue_and_drills_and_own_faults_are_not():
    told = upstreams_of([
        incident(), incident("j", lasted_s=120, living=True), incident("k", code="feed.stale", component="tape"),
        incident("l", drill=True), incident("m", code="risk.daily_loss", component="desk"),
        incident("n", code="", source="venue", component="bybit"),
    ], NOW + 60 * S)  # fmt: skip
    assert told == (
        Upstream(name="feed:tape", incidents=1, living=0, longest_s=60.0),
        Upstream(name="venue:binance", incidents=2, living=1, longest_s=180.0),
        Upstream(name="venue:bybit", incidents=1, living=0, longest_s=60.0),
    )


@pytest.mark.parametrize(("given", "code"), [
    ({"incidents": [incident(lasted_s=7 * DAY_S)]}, "repair"),
    ({"incidents": [incident(lasted_s=7 * DAY_S, living=True)]}, "repair"),
    ({"fails": 3}, "post_trade_fails"), ({"live_s": 7.0 * DAY_S}, "live_run"),
])  # fmt: skip
def test_each_number_asks_for_another_look_when_it_is_reached(given, code):
    assert found(**given) == {code: WARN}


def test_just_below_each_number_nothing_is_asked_for():
    assert found([incident(lasted_s=7 * DAY_S - 1)], fails=2, live_s=7.0 * DAY_S - 1) == {}


def test_what_nobody_keeps_is_unknown():
    report = fitness_report(None, post_trade_fails=None, live_s=None)
    assert {one.severity for one in report.checks} == {UNKNOWN}
