"""The desk's HTTP address, wired: from the document's section and the environment to one supervised task."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tradeworthy.app.bootstrap import policy_of
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.redaction import Secret
from tradeworthy.kernel.supervision import Criticality, Pulse, TaskSupervisor
from tradeworthy.kernel.supervision.task import Factory
from tradeworthy.operations.evidence.living import LivingCertificate
from tradeworthy.operations.evidence.telling import CertificateTold
from tradeworthy.operations.health.policy import HealthPolicy, of_environment
from tradeworthy.web.application import create_app, create_metrics_app
from tradeworthy.web.ports import AlertPort, Board, Control, JudgedPort
from tradeworthy.web.server import factory_of
from tradeworthy.web.tokens import tokens_of


class Address(NamedTuple):
    """What a process does to be asked: the policy in force, and the factory of `health_server` (None = disabled)."""

    policy: HealthPolicy
    factory: Factory | None


def address_of(
    board: Board, control: Control, *, section: Mapping[str, Any], environ: Mapping[str, str], clock: Clock,
    resolve: Callable[[str], Secret], supervisor: TaskSupervisor | None = None,
    bound: Callable[[int], object] = lambda port: None, alerts: AlertPort | None = None,
    judged: JudgedPort | None = None,
    certified: Callable[[CertificateTold], object] | None = None,
    running: Callable[[], dict[str, str]] | None = None,
) -> Address:  # fmt: skip
    """Return the address of a desk; nothing is opened before the factory runs.

    section     `health` of the document; the variables RUNTIME_HEALTHCHECK_* win over it
    resolve     returns the secret of a reference `secret://NAME`
    supervisor  keeps the task that reads the evidence behind `/certificate`, where the policy names a store
    bound       hears each port that was bound;  alerts  what `/api/alerts` asks
    judged      what `/api/assessments` and `/api/gates` ask
    certified   hears what is new of the certificate;  running  the hashes that it is judged for

    Raises `UsageError` for a wrong key in either, `AddressRefused` for an address that may not be served.
    """
    policy = policy_in_force(section, environ)
    if not policy.enabled:
        return Address(policy, None)
    tokens = tokens_of(environ, policy.token_audience, resolve)
    living = None
    if policy.evidence_store:
        living = LivingCertificate(
            Path(policy.evidence_store), Path(policy.evidence_trust), clock, running=running, tell=certified
        )
    app = create_app(
        board, control, policy, clock=clock, tokens=tokens, certificate=living, alerts=alerts, judged=judged
    )
    metrics = create_metrics_app(board, policy, clock=clock, tokens=tokens)
    factory = factory_of(app, policy, authenticated=tokens is not None, metrics=metrics, bound=bound)
    if living is None or supervisor is None:
        return Address(policy, factory)
    return Address(policy, _beside(factory, living.refresh, supervisor))


def _beside(serving: Factory, refresh: Factory, supervisor: TaskSupervisor) -> Factory:
    """Return a factory that keeps a second task alive for as long as the first one serves."""

    async def both(pulse: Pulse) -> None:
        reading = supervisor.create(
            refresh, owner="health_server", name="health_server.certificate", criticality=Criticality.OPTIONAL
        )
        try:
            await serving(pulse)
        finally:
            reading.cancel()

    return both


def policy_in_force(section: Mapping[str, Any], environ: Mapping[str, str]) -> HealthPolicy:
    """Return the health policy of a document's section with the environment's keys on top."""
    return of_environment(environ, policy_of(HealthPolicy, "health", section))
