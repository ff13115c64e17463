"""What a baseline is measured with and held to (PBL-01)."""

from math import isfinite
from typing import Literal

import msgspec

from tradeworthy.kernel.errors import UsageError

ScopeField = Literal["strategy", "instrument", "venue", "side"]


class BaselineOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Switches and limits; a limit is breached when the observed value reaches it, None is not judged.

    trades                 openings that are asked of the desk
    throttle_max_trades    openings that one throttle window takes;  throttle_cooldown_seconds  after a full window
    throttle_max_notional, throttle_multiplier  money of a window: an amount, a multiple of the instance's budget
    throttle_scope_fields  what openings must share to share a window; empty = the whole desk
    backlog_threshold_ms   a lag that reaches it is a breach of the backlog; None = `max_lag_ms`
    trade_interval_ms      time between two trades on the measuring clock: they come whether or not the desk is ready
    trade_spacing_seconds  time between two trades on the desk's own clock, which the throttle goes by
    warmup_quotes          quotes before the first trade, one a spacing;  lots  of each opening
    """

    trades: int = 3
    throttle_max_trades: int = 1
    throttle_window_seconds: float = 60.0
    throttle_cooldown_seconds: float = 0.0
    throttle_min_spacing_seconds: float = 0.0
    throttle_max_notional: float | None = None
    throttle_multiplier: float | None = None
    throttle_scope_fields: tuple[ScopeField, ...] = ("strategy", "instrument")
    backlog_threshold_ms: float | None = None
    max_processing_ms: float = 250.0
    max_lag_ms: float = 250.0
    max_cpu_percent: float | None = None
    max_memory_mb: float | None = None
    max_memory_percent: float | None = None
    trade_interval_ms: float = 10.0
    trade_spacing_seconds: float = 1.0
    warmup_quotes: int = 120
    lots: int = 1_000

    def __post_init__(self) -> None:
        zero_allowed = {"throttle_cooldown_seconds", "throttle_min_spacing_seconds", "trade_interval_ms"}
        faults = []
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, tuple) or value is None:
                continue
            if not (isfinite(value) and (value > 0 or (value == 0 and name in zero_allowed))):
                least = "0 or above" if name in zero_allowed else "above 0"
                faults.append(f"{name} must be {least} and finite, was {value:g}")
        if len(set(self.throttle_scope_fields)) < len(self.throttle_scope_fields):
            faults.append(f"throttle_scope_fields must differ, were {', '.join(self.throttle_scope_fields)}")
        if faults:
            raise UsageError("performance baseline: " + "; ".join(faults))

    @property
    def backlog_ms(self) -> float:
        """The lag that counts as a breach of the backlog."""
        return self.max_lag_ms if self.backlog_threshold_ms is None else self.backlog_threshold_ms
