"""What dry runs judged, as facts of the last validation and of those of three days before it."""

import msgspec
import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.assessments.collectors.folders import validation_facts
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.dry_run.artefacts import Sections, Summary, encode_summary
from tradeworthy.operations.dry_run.model import LogSection, RunMetadata, Status
from tradeworthy.operations.dry_run.run_folder import RunFolder
from tradeworthy.operations.evidence.canonical import stamp_of

AT = 1_750_000_000 * NANOS_PER_SECOND
HOUR = 3_600 * NANOS_PER_SECOND
TELL = Teller("test", AT, environment="file")


def ended(root, name, status, at=AT, logs=None):
    body = Sections(
        generated_at=stamp_of(at), status=status, metadata=RunMetadata(),
        logs=LogSection(status=status if logs is None else logs),
    )  # fmt: skip
    place = root / name
    place.mkdir()
    RunFolder(place).summary_json.write_bytes(encode_summary(Summary(run_id=name, status=status, summary=body)))
    return place


def told(folder):
    return {one.name: one.value for one in validation_facts(folder, TELL)}


def test_the_parts_that_failed_or_are_unknown_are_named(tmp_path):
    found = told(ended(tmp_path, "a", Status.WARN, logs=Status.UNKNOWN))
    assert (found["checks"], found["failed"], found["required"]) == (1, ("logs",), ("logs",))
    assert found["reported_at"] == AT


@pytest.mark.parametrize(("hours", "rate", "streak"), [(71, 0.5, 1), (72, 0.0, 1)])
def test_runs_of_three_days_count_and_older_ones_do_not(tmp_path, hours, rate, streak):
    ended(tmp_path, "before", Status.PASS, AT - hours * HOUR)
    found = told(ended(tmp_path, "now", Status.FAIL))
    assert (found["success_rate"], found["failure_streak"]) == (rate, streak)


def test_failures_in_a_row_end_with_one_that_passed(tmp_path):
    for hour, status in ((3, Status.PASS), (2, Status.FAIL), (1, Status.FAIL)):
        ended(tmp_path, str(hour), status, AT - hour * HOUR)
    assert told(ended(tmp_path, "now", Status.UNKNOWN))["failure_streak"] == 3


def test_without_a_summary_nothing_is_known(tmp_path):
    assert set(told(tmp_path).values()) == {None}
    RunFolder(tmp_path).summary_json.write_bytes(msgspec.json.encode({}))
    assert set(told(tmp_path).values()) == {None}
