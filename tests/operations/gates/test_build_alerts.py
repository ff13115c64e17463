"""A job's failure lasts from its first alert to the next green, and a drill is none."""

import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND as S
from tradeworthy.operations.gates.build_alerts import BuildAlerted, failures_of, mean_repair_s, notice_of
from tradeworthy.operations.incidents.model import Purpose


def told(at, failed, job="tests", *, drill=False):
    return BuildAlerted(job, failed, at * S, drill, (), ())


@pytest.mark.parametrize(("course", "seconds"), [
    ((), []), ((told(1, True),), [None]), ((told(1, True), told(2, True), told(61, False)), [60.0]),
    ((told(1, False), told(2, False)), []), ((told(1, True, drill=True), told(2, False, drill=True)), []),
    ((told(1, True), told(2, True, "lint"), told(12, False, "lint"), told(21, False), told(30, True)), [20, 10, None]),
])  # fmt: skip
def test_a_failure_lasts_from_its_first_alert_to_the_next_green(course, seconds):
    assert [one.seconds for one in failures_of(course)] == seconds


def test_the_mean_is_of_what_was_repaired():
    assert mean_repair_s(failures_of([])) is None
    assert mean_repair_s(failures_of([told(1, True)])) is None
    course = [told(1, True), told(11, False), told(20, True), told(50, False), told(60, True)]
    assert mean_repair_s(failures_of(course)) == 20.0


def test_a_job_keeps_one_issue_and_a_drill_has_its_own():
    first, again = (notice_of("tests", failed=True, at=at, drill=False) for at in (1, 2))
    green = notice_of("tests", failed=False, at=3, drill=False)
    drill = notice_of("tests", failed=True, at=1, drill=True)
    assert first.dedup == again.dedup == green.dedup != drill.dedup
    assert (first.purpose, green.purpose) == (Purpose.ALERT, Purpose.RESOLVED)
    assert first.id != again.id
