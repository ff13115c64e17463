"""A report as a pair: canonical JSON, addressed by its SHA-256, and the same as Markdown for people."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.journal.codec import require_finite
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity, worst

EXIT_CODES = {
    Severity.OK: ExitCode.PASS, Severity.WARN: ExitCode.WARN, Severity.UNKNOWN: ExitCode.COULD_NOT_JUDGE,
    Severity.FAIL: ExitCode.FAIL,
}  # fmt: skip
ADDRESSED = "reports"
"""The folder of reports under their address; the copy beside it under the plain name is the latest, never evidence."""
SEQS_SHOWN_MAX = 8


class Check(msgspec.Struct, frozen=True):
    """One judged rule: a stable code, what was observed against which limit, and the journal seqs it rests on."""

    code: str
    severity: Severity
    observed: str
    limit: str
    text: str = ""
    seqs: tuple[int, ...] = ()


class Source(msgspec.Struct, frozen=True):
    """The part of a journal that a report rests on: seqs from `first` to `last`, and the hash of the last seal."""

    journal: str
    first: int
    last: int
    head: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a verb found: its name (`regression`), the journals it read, its checks, and figures as plain data."""

    name: str
    title: str
    sources: tuple[Source, ...]
    checks: tuple[Check, ...]
    figures: dict[str, Any] = {}

    @property
    def severity(self) -> Severity:
        """The worst of the checks; no check is UNKNOWN."""
        return worst(check.severity for check in self.checks)

    @property
    def exit_code(self) -> ExitCode:
        return EXIT_CODES[self.severity]

    def failed(self) -> tuple[Check, ...]:
        """Return the checks that did not pass, worst first."""
        return tuple(sorted((c for c in self.checks if c.severity), key=lambda c: -c.severity))


class Written(msgspec.Struct, frozen=True):
    """Where a report lies: `evidence` is its address, `latest` a copy that the next report replaces."""

    sha256: str
    evidence: Path
    latest: Path


def canonical(report: Report) -> bytes:
    """Return the report as redacted JSON with sorted keys and a final line feed; raises `InvalidInput` for NaN."""
    require_finite(report, "report")
    checks = [{**msgspec.to_builtins(check), "severity": check.severity.name} for check in report.checks]
    plain = {**msgspec.to_builtins(report), "checks": checks, "severity": report.severity.name}
    return msgspec.json.format(msgspec.json.encode(redact(plain), order="sorted"), indent=1) + b"\n"


def severities_named(plain: Any) -> Any:
    """Return plain data with each number under the key `severity` as its name."""
    match plain:
        case dict():
            return {
                key: Severity(value).name if key == "severity" and isinstance(value, int) else severities_named(value)
                for key, value in plain.items()
            }
        case list() | tuple():
            return [severities_named(one) for one in plain]
        case _:
            return plain


def address(data: bytes) -> str:
    """Return the SHA-256 that names these bytes."""
    return hashlib.sha256(data).hexdigest()


def markdown(report: Report) -> str:
    """Return the report for people: the verdict, each check, the figures and what it rests on."""
    lines = [f"# {report.title}", "", f"**{report.severity.name}** `{address(canonical(report))}`", ""]
    lines += ["| check | severity | observed | limit | seq |", "|---|---|---|---|---|"]
    lines += [
        f"| {c.code} {c.text} | {c.severity.name} | {c.observed} | {c.limit} | {_seqs(c.seqs)} |" for c in report.checks
    ]
    if report.figures:
        lines += ["", "| figure | value |", "|---|---|"]
        lines += [f"| {name} | {_cell(value)} |" for name, value in sorted(report.figures.items())]
    lines += ["", *(f"Rests on {s.journal}, seq {s.first} to {s.last}, head `{s.head}`." for s in report.sources)]
    return str(redact("\n".join(lines))) + "\n"


def write(report: Report, folder: Path) -> Written:
    """Keep the pair under its address and as the latest of its name; the same report again is the same file."""
    data = canonical(report)
    text = markdown(report).encode()
    sha256 = address(data)
    home = folder / ADDRESSED
    home.mkdir(parents=True, exist_ok=True)
    for path, content in (
        (home / f"{sha256}.json", data), (home / f"{sha256}.md", text),
        (folder / f"{report.name}.json", data), (folder / f"{report.name}.md", text),
    ):  # fmt: skip
        write_durably(path, content)
    return Written(sha256, home / f"{sha256}.json", folder / f"{report.name}.json")


def _seqs(seqs: Iterable[int]) -> str:
    numbers = list(seqs)
    more = f" and {len(numbers) - SEQS_SHOWN_MAX} more" if len(numbers) > SEQS_SHOWN_MAX else ""
    return ", ".join(map(str, numbers[:SEQS_SHOWN_MAX])) + more


def _cell(value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        return f"`{msgspec.json.encode(value, order='sorted').decode()}`"
    return str(value)
