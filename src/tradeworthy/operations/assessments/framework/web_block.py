"""What `GET /api/assessments[/NAME[/history]]` answers, as a pure function of what is kept."""

from typing import Any, NamedTuple

import msgspec

from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.operations.assessments.framework.history import History, trends
from tradeworthy.operations.assessments.framework.registry import Registry

HTTP_OK, HTTP_NOT_FOUND = 200, 404
HISTORY_MAX = 50


class Answer(NamedTuple):
    """Status and JSON of one answer."""

    http_status: int
    body: bytes


def answer(known: Registry, history: History, now: int, name: str = "", *, course: bool = False) -> Answer:
    """Answer for all assessments, for one, or with `course` for the history of one."""
    if not name:
        return _told(HTTP_OK, _all(known, history, now))
    if name not in known:
        return _told(HTTP_NOT_FOUND, {"error": f"no assessment is named {name}"})
    if course:
        found = history.of(name, HISTORY_MAX)
        told = [{"id": one.id, "status": one.status.name, "generated_at": one.generated_at} for one in found]
        course_of = [{**msgspec.to_builtins(one), "severity": one.severity.name} for one in trends(found)]
        return _told(HTTP_OK, {"assessment": name, "snapshots": told, "trends": course_of})
    last = history.last(name)
    standing = Severity.UNKNOWN if last is None else last.standing(now)
    body = {"assessment": name, "standing": standing.name, "snapshot": None if last is None else last}
    return _told(HTTP_OK, body)


def _all(known: Registry, history: History, now: int) -> dict[str, Any]:
    rows = []
    for one in known:
        last = history.last(one.name)
        rows.append({
            "assessment": one.name, "title": one.title, "section": one.section, "topic": one.topic,
            "standing": (Severity.UNKNOWN if last is None else last.standing(now)).name,
            "snapshot": None if last is None else last.id, "findings": 0 if last is None else len(last.findings),
            "expires_at": None if last is None else last.expires_at,
        })  # fmt: skip
    standing = worst(Severity[str(row["standing"])] for row in rows)
    return {"generated_at": now, "standing": standing.name, "assessments": rows}


def _told(status: int, body: Any) -> Answer:
    return Answer(status, msgspec.json.encode(body, order="sorted"))
