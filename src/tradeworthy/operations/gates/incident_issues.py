"""The codes by which gate `incident_response` blocks, from the findings of its assessment (GT-09)."""

from collections.abc import Iterable, Mapping

from tradeworthy.kernel.severity import Severity

PREFIX = "incident_response."
BLOCKING = ("missing_runbooks", "primary_roster", "open_incidents", "postmortem_backlog", "mtta", "mttr")
"""Categories of which a warning blocks too."""


def issue_codes(found: Mapping[str, Severity], warn_blocks: Iterable[str] = BLOCKING) -> tuple[str, ...]:
    """Return `issue.<category>.fail`, `.warn` or `.warn_blocked` of each code that is not OK; unknown is a failure."""
    blocking = frozenset(one.removeprefix(PREFIX) for one in warn_blocks)
    told = []
    for code, severity in found.items():
        category = code.removeprefix(PREFIX)
        if severity >= Severity.UNKNOWN:
            told.append(f"issue.{category}.fail")
        elif severity is Severity.WARN:
            told.append(f"issue.{category}.{'warn_blocked' if category in blocking else 'warn'}")
    return tuple(sorted(set(told)))
