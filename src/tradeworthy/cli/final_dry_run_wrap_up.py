"""`tradeworthy final-dry-run-wrap-up`: was the run long enough, what was found, what is left."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tradeworthy.cli.dry_run_evidence import load
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.artefact_files import write_artefact, write_text
from tradeworthy.operations.dry_run.artefacts import decode_summary
from tradeworthy.operations.dry_run.page import word
from tradeworthy.operations.dry_run.wrap_up import (
    WrapUpPolicy,
    build_wrap_up,
    exit_code_of_wrap_up,
    wrap_up_markdown,
)


def final_dry_run_wrap_up(
    summary: Path, /, *, output_json: Path | None = None, output_markdown: Path | None = None,
    write_json: Annotated[bool, Parameter(name="--json", negative="--no-json")] = True,
    write_markdown: Annotated[bool, Parameter(name="--markdown", negative="--no-markdown")] = True,
    required_duration_hours: float = 72.0, duration_tolerance_minutes: float = 5.0,
    treat_warn_as_failure: Annotated[bool, Parameter(negative="")] = False,
) -> int:  # fmt: skip
    """Write the wrap-up beside the summary; exit by its status.

    Parameters
    ----------
    summary
        The run's summary in JSON.
    output_json
        Where the JSON goes; wrap_up.json beside the summary without it.
    output_markdown
        Where the page goes; wrap_up.md beside the summary without it.
    write_json
        Write the JSON at all.
    write_markdown
        Write the page at all.
    required_duration_hours
        How long the run had to be.
    duration_tolerance_minutes
        How much of that may be missing.
    treat_warn_as_failure
        A warning leaves with 2.
    """
    if not (required_duration_hours > 0 and duration_tolerance_minutes >= 0):
        raise UsageError("--required-duration-hours must be above 0 and --duration-tolerance-minutes at least 0")
    run = load(summary, decode_summary, what="a dry-run summary")
    policy = WrapUpPolicy(
        required_duration_hours=required_duration_hours, duration_tolerance_minutes=duration_tolerance_minutes,
        treat_warn_as_failure=treat_warn_as_failure,
    )  # fmt: skip
    wrap_up = build_wrap_up(run, policy, now=SystemClock().now())
    written = []
    try:
        if write_json:
            written.append(output_json or summary.with_name("wrap_up.json"))
            write_artefact(written[-1], wrap_up)
        if write_markdown:
            written.append(output_markdown or summary.with_name("wrap_up.md"))
            write_text(written[-1], wrap_up_markdown(wrap_up))
    except OSError as problem:
        raise UsageError(f"cannot write {written[-1]}: {problem.strerror or problem}") from None
    met = "met" if wrap_up.duration_met else "not met"
    print(f"{word(wrap_up.status)}: duration {met}, {len(wrap_up.backlog_items)} left to do")
    for path in written:
        print(path)
    return exit_code_of_wrap_up(wrap_up, policy)
