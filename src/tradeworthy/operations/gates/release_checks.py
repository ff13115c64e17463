"""Checks of a release by facts about it: paper isolation, one fleet, a rehearsed rollback (GR-08, GR-24, GT-12)."""

from collections.abc import Mapping, Sequence

import msgspec

from tradeworthy.kernel.report import Check, Report, Source
from tradeworthy.kernel.severity import Severity

OK, UNKNOWN, FAIL = Severity.OK, Severity.UNKNOWN, Severity.FAIL
PAPER = "paper"
ROLLBACK_S_MAX = 15 * 60


class Isolation(msgspec.Struct, frozen=True, kw_only=True):
    """What reaches out of a paper desk: references that its start reads, its venue's address, requests at a venue.

    credentials  fields of accounts that it would read;  order_requests  seen at a venue, None = nobody counted
    """

    environment: str
    credentials: tuple[str, ...]
    venue_connection: str
    order_requests: int | None


def isolation_report(found: Isolation, sources: tuple[Source, ...] = ()) -> Report:
    """Return the report of gate row `paper_isolation`."""
    count = found.order_requests
    held, where = found.credentials, found.venue_connection
    checks = (
        Check("isolation.environment", OK if found.environment == PAPER else FAIL, found.environment, PAPER),
        Check("isolation.credentials", FAIL if held else OK, f"{len(held)}", "none", ", ".join(held)),
        Check("isolation.venue", FAIL if where else OK, where or "in this process", "in this process"),
        Check("isolation.order_requests", UNKNOWN if count is None else FAIL if count else OK,
              "nobody counted" if count is None else str(count), "0 at a real venue"),
    )  # fmt: skip
    return Report(name="paper-isolation", title="Paper isolation", sources=sources, checks=checks)


def fleet_report(nodes: Mapping[str, Mapping[str, str]]) -> Report:
    """Return the report of gate row `fleet_consistency`: every digest is known and equal at each node.

    nodes  digests (code, config, limits, models) by name of the node
    """
    parts = sorted({name for digests in nodes.values() for name in digests})
    checks = [Check("fleet.nodes", OK if len(nodes) > 1 else UNKNOWN, str(len(nodes)), "at least 2 to compare")]
    for part in parts:
        values = {node: digests.get(part, "") for node, digests in sorted(nodes.items())}
        told = ", ".join(f"{node} {value[:12] or 'unknown'}" for node, value in values.items())
        same = len(set(values.values())) == 1 and "" not in values.values()
        checks.append(Check(f"fleet.{part}", OK if same else FAIL, told, "one digest everywhere"))
    return Report(name="fleet-consistency", title="One release everywhere", sources=(), checks=tuple(checks))


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """What a rollback rehearsal found (GT-12).

    previous, restored   names of the release to return to, and of what then ran
    nodes                configuration hash by node after it
    state_hashes         of the stores: before, after each down and up;  migrated  whether the schema moved at all
    open_orders, adopted orders open before, and known to the restored desk after
    problem              why it ended early, empty where it did not
    """

    previous: str
    restored: str
    nodes: dict[str, str]
    state_hashes: tuple[str, ...]
    open_orders: int | None
    adopted: int | None
    seconds: float
    problem: str = ""


def rollback_report(found: Rehearsal | None) -> Report:
    """Return the report of gate row `rollback_rehearsed`; a partial rollback is refused, none is unknown."""
    if found is None:
        checks: tuple[Check, ...] = (Check("rollback.rehearsal", UNKNOWN, "none", "one within 24 h"),)
    else:
        hashes, orders, adopted = found.state_hashes, found.open_orders, found.adopted
        known = orders is not None and adopted is not None
        checks = (
            Check("rollback.whole", FAIL if found.problem else OK, found.problem or "whole", "no step left out"),
            Check("rollback.release", OK if found.previous and found.restored == found.previous else FAIL,
                  found.restored or "none", found.previous or "a named previous release"),
            Check("rollback.nodes", OK if found.nodes and len(set(found.nodes.values())) == 1 else FAIL,
                  ", ".join(f"{name} {value[:12]}" for name, value in sorted(found.nodes.items())) or "none",
                  "one configuration hash on all nodes"),
            Check("rollback.state", OK if len(hashes) >= 5 and len(set(hashes)) == 1 else FAIL,
                  f"{len(set(hashes))} hashes in {len(hashes)} looks", "down and up twice, equal each time"),
            Check("rollback.orders", UNKNOWN if not known else OK if orders == adopted else FAIL,
                  f"{adopted} of {orders} adopted" if known else "nobody counted", "every open order adopted"),
            Check("rollback.time", OK if 0 <= found.seconds <= ROLLBACK_S_MAX else FAIL, f"{found.seconds:,.1f} s",
                  f"at most {ROLLBACK_S_MAX} s"),
        )  # fmt: skip
    return Report(name="rollback", title="Rollback rehearsal", sources=(), checks=checks)


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """One installed package; `locked` is the version of the lock file with a hash, empty where it has none."""

    name: str
    version: str
    locked: str


class Advisory(msgspec.Struct, frozen=True, kw_only=True):
    """A published weakness of some versions of a package."""

    id: str
    package: str
    versions: tuple[str, ...]
    severity: str
    open_days: float


class SupplyPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Ages of advisory data in hours, and days that a weakness may stay open (AS-56)."""

    advisory_age_h_warn: float = 24.0
    advisory_age_h_fail: float = 72.0
    critical_days_max: float = 7.0
    high_days_max: float = 30.0


def supply_report(
    packages: Sequence[Package], advisories: Sequence[Advisory] | None, age_h: float | None,
    policy: SupplyPolicy | None = None,
) -> Report:  # fmt: skip
    """Return the report of gate row `supply_chain`; without advisory data nobody knows, and it is UNKNOWN."""
    p = policy or SupplyPolicy()
    loose = [f"{one.name} {one.version}" for one in packages if one.locked != one.version]
    checks = [
        Check("supply.packages", OK if packages else UNKNOWN, str(len(packages)), "the build's packages"),
        Check("supply.locked", FAIL if loose else OK, str(len(loose)), "each locked with a hash", ", ".join(loose[:5])),
    ]
    if advisories is None or age_h is None:
        checks.append(Check("supply.advisories", UNKNOWN, "none given", "advisory data under 24 h old"))
    else:
        word = FAIL if age_h >= p.advisory_age_h_fail or age_h < 0 else OK
        word = Severity.WARN if word is OK and age_h >= p.advisory_age_h_warn else word
        checks.append(Check("supply.advisory_age", word, f"{age_h:.4g} h", f"under {p.advisory_age_h_warn:g} h"))
        installed = {one.name: one.version for one in packages}
        limits = {"critical": p.critical_days_max, "high": p.high_days_max}
        hits = [one for one in advisories if installed.get(one.package) in one.versions]
        for one in hits:
            over = one.open_days >= limits.get(one.severity, float("inf"))
            checks.append(Check(
                "supply.advisory", FAIL if over else Severity.WARN, f"{one.severity}, open {one.open_days:.4g} d",
                f"under {limits.get(one.severity, 0):g} d" if one.severity in limits else "noted",
                f"{one.id} in {one.package}",
            ))  # fmt: skip
    return Report(name="supply-chain", title="Supply chain", sources=(), checks=tuple(checks))
