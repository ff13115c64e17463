"""Snapshots as they came, and what their course says: streak, flapping, regression, slope (FW-31); bounded."""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision.resources import growth_per_second
from tradeworthy.operations.assessments.framework.snapshot import Snapshot

KEPT_MAX = 100
SNAPSHOTS_MIN = 3
FLAPPING_WINDOW, FLAPPING_CHANGES = 10, 4
SECONDS_PER_HOUR = 3_600.0


class Trend(msgspec.Struct, frozen=True):
    """What a course says, and how bad that is; `observed` a number or a text."""

    name: str
    severity: Severity
    observed: float | int | str
    text: str


class History:
    """Keep the newest snapshots of each assessment; taking one costs the same however many came before.

    Only the newest is kept whole: of those before it the facts and the policy, which are most of it, are let go.

    kept  snapshots an assessment; the oldest give way
    """

    def __init__(self, kept: int = KEPT_MAX) -> None:
        self._kept = kept
        self._by_name: dict[str, deque[Snapshot]] = {}

    def take(self, snapshot: Snapshot) -> None:
        """Take the next one; a repeat of the newest is taken once."""
        known = self._by_name.setdefault(snapshot.assessment, deque(maxlen=self._kept))
        if known and known[-1].id == snapshot.id:
            return
        if known:
            known[-1] = msgspec.structs.replace(known[-1], facts=(), policy={})
        known.append(snapshot)

    def fold(self, snapshots: Iterable[Snapshot]) -> "History":
        """Take all of them and return itself."""
        for one in snapshots:
            self.take(one)
        return self

    def last(self, name: str) -> Snapshot | None:
        """Return the newest of an assessment, None where there is none."""
        known = self._by_name.get(name)
        return known[-1] if known else None

    def newest(self) -> dict[str, Snapshot]:
        """Return the newest of every assessment that has one."""
        return {name: known[-1] for name, known in self._by_name.items()}

    def of(self, name: str, most: int = KEPT_MAX) -> tuple[Snapshot, ...]:
        """Return the newest `most` of an assessment, oldest first."""
        return tuple(self._by_name.get(name, ()))[-most:]


def trends(snapshots: Sequence[Snapshot]) -> tuple[Trend, ...]:
    """Return what the course of one assessment says, oldest first; fewer than three snapshots are unknown."""
    if len(snapshots) < SNAPSHOTS_MIN:
        text = f"{len(snapshots)} snapshots, {SNAPSHOTS_MIN} are needed"
        return (Trend("history", Severity.UNKNOWN, len(snapshots), text),)
    return (_streak(snapshots), flapping(snapshots), _regression(snapshots), *_slopes(snapshots))


def flapping(snapshots: Sequence[Snapshot]) -> Trend:
    """Judge how often the status changed: four times within ten snapshots warns."""
    statuses = [one.status for one in snapshots[-FLAPPING_WINDOW:]]
    changes = sum(a is not b for a, b in pairwise(statuses))
    severity = Severity.WARN if changes >= FLAPPING_CHANGES else Severity.OK
    return Trend("flapping", severity, changes, f"{changes} changes of status in {len(statuses)} snapshots")


def _streak(snapshots: Sequence[Snapshot]) -> Trend:
    last = snapshots[-1].status
    length = next((n for n, one in enumerate(reversed(snapshots)) if one.status is not last), len(snapshots))
    return Trend("streak", last, length, f"{last.name} for {length} snapshots")


def _regression(snapshots: Sequence[Snapshot]) -> Trend:
    best, last = min(one.status for one in snapshots[:-1]), snapshots[-1].status
    worse = last > best
    said = f"{last.name}, the best before was {best.name}"
    return Trend("regression", Severity.WARN if worse else Severity.OK, last.name, said)


def _slopes(snapshots: Sequence[Snapshot]) -> list[Trend]:
    """Return when limits that fill up are reached, if they go on as in this course."""
    found = []
    for key in snapshots[-1].metadata.get("utilisation", {}):
        points = [
            (one.generated_at / NANOS_PER_SECOND, float(one.metadata["utilisation"][key]))
            for one in snapshots if key in one.metadata.get("utilisation", {})
        ]  # fmt: skip
        slope = growth_per_second(points) if len(points) >= SNAPSHOTS_MIN else 0.0
        used = points[-1][1]
        if slope > 0 and used < 1:
            hours = (1 - used) / slope / SECONDS_PER_HOUR
            found.append(Trend(f"slope:{key}", Severity.OK, hours, f"{used:.0%} used, the limit in {hours:.1f} h"))
    return found
