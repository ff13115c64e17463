"""Write pages of Markdown that a person reads: headings, tables, words for status, times, durations."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from tradeworthy.operations.dry_run.model import Status

CELL_CHARACTERS_MAX = 240
_WORDS = {
    Status.STARTING: "STARTING", Status.RUNNING: "RUNNING", Status.PASS: "PASS", Status.WARN: "WARN",
    Status.UNKNOWN: "UNKNOWN", Status.FAIL: "FAIL",
}  # fmt: skip


class Page:
    """A page that grows by parts; `render` gives its text."""

    def __init__(self, title: str) -> None:
        self._parts = [f"# {line(title)}"]

    def heading(self, text: str, *, level: int = 2) -> None:
        """Begin a section."""
        self._parts.append(f"{'#' * level} {line(text)}")

    def text(self, text: str) -> None:
        """Add a paragraph."""
        self._parts.append(text)

    def bullets(self, lines: Iterable[str]) -> None:
        """Add a list."""
        self._parts.append("\n".join(f"- {line(one)}" for one in lines))

    def facts(self, facts: Iterable[tuple[str, Any]]) -> None:
        """Add a table of two columns without a head; facts that are None are left out."""
        self.table(("", ""), [(f"**{name}**", value) for name, value in facts if value is not None])

    def table(self, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add a table."""
        lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
        lines += [f"| {' | '.join(cell(one) for one in row)} |" for row in rows]
        self._parts.append("\n".join(lines))

    def render(self) -> str:
        """Return the page, ending with a line end."""
        return "\n\n".join(self._parts) + "\n"


def word(status: Status | None) -> str:
    """Return a status as people see it."""
    return "not judged" if status is None else _WORDS[status]


def cell(value: Any) -> str:
    """Return a value as the text of one table cell."""
    match value:
        case None:
            return "–"
        case Status():
            return _WORDS[value]
        case datetime():
            return moment(value)
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,.4g}"
        case int():
            return f"{value:,}"
        case _:
            text = line(str(value))
            if len(text) > CELL_CHARACTERS_MAX:
                text = text[: CELL_CHARACTERS_MAX - 1] + "…"
            return text.replace("|", "\\|")


def line(text: str) -> str:
    """Return text on one line, with nothing that Markdown would take for a tag."""
    return " ".join(text.split()).replace("<", "&lt;")


def moment(value: datetime | None) -> str:
    """Return a time in UTC to the second."""
    return "–" if value is None else f"{value:%Y-%m-%d %H:%M:%S} UTC"


def duration(seconds: float | None) -> str | None:
    """Return seconds as days, hours, minutes and seconds, the two largest that count."""
    if seconds is None:
        return None
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    parts = [(whole // 86_400, "d"), (whole // 3_600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    first = next(at for at, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def percent(ratio: float | None) -> str | None:
    """Return a ratio in percent with two digits."""
    return None if ratio is None else f"{ratio:.2%}"
