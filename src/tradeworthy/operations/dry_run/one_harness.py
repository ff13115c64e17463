"""One harness a run folder: two at once would start the command twice and write over each other's evidence."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tradeworthy.kernel.errors import UsageError


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a run folder; raises `UsageError` when another harness does. The hold ends with the process in any case.

    The folder itself is locked, so nothing is left in it; a file system that locks no folders holds nobody back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            if problem.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise UsageError(
                    f"expected a run folder that nobody works in, found another harness at work in {folder}; "
                    "wait for its end, or end it with SIGINT. Nothing was spawned, nothing was written"
                ) from None
        yield
    finally:
        os.close(handle)
