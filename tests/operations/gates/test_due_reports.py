"""Reports are due at 16:30 in New York and on Mondays, once each, with the same bytes when they are made again."""

from datetime import datetime

import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.operations.gates.due_reports import ZONE, day_end, due_reports
from tradeworthy.operations.gates.store import GateStore


def at(*words):
    return round(datetime(*words, tzinfo=ZONE).timestamp()) * NANOS_PER_SECOND


@pytest.mark.parametrize(("now", "end"), [
    (at(2026, 3, 4, 16, 30), at(2026, 3, 4, 16, 30)), (at(2026, 3, 4, 16, 29, 59), at(2026, 3, 3, 16, 30)),
    (at(2026, 3, 8, 17), at(2026, 3, 8, 16, 30)), (at(2026, 3, 9, 1), at(2026, 3, 8, 16, 30)),
    (at(2026, 11, 1, 23), at(2026, 11, 1, 16, 30)),
])  # fmt: skip
def test_a_day_ends_at_half_past_four_in_new_york_also_when_its_clocks_are_set(now, end):
    assert day_end(now) == end


def test_each_report_is_written_once_and_the_same_again(tmp_path):
    now = at(2026, 3, 4, 17)
    known = GateStore(tmp_path, EventClock(now)).read()
    found = due_reports(known, (), now)
    assert [one.name for one in found] == ["daily-2026-03-04.md", "weekly-2026-03-02.md"]
    assert due_reports(known, (), now + 900 * NANOS_PER_SECOND) == found
    assert due_reports(known, {one.name for one in found}, now) == ()
    tomorrow = due_reports(known, {one.name for one in found}, at(2026, 3, 5, 16, 30))
    assert [one.name for one in tomorrow] == ["daily-2026-03-05.md"]
