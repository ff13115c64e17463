"""What the machine under the desk says of the process: memory, as a fact of the journal."""

import hashlib
import os
import platform
from pathlib import Path

from tradeworthy.kernel.facts import Fact, fact

STATM = Path("/proc/self/statm")
CPUINFO = Path("/proc/cpuinfo")


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


def machine_identity(cpuinfo: Path = CPUINFO) -> str:
    """Return what kind of machine this is: system, architecture, processors and a digest of the processor's model.

    Two machines of one kind share it, as durations measured on one may be compared with the other's.
    """
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        lines = []
    model = next((one.partition(":")[2].strip() for one in lines if one.startswith("model name")), platform.processor())
    digest = hashlib.sha256(model.encode()).hexdigest()[:8]
    return f"{platform.system()}-{platform.machine()}-{os.cpu_count() or 0}-{digest}".lower()
