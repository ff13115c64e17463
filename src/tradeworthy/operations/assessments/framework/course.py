"""How an assessment stood while a run went on: one point a look, small enough for a line on a page."""

from collections.abc import Sequence
from typing import NamedTuple

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.assessment import Assessment
from tradeworthy.operations.assessments.framework.collect import Probe, collect
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy
from tradeworthy.operations.assessments.framework.snapshot import Snapshot, take

COURSE_LOOKS = 24


class Point(NamedTuple):
    """One look: when in nanoseconds UTC, the status, and the largest share of a limit that was used."""

    at: int
    status: Severity
    used: float | None


Course = list[Point]
"""Looks of one assessment, oldest first."""


def point_of(snapshot: Snapshot) -> Point:
    """Return a snapshot as a point of its course."""
    used = snapshot.metadata.get("utilisation", {}).values()
    return Point(snapshot.generated_at, snapshot.status, max(used, default=None))


def looked(one: Assessment, policy: AssessmentPolicy, probes: Sequence[Probe], now: int) -> Point:
    """Return how an assessment stands at `now` by the limits of `policy`."""
    brought = collect(probes, now)
    return point_of(take(
        one, brought.facts, policy, now, environment="", code_version="", failed=brought.failed
    ))  # fmt: skip
