"""When a desk reflects, on how much, and how sure a suggestion must be (RF-01 to RF-05, APP-13)."""

import math

import msgspec


class ReflectionPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reflection's part of the document; off unless somebody turns it on.

    enabled  whether it runs at all;  debug_logs  log the features of each suggestion
    interval_seconds  between two runs;  run_on_start  one at once
    config_path   a TOML file with limits of this section, in place of those here;  model_path  a JSON file of the model
    window_minutes  how far back a run looks;  entries_min  fewer decisions in it say nothing
    runs_read_max  journals of the desk that are read, newest first;  lock_ttl_seconds  a silent holder loses the lock
    suggestions_max, suggestions_day_max  of one run, and of a rolling day: what is above is not told
    confidence_min, flag_min, weight_min, experiment_min  what a suggestion of each kind must reach
    """

    enabled: bool = False
    interval_seconds: float = 3_600.0
    run_on_start: bool = True
    config_path: str = ""
    model_path: str = ""
    debug_logs: bool = False
    window_minutes: int = 1_440
    entries_min: int = 100
    runs_read_max: int = 8
    lock_ttl_seconds: float = 7_200.0
    suggestions_max: int = 10
    suggestions_day_max: int = 40
    confidence_min: float = 0.65
    flag_min: float = 0.65
    weight_min: float = 0.03
    experiment_min: float = 0.55

    def __post_init__(self) -> None:
        above = (
            "interval_seconds", "window_minutes", "entries_min", "runs_read_max", "lock_ttl_seconds",
            "suggestions_max", "suggestions_day_max", "confidence_min", "flag_min", "weight_min", "experiment_min",
        )
        for name in above:
            value = getattr(self, name)
            if not math.isfinite(value) or value <= 0:
                raise ValueError(f"{name} must be above 0, was {value}")
