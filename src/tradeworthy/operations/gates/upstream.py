"""Is what this desk depends on still worth depending on, or is an adapter to be looked at again? (AS-140, GT-19)"""

from collections.abc import Iterable

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.report import Check, Report
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.lifecycle import Incident

OK, WARN, UNKNOWN = Severity.OK, Severity.WARN, Severity.UNKNOWN
DAY_S = 86_400
REVISIT = "revisit the adapter"
VENUE = "venue"
UPSTREAM = (
    "venue", "reconciliation", "execution", "fill_parity", "feed", "market_data", "data_feed", "book_quality", "data",
    "provider", "dependency", "network", "ingest", "post_trade",
)  # fmt: skip
"""Beginnings of codes whose incidents are those of somebody outside: a venue, a feed, a package, a network."""


class UpstreamPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When an adapter is looked at again; budgets, reached = warned.

    repair_s  how long one incident of a dependency took;  post_trade_fails  how often post-trade failed
    live_s    how long a live run went on
    """

    repair_s_warn: float = 7.0 * DAY_S
    post_trade_fails_warn: int = 3
    live_s_warn: float = 7.0 * DAY_S


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """The incidents of one dependency or venue: how many, how many are open, and the longest in seconds."""

    name: str
    incidents: int
    living: int
    longest_s: float


def upstreams_of(incidents: Iterable[Incident], now: int) -> tuple[Upstream, ...]:
    """Return who outside caused incidents, by name; drills do not count, and one that is open lasts until `now`."""
    by_name: dict[str, list[Incident]] = {}
    for one in incidents:
        opened = one.opened
        if not opened.drill and (opened.source == VENUE or opened.code.startswith(UPSTREAM)):
            kind = opened.code.partition(".")[0] or opened.source
            by_name.setdefault(f"{kind}:{opened.component or opened.subject or kind}", []).append(one)
    return tuple(
        Upstream(
            name=name, incidents=len(every), living=sum(one.living for one in every),
            longest_s=max(_lasted_s(one, now) for one in every),
        ) for name, every in sorted(by_name.items())
    )  # fmt: skip


def fitness_report(
    upstreams: Iterable[Upstream] | None, *, post_trade_fails: int | None, live_s: float | None,
    policy: UpstreamPolicy | None = None,
) -> Report:  # fmt: skip
    """Return what speaks for another look at an adapter; None = nobody keeps it."""
    p = policy or UpstreamPolicy()
    return Report(
        name="upstream-fitness", title="Dependencies and venues", sources=(), checks=(
            *_incidents(upstreams, p),
            _budget("post_trade_fails", post_trade_fails, p.post_trade_fails_warn, "times"),
            _budget("live_run", None if live_s is None else live_s / DAY_S, p.live_s_warn / DAY_S, "d"),
        ),
    )  # fmt: skip


def _incidents(upstreams: Iterable[Upstream] | None, policy: UpstreamPolicy) -> tuple[Check, ...]:
    code, limit = "upstream_fitness.repair", f"below {policy.repair_s_warn / DAY_S:g} d for one incident"
    if upstreams is None:
        return (Check(code, UNKNOWN, "no incidents are kept", limit),)
    found = []
    for one in upstreams:
        late = one.longest_s >= policy.repair_s_warn
        told = f"{one.name}: {one.incidents} incidents, {one.living} open, {one.longest_s / DAY_S:.3g} d the longest"
        found.append(Check(code, WARN if late else OK, told, limit, REVISIT if late else ""))
    return tuple(found) or (Check(code, OK, "no incident of a dependency or venue", limit),)


def _budget(what: str, value: float | None, most: float, unit: str) -> Check:
    code, limit = f"upstream_fitness.{what}", f"below {most:g} {unit}"
    if value is None:
        return Check(code, UNKNOWN, "nobody keeps it", limit)
    late = value >= most
    return Check(code, WARN if late else OK, f"{value:.3g} {unit}", limit, REVISIT if late else "")


def _lasted_s(one: Incident, now: int) -> float:
    end = now if one.living or one.resolved_at is None else one.resolved_at
    return (end - one.opened.first_impact) / NANOS_PER_SECOND
