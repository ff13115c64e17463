"""The log file of the day: whole lines only, rotated at 00:00 UTC, the last week kept (LOG-02)."""

import os
import re
import stat
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.telemetry.log_lines import LogLine

FILE_MODE = 0o640
HEAD_BYTES = 4_096
Cited = Callable[[Path], bool]


class _Head(msgspec.Struct):
    timestamp: str


class DailyFile:
    """Append lines to `folder/name`; a line's own time decides its day.

    kept   rotated files that stay; older ones are deleted
    cited  tells whether a live bundle cites a file; such a file is never deleted, nor one of which it cannot be told

    A file that was there from an earlier day is rotated by the time in its first line. A clock that goes back does
    not rotate. A line that could not be written whole is cut off again.
    """

    def __init__(self, folder: Path, name: str, *, kept: int, cited: Cited = lambda path: False) -> None:
        self.path = folder / name
        self._kept, self._cited = kept, cited
        self._stem = name.removesuffix(".jsonl")
        self._rotated_name = re.compile(rf"{re.escape(self._stem)}\.(\d{{4}}-\d\d-\d\d)(?:\.(\d+))?\.jsonl")
        self._fd = -1
        self._day = 0
        self._torn = False
        self.fault: OSError | None = None

    def write(self, lines: Sequence[LogLine]) -> int:
        """Write lines and return how many of them are in a file; fewer leave the reason in `fault`."""
        written = 0
        self.fault = None
        try:
            for day, group in groupby(lines, lambda line: line.at // NANOS_PER_DAY):
                of_day = list(group)
                if self._fd < 0:
                    self._open(day)
                if day > self._day:
                    self._rotate(day)
                self._append(b"\n".join([*(line.data for line in of_day), b""]))
                written += len(of_day)
        except OSError as error:
            self.fault = error
        return written

    def rotated(self) -> list[Path]:
        """Return the rotated files, oldest first."""
        found = []
        for path in self.path.parent.iterdir():
            match = self._rotated_name.fullmatch(path.name)
            if match is not None:
                found.append((match[1], int(match[2] or 1), path))
        return [path for _, _, path in sorted(found)]

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self, day: int) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        fd = os.open(self.path, flags, FILE_MODE)
        found = os.fstat(fd)
        if stat.S_ISREG(found.st_mode) and found.st_size:
            with self.path.open("rb") as kept:
                self._day = min(day, _day_of(kept.readline(HEAD_BYTES), day))
                kept.seek(-1, os.SEEK_END)
                self._torn = kept.read(1) != b"\n"
        else:
            self._day, self._torn = day, False
        self._fd = fd

    def _append(self, data: bytes) -> None:
        fd = self._fd
        if self._torn:  # a line that a crash cut off does not spoil the next one
            data = b"\n" + data
        before = os.fstat(fd).st_size
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(fd, rest) :]
        except OSError:
            try:
                os.ftruncate(fd, before)
            except OSError:  # a device; the next write begins on a line of its own
                self._torn = len(rest) < len(data) or self._torn
            raise
        self._torn = False

    def _rotate(self, day: int) -> None:
        if os.fstat(self._fd).st_size:
            self.path.rename(self._free_name(self._day))
            self.close()
            self._prune()
            self._open(day)
        self._day = day

    def _free_name(self, day: int) -> Path:
        text = datetime.fromtimestamp(day * NANOS_PER_DAY // NANOS_PER_SECOND, UTC).date().isoformat()
        path, number = self.path.with_name(f"{self._stem}.{text}.jsonl"), 1
        while path.exists():
            number += 1
            path = self.path.with_name(f"{self._stem}.{text}.{number}.jsonl")
        return path

    def _prune(self) -> None:
        for path in self.rotated()[: -self._kept]:
            if not self._is_cited(path):
                path.unlink(missing_ok=True)

    def _is_cited(self, path: Path) -> bool:
        try:
            return self._cited(path)
        except Exception:  # what cannot be told is kept
            return True


def _day_of(line: bytes, otherwise: int) -> int:
    """Return the day of a line by its own time, `otherwise` where it cannot be read."""
    try:
        moment = datetime.fromisoformat(msgspec.json.decode(line, type=_Head).timestamp)
    except (msgspec.MsgspecError, ValueError):
        return otherwise
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()) * NANOS_PER_SECOND // NANOS_PER_DAY
