"""The one health judgement: a pure function of cached facts, policy and time; the worst check decides."""

from collections.abc import Callable
from typing import Any, NamedTuple

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.health import custody_rules as custody
from tradeworthy.operations.health import rules
from tradeworthy.operations.health.facts import Observed, RuntimeFacts
from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.operations.health.report import HealthCheck, HealthReport, Verdict

Rule = Callable[[Any, HealthPolicy, int], Verdict]


class Judgement(NamedTuple):
    """The rule of a check, and the page for people."""

    rule: Rule
    runbook: str


CHECKS: dict[str, Judgement] = {
    "fix_connectivity": Judgement(rules.sessions, "runbooks/fix.md"),
    "venue_connectivity": Judgement(rules.sessions, "runbooks/venue.md"),
    "market_data": Judgement(rules.market_data, "runbooks/market_data.md"),
    "telemetry_exporters": Judgement(rules.telemetry_exporters, "runbooks/telemetry_exporters.md"),
    "journal": Judgement(custody.journal, "runbooks/journal.md"),
    "guard": Judgement(custody.guard, "runbooks/guard.md"),
    "kill_switch": Judgement(custody.kill_switch, "runbooks/kill-switch.md"),
    "supervisor": Judgement(custody.supervisor, "runbooks/supervision.md"),
    "watchdog": Judgement(custody.watchdog, "runbooks/watchdog.md"),
    "bus": Judgement(rules.judged, "runbooks/bus.md"),
    "clock": Judgement(rules.clock, "runbooks/clock.md"),
    "disk": Judgement(rules.judged, "runbooks/disk.md"),
    "database": Judgement(rules.dependency, "runbooks/database.md"),
    "cache": Judgement(rules.dependency, "runbooks/cache.md"),
    "scheduler": Judgement(rules.scheduler, "runbooks/scheduler.md"),
    "agents": Judgement(rules.members, "runbooks/agents.md"),
    "providers": Judgement(rules.members, "runbooks/providers.md"),
    "portfolio": Judgement(custody.portfolio, "runbooks/reconciliation.md"),
    "controls": Judgement(rules.members, "runbooks/controls.md"),
    "permissions": Judgement(custody.permissions, "runbooks/permissions.md"),
    "alerts": Judgement(custody.alerts, "runbooks/alert-path.md"),
}
"""Every check by name; `RuntimeFacts` has a field of the same name."""


def judge(facts: RuntimeFacts, policy: HealthPolicy, now: int) -> HealthReport:
    """Return the health at `now`, nanoseconds UTC; the same arguments give the same report."""
    checks = tuple(_check(name, one, facts, policy, now) for name, one in CHECKS.items())
    return HealthReport(generated_at=now, run_id=facts.run_id, environment=facts.environment, checks=checks)


def _check(name: str, known: Judgement, facts: RuntimeFacts, policy: HealthPolicy, now: int) -> HealthCheck:
    reason = facts.not_applicable.get(name)
    if reason is not None:
        return HealthCheck(name=name, status=None, verdict=Verdict(Severity.OK, reason), runbook=known.runbook)
    seen: Observed | None = getattr(facts, name)
    verdict = Verdict(Severity.UNKNOWN, "nothing was read yet") if seen is None else _fresh(seen, known, policy, now)
    return HealthCheck(name=name, status=verdict.severity, verdict=verdict, runbook=known.runbook)


def _fresh(seen: Observed, known: Judgement, policy: HealthPolicy, now: int) -> Verdict:
    """Judge a fact by its rule; one that is too old is UNKNOWN unless it failed, one from the future FAIL."""
    age = (now - seen.at) / NANOS_PER_SECOND
    if -age > policy.future_seconds_max:
        return Verdict(Severity.FAIL, f"read {-age:.0f} s in the future", age, -policy.future_seconds_max, "s")
    verdict = known.rule(seen, policy, now)
    if age >= policy.fact_stale_seconds and verdict.severity < Severity.UNKNOWN:
        said = f"read {age:.0f} s ago, nobody knows what it is now; then: {verdict.summary}"
        return Verdict(Severity.UNKNOWN, said, age, policy.fact_stale_seconds, "s")
    return verdict
