"""The brief for the review meeting: what happened, what is proven, what must be done (DR-36)."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.artefacts import ActionItem, Objective, Review, Summary
from tradeworthy.operations.dry_run.backlog import items_of, worst_first
from tradeworthy.operations.dry_run.model import Json, SignOff, Status, stamp, worst_status
from tradeworthy.operations.dry_run.objectives import ATTESTED, counted, merge_objectives
from tradeworthy.operations.dry_run.page import Page, duration, moment, percent, word
from tradeworthy.operations.dry_run.summary_page import relaxations_part, sign_off_part, summary_parts

ITEMS_SHOWN_MAX = 200


class ReviewPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Which appendices the brief has."""

    include_summary: bool = True
    include_sign_off: bool = True


def build_review(
    summary: Summary, *, now: int, run_label: str | None = None, attendees: Iterable[str] = (),
    notes: Iterable[str] = (), typed: Iterable[Objective] = (), derived: Sequence[Objective] = (),
    evidence_packet: str | None = None,
) -> Review:  # fmt: skip
    """Return the brief of a judged run; its status is the worst of summary, sign-off, items and objectives.

    now              nanoseconds UTC
    typed            objectives as a person judges them; a pass among them counts for nothing
    derived          objectives as assessments found them
    """
    document: Json = msgspec.to_builtins(summary, str_keys=True)
    items = tuple(
        ActionItem(severity=one.severity, category=one.category, description=one.summary, context=one.context)
        for one in worst_first(items_of(document)) if one.severity.severity is not Severity.OK
    )  # fmt: skip
    objectives = merge_objectives(typed, derived)
    sign_off = None if summary.sign_off is None else summary.sign_off.status
    status = worst_status(
        summary.status, *([] if sign_off is None else [sign_off]), *(one.severity for one in items),
        *counted(objectives),
    )  # fmt: skip
    return Review(
        generated_at=stamp(now), status=status, summary_status=summary.status, sign_off_status=sign_off,
        run_label=run_label, attendees=clean(attendees), notes=clean(notes), highlights=highlights_of(summary),
        action_items=items, objectives=objectives, evidence_packet=evidence_packet,
    )  # fmt: skip


