"""The summary of a run as a page: verdict and relaxations first, then each section and its findings."""

from typing import Any

from tradeworthy.operations.dry_run.artefacts import Summary
from tradeworthy.operations.dry_run.model import (
    DiarySection,
    LogSection,
    PerformanceSection,
    RunMetadata,
    SignOff,
)
from tradeworthy.operations.dry_run.page import Page, duration, moment, percent, word

ROWS_SHOWN_MAX = 50


def summary_markdown(summary: Summary) -> str:
    """Return the whole page."""
    page = Page("Final dry run summary")
    summary_parts(page, summary, level=2)
    if summary.sign_off is not None:
        page.heading("Sign-off")
        sign_off_part(page, summary.sign_off)
    return page.render()


def summary_parts(page: Page, summary: Summary, *, level: int) -> None:
    """Add verdict, run, sections and incidents to a page."""
    body = summary.summary
    relaxations_part(page, summary)
    page.text(f"**{word(summary.status)}** — run `{summary.run_id}`, class {summary.run_class}.")
    _run(page, body.metadata, level)
    for name, section in (("Logs", body.logs), ("Decision diary", body.diary), ("Performance", body.performance)):
        page.heading(f"{name}: {'absent' if section is None else word(section.status)}", level=level)
        match section:
            case LogSection():
                _logs(page, section)
            case DiarySection():
                _diary(page, section)
            case PerformanceSection():
                _performance(page, section)
            case _:
                page.text("This evidence was not given.")
    if summary.incidents:
        page.heading(f"Incidents ({len(summary.incidents)})", level=level)
        _rows(
            page, ("Severity", "State", "Code", "What", "Since", "Count"),
            [(one.severity, str(one.state) + (", planned" if one.planned else ""), one.code, one.message,
              one.occurred_at, one.count) for one in summary.incidents],
        )  # fmt: skip


def relaxations_part(page: Page, summary: Summary) -> None:
    """Add what made the run easier and who let that stand; it comes first on every page."""
    if summary.relaxations:
        page.text(f"Relaxed: {', '.join(one.told() for one in summary.relaxations)}.")
    if summary.waivers:
        page.bullets([
            f"waiver {one['waiver_id']} of {one['finding_code']} until {one['expires_at']}: {one['reason']} "
            f"(owner {one['owner']}, signed by {', '.join(one['signers'])})" for one in summary.waivers
        ])  # fmt: skip


def sign_off_part(page: Page, sign_off: SignOff) -> None:
    """Add the sign-off: verdict, criteria, findings."""
    criteria = sign_off.criteria
    page.text(f"**{word(sign_off.status)}**, evaluated {moment(sign_off.evaluated_at)}.")
    page.facts((
        ("Run time at least", duration(criteria.minimum_duration_seconds)),
        ("Uptime at least", percent(criteria.minimum_uptime_ratio)),
        ("Diary", "required" if criteria.require_diary else "optional"),
        ("Performance file", "required" if criteria.require_performance else "optional"),
        ("Warnings", "allowed" if criteria.allow_warnings else "count as failures"),
        ("Sharpe floor", criteria.minimum_sharpe_ratio),
    ))  # fmt: skip
    if sign_off.findings:
        findings = [(one.severity, one.code, one.message) for one in sign_off.findings]
        _rows(page, ("Severity", "Code", "Finding"), findings)
    else:
        page.text("Every criterion is met.")


def _run(page: Page, metadata: RunMetadata, level: int) -> None:
    page.heading("Run", level=level)
    page.facts((
        ("Command", " ".join(metadata.command) or None),
        ("Started", None if metadata.started_at is None else moment(metadata.started_at)),
        ("Ended", None if metadata.ended_at is None else moment(metadata.ended_at)),
        ("Run time", duration(metadata.actual_duration_seconds)), ("Exit code", metadata.exit_code),
        ("Log files", ", ".join(metadata.structured_log_paths) or None),
        *((name, value) for name, value in sorted(metadata.user.items())),
    ))  # fmt: skip


