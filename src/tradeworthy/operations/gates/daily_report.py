"""The day's operations report, from the gates' journal alone: the same journal gives the same bytes (GT-14)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.redaction import redact
from tradeworthy.operations.dry_run.page import Page, duration
from tradeworthy.operations.evidence.canonical import stamp_of
from tradeworthy.operations.gates.engine import NO_SOURCE
from tradeworthy.operations.gates.model import Answer, Grade
from tradeworthy.operations.gates.page import reason, remedy
from tradeworthy.operations.gates.store import GivenVerdict, Known

NEXT_SHOWN = 3
ID_DIGITS = 16


def daily_report(known: Known, until: int) -> str:
    """Return the report of the 24 hours before `until`, nanoseconds UTC; what came later is not looked at.

    Sections: changed, validation, artefacts, metrics, incidents, rollback, next three.
    """
    since = until - NANOS_PER_DAY
    given = [one for one in known.verdicts if one.verdict.evaluated_at < until]
    today = [one for one in given if one.verdict.evaluated_at >= since]
    newest: dict[str, GivenVerdict] = {one.verdict.gate: one for one in given}
    turns = [(at, one) for at, one in known.turns if since <= at < until]
    answers = [(at, one) for at, one in known.answers if since <= at < until]
    checks = [one for one in known.checks if since <= one.recorded_at < until]
    page = Page(f"Operations, 24 h until {stamp_of(until)}")
    page.heading("Changed")
    _table(page, ("at", "gate", "from", "to", "rows"), [
        (stamp_of(at), one.gate, one.before or "–", one.after, ", ".join(one.rows)) for at, one in turns
    ])  # fmt: skip
    page.heading("Validation")
    _table(page, ("gate", "stands", "why, or until when", "verdict"), [
        (name, one.verdict.standing(until), reason(one.verdict), one.verdict_id[:ID_DIGITS])
        for name, one in sorted(newest.items())
    ])  # fmt: skip
    page.heading("Artefacts")
    _table(page, ("recorded", "source", "status", "evidence"), [
        (stamp_of(one.recorded_at), one.source, "unreadable" if one.status is None else one.status.name,
         one.evidence_id[:ID_DIGITS]) for one in checks
    ])  # fmt: skip
    page.heading("Metrics")
    unmet = Counter(
        row.id for one in today for row in one.verdict.rows if not row.met and row.grade is Grade.CRITICAL
    )  # fmt: skip
    page.facts((
        ("verdicts", len(today)), ("GO", sum(one.verdict.answer is Answer.GO for one in today)),
        ("NO-GO", sum(one.verdict.answer is Answer.NO_GO for one in today)), ("evidence recorded", len(checks)),
        ("acts let through", sum(one.allowed for _, one in answers)),
        ("acts refused", sum(not one.allowed for _, one in answers)),
        ("most often not met", ", ".join(f"{name} {count}" for name, count in _most(unmet)) or "none"),
    ))  # fmt: skip
    page.heading("Incidents")
    lost = [(at, one) for at, one in turns if one.after == Answer.NO_GO]
    told = [f"{stamp_of(at)}: {one.gate} turned NO-GO by {', '.join(one.rows) or 'its table'}" for at, one in lost]
    told += [f"{stamp_of(at)}: {one.act} refused, {one.code}: {one.reason}" for at, one in answers if not one.allowed]
    page.bullets(told or ["none"])
    page.heading("Rollback")
    page.text(_rollback(newest))
    page.heading("Next three")
    page.bullets(next_acts(newest, until))
    return str(redact(page.render()))


def _table(page: Page, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Add a table, or say that there is nothing to put into it."""
    if rows:
        page.table(head, rows)
    else:
        page.bullets(["none"])


def _most(unmet: Counter[str]) -> list[tuple[str, int]]:
    return sorted(unmet.items(), key=lambda pair: (-pair[1], pair[0]))[:NEXT_SHOWN]


def _rollback(newest: dict[str, GivenVerdict]) -> str:
    rows = [row for one in newest.values() for row in one.verdict.rows if row.id == "rollback_rehearsed"]
    return f"{rows[0].standing}: {rows[0].reason or rows[0].title}" if rows else "no gate asked for its rehearsal yet"


def next_acts(newest: dict[str, GivenVerdict], until: int) -> list[str]:
    """Return what to do next: critical rows that are not met first, then what lapses first.

    What no source of this release judges is named only where nothing else is open.
    """
    verdicts = [one.verdict for _, one in sorted(newest.items())]
    rows = [row for one in verdicts for row in one.rows]
    unmet = [row for row in rows if not row.met and row.grade is Grade.CRITICAL]
    unmet.sort(key=lambda row: row.reason.startswith(NO_SOURCE))
    open_rows = {row.id: f"{row.id}: {remedy(row)}" for row in unmet}
    lapses = sorted(
        (left, row.id, row.remedy) for one in verdicts for row in one.rows
        if row.met and (left := one.lapse(row, until)) is not None and left > 0
    )  # fmt: skip
    found = [*open_rows.values(), *(f"{name} ends in {duration(left)}: {remedy}" for left, name, remedy in lapses)]
    return found[:NEXT_SHOWN] or ["nothing: no gate was asked"]
