"""The service scorecard: a level from L0 to L3 in six fields from probes, and the three largest gaps (GT-16)."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.page import Page
from tradeworthy.operations.gates.model import Evidence

FIELDS = ("build", "reliability", "observability", "integrity", "security", "qa")
GAPS_SHOWN = 3
LEVEL_MAX = 3


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One service with its owner and its probes: by field, the sources of each level, L1 first.

    A level is reached where all its sources, and those of the levels below, say OK or WARN.
    """

    name: str
    owner: str
    probes: dict[str, tuple[tuple[str, ...], ...]]


SERVICES = (
    Service(name="desk", owner="trading", probes={
        "build": (("preflight",), ("regression",), ("replay_determinism",)),
        "reliability": (("task_supervision",), ("sigkill_restart",), ("paper_soak",)),
        "observability": (("telemetry_completeness",), ("decision_latency",), ("runtime_performance",)),
        "integrity": (("log_integrity",), ("accounting_integrity",), ("reconciliation",)),
        "security": (("secrets_hygiene",), ("paper_isolation",), ("key_rotation",)),
        "qa": (("tests",), ("control_breaches",), ("control_mutation",)),
    }),
    Service(name="ingest", owner="operations", probes={
        "build": (("preflight",), ("tests",), ("upgrade_preflight",)),
        "reliability": (("data_feed",), ("market_data_freshness",), ("ingest_recovery",)),
        "observability": (("telemetry_completeness",), ("ingest_health",), ("ingest_slos",)),
        "integrity": (("log_integrity",), ("source_compare",), ("data_retention",)),
        "security": (("secrets_hygiene",), ("supply_chain",), ("access_review",)),
        "qa": (("tests",), ("ingest_quality",), ("ingest_failover",)),
    }),
    Service(name="telemetry", owner="operations", probes={
        "build": (("preflight",), ("tests",), ("upgrade_preflight",)),
        "reliability": (("event_bus_health",), ("bus_outage",), ("bus_recovery",)),
        "observability": (("telemetry_completeness",), ("alert_path",), ("unrouted_errors",)),
        "integrity": (("log_integrity",), ("artefact_retention",), ("ops_store",)),
        "security": (("secrets_hygiene",), ("supply_chain",), ("security_posture",)),
        "qa": (("tests",), ("incident_response",), ("disaster_recovery",)),
    }),
)  # fmt: skip


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One field of one service: its level, and what is missing for the next, empty at the highest."""

    service: str
    owner: str
    field: str
    level: int
    missing: tuple[str, ...]


def scores(newest: Mapping[str, Evidence], now: int, services: Iterable[Service] = SERVICES) -> tuple[Score, ...]:
    """Return the level of each field of each service at `now`; a field without probes is L0."""
    found = []
    for service in services:
        for name in FIELDS:
            level = 0
            missing: tuple[str, ...] = ("no probe",)
            for sources in service.probes.get(name, ()):
                missing = tuple(f"{one} {_word(newest.get(one), now)}" for one in sources
                                if not _good(newest.get(one), now))  # fmt: skip
                if missing:
                    break
                level, missing = level + 1, ()
            found.append(Score(
                service=service.name, owner=service.owner, field=name, level=min(level, LEVEL_MAX), missing=missing
            ))  # fmt: skip
    return tuple(found)


def gaps(found: Iterable[Score], service: str) -> tuple[Score, ...]:
    """Return the three largest gaps of a service: its lowest fields, in the fields' order."""
    own = [one for one in found if one.service == service and one.missing]
    return tuple(sorted(own, key=lambda one: (one.level, FIELDS.index(one.field)))[:GAPS_SHOWN])


def scorecard_page(found: Sequence[Score]) -> str:
    """Return the scorecard as Markdown: a service is as high as its lowest field."""
    page = Page("Service scorecard")
    names = list(dict.fromkeys(one.service for one in found))
    by = {(one.service, one.field): one for one in found}
    page.table(("service", "owner", "level", *FIELDS), [
        (name, by[name, FIELDS[0]].owner, f"L{min(by[name, field].level for field in FIELDS)}",
         *(f"L{by[name, field].level}" for field in FIELDS)) for name in names
    ])  # fmt: skip
    for name in names:
        page.heading(f"Largest gaps of {name}")
        page.bullets([f"{one.field} L{one.level}: {', '.join(one.missing)}" for one in gaps(found, name)] or ["none"])
    return str(redact(page.render()))


def _good(one: Evidence | None, now: int) -> bool:
    return (
        one is not None and not one.error and one.status is not None and one.status <= Severity.WARN
        and (one.ends_at is None or now < one.ends_at)
    )  # fmt: skip


def _word(one: Evidence | None, now: int) -> str:
    if one is None:
        return "absent"
    if one.error or one.status is None:
        return "unreadable"
    return one.status.name if one.status > Severity.WARN else "over"
