"""Sign-off as a table: each missing, failing or short thing blocks it, whatever else is fine (DR-33, DR-34)."""

import itertools

import audit_logs as logs
import msgspec
import pytest

from tradeworthy.operations.dry_run.artefacts import Sections
from tradeworthy.operations.dry_run.audit.performance import sharpe_statistics
from tradeworthy.operations.dry_run.model import (
    DiarySection,
    LogSection,
    PerformanceSection,
    RunMetadata,
    SignOffCriteria,
    Status,
    stamp,
)
from tradeworthy.operations.dry_run.sign_off import sign_off

PASS, WARN, UNKNOWN, FAIL = Status.PASS, Status.WARN, Status.UNKNOWN, Status.FAIL
HOURS = 3_600.0


def sections(*, logs_status=PASS, diary=PASS, performance=PASS, seconds=72 * HOURS, uptime=1.0, sharpe=1.2, days=3):
    return Sections(
        generated_at=stamp(logs.NOW_NS), status=PASS, metadata=RunMetadata(actual_duration_seconds=seconds),
        logs=None if logs_status is None else LogSection(status=logs_status, records=9, uptime_ratio=uptime),
        diary=None if diary is None else DiarySection(status=diary, total_entries=5),
        performance=None if performance is None else PerformanceSection(
            status=performance, sharpe_ratio=sharpe, sharpe_statistics=sharpe_statistics((), days=days)
        ),
    )  # fmt: skip


def signed(found, **criteria):
    return sign_off(found, SignOffCriteria(**criteria), now=logs.NOW_NS)


def blocking(verdict):
    return {one.code for one in verdict.findings if one.severity is not PASS}


def test_a_run_that_met_everything_passes():
    verdict = signed(sections())
    assert (verdict.status, blocking(verdict)) == (PASS, set())


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize("vector", list(itertools.product((PASS, WARN, UNKNOWN, FAIL), repeat=3)))
def test_every_combination_of_section_statuses(vector, allowed):
    verdict = signed(
        sections(logs_status=vector[0], diary=vector[1], performance=vector[2]), allow_warnings=allowed
    )
    if UNKNOWN in vector or FAIL in vector:
        expected = FAIL
    elif WARN in vector:
        expected = WARN if allowed else FAIL
    else:
        expected = PASS
    assert verdict.status is expected


@pytest.mark.parametrize(("part", "code"), [
    ({"logs_status": None}, "evidence.logs.missing"), ({"diary": None}, "evidence.diary.missing"),
    ({"performance": None}, "evidence.performance.missing"), ({"seconds": 72 * HOURS - 0.2}, "duration.short"),
    ({"uptime": 0.9799}, "uptime.low"), ({"uptime": None}, "uptime.unknown"),
    ({"uptime": float("nan")}, "uptime.unknown"), ({"seconds": None}, "duration.unknown"),
])  # fmt: skip
def test_each_missing_or_short_thing_blocks_alone(part, code):
    verdict = signed(sections(**part))
    assert verdict.status is FAIL
    assert code in blocking(verdict)


def test_limits_that_are_just_met_pass():
    assert signed(sections(seconds=72 * HOURS - 0.1, uptime=0.98)).status is PASS


def test_evidence_that_is_not_required_may_be_absent():
    found = sections(diary=None, performance=None)
    assert signed(found, require_diary=False, require_performance=False).status is PASS
    assert signed(found, require_diary=False).status is FAIL
    asked = signed(found, require_diary=False, require_performance=False, minimum_sharpe_ratio=0.5)
    assert blocking(asked) == {"evidence.performance.missing"}


@pytest.mark.parametrize(("sharpe", "floor", "code"), [
    (0.5, 1.0, "sharpe.low"), (None, 1.0, "sharpe.missing"), (float("inf"), 1.0, "sharpe.missing"), (1.0, 1.0, None),
    (1.2, 1.0, None),
])  # fmt: skip
def test_the_sharpe_floor_blocks_what_is_missing_or_below(sharpe, floor, code):
    verdict = signed(sections(sharpe=sharpe), minimum_sharpe_ratio=floor)
    assert blocking(verdict) == (set() if code is None else {code})


def test_a_passed_floor_on_three_days_carries_its_caveat_and_sixty_days_do_not():
    short = signed(sections(days=3), minimum_sharpe_ratio=1.0)
    assert short.status is PASS
    (caveat,) = [one for one in short.findings if one.code == "sharpe.point_estimate_only"]
    assert caveat.metadata["standard_error"] == pytest.approx(9.165, abs=0.001)
    assert "sharpe.point_estimate_only" not in {one.code for one in signed(sections(days=60)).findings}


def test_a_log_without_records_is_no_log():
    found = msgspec.structs.replace(sections(), logs=LogSection(status=PASS, records=0, uptime_ratio=1.0))
    assert "evidence.logs.missing" in blocking(signed(found))
