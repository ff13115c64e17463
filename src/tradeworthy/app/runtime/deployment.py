"""How strict a runtime is by where it is deployed: one table; a profile adds strictness and nothing else (MOD-02)."""

from collections.abc import Mapping

import msgspec

from tradeworthy.app.config import Document
from tradeworthy.app.runtime.policy import RuntimePolicy
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.supervision.beat import WatchdogPolicy
from tradeworthy.operations.health.policy import AUTH_SECRET, HealthPolicy, of_environment

RUNBOOK = "docs/runbooks/config.md"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment insists on.

    risk_declared         limits stand in the document also where nothing trades; a desk that trades needs them anywhere
    permissions_enforced  whoever asks the HTTP address shows a token, also on this machine
    heartbeat_loss_kills  a watchdog runs, and a process without a beat is killed
    failure_halts         a component that is given up stops the desk where it would pause it
    """

    risk_declared: bool
    permissions_enforced: bool
    heartbeat_loss_kills: bool
    failure_halts: bool


PROFILES: Mapping[str, Profile] = {
    "demo": Profile(
        risk_declared=False, permissions_enforced=False, heartbeat_loss_kills=False, failure_halts=False
    ),
    "staging": Profile(
        risk_declared=True, permissions_enforced=True, heartbeat_loss_kills=False, failure_halts=False
    ),
    "production": Profile(
        risk_declared=True, permissions_enforced=True, heartbeat_loss_kills=True, failure_halts=True
    ),
}  # fmt: skip


def hardened(
    policy: RuntimePolicy, document: Document, health: HealthPolicy, environ: Mapping[str, str]
) -> RuntimePolicy:
    """Return the policy as strict as its deployment; raises `ConfigurationRefused` with all that it must not lack.

    health  of the document;  environ  where the token's secret is
    """
    profile = PROFILES[policy.deployment]
    lacking = []
    if profile.risk_declared and not document.risk:
        lacking.append("expected limits in section risk, found none (see docs/runbooks/risk.md)")
    answers = of_environment(environ, health).enabled
    if profile.permissions_enforced and answers and not environ.get(AUTH_SECRET, "").strip():
        lacking.append(f"expected {AUTH_SECRET} to name the secret of tokens, found none")
    if profile.heartbeat_loss_kills and not policy.watchdog:
        lacking.append("expected runtime.watchdog = true, found false")
    if lacking:
        raise ConfigurationRefused(f"deployment {policy.deployment}: {'; '.join(lacking)} (see {RUNBOOK})")
    if not profile.heartbeat_loss_kills or policy.watch.kill_after_s is not None:
        return policy
    # the watchdog's own time, or the least that lies after its verdict
    kill_after = max(WatchdogPolicy().kill_after_s or 0.0, 2 * policy.watch.hang_after_s)
    return msgspec.structs.replace(policy, watch=msgspec.structs.replace(policy.watch, kill_after_s=kill_after))
