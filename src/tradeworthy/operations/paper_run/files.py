"""Where the report lies: JSON, Markdown and a page beside each other, each replaced whole (PPR-08)."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from tradeworthy.kernel.report import severities_named
from tradeworthy.operations.dry_run.artefact_files import write_json, write_text
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
            write_json(place, plain(report))
            write_text(place.with_suffix(".md"), markdown.render(report))
            write_text(place.with_suffix(".html"), html.render(report))
        if errors is not None:
            listed = [msgspec.to_builtins(one) for one in report.errors]
            write_json(errors, {"schema": report.schema, "status": report.status.value, "errors": listed})

    def _place(self, path: Path | None, name: str) -> Path | None:
        home = self._home()
        return path if path is not None else None if home is None else home / name


def plain(report: PaperRunReport) -> dict[str, object]:
    """Return the report as plain data, severities by name; what is absent has no key."""
    built: dict[str, object] = severities_named(msgspec.to_builtins(report))
    return built
