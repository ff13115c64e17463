"""The writer's file port, its lock and its fencing token."""

import fcntl
import os
from pathlib import Path
from typing import Protocol

from tradeworthy.kernel.errors import HaltTrading

TOKEN_WIDTH = 20


class FilePort(Protocol):
    """What the writer asks of a disk; each call raises `OSError` when it failed."""

    def create(self, path: Path) -> int: ...
    def reopen(self, path: Path, size: int) -> int: ...
    def write(self, handle: int, data: bytes) -> None: ...
    def sync(self, handle: int) -> None: ...
    def close(self, handle: int) -> None: ...


class OsFiles:
    """The operating system's files."""

    def create(self, path: Path) -> int:
        """Make a new file and sync the directory that names it."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        sync_directory(path.parent)
        return handle

    def reopen(self, path: Path, size: int) -> int:
        """Open a file for appending, cut to `size` bytes."""
        handle = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.ftruncate(handle, size)
        os.fsync(handle)
        return handle

    def write(self, handle: int, data: bytes) -> None:
        written = os.write(handle, data)
        while written < len(data):
            written += os.write(handle, data[written:])

    def sync(self, handle: int) -> None:
        os.fdatasync(handle)

    def close(self, handle: int) -> None:
        os.close(handle)


def sync_directory(directory: Path) -> None:
    """Make names in `directory` durable."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durably(path: Path, data: bytes, *, writer: str = "") -> None:
    """Replace `path` by `data` in one step: write aside, sync, rename, sync the directory.

    writer  names this writer where several may write the file at once, so that none takes the other's part away
    """
    aside = path.with_name(f"{path.name}{writer}.part")
    with aside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync_directory(path.parent)


class WriterLock:
    """The single writer's lock; each holder gets a higher token, and a raised token fences the holder out (JR-05)."""

    def __init__(self, directory: Path) -> None:
        self._lock = os.open(directory / "writer.lock", os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise HaltTrading(f"expected to be the only writer of {directory}, found another") from None
        self.token = raise_token(directory)
        self._token_file = os.open(directory / "writer.token", os.O_RDONLY)

    def held(self) -> bool:
        """Tell whether no one raised the token since."""
        return int(os.pread(self._token_file, TOKEN_WIDTH, 0) or b"-1") == self.token

    def release(self) -> None:
        os.close(self._token_file)
        os.close(self._lock)


def writer_lives(directory: Path) -> bool:
    """Tell whether a process holds the writer's lock."""
    try:
        handle = os.open(directory / "writer.lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def raise_token(directory: Path) -> int:
    """Raise the fencing token durably and return it; a writer with a lower token can commit no more."""
    handle = os.open(directory / "writer.token", os.O_RDWR | os.O_CREAT, 0o640)
    try:
        token = int(os.pread(handle, TOKEN_WIDTH, 0) or b"0") + 1
        os.pwrite(handle, b"%0*d" % (TOKEN_WIDTH, token), 0)
        os.fsync(handle)
    finally:
        os.close(handle)
    sync_directory(directory)
    return token
