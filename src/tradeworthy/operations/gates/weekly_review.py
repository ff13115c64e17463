"""The week's review, from the gates' journal alone: how often GO, by what not, what comes next (GT-15)."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.redaction import redact
from tradeworthy.operations.dry_run.page import Page
from tradeworthy.operations.evidence.canonical import stamp_of
from tradeworthy.operations.gates.daily_report import next_acts
from tradeworthy.operations.gates.model import Answer, Grade
from tradeworthy.operations.gates.readiness import Decision, ReadinessDecided
from tradeworthy.operations.gates.store import GivenVerdict, Known

DAYS = 7
TRENDS = {
    "integrity": "log_integrity", "reconciliation": "reconciliation", "parity": "shadow_parity",
    "risk": "portfolio_risk",
}  # fmt: skip
"""Rows whose course is shown."""
RISKS_SHOWN = 5
MONDAY = 4
"""The day number of a Monday modulo 7: day 4 of the epoch was one."""


class Week(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted of a week; `unmet` by requirement, `trend` by row: shares of verdicts in which it was met."""

    since: int
    until: int
    runs: dict[str, int]
    go: dict[str, int]
    unmet: dict[str, int]
    trend: dict[str, tuple[float | None, ...]]
    refused: int
    turns: int
    incidents: int
    decision: str


def week_of(known: Known, until: int) -> Week:
    """Count the seven days before `until`, nanoseconds UTC."""
    since = until - DAYS * NANOS_PER_DAY
    given = [one for one in known.verdicts if since <= one.verdict.evaluated_at < until]
    unmet = Counter(
        row.id for one in given for row in one.verdict.rows if not row.met and row.grade is Grade.CRITICAL
    )  # fmt: skip
    turns = [one for at, one in known.turns if since <= at < until]
    decided = [one for at, one in known.notes if isinstance(one, ReadinessDecided) and since <= at < until]
    return Week(
        since=since, until=until, runs=dict(Counter(one.verdict.gate for one in given)),
        go=dict(Counter(one.verdict.gate for one in given if one.verdict.answer is Answer.GO)), unmet=dict(unmet),
        trend={name: _course(given, row, since) for name, row in TRENDS.items()},
        refused=sum(not one.allowed for at, one in known.answers if since <= at < until), turns=len(turns),
        incidents=sum(one.after == Answer.NO_GO for one in turns),
        decision=decided[-1].decision if decided else Decision.HOLD,
    )  # fmt: skip


def weekly_review(known: Known, until: int) -> str:
    """Return the review of the week before `until` as Markdown; the same journal gives the same bytes."""
    week = week_of(known, until)
    newest: Mapping[str, GivenVerdict] = {
        one.verdict.gate: one for one in known.verdicts if one.verdict.evaluated_at < until
    }  # fmt: skip
    page = Page(f"Week until {stamp_of(until)}")
    page.heading("Runs")
    page.table(("gate", "asked", "GO", "NO-GO"), [
        (name, count, week.go.get(name, 0), count - week.go.get(name, 0)) for name, count in sorted(week.runs.items())
    ])  # fmt: skip
    page.heading("NO-GO by requirement")
    page.table(("requirement", "times not met"), _most(week.unmet, len(week.unmet)))
    page.heading("Trend")
    page.table(("", *(f"day {day}" for day in range(1, DAYS + 1))), [
        (name, *("–" if one is None else f"{one:.0%}" for one in course)) for name, course in week.trend.items()
    ])  # fmt: skip
    page.heading("Acts and incidents")
    page.facts((("acts refused", week.refused), ("turns", week.turns), ("turned NO-GO", week.incidents)))
    page.heading("Top risks")
    page.bullets([f"{name}, not met {count} times" for name, count in _most(week.unmet, RISKS_SHOWN)] or ["none"])
    page.heading("Next three")
    page.bullets(next_acts(dict(newest), until))
    page.heading("Committee")
    page.text(f"{week.decision}. It counts once people signed this page: `tradeworthy gate sign-page`.")
    return str(redact(page.render()))


def monday_before(now: int) -> int:
    """Return the start of the newest Monday, UTC."""
    day = now // NANOS_PER_DAY
    return (day - (day - MONDAY) % DAYS) * NANOS_PER_DAY


def _course(given: list[GivenVerdict], row: str, since: int) -> tuple[float | None, ...]:
    met: list[list[bool]] = [[] for _ in range(DAYS)]
    for one in given:
        found = next((each.met for each in one.verdict.rows if each.id == row), None)
        if found is not None:
            met[(one.verdict.evaluated_at - since) // NANOS_PER_DAY].append(found)
    return tuple(sum(day) / len(day) if day else None for day in met)


def _most(counts: Mapping[str, int], shown: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:shown]
