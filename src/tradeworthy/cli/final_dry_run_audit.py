"""`tradeworthy final-dry-run-audit`: judge the logs, diary and performance file of a run."""

from pathlib import Path
from typing import Literal

from tradeworthy.cli.dry_run_evidence import EvidenceSwitches, exit_code_of, give, give_json, json_object
from tradeworthy.operations.dry_run.artefacts import encode_summary
from tradeworthy.operations.dry_run.summary_page import summary_markdown


def final_dry_run_audit(
    evidence: EvidenceSwitches, *, format: Literal["json", "markdown"] = "json", output: Path | None = None
) -> int:
    """Judge evidence; exit 0 pass, 1 warn, 2 fail, 3 when it cannot be judged.

    Parameters
    ----------
    format
        json or markdown.
    output
        A file for the answer; standard output without it.
    """
    summary = evidence.judge()
    if format == "json":
        give_json(json_object(encode_summary(summary)), output)
    else:
        give(summary_markdown(summary), output)
    return exit_code_of(
        summary.status, signed_off=evidence.sign_off, treat_warn_as_error=evidence.treat_warn_as_error
    )
