"""Ways that need no gateway: a file of JSON lines, flushed to the disk, and a command of the machine's own."""

import os
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from tradeworthy.adapters.notify.in_thread import in_thread
from tradeworthy.operations.incidents.channel import Refused, Sent
from tradeworthy.operations.incidents.model import Notice


class LinesFile:
    """Append notices to a file, one JSON line each; a file past `bytes_max` moves to `NAME.1` first.

    What reads the file is somebody else's: it reaches people only through that.
    """

    def __init__(self, path: Path, *, bytes_max: int = 16 << 20) -> None:
        self._path, self._bytes_max = path, bytes_max

    async def send(self, notice: Notice, *, timeout_s: float) -> Sent:
        """Append one notice; it is on the disk when this returns."""
        return await in_thread(partial(self._append, msgspec.json.encode(notice) + b"\n"), name="alerts.file")

    def _append(self, line: bytes) -> Sent:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists() and self._path.stat().st_size >= self._bytes_max:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        with self._path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
            return Sent(f"{self._path.name}:{file.tell()}")


class Command:
    """Run a command with the notice as JSON on its standard input; exit 0 is the receipt."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = tuple(words)

    async def send(self, notice: Notice, *, timeout_s: float) -> Sent:
        """Run the command once."""
        line = msgspec.json.encode(notice) + b"\n"
        return await in_thread(partial(self._run, line, timeout_s), name="alerts.command")

    def _run(self, line: bytes, timeout_s: float) -> Sent:
        try:
            subprocess.run(self._words, input=line, check=True, timeout=timeout_s, capture_output=True)
        except FileNotFoundError:
            raise Refused(f"expected the command {self._words[0]}, found none") from None
        except subprocess.SubprocessError as problem:
            raise OSError(str(problem)) from None
        return Sent()
