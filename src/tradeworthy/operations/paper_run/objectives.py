"""What a run had to reach, and whether it did (PPR-07): true, false, or null where nobody could tell."""

from datetime import datetime

import msgspec

from tradeworthy.operations.paper_run.model import Breach, Latency
from tradeworthy.operations.paper_run.policy import PaperRunPolicy

LATENCY, MEMORY, RUNTIME = "latency_p99_max_seconds", "memory_growth_max_mb", "minimum_runtime_hours"
ORDERS, INVARIANTS = "min_orders", "invariant_breaches"
MEMORY_GROWTH = "memory.growth"
"""The code of the breach that fails a run for its memory."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures that objectives are held against; `broken` are the codes of the breaches so far."""

    runtime_hours: float
    orders: int
    invariant_breaches: int
    memory_growth_mb: float | None
    latencies: tuple[Latency, ...]
    broken: frozenset[str]


def thresholds_of(policy: PaperRunPolicy) -> dict[str, float]:
    """Return the objectives that are in force, by name; one that is off is absent."""
    found: dict[str, float] = {INVARIANTS: 0}
    if policy.latency_p99_max_s is not None:
        found[LATENCY] = policy.latency_p99_max_s
    if policy.memory_growth_max_mb is not None:
        found[MEMORY] = policy.memory_growth_max_mb
    if policy.minimum_runtime_hours:
        found[RUNTIME] = policy.minimum_runtime_hours
    if policy.min_orders:
        found[ORDERS] = policy.min_orders
    return found


def compliance_of(policy: PaperRunPolicy, measured: Measured) -> dict[str, bool | None]:
    """Return for each objective in force whether it is met; too few samples or no reading is None."""
    judged: dict[str, bool | None] = {
        LATENCY: _latency_met(measured, policy.latency_p99_max_s), MEMORY: _memory_met(measured),
        RUNTIME: measured.runtime_hours >= policy.minimum_runtime_hours, ORDERS: measured.orders >= policy.min_orders,
        INVARIANTS: measured.invariant_breaches == 0,
    }  # fmt: skip
    return {name: judged[name] for name in thresholds_of(policy)}


def missed_at_end(policy: PaperRunPolicy, measured: Measured, at: datetime) -> tuple[Breach, ...]:
    """Return what only the end can tell: shortfalls, and objectives that could not be judged."""
    found = []
    if measured.runtime_hours < policy.minimum_runtime_hours:
        short = policy.minimum_runtime_hours - measured.runtime_hours
        found.append(
            Breach(
                "runtime.short", f"{measured.runtime_hours:.4f} h", f"{policy.minimum_runtime_hours:g} h",
                f"{short:.4f} h are missing", at,
            )
        )  # fmt: skip
    if measured.orders < policy.min_orders:
        missing = policy.min_orders - measured.orders
        found.append(
            Breach("orders.few", str(measured.orders), str(policy.min_orders), f"{missing} orders are missing", at)
        )
    for name, met in compliance_of(policy, measured).items():
        if met is None:
            text = "it was asked for and could not be judged, so it is not met"
            found.append(Breach(f"{name}.unknown", "unknown", f"{thresholds_of(policy)[name]:g}", text, at))
    return tuple(found)


def _latency_met(measured: Measured, limit: float | None) -> bool | None:
    """Judge each kind of latency that was seen; a p99 that rests on too few samples is unknown."""
    if any(code.startswith("latency_p99.") for code in measured.broken):
        return False
    seen = [one.p99_seconds for one in measured.latencies if one.samples]
    if limit is None or not seen or None in seen:
        return None
    return all(one is not None and one < limit for one in seen)


def _memory_met(measured: Measured) -> bool | None:
    if MEMORY_GROWTH in measured.broken:
        return False
    return None if measured.memory_growth_mb is None else True
