"""`tradeworthy final-dry-run-backlog`: what a run leaves to be done, from its artefacts."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from tradeworthy.cli.dry_run_evidence import give, give_json, json_object, load
from tradeworthy.operations.dry_run.backlog import BacklogPolicy, backlog_markdown, backlog_of, exit_code_of, relaxed_in
from tradeworthy.operations.dry_run.model import Status

Flag = Annotated[bool, Parameter(negative="")]


def final_dry_run_backlog(
    *, summary: Path, sign_off: Path | None = None, review: Path | None = None,
    format: Literal["markdown", "json"] = "markdown", output: Path | None = None,
    title: str = "Final Dry Run Backlog", min_severity: Literal["pass", "warn", "fail"] = "warn",
    include_pass: Flag = False, fail_on_warn: Flag = False, fail_on_fail: Flag = True,
) -> int:  # fmt: skip
    """List what is left to do, each thing once, the worst first; exit by the worst listed item.

    Parameters
    ----------
    summary
        The run's summary in JSON.
    sign_off
        A sign-off that stands apart from the summary.
    review
        A review in JSON.
    format
        markdown or json.
    output
        A file for the list; standard output without it.
    title
        Heading of the page.
    min_severity
        The least severity that is listed.
    include_pass
        List what passed too.
    fail_on_warn
        A warning leaves with 2.
    fail_on_fail
        A failure leaves with 2; it always does.
    """
    documents = [
        None if path is None else load(path, json_object, what=what)
        for path, what in ((summary, "a summary"), (sign_off, "a sign-off"), (review, "a review"))
    ]
    policy = BacklogPolicy(severity_min=Status(min_severity), include_pass=include_pass)
    items = backlog_of(documents[0] or {}, sign_off=documents[1], review=documents[2], policy=policy)
    if format == "json":
        give_json(items, output)
    else:
        give(backlog_markdown(items, title=title, relaxed=relaxed_in(documents[0] or {})), output)
    return exit_code_of(items, fail_on_warn=fail_on_warn)
