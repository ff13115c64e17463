"""What a run leaves to be done, from every section of its artefacts: each thing once, the worst first (DR-38).

Artefacts are read leniently, because a backlog must come out of a damaged summary too: a status that nobody knows is
FAIL, never pass.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.artefacts import BacklogItem
from tradeworthy.operations.dry_run.audit.classification import parse_time
from tradeworthy.operations.dry_run.model import Json, Relaxation, Status, stamp
from tradeworthy.operations.dry_run.page import Page, word

LOG_ERROR, LOG_WARNING, LOG_GAP, LOG_CONTENT = "log_error", "log_warning", "log_gap", "log_content"
DIARY, PERFORMANCE, SIGN_OFF, HARNESS, OBJECTIVE, ACTION = (
    "diary", "performance", "sign_off", "harness", "objective", "action",
)  # fmt: skip
CATEGORIES = (HARNESS, SIGN_OFF, LOG_ERROR, LOG_GAP, LOG_CONTENT, LOG_WARNING, DIARY, PERFORMANCE, OBJECTIVE, ACTION)
_SECTIONS = {"logs": LOG_CONTENT, "diary": DIARY, "performance": PERFORMANCE}


class BacklogPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Which items are listed."""

    severity_min: Status = Status.WARN
    include_pass: bool = False


def backlog_of(
    summary: Json, *, sign_off: Json | None = None, review: Json | None = None, policy: BacklogPolicy | None = None
) -> tuple[BacklogItem, ...]:
    """Return the items of a summary document, of a sign-off and a review where they stand apart."""
    limits = policy or BacklogPolicy()
    brief = review if review is not None else summary.get("review")
    items = [*items_of(summary, sign_off=sign_off), *_of_review(brief)]
    whole = severity_of(summary.get("status"))
    if whole.severity > max((one.severity.severity for one in items), default=Severity.OK):
        items.append(_item(summary, HARNESS, text=f"the run as a whole is {whole}, and no finding says why"))
    least = Severity.OK if limits.include_pass else limits.severity_min.severity
    return worst_first(one for one in items if one.severity.severity >= least)


def items_of(summary: Json, *, sign_off: Json | None = None) -> Iterator[BacklogItem]:
    """Yield an item for each thing that sections, sign-off and harness found; those that passed too."""
    body = _mapping(summary.get("summary")) or summary
    logs, diary, performance = (_mapping(body.get(name)) for name in ("logs", "diary", "performance"))
    for name, category in (
        ("errors", LOG_ERROR), ("warnings", LOG_WARNING), ("content_incidents", LOG_CONTENT)
    ):
        for one in _mappings(logs.get(name)):
            yield _item(one, category, text=str(one.get("summary") or one.get("fingerprint") or "a finding"))
    for one in _mappings(logs.get("gap_incidents")):
        seconds = one.get("seconds")
        length = f"{seconds / 60:,.1f} minutes" if isinstance(seconds, int | float) else "unknown length"
        text = f"silence of {length} ({one.get('position', 'inside')})"
        yield _item(one, LOG_GAP, text=text, moment=one.get("started_at"))
    for one in _mappings(diary.get("issues")):
        text = f"{one.get('entry_id', '?')}: {one.get('reason', 'no reason given')}"
        yield _item(one, DIARY, text=text, moment=one.get("recorded_at"))
    for one in _mappings(performance.get("issues")):
        yield _item(one, PERFORMANCE, text=str(one.get("message") or one.get("code") or "a finding"))
    for name, category in _SECTIONS.items():
        section = _mapping(body.get(name))
        if section.get("error"):
            yield _item(section, category, text=f"{name} could not be judged: {section['error']}")
    verdict = sign_off if sign_off is not None else _mapping(summary.get("sign_off"))
    for one in _mappings(verdict.get("findings")):
        yield _item(one, SIGN_OFF, text=str(one.get("message") or one.get("code") or "a finding"))
    incidents = summary.get("incidents") or _mapping(body.get("metadata")).get("harness_incidents")
    for one in _mappings(incidents):
        if not one.get("planned"):
            yield _item(one, HARNESS, text=f"{one.get('code', '?')}: {one.get('message', '')}".rstrip(": "))


