"""Where a desk's guard remembers its reasons between runs."""

from pathlib import Path

from tradeworthy.adapters.sentinel_file import SentinelFile
from tradeworthy.trading.control.sentinel import SentinelPort

GUARD_FILE = "guard.bin"


def guard_memory(state: Path) -> SentinelPort:
    """Return the sentinel in a desk's state folder; it is read before a start and by a running desk."""
    return SentinelFile(state / GUARD_FILE)
