"""What the measuring process uses, by psutil, which is an extra and is imported when it is asked for."""

from typing import Protocol

import msgspec

from tradeworthy.kernel.errors import UsageError


class Usage(msgspec.Struct, frozen=True):
    """One look: processor seconds so far, resident bytes, and their share of the machine's memory in percent."""

    cpu_s: float | None
    rss_bytes: int | None
    memory_percent: float | None


class ProcessPort(Protocol):
    """Where usage is read."""

    def read(self) -> Usage: ...


class PsutilProcess:
    """This process as psutil sees it; raises `UsageError` where the extra is not installed."""

    def __init__(self) -> None:
        try:
            import psutil
        except ImportError:
            raise UsageError("measuring CPU and memory needs psutil: install tradeworthy[operations]") from None
        self._process, self._error = psutil.Process(), psutil.Error

    def read(self) -> Usage:
        """Return the usage now; what psutil cannot tell is None."""
        try:
            with self._process.oneshot():
                times = self._process.cpu_times()
                return Usage(
                    times.user + times.system, self._process.memory_info().rss, self._process.memory_percent()
                )
        except self._error:
            return Usage(None, None, None)