def severity_of(text: Any) -> Status:
    """Return the status a word stands for; unknown, no word at all, or one that nobody knows is FAIL."""
    judged = {str(one): one for one in (Status.PASS, Status.WARN, Status.FAIL)}
    return judged.get(str(text).strip().lower(), Status.FAIL)


def worst_first(items: Iterable[BacklogItem]) -> tuple[BacklogItem, ...]:
    """Return each item once, the worst first, then by category, time and text."""
    seen: dict[tuple[str, str], BacklogItem] = {}
    for one in items:
        key = (one.category, one.summary)
        if key not in seen or one.severity.severity > seen[key].severity.severity:
            seen[key] = one
    return tuple(sorted(seen.values(), key=_rank))


def exit_code_of(items: Iterable[BacklogItem], *, fail_on_warn: bool = False) -> int:
    """Return the code of the worst listed item."""
    worst = max((one.severity.severity for one in items), default=Severity.OK)
    if worst is Severity.WARN:
        return ExitCode.FAIL if fail_on_warn else ExitCode.WARN
    return ExitCode.PASS if worst is Severity.OK else ExitCode.FAIL


def relaxed_in(summary: Json) -> tuple[str, ...]:
    """Return what made the run easier, as its summary says it; what nobody can read is not left out."""
    told = []
    for one in _mappings(summary.get("relaxations")):
        try:
            told.append(msgspec.convert(one, Relaxation).told())
        except msgspec.ValidationError:
            told.append(f"{one} (not understood)")
    return tuple(told)


def backlog_markdown(items: tuple[BacklogItem, ...], *, title: str, relaxed: tuple[str, ...] = ()) -> str:
    """Return the list as a page: relaxations and counts first, then a table for each severity."""
    page = Page(title)
    if relaxed:
        page.text(f"Relaxed: {', '.join(relaxed)}.")
    if not items:
        page.text("Nothing is left to do.")
        return page.render()
    shown = (Status.FAIL, Status.WARN, Status.PASS)
    counts = {status: sum(one.severity is status for one in items) for status in shown}
    page.text(", ".join(f"**{count} {word(status)}**" for status, count in counts.items() if count) + ".")
    for status, count in counts.items():
        if count:
            page.heading(f"{word(status)} ({count})")
            page.table(
                ("Category", "What", "When"),
                [(one.category, one.summary, one.occurred_at) for one in items if one.severity is status],
            )
    return page.render()


def _of_review(review: Any) -> Iterator[BacklogItem]:
    """Yield a review's objectives, and its actions unless they repeat what a section said."""
    document = _mapping(review)
    for one in _mappings(document.get("objectives")):
        note = f": {one['note']}" if one.get("note") else ""
        yield _item(one, OBJECTIVE, text=f"{one.get('name', '?')}{note}", status=one.get("status"))
    for one in _mappings(document.get("action_items")):
        category = str(one.get("category", ACTION))
        text = str(one.get("description") or "an action")
        yield _item(one, category if category in CATEGORIES else ACTION, text=text)


def _item(one: Json, category: str, *, text: str, moment: Any = None, status: Any = None) -> BacklogItem:
    given = one.get("severity", one.get("status")) if status is None else status
    severity = severity_of(given)
    context = {
        name: one[name] for name in ("code", "fingerprint", "count", "metadata", "policy_id", "context", "provenance")
        if one.get(name) not in (None, "", {}, [])
    }  # fmt: skip
    if str(given) != str(severity):
        context["given_status"] = str(given)
    found, _ = parse_time(one.get("occurred_at") if moment is None else moment)
    return BacklogItem(
        severity=severity, category=category, summary=text, context=context,
        occurred_at=None if found is None else stamp(found),
    )  # fmt: skip


def _rank(one: BacklogItem) -> tuple[int, int, bool, float, str]:
    category = CATEGORIES.index(one.category) if one.category in CATEGORIES else len(CATEGORIES)
    moment = 0.0 if one.occurred_at is None else one.occurred_at.timestamp()
    return -one.severity.severity, category, one.occurred_at is None, moment, one.summary


def _mapping(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list | tuple) else []
