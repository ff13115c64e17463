"""The score of disabled controls: its floor, its fall, what is late, and a scene that shows nothing."""

import pytest

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.control_score import Disabled, control_report

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL


def disabled(number=0, **odd):
    usual = {"control": f"risk.c{number}", "how": "removed", "stopped": True, "by": "another", "after_s": 10.0}
    return Disabled(**(usual | odd))


def played(survivors, count=20):
    return [disabled(n, **({"by": "", "after_s": None} if n < survivors else {})) for n in range(count)]


def severities(report):
    return {one.code.partition(".")[2]: one.severity for one in reversed(report.checks)}


@pytest.mark.parametrize(("survivors", "severity"), [(0, OK), (1, OK), (2, FAIL)])
def test_ninety_five_of_a_hundred_disabled_controls_are_noticed(survivors, severity):
    report = control_report(played(survivors))
    assert severities(report)["score"] is severity
    assert report.checks[0].text.count("risk.c") == survivors
    assert sum(one.severity is WARN for one in report.checks) == survivors


@pytest.mark.parametrize(("after_s", "severity"), [(299.9, OK), (300.0, FAIL)])
def test_a_notice_at_five_minutes_is_late(after_s, severity):
    assert severities(control_report([disabled(after_s=after_s)]))["score"] is severity


@pytest.mark.parametrize(("before", "severity"), [(95.0, OK), (95.1, FAIL)])
def test_a_score_may_not_fall_against_the_release_before(before, severity):
    assert severities(control_report(played(1), before_pct=before))["fall"] is severity


def test_nothing_played_is_unknown_and_a_scene_that_nobody_stops_fails():
    assert control_report(()).severity is UNKNOWN
    assert control_report([disabled(stopped=False)]).checks[0].severity is FAIL
