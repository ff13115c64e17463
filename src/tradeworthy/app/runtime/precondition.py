"""What a desk needs before it trades, and what it tells of it once: its limits and its configuration (APP-06)."""

from collections.abc import Callable
from typing import Any

import msgspec

from tradeworthy.app.bootstrap import risk_policy
from tradeworthy.app.config import Document
from tradeworthy.app.configuration.audit import TOPIC as CONFIGURATION_TOPIC
from tradeworthy.app.configuration.audit import ConfigurationAudited
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.risk.policy import RiskPolicy

RISK_TOPIC = "telemetry.risk.configuration"
RUNBOOK = "docs/runbooks/risk.md"


class RiskConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """The limits that a desk trades under.

    declared             keys that the document sets; all others are the policy's own defaults
    stop_loss_mandatory  no opening without a protective stop;  limits  every key as it is in force
    """

    desk: str
    environment: str
    policy_hash: str
    stop_loss_mandatory: bool
    declared: tuple[str, ...]
    limits: dict[str, Any]
    runbook: str = RUNBOOK


def require_risk_policy(document: Document) -> RiskPolicy:
    """Return the risk policy; raises `ConfigurationRefused` with reason and runbook for one that nobody may trade on.

    It holds limits above zero and, outside research, a mandatory stop loss. Whether the document has limits of its own
    is asked by `require_limits_in`.
    """
    try:
        return risk_policy(document)
    except ConfigurationRefused as problem:
        raise ConfigurationRefused(f"no start without a risk policy fit to trade: {problem} (see {RUNBOOK})") from None


def require_limits_in(document: Document) -> None:
    """Refuse to trade on a document that sets no limit: somebody must have chosen what a desk may lose.

    Raises `ConfigurationRefused` with reason and runbook. A backtest may go without, it trades with nobody.
    """
    if not document.risk:
        raise ConfigurationRefused(
            "no start without a risk policy: expected limits in section risk, found none; write [risk] with at least "
            f"one limit, e.g. per_trade (see {RUNBOOK})"
        )


def configuration_of(document: Document, policy: RiskPolicy) -> RiskConfiguration:
    """Return what is told of a desk's limits."""
    return RiskConfiguration(
        desk=document.desk.name, environment=document.desk.environment, policy_hash=policy.policy_hash,
        stop_loss_mandatory=not policy.research, declared=tuple(sorted(document.risk)),
        limits=msgspec.to_builtins(policy),
    )  # fmt: skip


def tell_configuration(
    tell: Callable[[str, object], None], document: Document, audited: ConfigurationAudited | None, *, trades: bool
) -> None:
    """Publish the audited configuration, and the limits of a desk that trades: once, after the bus has started."""
    if audited is not None:  # the life's journal has the fact; what is published is its content
        tell(CONFIGURATION_TOPIC, msgspec.to_builtins(audited))
    if trades:
        tell(RISK_TOPIC, configuration_of(document, require_risk_policy(document)))
