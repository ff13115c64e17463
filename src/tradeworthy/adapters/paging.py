"""Tell a person by ways that are not the desk's: a command of the machine's own, a file of JSON lines."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision.incident import Incident, redact_acts

COMMAND_WITHIN_S = 1.8
"""Less than a watchdog waits for a page."""


class Pages:
    """Page by every way that is given (implements the watchdog's `PagePort`); fails when one of them fails.

    file     gets one JSON line an incident, flushed to the disk
    command  is run with the incident as JSON on its standard input
    """

    def __init__(self, file: Path | None = None, command: Sequence[str] = ()) -> None:
        self._file, self._command = file, tuple(command)

    def page(self, incident: Incident) -> None:
        """Tell of an incident; each way is tried whatever became of the other."""
        line = msgspec.json.encode(redact_acts(incident)) + b"\n"
        problems: list[str] = []
        if self._file is not None:
            try:
                self._append(self._file, line)
            except OSError as problem:
                problems.append(str(problem))
        if self._command:
            try:
                subprocess.run(self._command, input=line, check=True, timeout=COMMAND_WITHIN_S, capture_output=True)
            except (OSError, subprocess.SubprocessError) as problem:
                problems.append(f"{type(problem).__name__}: {problem}")
        if problems:
            raise OSError(str(redact("; ".join(problems))))
        if self._file is None and not self._command:
            raise OSError("nobody can be paged: neither a file nor a command is given")

    def _append(self, path: Path, line: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
