"""What a paper run is held to (PPR-01)."""

from math import isfinite

import msgspec

from tradeworthy.kernel.errors import UsageError

SECONDS_PER_HOUR = 3_600
BYTES_PER_MB = 1_000_000


class PaperRunPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits and cadence of the guardian; a budget is breached when the observed value reaches it.

    duration_hours         end the run after so long, 0 = until a signal or the end of the tapes
    progress_interval_s    between two samples, and between two writes of the report
    latency_p99_max_s      for decisions and for the venue's first answers, each on its own; None = not judged
    memory_growth_max_mb   resident memory above the baseline in MB of 10^6 bytes; None = not judged
    minimum_runtime_hours  floor on the run's length, 0 = off;  min_orders  floor on the orders sent
    allow_invariant_errors a broken invariant degrades the run instead of failing it
    memory_warmup_s        the first sample this long after the start is the baseline of memory
    latency_samples_min    below it no p99 is told, the maximum stands alone
    latency_kept           durations kept of each kind, the newest
    samples_kept, errors_kept, alerts_kept, breaches_kept  bounds of what the report lists
    """

    duration_hours: float = 0.0
    progress_interval_s: float = 60.0
    latency_p99_max_s: float | None = None
    memory_growth_max_mb: float | None = None
    minimum_runtime_hours: float = 168.0
    min_orders: int = 0
    allow_invariant_errors: bool = False
    memory_warmup_s: float = 600.0
    latency_samples_min: int = 100
    latency_kept: int = 4_096
    samples_kept: int = 2_048
    errors_kept: int = 256
    alerts_kept: int = 256
    breaches_kept: int = 256

    def __post_init__(self) -> None:
        faults = [
            f"{name} must be {'0 or above' if floor == 0 else 'above 0'} and finite, was {value:g}"
            for name, value, floor in (
                ("duration_hours", self.duration_hours, 0), ("progress_interval_s", self.progress_interval_s, 1),
                ("latency_p99_max_s", self.latency_p99_max_s, 1),
                ("memory_growth_max_mb", self.memory_growth_max_mb, 1),
                ("minimum_runtime_hours", self.minimum_runtime_hours, 0), ("min_orders", self.min_orders, 0),
                ("memory_warmup_s", self.memory_warmup_s, 0), ("latency_samples_min", self.latency_samples_min, 1),
                ("latency_kept", self.latency_kept, 1), ("samples_kept", self.samples_kept, 1),
                ("errors_kept", self.errors_kept, 1), ("alerts_kept", self.alerts_kept, 1),
                ("breaches_kept", self.breaches_kept, 1),
            )
            if value is not None and not (isfinite(value) and (value >= 0 if floor == 0 else value > 0))
        ]  # fmt: skip
        if self.latency_kept < self.latency_samples_min:
            faults.append(f"latency_kept must be at least latency_samples_min, was {self.latency_kept}")
        if faults:
            raise UsageError("paper run: " + "; ".join(faults))
