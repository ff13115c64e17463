"""Where the report lies: JSON, Markdown and a page beside each other, each replaced whole (PPR-08)."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.redaction import may_hold_secret, redact
from tradeworthy.operations.dry_run.artefact_files import write_json
from tradeworthy.operations.paper_run import html, markdown
from tradeworthy.operations.paper_run.model import PaperRunReport

REPORT, ERRORS = "paper_run.json", "paper_run_errors.json"


class ReportFiles:
    """Write each report over the last; a process that dies leaves the last one whole.

    home    the folder for what has no path of its own; None while it is not known, and then nothing is written there
    report  path of the JSON form, with `.md` and `.html` beside it;  errors  of the errors alone
    """

    def __init__(
        self, home: Callable[[], Path | None], *, report: Path | None = None, errors: Path | None = None
    ) -> None:
        self._home, self._report, self._errors = home, report, errors

    @property
    def report(self) -> Path | None:
        """Where the JSON form lies."""
        return self._place(self._report, REPORT)

    @property
    def errors(self) -> Path | None:
        """Where the errors lie."""
        return self._place(self._errors, ERRORS)

    def write(self, report: PaperRunReport) -> None:
        """Replace the files."""
        place, errors = self.report, self.errors
        if place is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            write_durably(place, encoded(report) + b"\n")
            _page(place.with_suffix(".md"), markdown.render(report))
            _page(place.with_suffix(".html"), html.render(report))
        if errors is not None:
            listed = [msgspec.to_builtins(one) for one in report.errors]
            write_json(errors, {"schema": report.schema, "status": report.status.value, "errors": listed})

    def _place(self, path: Path | None, name: str) -> Path | None:
        home = self._home()
        return path if path is not None else None if home is None else home / name


def encoded(report: PaperRunReport) -> bytes:
    """Return the report as JSON without secrets; what is absent has no key.

    A whole ring of samples is written each minute beside a trading desk: only what may hold a secret is walked.
    """
    data = msgspec.json.encode(report)
    return msgspec.json.encode(redact(msgspec.json.decode(data))) if may_hold_secret(data) else data


def _page(path: Path, text: str) -> None:
    data = text.encode()
    write_durably(path, redact(data) if may_hold_secret(data) else data)
