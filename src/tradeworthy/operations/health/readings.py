"""From what the rooms hold to the facts of a health judgement; pure, so each is read when its owner says so."""

from collections.abc import Collection, Iterable, Sequence

from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.kernel.supervision import AbandonedTask, EndedTask, State, TaskSnapshot
from tradeworthy.kernel.supervision.resources import Forecast
from tradeworthy.operations.health.facts import GuardView, Judged, KillView, Tasks
from tradeworthy.trading.control import HeldReason
from tradeworthy.trading.control.halt import Halt
from tradeworthy.trading.control.halting import Phase
from tradeworthy.trading.model import GuardLevel

DESK = "desk"
DISK_FREE_SHARE_MIN = 0.1
"""Less room than this warns while there are too few samples for a forecast."""


def tasks_of(
    living: Sequence[TaskSnapshot], ended: Iterable[EndedTask], abandoned: Iterable[AbandonedTask], *, at: int,
    optional: Collection[str] = (),
) -> Tasks:  # fmt: skip
    """Return the counts of a supervisor's snapshot; a task that failed and runs again under its name is well.

    optional  names and owners whose failure for good only warns (SUP-05)
    """
    alive = {one.name for one in living}
    last = {one.name: one for one in ended}
    lost = [one for one in last.values() if one.state is State.FAILED and one.name not in alive]
    minor = [one for one in lost if one.name in optional or one.owner in optional]
    return Tasks(
        at=at, running=sum(one.state is State.RUNNING for one in living),
        restarting=sum(one.state is State.RESTARTING for one in living),
        failed=tuple(one.name for one in lost if one not in minor), failed_optional=tuple(one.name for one in minor),
        abandoned=tuple(one.name for one in abandoned),
    )  # fmt: skip


def guard_of(reasons: Sequence[HeldReason], *, at: int) -> GuardView:
    """Return the guard's view: the desk's level is the worst reason of scope `desk`."""
    level = max((one.level for one in reasons if one.scope == DESK), default=GuardLevel.RUNNING)
    return GuardView(at=at, level=level, reasons=tuple(reasons))


def kill_of(halts: Sequence[Halt], phase: Phase | None, *, at: int) -> KillView:
    """Return where the kill switch stands by the halt flag and the desk's phase."""
    known = "" if phase is None else phase.value
    return KillView(at=at, tripped=bool(halts), phase=known, scopes=tuple(dict.fromkeys(one.scope for one in halts)))


def disk_of(forecasts: Iterable[Forecast], *, at: int, free_share_min: float = DISK_FREE_SHARE_MIN) -> Judged:
    """Return the disk's forecast (WD-08); before there is one, the room that is left: below the floor it warns."""
    found = next((one for one in forecasts if one.name == "disk"), None)
    if found is None:
        return Judged(at=at, summary="disk: no forecast")
    if found.severity is not Severity.UNKNOWN or found.observed is None or not found.limit:
        return Judged(at=at, severity=found.severity, summary=found.text, observed=found.hours, unit="h")
    free = (found.limit - found.observed) / found.limit
    severity = Severity.WARN if free < free_share_min else Severity.OK
    said = f"{free:.0%} of the disk is free; {found.text}"
    return Judged(at=at, severity=severity, summary=said, observed=free, limit=free_share_min, unit="free")


def assessed(checks: Sequence[Check], *, at: int) -> Judged:
    """Return the worst of an assessment's checks, e.g. `kernel.telemetry.bus_health.judge_bus`; none is unknown."""
    if not checks:
        return Judged(at=at)
    severity = worst(one.severity for one in checks)
    found = [one for one in checks if one.severity is severity]
    told = "; ".join(f"{one.code} {one.text}".strip() + f": {one.observed}, limit {one.limit}" for one in found)
    return Judged(at=at, severity=severity, summary=told if severity else f"{len(checks)} rules kept")
