"""One rule a check of what holds the desk itself: journal, guard, kill switch, tasks, watchdog, books (HLT-03)."""

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.health.facts import (
    Alerts,
    GuardView,
    Journal,
    KillView,
    Members,
    Portfolio,
    Tasks,
    WatchdogView,
)
from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.operations.health.report import Verdict
from tradeworthy.operations.health.rules import names
from tradeworthy.trading.model import GuardLevel

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL


def journal(seen: Journal, policy: HealthPolicy, now: int) -> Verdict:
    """Judge the journal: it must take events and its chain must be whole."""
    del policy, now
    if seen.accepting is False:
        return Verdict(FAIL, "the journal takes no events", "refusing", "accepting")
    if seen.verified is False:
        return Verdict(FAIL, "the journal's chain is broken", "broken", "verified")
    if seen.accepting is None or seen.verified is None:
        what = "takes events" if seen.accepting is None else "is whole"
        return Verdict(UNKNOWN, f"nobody knows whether the journal {what}", "unknown", "accepting, verified")
    return Verdict(OK, "the journal takes events and is whole", seen.head_seq, None, "seq")


def guard(seen: GuardView, policy: HealthPolicy, now: int) -> Verdict:
    """Judge the guard: stopped FAIL, paused or reducing WARN; so warns a narrower scope that is worse than paused."""
    del policy, now
    if seen.level is None:
        return Verdict(UNKNOWN, "the guard's level cannot be read", "unknown", "running")
    level = seen.level.name.lower()
    worst_first = sorted(seen.reasons, key=lambda one: -one.level)
    held = names(tuple(f"{one.owner}.{one.code} ({one.scope})" for one in worst_first))
    if seen.level is GuardLevel.STOPPED:
        return Verdict(FAIL, f"stopped: {held}", level, "running")
    narrow = max((one.level for one in seen.reasons), default=GuardLevel.RUNNING)
    severity = WARN if seen.level is not GuardLevel.RUNNING or narrow > GuardLevel.PAUSED else OK
    return Verdict(severity, f"{level}: {held}" if held else "running, no reason in force", level, "running")


def kill_switch(seen: KillView, policy: HealthPolicy, now: int) -> Verdict:
    """Judge the kill switch: tripped for anything FAIL."""
    del policy, now
    if seen.tripped is None:
        return Verdict(UNKNOWN, "the kill switch's flag cannot be read", "unknown", "armed")
    if seen.tripped:
        return Verdict(FAIL, f"tripped: {names(seen.scopes) or 'desk'}", seen.phase or "tripped", "armed")
    return Verdict(OK, "armed", seen.phase or "armed", "armed")


def supervisor(seen: Tasks, policy: HealthPolicy, now: int) -> Verdict:
    """Judge tasks: one abandoned or failed for good FAIL; an optional one, or one between attempts, WARN."""
    del policy, now
    if seen.abandoned:
        return Verdict(FAIL, f"abandoned: {names(seen.abandoned)}", len(seen.abandoned), 1, "tasks")
    if seen.failed:
        return Verdict(FAIL, f"failed for good: {names(seen.failed)}", len(seen.failed), 1, "tasks")
    if seen.running is None or seen.restarting is None:
        return Verdict(UNKNOWN, "nobody has counted the tasks", unit="tasks")
    if seen.restarting:
        return Verdict(WARN, f"{seen.restarting} of {seen.running + seen.restarting} tasks are restarting",
                       seen.restarting, 1, "tasks")  # fmt: skip
    if seen.failed_optional:
        found = f"failed for good, optional: {names(seen.failed_optional)}"
        return Verdict(WARN, found, len(seen.failed_optional), 1, "tasks")
    if not seen.running:
        return Verdict(UNKNOWN, "no task runs", 0, None, "tasks")
    return Verdict(OK, f"{seen.running} tasks run", 0, 1, "tasks")


def watchdog(seen: WatchdogView, policy: HealthPolicy, now: int) -> Verdict:
    """Judge the watchdog: one that does not answer is FAIL."""
    del policy, now
    if seen.watching is None:
        return Verdict(UNKNOWN, "the watchdog has not answered yet", "unknown", "watching")
    if not seen.watching:
        return Verdict(FAIL, "the watchdog does not answer", "missing", "watching")
    return Verdict(OK, f"the watchdog watches, token {seen.token}", "watching", "watching")


def permissions(seen: Members, policy: HealthPolicy, now: int) -> Verdict:
    """Judge the permissions of files and keys: one that is too wide is FAIL."""
    del policy, now
    if seen.total is None:
        return Verdict(UNKNOWN, "the permissions were not looked at yet")
    wide = len(seen.unwell)
    return Verdict(FAIL if wide else OK, f"wrong: {names(seen.unwell)}" if wide else f"{seen.total} are right", wide, 1)


def portfolio(seen: Portfolio, policy: HealthPolicy, now: int) -> Verdict:
    """Judge the books: out of balance or at odds with the venue FAIL, a position without a price WARN."""
    del policy, now
    if seen.balanced is False:
        return Verdict(FAIL, "the ledger does not balance", "unbalanced", "balanced")
    if seen.breaks:
        return Verdict(FAIL, f"{seen.breaks} breaks with the venue are open", seen.breaks, 1, "breaks")
    if seen.balanced is None or seen.breaks is None or seen.unpriced is None:
        return Verdict(UNKNOWN, "the books were not compared yet", "unknown", "balanced")
    if seen.unpriced:
        return Verdict(WARN, f"{seen.unpriced} positions have no price", seen.unpriced, 1, "positions")
    return Verdict(OK, "the books balance and agree with the venue", 0, 1, "breaks")


def alerts(seen: Alerts, policy: HealthPolicy, now: int) -> Verdict:
    """Judge open alerts: a failure, or one that reached nobody, FAIL; a warning WARN."""
    del policy, now
    if seen.undelivered:
        return Verdict(FAIL, f"{seen.undelivered} alerts reached nobody", seen.undelivered, 1, "alerts")
    if seen.failures:
        return Verdict(FAIL, f"{seen.failures} failures are open", seen.failures, 1, "alerts")
    if seen.warnings is None or seen.failures is None or seen.undelivered is None:
        return Verdict(UNKNOWN, "nobody has counted the open alerts", unit="alerts")
    if seen.warnings:
        return Verdict(WARN, f"{seen.warnings} warnings are open", seen.warnings, 1, "alerts")
    return Verdict(OK, "no alert is open", 0, 1, "alerts")
