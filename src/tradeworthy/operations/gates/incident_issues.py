"""Incidents as evidence: their checks by category, and the codes by which gate `incident_response` blocks (GT-09)."""

from collections.abc import Iterable

from tradeworthy.kernel.report import Check, Report
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.roster import RosterFinding

PREFIX = "incident_response."
BLOCKING = ("missing_runbooks", "primary_roster", "open_incidents", "postmortem_backlog", "mtta", "mttr")
"""Categories of which a warning blocks too."""


def incident_report(checks: Iterable[Check]) -> Report:
    """Return the report of check `incident_review`; no check at all is unknown."""
    return Report(name="incident-review", title="Incident response", sources=(), checks=tuple(checks))


def with_roster(checks: Iterable[Check], roster: Iterable[RosterFinding], missing: Iterable[str]) -> tuple[Check, ...]:
    """Return checks of incidents with those of the primary roster and of runbooks that are not there.

    roster  findings over who is on duty; nobody keeping one is a finding too
    """
    found, absent = tuple(roster), sorted(missing)
    primary = [one for one in found if one.code.endswith(".primary")] or list(found)
    worst = max(primary, key=lambda one: one.severity, default=None)
    return (
        *checks,
        Check(
            f"{PREFIX}primary_roster", Severity.UNKNOWN if worst is None else worst.severity,
            "nobody looked" if worst is None else worst.observed, "" if worst is None else worst.limit,
        ),
        Check(f"{PREFIX}missing_runbooks", Severity.FAIL if absent else Severity.OK, str(len(absent)), "none",
              ", ".join(absent[:5])),
    )  # fmt: skip


def category_of(code: str) -> str:
    """Return the category of a check's code; a roster's code ends with its line."""
    name = code.removeprefix(PREFIX)
    return "primary_roster" if name.startswith("roster.primary") else name


def issue_codes(checks: Iterable[Check], warn_blocks: Iterable[str] = BLOCKING) -> tuple[str, ...]:
    """Return `issue.<category>.fail`, `.warn` or `.warn_blocked` of each check that is not OK; unknown is a failure."""
    blocking = frozenset(warn_blocks)
    found = []
    for one in checks:
        category = category_of(one.code)
        if one.severity >= Severity.UNKNOWN:
            found.append(f"issue.{category}.fail")
        elif one.severity is Severity.WARN:
            found.append(f"issue.{category}.{'warn_blocked' if category in blocking else 'warn'}")
    return tuple(sorted(set(found)))
