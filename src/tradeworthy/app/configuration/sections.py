"""The sections of the document that a room's policy reads: which policy reads which."""

from collections.abc import Mapping

import msgspec

from tradeworthy.app.runtime.policy import RuntimePolicy
from tradeworthy.kernel.telemetry.export_policy import ExportPolicy
from tradeworthy.kernel.telemetry.log_policy import LogPolicy
from tradeworthy.kernel.telemetry.publishing import PublishingPolicy
from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.operations.incidents.ladder_policy import EscalationPolicy, reachable
from tradeworthy.operations.incidents.policy import AlertPolicy, IncidentPolicy
from tradeworthy.trading.allocation.drawdown_tiers import TierPolicy
from tradeworthy.trading.allocation.static_split import AllocationPolicy
from tradeworthy.trading.control.policy import PeoplePolicy
from tradeworthy.trading.execution.execution import ExecutionPolicy
from tradeworthy.trading.market_data.quality import QualityPolicy
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.timing import TimingPolicy
from tradeworthy.trading.unwinding import UnwindPolicy


class TelemetrySection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is told of a run while it goes on.

    logs        lines for operators;  export  spans and lines to a collector
    publishing  the bus, its spool, and the limits that the bus is judged by
    alerts      who is told of what;  escalation  who is asked next;  incidents  how they are answered and judged
    """

    logs: LogPolicy = LogPolicy()
    export: ExportPolicy = ExportPolicy()
    publishing: PublishingPolicy = PublishingPolicy()
    alerts: AlertPolicy = AlertPolicy()
    escalation: EscalationPolicy = EscalationPolicy()
    incidents: IncidentPolicy = IncidentPolicy()

    def __post_init__(self) -> None:
        reachable(self.alerts, self.escalation)


class ControlSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may act on a desk.

    people        whose keys count, how long packs live, and the cool-off after a stop
    confirm_live  a desk of the live environment may trade with real money; nothing else says so
    """

    people: PeoplePolicy = PeoplePolicy()
    confirm_live: bool = False


SECTIONS: Mapping[str, type[msgspec.Struct]] = {
    "risk": RiskPolicy, "allocation": AllocationPolicy, "drawdown_tiers": TierPolicy, "execution": ExecutionPolicy,
    "unwind": UnwindPolicy, "market_data": QualityPolicy, "timing": TimingPolicy, "runtime": RuntimePolicy,
    "telemetry": TelemetrySection, "health": HealthPolicy, "control": ControlSection,
}  # fmt: skip
"""Sections that the document keeps as plain values, and the policies that read them."""
