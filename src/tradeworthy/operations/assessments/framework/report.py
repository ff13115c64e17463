"""What pages of assessments show, out of their canonical JSON alone: verdict, issues with limits, courses, the rest."""

from collections.abc import Container, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.operations.assessments.framework.course import Course
from tradeworthy.operations.dry_run.page import duration
from tradeworthy.operations.evidence.canonical import stamp_of

LINE_WIDTH, LINE_HEIGHT, LINE_TOP = 200.0, 22.0, 4.0
USED_SHOWN_MAX = 1.25
"""A line of use ends here; what is above a limit by more is drawn at the top."""
COMPONENTS_SHOWN_MAX = 6
ACTS_MAX = 3
SECTIONS_FIRST = ("desk", "risk-compliance", "runtime", "data-backbone", "ingest", "operational", "understanding")
"""What the rest stands on comes first: a journal that is not whole before a figure that was read out of it."""
DIGITS_MAX = 6


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a page is made of.

    title    what was judged;  told  a line about it: environment, moment, release
    bodies   canonical JSON of each snapshot
    titles   of the assessments, by name;  sections  likewise
    bring    what would bring the facts of those that had none;  recorded  those that a process judged while it ran
    courses  how each stood while the run went on;  docs  where `runbooks/` lies from the page, None = not linked
    """

    title: str
    told: str
    bodies: tuple[bytes, ...]
    titles: Mapping[str, str]
    sections: Mapping[str, str]
    bring: Mapping[str, str] = {}
    recorded: frozenset[str] = frozenset()
    courses: Mapping[str, Course] = {}
    docs: str | None = None


class Told(NamedTuple):
    """A page's contents, ready for a template."""

    title: str
    told: str
    status: str
    sentence: str
    many: bool
    acts: list[dict[str, str]]
    tiles: list[dict[str, Any]]
    issues: list[dict[str, Any]]
    absent: list[dict[str, Any]]
    parts: list[dict[str, Any]]
    foot: str
    docs: str | None


def told_of(shown: Shown) -> Told:
    """Return the contents: worst first, findings of one rule that say the same together, the rest by section."""
    plain = [redact(msgspec.json.decode(body)) for body in shown.bodies]
    plain.sort(key=lambda one: (-one["status"], one["assessment"]))
    status = worst(Severity(one["status"]) for one in plain).name
    absent = [one for one in plain if one["assessment"] in shown.bring]
    issues = [one for one in plain if one["status"] and one not in absent]
    kept = [one for one in plain if not one["status"]]
    parts: dict[str, list[dict[str, Any]]] = {}
    for one in kept:
        parts.setdefault(shown.sections.get(one["assessment"], ""), []).append(_kept(one, shown))
    return Told(
        shown.title, shown.told, status, sentence_of(plain, absent), len(plain) > 1,
        acts_of(plain, shown.bring, shown.sections), _tiles(plain, absent),
        [_issue(one, shown) for one in issues],
        [
            {"name": one["assessment"], "title": shown.titles.get(one["assessment"], ""), "runbook": _runbook(one),
             "bring": shown.bring[one["assessment"]]}
            for one in absent
        ],
        [
            {"name": name, "assessments": found, "said": f"{len(found)} of {len(plain)}"}
            for name, found in sorted(parts.items())
        ],
        f"{len(plain)} snapshots, each addressed by the SHA-256 of its canonical JSON; check one again: "
        "tradeworthy assess verify FILE, tradeworthy assess replay FILE", shown.docs,
    )  # fmt: skip


def sentence_of(plain: Sequence[Mapping[str, Any]], absent: Sequence[Mapping[str, Any]]) -> str:
    """Return the whole in one sentence, the worst named first."""
    by = {word: [one for one in plain if one["status"] == word and one not in absent] for word in Severity}
    if len(plain) == 1:
        one = plain[0]
        rules = sum(part["judged"] for part in one["components"])
        broken = len(one["findings"])
        return f"{broken} of {rules} rules are not kept" if broken else f"all {rules} rules are kept"
    parts = []
    if by[Severity.FAIL]:
        parts.append(f"{len(by[Severity.FAIL])} of {len(plain)} fail: {_names(by[Severity.FAIL])}")
    if by[Severity.UNKNOWN]:
        parts.append(f"{len(by[Severity.UNKNOWN])} cannot be judged: {_names(by[Severity.UNKNOWN])}")
    if absent:
        parts.append(f"{len(absent)} had no facts")
    if by[Severity.WARN]:
        parts.append(f"{len(by[Severity.WARN])} warn: {_names(by[Severity.WARN])}")
    return ("; ".join(parts) or f"all {len(plain)} are in order") + "."


