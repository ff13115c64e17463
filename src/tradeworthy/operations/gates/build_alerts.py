"""A failing job of a build is told once and taken back when it is green; its times are kept (GT-18)."""

from collections.abc import Iterable

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.operations.incidents.model import AlertSeverity, Notice, Purpose

GREEN, FAILED = "success", "failure"
RESULTS = (GREEN, FAILED, "cancelled", "skipped")
"""What a public host says of a job; only the first two say anything about the build."""
DRILL = "drill: "


@fact("gate.build_alert")
class BuildAlerted(Fact, frozen=True):
    """What a job's result became: a notice that was raised or taken back, and by which channels.

    sent    `channel:name`, with how the channel calls what it took;  faults  of channels that did not take it
    """

    job: str
    failed: bool
    at: int
    drill: bool
    sent: tuple[str, ...]
    faults: tuple[str, ...]


class BuildFailure(msgspec.Struct, frozen=True, kw_only=True):
    """One failure from its alert to the next green, nanoseconds UTC; `resolved_at` None while it lasts."""

    job: str
    opened_at: int
    resolved_at: int | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took to repair, None while it lasts."""
        return None if self.resolved_at is None else (self.resolved_at - self.opened_at) / NANOS_PER_SECOND


def notice_of(job: str, *, failed: bool, at: int, drill: bool, where: str = "") -> Notice:
    """Return the notice of a job; the same job has the same issue, and a drill has one of its own.

    where  the build, as people find it
    """
    name = f"{DRILL}{job}" if drill else job
    said = f"Job {name} failed." if failed else f"Job {name} is green again."
    return Notice(
        id=f"build:{name}:{at}", purpose=Purpose.ALERT if failed else Purpose.RESOLVED, severity=AlertSeverity.ERROR,
        title=f"[build] {name} failed", text=f"{said} {where}".strip(), dedup=f"build|{name}", at=at,
    )  # fmt: skip


def failures_of(told: Iterable[BuildAlerted]) -> tuple[BuildFailure, ...]:
    """Return every failure, oldest first: it begins with its first alert and ends with the next green; no drills."""
    found: list[BuildFailure] = []
    open_at: dict[str, int] = {}
    for one in told:
        if one.drill:
            continue
        if one.failed and one.job not in open_at:
            open_at[one.job] = len(found)
            found.append(BuildFailure(job=one.job, opened_at=one.at))
        elif not one.failed and one.job in open_at:
            at = open_at.pop(one.job)
            found[at] = msgspec.structs.replace(found[at], resolved_at=one.at)
    return tuple(found)


def mean_repair_s(failures: Iterable[BuildFailure]) -> float | None:
    """Return the mean time to repair in seconds, None where nothing was repaired yet."""
    lasted = [one.seconds for one in failures if one.seconds is not None]
    return sum(lasted) / len(lasted) if lasted else None
