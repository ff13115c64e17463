"""The end of a run in one page: was it long enough, what was found, what is left (DR-39)."""

from collections.abc import Iterable

import msgspec

from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.artefacts import Review, Summary, WrapUp
from tradeworthy.operations.dry_run.backlog import backlog_of
from tradeworthy.operations.dry_run.model import Json, Status, stamp, worst_status
from tradeworthy.operations.dry_run.page import Page, duration, moment, word
from tradeworthy.operations.dry_run.policy import SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from tradeworthy.operations.dry_run.review import clean, highlights_of


class WrapUpPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How long the run had to be, and how much of that may be missing."""

    required_duration_hours: float = 72.0
    duration_tolerance_minutes: float = 5.0
    treat_warn_as_failure: bool = False


def build_wrap_up(
    summary: Summary, policy: WrapUpPolicy, *, now: int, review: Review | None = None, notes: Iterable[str] = ()
) -> WrapUp:
    """Return the wrap-up of a judged run.

    now   nanoseconds UTC
    The duration is the harness's monotonic run time only; a run that was not measured has not met its target.
    """
    brief = review if review is not None else summary.review
    target = policy.required_duration_hours * SECONDS_PER_HOUR
    seconds = summary.summary.metadata.actual_duration_seconds
    tolerance = policy.duration_tolerance_minutes * SECONDS_PER_MINUTE
    met = seconds is not None and seconds + tolerance >= target
    document: Json = msgspec.to_builtins(summary, str_keys=True)
    items = backlog_of(document, review=None if brief is None else msgspec.to_builtins(brief, str_keys=True))
    sign_off = None if summary.sign_off is None else summary.sign_off.status
    parts = [summary.status, Status.PASS if met else Status.FAIL, *(one.severity for one in items)]
    parts += [one for one in (sign_off, None if brief is None else brief.status) if one is not None]
    return WrapUp(
        generated_at=stamp(now), status=worst_status(*parts), summary_status=summary.status, sign_off_status=sign_off,
        review_status=None if brief is None else brief.status, duration_seconds=seconds, duration_target_seconds=target,
        duration_met=met, backlog_items=items, incidents=summary.incidents, highlights=highlights_of(summary),
        notes=clean((*(() if brief is None else brief.notes), *notes)),
        metadata={
            "run_id": summary.run_id, "run_class": str(summary.run_class),
            "duration_tolerance_minutes": policy.duration_tolerance_minutes,
            "relaxations": [one.told() for one in summary.relaxations],
        },
    )  # fmt: skip


def exit_code_of_wrap_up(wrap_up: WrapUp, policy: WrapUpPolicy) -> int:
    """Return the code of a wrap-up; what could not be judged fails here, as in sign-off."""
    match wrap_up.status.severity:
        case Severity.OK:
            return ExitCode.PASS
        case Severity.WARN:
            return ExitCode.FAIL if policy.treat_warn_as_failure else ExitCode.WARN
        case _:
            return ExitCode.FAIL


def wrap_up_markdown(wrap_up: WrapUp) -> str:
    """Return the wrap-up as a page."""
    page = Page("Final dry run wrap-up")
    relaxed = wrap_up.metadata.get("relaxations") or []
    run = f"run `{wrap_up.metadata.get('run_id')}`, class {wrap_up.metadata.get('run_class')}"
    if relaxed:
        page.text(f"Relaxed: {', '.join(relaxed)}.")
    page.text(f"**{word(wrap_up.status)}** — {run}, {moment(wrap_up.generated_at)}.")
    seconds = wrap_up.duration_seconds
    tolerance = wrap_up.metadata.get("duration_tolerance_minutes", 0)
    page.facts((
        ("Summary", word(wrap_up.summary_status)), ("Sign-off", word(wrap_up.sign_off_status)),
        ("Review", word(wrap_up.review_status)),
        ("Run time", "not measured" if seconds is None else f"{duration(seconds)} ({seconds / 60:,.1f} min)"),
        ("Required", f"{duration(wrap_up.duration_target_seconds)} ({wrap_up.duration_target_seconds / 60:,.1f} min, "
                     f"tolerance {tolerance:g} min)"),
        ("Duration met", wrap_up.duration_met),
    ))  # fmt: skip
    page.heading(f"Left to do ({len(wrap_up.backlog_items)})")
    if wrap_up.backlog_items:
        page.table(
            ("Severity", "Category", "What", "When"),
            [(one.severity, one.category, one.summary, one.occurred_at) for one in wrap_up.backlog_items],
        )
    else:
        page.text("Nothing is left to do.")
    if wrap_up.incidents:
        page.heading(f"Incidents ({len(wrap_up.incidents)})")
        page.table(
            ("Severity", "State", "Code", "What", "Since"),
            [(one.severity, str(one.state), one.code, one.message, one.occurred_at) for one in wrap_up.incidents],
        )
    if wrap_up.notes:
        page.heading("Notes")
        page.bullets(wrap_up.notes)
    return page.render()