def _logs(page: Page, logs: LogSection) -> None:
    levels = ", ".join(f"{name} {count:,}" for name, count in logs.level_counts.items())
    times = {"measured": "arrival, measured", "attested": "the lines' own, attested", "mixed": "partly measured"}
    page.facts((
        ("Could not be judged", logs.error), ("Records", logs.records), ("Ignored lines", logs.ignored_lines or None),
        ("Levels", levels or None), ("First line", None if logs.started_at is None else moment(logs.started_at)),
        ("Last line", None if logs.ended_at is None else moment(logs.ended_at)),
        ("Span", duration(logs.duration_seconds)),
        ("Uptime", None if logs.uptime_ratio is None else f"{logs.uptime_ratio:.4%} (by {logs.uptime_source})"),
        ("Times", times.get(logs.time_source)),
        ("Window", "known" if logs.window_proved else "not known: head and tail are not judged"),
    ))  # fmt: skip
    findings = sorted((*logs.errors, *logs.content_incidents, *logs.warnings), key=lambda one: -one.severity.severity)
    if findings:
        _rows(
            page, ("Severity", "Finding", "Count", "First", "Last"),
            [(one.severity, one.summary, one.count, one.occurred_at, one.last_at) for one in findings],
        )  # fmt: skip
    if logs.gap_incidents:
        _rows(
            page, ("Severity", "Silence", "From", "To", "Where"),
            [(one.severity, duration(one.seconds), one.started_at, one.ended_at, one.position)
             for one in logs.gap_incidents],
        )  # fmt: skip


def _diary(page: Page, diary: DiarySection) -> None:
    page.facts((
        ("Could not be judged", diary.error), ("Entries", diary.total_entries),
        ("Malformed lines", diary.malformed_lines or None),
        ("First", None if diary.first_recorded_at is None else moment(diary.first_recorded_at)),
        ("Last", None if diary.last_recorded_at is None else moment(diary.last_recorded_at)),
    ))  # fmt: skip
    if diary.issues:
        _rows(
            page, ("Severity", "Entry", "Policy", "Reason"),
            [(one.severity, one.entry_id, one.policy_id, one.reason) for one in diary.issues],
        )  # fmt: skip


def _performance(page: Page, found: PerformanceSection) -> None:
    statistics = found.sharpe_statistics
    rows: list[tuple[str, Any]] = [
        ("Could not be judged", found.error),
        ("Generated", None if found.generated_at is None else moment(found.generated_at)),
        ("Period", duration(found.window_duration_seconds)), ("Trades", found.total_trades),
        ("ROI", percent(found.roi)), ("Win rate", percent(found.win_rate)), ("Sharpe ratio", found.sharpe_ratio),
    ]  # fmt: skip
    if statistics is not None:
        track = statistics.minimum_track_record_days
        unknown = "not computable"
        rows += [
            ("Daily returns", statistics.daily_returns),
            ("Standard error of the Sharpe ratio",
             unknown if statistics.standard_error is None else f"{statistics.standard_error:.1f}"),
            ("Probability that the true ratio is above 0",
             unknown if statistics.probabilistic_sharpe is None else percent(statistics.probabilistic_sharpe)),
            ("Days needed to claim a ratio above 0", unknown if track is None else f"{track:,.0f}"),
        ]  # fmt: skip
        if statistics.point_estimate_only:
            rows.append(("Reading", "point estimate only: it can block, it proves no skill"))
    page.facts(rows)
    if found.issues:
        _rows(page, ("Severity", "Code", "Finding"), [(one.severity, one.code, one.message) for one in found.issues])


def _rows(page: Page, head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    page.table(head, rows[:ROWS_SHOWN_MAX])
    if len(rows) > ROWS_SHOWN_MAX:
        page.text(f"… and {len(rows) - ROWS_SHOWN_MAX:,} more in the JSON form.")
