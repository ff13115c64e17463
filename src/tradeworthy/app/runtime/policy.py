"""What the runtime around a desk may do: bounds of its end, watches, switches; section `runtime` of the document."""

import math
from typing import Literal

import msgspec

from tradeworthy.kernel.supervision.beat import WatchdogPolicy
from tradeworthy.kernel.supervision.policy import ScopePolicy, SupervisorPolicy
from tradeworthy.kernel.supervision.resources import ResourcePolicy
from tradeworthy.operations.gates.named import GATES, TIERS
from tradeworthy.operations.ingest.policy import IngestPolicy
from tradeworthy.research.reflection.policy import ReflectionPolicy
from tradeworthy.trading.control.dead_man import LIMIT_MIN_S


class ShutdownPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The graceful end under one deadline (SHD-01), in seconds; time that a step leaves goes to those after it.

    pause_s      guard paused, inbox closed;  orders_s  working orders cancelled and verified
    tasks_s      every task ended or abandoned;  callbacks_s  shutdown callbacks, in reverse
    seal_s       journal flushed, synced and sealed by a checkpoint; never skipped
    """

    pause_s: float = 0.5
    orders_s: float = 5.0
    tasks_s: float = 2.0
    callbacks_s: float = 1.0
    seal_s: float = 1.5

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if not math.isfinite(value) or value <= 0:
                raise ValueError(f"{name} must be above 0, was {value}")

    @property
    def deadline_s(self) -> float:
        """All steps together."""
        return self.pause_s + self.orders_s + self.tasks_s + self.callbacks_s + self.seal_s


class TimeIntegrityPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the wall clock is held against the monotonic one (APP-12).

    threshold_seconds   drift that pauses the desk;  stable_seconds  quiet that ends the pause
    venue_tolerance_ms  what the venue accepts as the age of a request; half of it warns
    """

    enabled: bool = True
    interval_seconds: float = 10.0
    threshold_seconds: float = 0.75
    stable_seconds: float = 60.0
    venue_tolerance_ms: float = 5_000.0

    def __post_init__(self) -> None:
        for name in ("interval_seconds", "threshold_seconds", "stable_seconds", "venue_tolerance_ms"):
            value = getattr(self, name)
            if not math.isfinite(value) or value <= 0:
                raise ValueError(f"{name} must be above 0, was {value}")


class DriftMonitorPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often what runs is compared with what was approved (APP-13)."""

    enabled: bool = True
    interval_seconds: float = 120.0


class BackbonePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The service store that a desk wants beside its embedded one.

    url  postgresql://HOST[:PORT]/DATABASE; empty = the embedded store is the whole backbone
    """

    url: str = ""


class JudgingPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a running desk judges of itself.

    gate      the gate that is asked again and again, empty = none;  money  the tier of money that it is asked for
    settle_s  how long after the start what is only unknown alarms nobody
    renew_s   an assessment that says the same as before is journaled again after so long, what changed at once
    sweep_s   how often desk and venue are compared (AS-109);  first_sweep_s  the first time after the start
    """

    gate: str = "desk_health"
    money: str = "paper"
    settle_s: float = 900.0
    renew_s: float = 300.0
    sweep_s: float = 300.0
    first_sweep_s: float = 30.0

    def __post_init__(self) -> None:
        if self.gate and self.gate not in GATES:
            raise ValueError(f"gate must be one of {', '.join(GATES)}, was {self.gate!r}")
        if self.money not in TIERS:
            raise ValueError(f"money must be one of {', '.join(TIERS)}, was {self.money!r}")
        for name in ("settle_s", "renew_s", "sweep_s", "first_sweep_s"):
            value = getattr(self, name)
            if not math.isfinite(value) or value <= 0:
                raise ValueError(f"{name} must be above 0, was {value}")


class RuntimePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The runtime's part of the document.

    idle_beat_s  how often a trading loop beats while it waits;  give_way_ms  the most that it keeps the event loop
    watchdog     False only where nobody must notice a dead desk: never live
    dead_man_s   the watchdog stops a desk at which nobody showed up for so long, 60 or more; None = off
    deployment   how strict the runtime is;  tier  what stands behind the desk, and which uptime is asked of it
    ingest       recorded feeds that are taken into the embedded store;  backbone  a service that is wanted instead
    reflection   what the desk's own decisions suggest to its people
    evidence     folders of bundles and stores: no log that one cites is rotated away
    judging      what the desk judges of itself
    """

    shutdown: ShutdownPolicy = ShutdownPolicy()
    supervision: SupervisorPolicy = SupervisorPolicy()
    scope: ScopePolicy = ScopePolicy()
    watch: WatchdogPolicy = WatchdogPolicy(kill_after_s=None)
    resources: ResourcePolicy = ResourcePolicy()
    time_integrity: TimeIntegrityPolicy = TimeIntegrityPolicy()
    drift_monitor: DriftMonitorPolicy = DriftMonitorPolicy()
    idle_beat_s: float = 1.0
    give_way_ms: float = 20.0
    watchdog: bool = True
    dead_man_s: float | None = None
    deployment: Literal["demo", "staging", "production"] = "demo"
    tier: Literal["tier_0", "tier_1", "tier_2"] = "tier_0"
    ingest: IngestPolicy = IngestPolicy()
    backbone: BackbonePolicy = BackbonePolicy()
    reflection: ReflectionPolicy = ReflectionPolicy()
    evidence: tuple[str, ...] = ()
    judging: JudgingPolicy = JudgingPolicy()

    def __post_init__(self) -> None:
        if self.dead_man_s is not None and not LIMIT_MIN_S <= self.dead_man_s < math.inf:
            raise ValueError(f"dead_man_s must be {LIMIT_MIN_S:g} or above, was {self.dead_man_s:g}")
