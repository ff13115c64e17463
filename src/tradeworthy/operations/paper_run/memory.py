"""Resident memory against the baseline taken after the warm-up (PPR-05)."""

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.paper_run.model import Memory
from tradeworthy.operations.paper_run.policy import BYTES_PER_MB, PaperRunPolicy


class MemoryWatch:
    """Keep the baseline and the last reading; a reading that failed is unknown and changes neither."""

    def __init__(self, policy: PaperRunPolicy) -> None:
        self._limit = policy.memory_growth_max_mb
        self._warmup_s = policy.memory_warmup_s
        self._baseline: int | None = None
        self._last: int | None = None

    def take(self, rss_bytes: int | None, runtime_ns: int) -> None:
        """Take one reading, `runtime_ns` after the start."""
        self._last = rss_bytes
        if self._baseline is None and runtime_ns >= self._warmup_s * NANOS_PER_SECOND:
            self._baseline = rss_bytes

    @property
    def growth_mb(self) -> float | None:
        """Memory now less the baseline; None before there is one, or where nobody can tell."""
        if self._last is None or self._baseline is None:
            return None
        return (self._last - self._baseline) / BYTES_PER_MB

    @property
    def last_mb(self) -> float | None:
        """The last reading."""
        return None if self._last is None else self._last / BYTES_PER_MB

    @property
    def breached(self) -> bool:
        """Tell whether the growth has reached its limit."""
        growth = self.growth_mb
        return self._limit is not None and growth is not None and growth >= self._limit

    def view(self) -> Memory:
        """Return the report's part."""
        baseline = None if self._baseline is None else self._baseline / BYTES_PER_MB
        return Memory(baseline, self.last_mb, self.growth_mb, self._limit, self._warmup_s)
