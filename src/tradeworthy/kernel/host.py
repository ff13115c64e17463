"""What the machine under the desk says of the process: memory, as a fact of the journal."""

import os
from pathlib import Path

from tradeworthy.kernel.facts import Fact, fact

STATM = Path("/proc/self/statm")


@fact("host.memory")
class HostMemory(Fact, frozen=True):
    """Resident memory of the desk's process in bytes."""

    rss_bytes: int


def rss_bytes() -> int | None:
    """Return the process's resident memory, None where the machine does not tell it."""
    try:
        pages = int(STATM.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
