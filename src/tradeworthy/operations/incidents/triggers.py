"""What happens of itself when something grave is seen, and whom it is for: the trigger matrix (AR-20)."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.operations.incidents.model import AlertSeverity, Signal
from tradeworthy.trading.model import GuardLevel

PAUSED, STOPPED = GuardLevel.PAUSED, GuardLevel.STOPPED
SCOPES = ("strategy:", "instrument:", "venue:")
FAILURES_IN_A_ROW = 3


class Trigger(NamedTuple):
    """One row. Codes are prefixes; `components` empty is any.

    action  in words, for the alert;  level  asked of the guard, None: what refused has acted already
    to      roles;  scoped  the guard's scope is the signal's, where it names one;  day  it lasts to the day's end, UTC
    """

    name: str
    codes: tuple[str, ...]
    action: str
    level: GuardLevel | None
    to: tuple[str, ...]
    components: tuple[str, ...] = ()
    scoped: bool = False
    day: bool = False

    def matches(self, signal: Signal) -> bool:
        """Tell whether a signal is this row's."""
        return signal.code.startswith(self.codes) and signal.component.startswith(self.components or ("",))


TIER_1 = ("head_of_desk", "automated_director", "sponsor")
TIER_2 = ("risk_officer", "safety_officer")
TIER_3 = ("compliance", "legal")
TRIGGERS: tuple[Trigger, ...] = (
    Trigger(
        "daily_loss", ("guard.risk", "risk_daily_loss", "risk.daily_loss"), "pause new risk", PAUSED,
        ("governance", "head_of_desk", "risk_officer"), components=("daily_loss",),
    ),
    Trigger(
        "compliance_veto", ("compliance_reject", "compliance.veto"), "the order is blocked", None,
        ("compliance", "automated_director", "sponsor"),
    ),
    Trigger(
        "execution_failures", ("execution.failures_in_a_row",),
        "open nothing; cancel what waits, or go to the venue that stands in the pack", PAUSED,
        ("head_of_desk", "risk_officer"), scoped=True,
    ),
    Trigger(
        "data_anomaly", ("data.anomaly", "guard.market_data", "guard.md", "guard.feed"), "freeze what depends on it",
        PAUSED, ("automated_director", "data_owner"), scoped=True,
    ),
    Trigger(
        "security_anomaly", ("security.",), "stop; rotate the keys", STOPPED, ("security_officer",),
    ),
    Trigger(
        "prohibited", ("compliance_prohibited", "surveillance.prohibited", "compliance.sanctions", "regulatory.missed"),
        "stop", STOPPED, TIER_3,
    ),
    Trigger(
        "component_down", ("system_failure", "process.down", "component.down"), "stop", STOPPED, (*TIER_1, *TIER_2),
        components=("risk", "compliance", "execution", "journal"),
    ),
    Trigger(
        "provider_retries", ("provider.retries_spent",), "no trading today", PAUSED, ("data_owner",), day=True,
    ),
)  # fmt: skip


class Asked(NamedTuple):
    """What a row asks of the guard: `escalation` + `code`; `expires_at` nanoseconds UTC."""

    code: str
    level: GuardLevel
    scope: str
    active: bool
    evidence: str
    expires_at: int | None


class Triggers:
    """Find the row of a signal; what it asked for is taken back when the last signal of the row clears.

    A stop latches, and what lasts to the day's end ends with the day.
    """

    def __init__(self, rows: tuple[Trigger, ...] = TRIGGERS) -> None:
        self._rows = rows
        self._holding: dict[tuple[str, str], dict[tuple[str, str, str], None]] = {}

    def take(self, signal: Signal, now: int) -> tuple[Signal, list[Asked]]:
        """Return the signal with its addressees, and what is asked of the guard; a reason of the guard's has acted."""
        row = next((one for one in self._rows if one.matches(signal)), None)
        if row is None:
            return signal, []
        quiet = signal.severity is AlertSeverity.INFO
        scope = signal.subject if row.scoped and signal.subject.startswith(SCOPES) else "desk"
        tags = (*signal.tags, ("action", row.action), ("for", ", ".join(row.to)))
        told: Signal = msgspec.structs.replace(signal, tags=tags)
        if row.level is None or quiet or signal.code.startswith("guard."):
            return told, []
        holders = self._holding.setdefault((row.name, scope), {})
        if signal.firing:
            holders[signal.key] = None
            ends = (now // NANOS_PER_DAY + 1) * NANOS_PER_DAY if row.day else None
            return told, [Asked(row.name, row.level, scope, True, f"{signal.code}: {signal.message}", ends)]
        holders.pop(signal.key, None)
        if holders or row.level is STOPPED or row.day:
            return told, []
        return told, [Asked(row.name, row.level, scope, False, "", None)]


class FailuresInARow:
    """Count orders of an instance that failed one after another; the third is a signal, a success ends it."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def failed(self, instance: str, cause: str) -> Signal | None:
        """Take one failure; returns the signal of the third and of each further one."""
        count = self._counts[instance] = self._counts.get(instance, 0) + 1
        return None if count < FAILURES_IN_A_ROW else self._signal(instance, count, cause, firing=True)

    def worked(self, instance: str, cause: str) -> Signal | None:
        """Take a success; returns the end of what was signalled."""
        count = self._counts.pop(instance, 0)
        return None if count < FAILURES_IN_A_ROW else self._signal(instance, count, cause, firing=False)

    def counts(self) -> Mapping[str, int]:
        """Return the failures in a row by instance."""
        return dict(self._counts)

    def _signal(self, instance: str, count: int, cause: str, *, firing: bool) -> Signal:
        return Signal(
            code="execution.failures_in_a_row", category="system_failure", component="execution",
            subject=f"strategy:{instance}", severity=AlertSeverity.ERROR, observed=str(count),
            limit=str(FAILURES_IN_A_ROW), message=f"{count} orders of {instance} failed one after another",
            firing=firing, cause=cause,
        )  # fmt: skip