def acts_of(
    plain: Sequence[Mapping[str, Any]], absent: Container[str], sections: Mapping[str, str]
) -> list[dict[str, str]]:
    """Return what to do first, at most `ACTS_MAX`: the worst finding of each assessment that has one of its own.

    Worse comes before milder, and of what is as bad, what the rest stands on; composites only repeat their children.
    """
    worse = []
    for one in plain:
        own = [found for found in one["findings"] if not found["code"].partition(".")[2].startswith("child_")]
        if own and one["assessment"] not in absent:
            found = max(own, key=lambda found: found["severity"])
            section = sections.get(one["assessment"], "")
            rank = SECTIONS_FIRST.index(section) if section in SECTIONS_FIRST else len(SECTIONS_FIRST)
            worse.append((-found["severity"], rank, one["assessment"], found))
    return [
        {"word": Severity(found["severity"]).name, "code": found["code"], "message": found["message"],
         "remedy": found["remedy"], "owner": found["owner"], "runbook": found["runbook"],
         "where": "" if found["component"] == name else found["component"]}
        for _, _, name, found in sorted(worse, key=lambda one: one[:3])[:ACTS_MAX]
    ]  # fmt: skip


def _tiles(plain: Sequence[Mapping[str, Any]], absent: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    counts = {word: sum(one["status"] == word for one in plain) for word in Severity}
    rules = sum(part["judged"] for one in plain for part in one["components"])
    broken = sum(len(one["findings"]) for one in plain if one not in absent)
    return [
        {"name": "In order", "value": counts[Severity.OK], "note": f"of {len(plain)} assessments", "tint": "OK"},
        {"name": "Warn", "value": counts[Severity.WARN], "note": "look at them today", "tint": "WARN"},
        {"name": "Fail", "value": counts[Severity.FAIL], "note": "act on them now", "tint": "FAIL"},
        {"name": "Unknown", "value": counts[Severity.UNKNOWN], "note": f"{len(absent)} of them without any fact",
         "tint": "UNKNOWN"},
        {"name": "Rules judged", "value": f"{rules:,}", "note": f"{broken} are not kept", "tint": ""},
    ]  # fmt: skip


def _issue(one: Mapping[str, Any], shown: Shown) -> dict[str, Any]:
    """Return an assessment with what is wrong; what says the same of several parts or rules stands in one row."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for found in one["findings"]:
        what = found["code"].partition(".")[2]
        missing = found["observed"] == "missing"
        reasons = _reasons(found["message"]) if missing else found["message"]
        same = ("" if missing else what, found["severity"], reasons, found["component"] if missing else "",
                str(found["observed"]))  # fmt: skip
        row = rows.setdefault(same, {
            "rules": [], "word": Severity(found["severity"]).name,
            "components": [], "observed": _value(found["observed"], found["unit"]),
            "limit": _limit(found),
            "used": _percent(found.get("utilisation")), "message": found["message"], "remedy": found["remedy"],
            "owner": found["owner"], "runbook": found["runbook"], "evidence": ", ".join(found["evidence"]),
        })  # fmt: skip
        rule = what.replace("_", " ").replace(".", ": ")
        if rule not in row["rules"]:
            row["rules"].append(rule)
            if len(row["rules"]) > 1:
                row["message"], row["limit"] = reasons, ""
        if found["component"] != one["assessment"] and found["component"] not in row["components"]:
            row["components"].append(found["component"])
    for row in rows.values():
        row["what"] = ", ".join(row.pop("rules"))
        names = row.pop("components")
        more = f" and {len(names) - COMPONENTS_SHOWN_MAX} more" if len(names) > COMPONENTS_SHOWN_MAX else ""
        row["where"] = ", ".join(names[:COMPONENTS_SHOWN_MAX]) + more
    return {**_head(one, shown), "findings": list(rows.values())}


def _reasons(message: str) -> str:
    """Return why facts are missing, without their names, each reason once."""
    return "; ".join(dict.fromkeys(part.partition(": ")[2] or part for part in message.split("; ")))


def _kept(one: Mapping[str, Any], shown: Shown) -> dict[str, Any]:
    use = one["metadata"].get("utilisation", {})
    nearest = max(use.items(), key=lambda pair: pair[1], default=None)
    told = None
    if nearest is not None:
        code, _, component = nearest[0].partition("|")
        where = "" if component == one["assessment"] else f" of {component}"
        said = f"{nearest[1]:.0%} of its limit is used"
        told = {"name": f"{code.partition('.')[2].replace('_', ' ')}{where}", "said": said,
                "used": _percent(nearest[1])}  # fmt: skip
    return {**_head(one, shown), "kept": sum(part["judged"] for part in one["components"]), "nearest": told}


def _head(one: Mapping[str, Any], shown: Shown) -> dict[str, Any]:
    name = one["assessment"]
    return {
        "name": name, "title": shown.titles.get(name, name), "section": shown.sections.get(name, ""), "id": one["id"],
        "status": Severity(one["status"]).name, "recorded": name in shown.recorded,
        "course": course_of(shown.courses.get(name, [])),
    }  # fmt: skip


def course_of(course: Course) -> dict[str, Any] | None:
    """Return a course as bars of statuses and a line of the largest use, None for fewer than three looks."""
    if len(course) < 3:
        return None
    step = LINE_WIDTH / len(course)
    bars = [
        {"x": f"{n * step:.1f}", "width": f"{max(step - 1, 1):.1f}", "status": one.status.name}
        for n, one in enumerate(course)
    ]
    known = [(n, min(max(one.used, 0.0), USED_SHOWN_MAX)) for n, one in enumerate(course) if one.used is not None]
    top = max([1.0, *(used for _, used in known)])  # what goes over its limit is drawn below the edge too
    line = " ".join(
        f"{(n + 0.5) * step:.1f},{LINE_TOP + LINE_HEIGHT * (1 - used / top):.1f}" for n, used in known
    ) if len(known) >= 3 else ""  # fmt: skip
    changes = sum(a.status is not b.status for a, b in pairwise(course))
    span = duration((course[-1].at - course[0].at) / 1e9)
    said = f"{len(course)} looks over {span}: {changes} changes of status, now {course[-1].status.name}"
    times = "no change" if not changes else f"{changes} change{'s' if changes > 1 else ''}"
    label = f"{span}, {times}" + (", line: use of its limit" if line else "")
    limit = f"{LINE_TOP + LINE_HEIGHT * (1 - 1 / top):.1f}"
    return {"bars": bars, "line": line, "limit": limit, "said": said, "label": label}


def _names(some: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(one["assessment"].replace("_", " ") for one in some)


def _runbook(one: Mapping[str, Any]) -> str:
    return next((str(found["runbook"]) for found in one["findings"]), "")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _value(value: Any, unit: str) -> str | None:
    if value is None or value == "missing":
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not _number(value):
        return f"{value} {unit}".strip()
    if unit == "share":
        return f"{value:.4g}" if abs(value) > 10 else f"{value:.2%}".replace(".00%", "%")
    if unit == "s" and abs(value) >= 120:
        return duration(float(value))
    return f"{value:,} {unit}".strip() if isinstance(value, int) else f"{value:,.{DIGITS_MAX}g} {unit}".strip()


def _limit(found: Mapping[str, Any]) -> str:
    told = _value(found["limit"], found["unit"] if _number(found["limit"]) else "")
    return "" if not told else told if told.startswith(("WARN", "FAIL")) else f"limit {told}"


def _percent(used: float | None) -> str | None:
    return None if used is None else f"{min(max(used, 0.0), 1.0) * 100:.0f}"


def moment_said(at: int) -> str:
    """Return a moment for people."""
    return stamp_of(at).replace("T", " ").replace("Z", " UTC")
