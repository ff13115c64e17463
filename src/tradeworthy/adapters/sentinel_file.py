"""The sentinel as a file: written beside, flushed, then renamed over."""

import os
import threading
from pathlib import Path

from tradeworthy.kernel.journal.files import write_durably


class SentinelFile:
    """Keep the guard's record in one file (implements `SentinelPort`)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> bytes | None:
        """Return the record; None where the file does not exist."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def write(self, record: bytes) -> None:
        """Replace the file whole; file and folder are flushed to the disk before it returns.

        Desk, watchdog and people write it, at the same moment if need be: the last one stands.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(self._path, record, writer=f".{os.getpid()}-{threading.get_ident()}")
