"""The desk's HTTP address, wired: from the document's section and the environment to one supervised task."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple

from tradeworthy.app.bootstrap import policy_of
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.redaction import Secret
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.operations.health.policy import HealthPolicy, of_environment
from tradeworthy.web.application import create_app, create_metrics_app
from tradeworthy.web.ports import Board, CertificatePort, Control
from tradeworthy.web.server import factory_of
from tradeworthy.web.tokens import tokens_of


class Address(NamedTuple):
    """What a process does to be asked: the policy in force, and the factory of `health_server` (None = disabled)."""

    policy: HealthPolicy
    factory: Callable[[Pulse], Coroutine[Any, Any, None]] | None


def address_of(
    board: Board, control: Control, *, section: Mapping[str, Any], environ: Mapping[str, str], clock: Clock,
    resolve: Callable[[str], Secret], certificate: CertificatePort | None = None,
    bound: Callable[[int], object] = lambda port: None,
) -> Address:  # fmt: skip
    """Return the address of a desk; nothing is opened before the factory runs.

    section  `health` of the document; the variables RUNTIME_HEALTHCHECK_* win over it
    resolve  returns the secret of a reference `secret://NAME`
    bound    hears each port that was bound

    Raises `UsageError` for a wrong key in either, `AddressRefused` for an address that may not be served.
    """
    policy = policy_in_force(section, environ)
    if not policy.enabled:
        return Address(policy, None)
    tokens = tokens_of(environ, policy.token_audience, resolve)
    app = create_app(board, control, policy, clock=clock, tokens=tokens, certificate=certificate)
    metrics = create_metrics_app(board, policy, clock=clock, tokens=tokens)
    factory = factory_of(app, policy, authenticated=tokens is not None, metrics=metrics, bound=bound)
    return Address(policy, factory)


def policy_in_force(section: Mapping[str, Any], environ: Mapping[str, str]) -> HealthPolicy:
    """Return the health policy of a document's section with the environment's keys on top."""
    return of_environment(environ, policy_of(HealthPolicy, "health", section))