def clean(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the lines that say something, without secrets and blanks around."""
    return tuple(str(redact(one.strip())) for one in lines if one.strip())


def notes_of(files: Iterable[Path]) -> tuple[str, ...]:
    """Return the notes of files, one a line; raises `UsageError` for a file that cannot be read."""
    notes: list[str] = []
    for path in files:
        try:
            notes += path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as problem:
            raise UsageError(f"expected a text file of notes at {path}, found none to read: {problem}") from None
    return clean(notes)


def highlights_of(summary: Summary) -> Json:
    """Return the few numbers that a meeting begins with; what is not known is not there."""
    body, logs, performance = summary.summary, summary.summary.logs, summary.summary.performance
    known: dict[str, Any] = {
        "run_id": summary.run_id, "run_class": str(summary.run_class),
        "duration_seconds": body.metadata.actual_duration_seconds, "exit_code": body.metadata.exit_code,
    }  # fmt: skip
    if logs is not None:
        if known["duration_seconds"] is None:
            known["duration_seconds"] = logs.duration_seconds
        known |= {
            "records": logs.records, "errors": sum(one.count for one in logs.errors),
            "warnings": sum(one.count for one in logs.warnings), "gaps": len(logs.gap_incidents),
            "uptime_ratio": logs.uptime_ratio, "uptime_source": logs.uptime_source,
        }  # fmt: skip
    if body.diary is not None:
        known |= {"decisions": body.diary.total_entries, "malformed_diary_lines": body.diary.malformed_lines}
    if performance is not None:
        statistics = performance.sharpe_statistics
        known |= {
            "trades": performance.total_trades, "roi": performance.roi, "win_rate": performance.win_rate,
            "sharpe_ratio": performance.sharpe_ratio,
            "sharpe_standard_error": None if statistics is None else statistics.standard_error,
        }  # fmt: skip
    known["relaxations"] = [one.told() for one in summary.relaxations] or None
    return {name: value for name, value in known.items() if value is not None}


def review_markdown(review: Review, summary: Summary, policy: ReviewPolicy) -> str:
    """Return the brief as a page."""
    label = f": {review.run_label}" if review.run_label else ""
    page = Page(f"Final dry run review{label}")
    relaxations_part(page, summary)
    page.text(f"**{word(review.status)}** — {_sentence(review)}")
    page.facts((
        ("Prepared", moment(review.generated_at)), ("Run", f"{summary.run_id} (class {summary.run_class})"),
        ("Summary", word(review.summary_status)), ("Sign-off", word(review.sign_off_status)),
        ("Evidence packet", review.evidence_packet),
    ))  # fmt: skip
    page.heading("Highlights")
    page.facts(_told(review.highlights))
    page.heading("Evidence status")
    body = summary.summary
    page.table(
        ("Evidence", "Status", "Remark"),
        [
            (name, "absent" if section is None else section.status, None if section is None else section.error)
            for name, section in (("logs", body.logs), ("diary", body.diary), ("performance", body.performance))
        ],
    )  # fmt: skip
    page.heading("Objectives")
    if review.objectives:
        page.table(
            ("Objective", "Status", "Provenance", "Note"),
            [(one.name, one.status, _provenance(one), one.note) for one in review.objectives],
        )
    else:
        page.text("None were named, none were derived.")
    page.heading(f"Action items ({len(review.action_items)})")
    if review.action_items:
        shown = review.action_items[:ITEMS_SHOWN_MAX]
        page.table(("Severity", "Category", "What"), [(one.severity, one.category, one.description) for one in shown])
        if len(review.action_items) > len(shown):
            page.text(f"… and {len(review.action_items) - len(shown):,} more in the JSON form.")
    else:
        page.text("Nothing was found that asks for action.")
    for title, lines in (("Notes", review.notes), ("Attendees", review.attendees)):
        if lines:
            page.heading(title)
            page.bullets(lines)
    if policy.include_summary:
        page.heading("Appendix: summary")
        summary_parts(page, summary, level=3)
    if policy.include_sign_off and summary.sign_off is not None:
        page.heading("Appendix: sign-off")
        sign_off_part(page, summary.sign_off)
    return page.render()


def review_document(review: Review, summary: Summary, policy: ReviewPolicy) -> Json:
    """Return the brief as JSON, with the appendices that were asked for."""
    document: Json = msgspec.to_builtins(review, str_keys=True)
    if policy.include_summary:
        document["summary"] = msgspec.to_builtins(summary.summary, str_keys=True)
    if policy.include_sign_off and summary.sign_off is not None:
        document["sign_off"] = _built(summary.sign_off)
    return document


def _built(sign_off: SignOff) -> Json:
    built: Json = msgspec.to_builtins(sign_off, str_keys=True)
    return built


def _sentence(review: Review) -> str:
    told = []
    for status, name in ((Status.FAIL, "failure"), (Status.WARN, "warning")):
        count = sum(one.severity is status for one in review.action_items)
        if count:
            told.append(f"{count} {name}{'s' if count != 1 else ''}")
    return f"{' and '.join(told)} to discuss." if told else "nothing was found that asks for action."


def _provenance(one: Objective) -> str:
    if one.provenance == ATTESTED and one.status.severity is Severity.OK:
        return "attested, not counted"
    return one.provenance


def _told(highlights: Json) -> list[tuple[str, Any]]:
    """Return highlights in words: durations, percentages, counts."""
    rows: list[tuple[str, Any]] = []
    for name, value in highlights.items():
        title = name.replace("_", " ").capitalize()
        match name:
            case "duration_seconds":
                rows.append(("Duration", duration(value)))
            case "uptime_ratio" | "win_rate" | "roi":
                rows.append((title.replace(" ratio", "").replace("Roi", "ROI"), percent(value)))
            case "relaxations":
                rows.append((title, ", ".join(value)))
            case _:
                rows.append((title, value))
    return rows
