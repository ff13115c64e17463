"""What stands behind a desk, tier by tier, and what of it is really there (MOD-03, MOD-04)."""

from collections.abc import Mapping

import msgspec

from tradeworthy.app.config import Document
from tradeworthy.app.gates.verdicts import GateAsk, GateVerdicts
from tradeworthy.app.runtime.ingesting import service_fault, shown
from tradeworthy.app.runtime.policy import RuntimePolicy
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.severity import Severity, worst

LOWEST = "tier_0"
STORE, JOURNAL, AUDIT, CACHE, STREAM, VENUE, SITE = (
    "market_store", "journal", "configuration_audit", "cache", "stream", "venue", "second_site"
)  # fmt: skip


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """One tier: its uptime floor in percent, and the backing classes that each connector may have in it."""

    uptime_floor_pct: float
    backing: dict[str, tuple[str, ...]]


_SERVICES = {STORE: ("postgres", "timescale"), AUDIT: ("postgres", "timescale"), CACHE: ("redis",)}
TIERS: Mapping[str, Tier] = {
    "tier_0": Tier(uptime_floor_pct=99.5, backing={}),
    "tier_1": Tier(uptime_floor_pct=99.9, backing=_SERVICES),
    "tier_2": Tier(
        uptime_floor_pct=99.99, backing={**_SERVICES, STREAM: ("kafka",), VENUE: ("fix",), SITE: ("replica",)}
    ),
}  # fmt: skip
"""A connector that a tier does not name may be embedded there, or absent."""


class Connector(msgspec.Struct, frozen=True, kw_only=True):
    """One thing behind the desk. `backing` says of what class it is, empty = there is none."""

    name: str
    backing: str
    where: str
    severity: Severity
    summary: str


class ConnectivityReport(msgspec.Struct, frozen=True, kw_only=True):
    """What is there, held against the tier. An embedded store where the tier asks for a service is degraded."""

    tier: str
    uptime_floor_pct: float
    severity: Severity
    connectors: tuple[Connector, ...]


def connectivity(document: Document, policy: RuntimePolicy, *, store: str) -> ConnectivityReport:
    """Report what stands behind a document's desk; nothing is called.

    store  the path of the embedded market store
    """
    tier = TIERS[policy.tier]
    url = policy.backbone.url
    stands_in = "" if not url else f"stands in for {shown(url)}: {service_fault(url)}"
    outside = bool(document.venue.connection)
    known = (
        (STORE, "duckdb" if policy.ingest.sources else "", store, stands_in), (JOURNAL, "files", "run folder", ""),
        (AUDIT, "sqlite", "state folder", ""), (CACHE, "", "", ""), (STREAM, "in_process", "bus", ""),
        (VENUE, "simulated", "a process of its own" if outside else "this process", ""), (SITE, "", "", ""),
    )  # fmt: skip
    connectors = tuple(_judged(name, backing, where, note, tier) for name, backing, where, note in known)
    return ConnectivityReport(
        tier=policy.tier, uptime_floor_pct=tier.uptime_floor_pct, severity=worst(one.severity for one in connectors),
        connectors=connectors,
    )  # fmt: skip


def require_tier(policy: RuntimePolicy, ask: GateAsk, verdicts: GateVerdicts) -> None:
    """Refuse a tier above the lowest without the gate's GO for this release on it (MOD-03)."""
    if policy.tier != LOWEST:
        require_go(policy.tier, ask, verdicts)


def require_go(tier: str, ask: GateAsk, verdicts: GateVerdicts) -> None:
    """Raise `ConfigurationRefused` unless the gate says GO for this release on a tier."""
    answer = verdicts.answer(ask)
    if not answer.go:
        raise ConfigurationRefused(
            f"runtime.tier {tier}: expected GO of the gate for release {ask.release}, {ask.environment}, found "
            f"{answer.why} (see docs/runbooks/gate.md)"
        )


def _judged(name: str, backing: str, where: str, note: str, tier: Tier) -> Connector:
    wanted = tier.backing.get(name, ())
    if wanted and not backing:
        severity, summary = Severity.FAIL, f"expected {' or '.join(wanted)}, found nothing"
    elif wanted and backing not in wanted:
        severity, summary = Severity.WARN, f"degraded: expected {' or '.join(wanted)}, found {backing}"
    elif note:
        severity, summary = Severity.WARN, f"degraded: {backing or 'nothing'} {note}"
    else:
        severity, summary = Severity.OK, backing or "not used"
    return Connector(name=name, backing=backing, where=where, severity=severity, summary=summary)
