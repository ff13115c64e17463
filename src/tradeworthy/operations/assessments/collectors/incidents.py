"""Facts of how incidents are answered, out of the alert path's journal, the roster and the runbooks (AS-48)."""

from collections.abc import Iterable
from pathlib import Path

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.values import Observation
from tradeworthy.operations.incidents.actions import ActionBook
from tradeworthy.operations.incidents.lifecycle import Incident, Phase
from tradeworthy.operations.incidents.path_model import PathFacts
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.reviews import reviews_owed
from tradeworthy.operations.incidents.roster import RosterFacts

MINUTE_NS = 60 * NANOS_PER_SECOND
HOUR_NS = 60 * MINUTE_NS
SEVERE = 2
"""SEV-1 and SEV-2 are the grave ones."""
NO_DRILL = "no alert drill was answered: tradeworthy alert drill"
CANARY_ALONE = "canary"
"""The channel that only canaries take; where it is the only one, nobody would hear."""
NO_ACTIONS = "nobody read the journal for action items"
USUAL = IncidentPolicy()
NO_ROSTER = "no roster is kept: telemetry.escalation.roster names its file"


def incident_facts(
    incidents: Iterable[Incident], late: Iterable[str], roster: RosterFacts, tell: Teller, *, now: int,
    last_told: int | None, window_days: int, hours_ahead: float, missing_runbooks: tuple[str, ...] | None,
    policy: IncidentPolicy = USUAL, actions: ActionBook | None = None,
) -> list[Observation]:  # fmt: skip
    """Return the facts of `incident_response`; drills count as drills alone.

    last_told         stamp of the path's newest event;  late  grave ones that nobody took in time
    hours_ahead       how far the roster was looked through: a gap farther away is told as that
    missing_runbooks  those that are named and not there; None where there is no folder to look in
    actions           action items of the same journal; None: it was not read for them
    """
    known = tuple(incidents)
    since = now - window_days * NANOS_PER_DAY
    real = [one for one in known if not one.opened.drill]
    owed = [one.severity for one in reviews_owed(known, policy, now) if one.severity is not Severity.OK]
    undone = None if actions is None else [actions.severity(one, now) for one in actions.overdue(now)]
    recent = [one for one in real if one.opened.detected_at >= since]
    waits = [
        (now - one.resolved_at) / HOUR_NS for one in known
        if one.phase is Phase.RESOLVED and one.resolved_at is not None
    ]  # fmt: skip
    return [
        tell("open_incidents", sum(one.living and one.sev <= SEVERE for one in real)),
        tell("incidents", len(recent)), tell("postmortem_backlog", max(waits, default=0.0)),
        tell("late", len(tuple(late))), tell("reviews_overdue", len(owed)),
        tell("reviews_overdue_long", owed.count(Severity.FAIL)),
        tell("actions_overdue", None if undone is None else len(undone), why=NO_ACTIONS),
        tell("actions_overdue_long", None if undone is None else undone.count(Severity.FAIL), why=NO_ACTIONS),
        tell("acknowledged_after", _minutes((one.opened.detected_at, one.acknowledged_at) for one in recent)),
        tell("resolved_after", _minutes((one.opened.detected_at, one.resolved_at) for one in recent)),
        tell("primary_gap", _gap(roster.primary_gap_hours, hours_ahead), why=NO_ROSTER),
        tell("secondary_gap", _gap(roster.secondary_gap_hours, hours_ahead), why=NO_ROSTER),
        tell("missing_runbooks", missing_runbooks, why="there is no folder docs/runbooks to look in"),
        tell("last_told", last_told, why="the alert path told nothing yet"),
        tell("last_drill", last_drill(known), why=NO_DRILL),
        tell("last_training", None, why="no register of training is kept; a person attests it"),
    ]  # fmt: skip


def alert_path_facts(
    path: PathFacts, incidents: Iterable[Incident], recent_nobody: int, tell: Teller
) -> list[Observation]:  # fmt: skip
    """Return the facts of `alert_path`: what the path says of itself, canaries included.

    recent_nobody  notices of the last hour that every channel refused
    """
    pace, few = path.generation, "no alert left since the start"
    configured = sum(one.configured for one in path.channels if one.name != CANARY_ALONE)
    longest = pace.max_ms
    return [
        tell("endpoints", configured), tell("alerts", pace.n),
        tell("to_alert_p99", longest if pace.p99_ms is None else pace.p99_ms, why=few),
        tell("to_alert_max", longest, why=few), tell("canary_age", path.canary_age_ns / NANOS_PER_SECOND),
        tell("reached_nobody", recent_nobody), tell("last_drill", last_drill(incidents), why=NO_DRILL),
    ]  # fmt: skip


def last_drill(incidents: Iterable[Incident]) -> int | None:
    """Return when the newest drill that a person answered began."""
    answered = (one for one in incidents if one.opened.drill and one.acknowledged_at is not None)
    return max((one.opened.detected_at for one in answered), default=None)


def missing_of(named: Iterable[str], docs: Path) -> tuple[str, ...] | None:
    """Return the runbooks that are named and not below `docs`; None without that folder."""
    if not (docs / "runbooks").is_dir():
        return None
    return tuple(sorted({one for one in named if not (docs / one).is_file()}))


def _minutes(spans: Iterable[tuple[int, int | None]]) -> tuple[float, ...]:
    return tuple((end - begin) / MINUTE_NS for begin, end in spans if end is not None)


def _gap(hours: float | None, most: float) -> float | None:
    return None if hours is None else max(0.0, min(hours, most))
