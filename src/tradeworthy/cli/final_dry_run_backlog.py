"""`tradeworthy final-dry-run-backlog`: what a run leaves to be done, from its artefacts."""

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from tradeworthy.cli.dry_run_evidence import give, give_json, json_object, load
from tradeworthy.operations.dry_run.backlog import BacklogPolicy, backlog_markdown, backlog_of, exit_code_of, relaxed_in
from tradeworthy.operations.dry_run.model import SCHEMA_PROGRESS, Status

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
        None if path is None else load(path, parse, what=what)
        for path, parse, what in (
            (summary, _summary, "a summary"), (sign_off, json_object, "a sign-off"), (review, json_object, "a review"),
        )
    ]  # fmt: skip
    policy = BacklogPolicy(severity_min=Status(min_severity), include_pass=include_pass)
    items = backlog_of(documents[0] or {}, sign_off=documents[1], review=documents[2], policy=policy)
    if format == "json":
        give_json(items, output)
    else:
        give(backlog_markdown(items, title=title, relaxed=relaxed_in(documents[0] or {})), output)
    return exit_code_of(items, fail_on_warn=fail_on_warn)


def _summary(data: bytes) -> dict[str, Any]:
    """Return a summary; raises `ValueError` for the progress file of a run, which looks like one."""
    found = json_object(data)
    if found.get("schema") == SCHEMA_PROGRESS:
        raise ValueError("it is a progress file; the summary lies beside it, summary.json")
    return found
